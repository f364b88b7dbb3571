/* Feeds that are files or what a program prints: limits, complaints, and what is left behind. */
#include "fetch/fetch.h"

#include <stdarg.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEADLINE_MS 20000
#define RSS \
    "<rss version='2.0'><channel><title>t</title><item><title>one</title></item></channel></rss>"
#define MAX_BYTES 100000

static struct http_client *client;
static struct worker *worker;
static struct clock *wall;
static struct fetcher *fetcher;
static char *folder;

struct answer {
    guint n_done;
    enum fetch_kind kind;
    enum schedule_outcome_kind outcome;
    size_t n_items;
    uint64_t body_hash;
    bool has_validator;
    char *message;
};
static struct answer last;

static void on_done(struct fetch_result *result, void *user)
{
    struct answer *answer = user;
    g_free(answer->message);
    *answer = (struct answer){
        .n_done = answer->n_done + 1,
        .kind = result->kind,
        .outcome = result->outcome.kind,
        .n_items = result->doc ? result->doc->n_items : 0,
        .body_hash = result->body_hash,
        .has_validator = result->outcome.has_validator,
        .message = g_strdup(result->message),
    };
}

static gboolean on_deadline(gpointer user)
{
    *(bool *)user = true;
    return G_SOURCE_REMOVE;
}

static void run_until_done(void)
{
    bool is_late = false;
    guint timer = g_timeout_add(DEADLINE_MS, on_deadline, &is_late);
    while (last.n_done == 0 && !is_late)
        g_main_context_iteration(NULL, TRUE);
    assert_false(is_late);
    g_source_remove(timer);
}

static struct fetch_request local_request(const char *path, const char *const *argv)
{
    return (struct fetch_request){
        .feed_id = "feed",
        .url = path ? "file:it" : "exec:it",
        .path = path,
        .argv = argv,
        .timeout_ms = 15000,
        .max_bytes = MAX_BYTES,
    };
}

static void clear_last(void)
{
    g_free(last.message);
    last = (struct answer){0};
}

static void fetch(const struct fetch_request *request)
{
    clear_last();
    fetch_start(fetcher, request, on_done, &last);
    assert_int_equal(last.n_done, 0);
    run_until_done();
    assert_int_equal(last.n_done, 1);
}

static char *in_folder(const char *name, const char *text)
{
    char *path = g_build_filename(folder, name, NULL);
    if (text)
        assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void assert_failed(const char *part)
{
    assert_int_equal(last.kind, FETCH_FAILED);
    assert_int_equal(last.outcome, SCHEDULE_FAILED);
    assert_non_null(last.message);
    if (!strstr(last.message, part))
        fail_msg("'%s' does not have '%s' in it", last.message, part);
}

/* ---- files ---- */

static void test_file(void **state)
{
    (void)state;
    g_autofree char *path = in_folder("feed file.xml", RSS);
    struct fetch_request request = local_request(path, NULL);
    fetch(&request);
    assert_int_equal(last.kind, FETCH_DOCUMENT);
    assert_int_equal(last.outcome, SCHEDULE_OK);
    assert_int_equal(last.n_items, 1);
    assert_true(last.has_validator);
    request.body_hash = last.body_hash;
    fetch(&request);
    assert_int_equal(last.kind, FETCH_UNCHANGED);
}

static void test_file_is_no_feed(void **state)
{
    (void)state;
    g_autofree char *path = in_folder("page.html", "<html><body>hello</body></html>");
    const struct fetch_request request = local_request(path, NULL);
    fetch(&request);
    assert_failed("feed");
}

static void test_file_is_refused(void **state)
{
    (void)state;
    g_autofree char *fifo = in_folder("fifo", NULL);
    g_autofree char *missing = in_folder("missing", NULL);
    g_autofree char *large = in_folder("large", NULL);
    g_autofree char *bytes = g_strnfill(MAX_BYTES + 1, ' ');
    assert_true(g_file_set_contents(large, bytes, MAX_BYTES + 1, NULL));
    assert_int_equal(mkfifo(fifo, 0600), 0);
    const struct {
        const char *path, *message;
    } cases[] = {
        {missing, "No such file"},       {folder, "not a regular file"},
        {fifo, "not a regular file"},    {"/dev/zero", "not a regular file"},
        {large, "larger than max_size"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct fetch_request request = local_request(cases[i].path, NULL);
        fetch(&request);
        assert_failed(cases[i].message);
        assert_failed(cases[i].path);
    }
}

static void test_file_at_the_limit(void **state)
{
    (void)state;
    g_autofree char *path = in_folder("just", NULL);
    g_autoptr(GString) text = g_string_new(RSS);
    while (text->len < MAX_BYTES)
        g_string_append_c(text, ' ');
    assert_true(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
    const struct fetch_request request = local_request(path, NULL);
    fetch(&request);
    assert_int_equal(last.n_items, 1);
}

/* ---- programs ---- */

static void run(const char *script, int64_t timeout_ms)
{
    const char *const argv[] = {"/bin/sh", "-c", script, "sh", folder, NULL};
    struct fetch_request request = local_request(NULL, argv);
    request.timeout_ms = timeout_ms ? timeout_ms : request.timeout_ms;
    fetch(&request);
}

static void test_program(void **state)
{
    (void)state;
    run("echo noise >&2; echo \"" RSS "\"", 0);
    assert_int_equal(last.kind, FETCH_DOCUMENT);
    assert_int_equal(last.n_items, 1);
    assert_false(last.has_validator);
}

/* Each argument is what it says: no shell looks at it. */
static void test_arguments(void **state)
{
    (void)state;
    g_autofree char *path = in_folder("$(id) ; a*.xml", RSS);
    const char *const argv[] = {"/bin/cat", "--", path, NULL};
    const struct fetch_request request = local_request(NULL, argv);
    fetch(&request);
    assert_int_equal(last.n_items, 1);
}

static void test_complaints(void **state)
{
    (void)state;
    static const struct {
        const char *script, *message;
        int64_t timeout_ms;
    } cases[] = {
        {"echo '" RSS "'; printf '\\nfirst \\033[31mword\\nsecond\\n' >&2; exit 3",
         "/bin/sh ended with status 3: first [31mword", 0},
        {"exit 1", "/bin/sh ended with status 1", 0},
        {"kill -9 $$", "/bin/sh was ended by signal 9", 0},
        {"echo waiting >&2; sleep 60", "/bin/sh was killed after 0.3 s: waiting", 300},
        {"exec head -c 200000 /dev/zero", "/bin/sh prints more than max_size allows", 0},
        {"cat /dev/zero", "/bin/sh prints more than max_size allows", 0},
        {"exec cat /dev/zero >&2", "/bin/sh was killed after 0.3 s", 300},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        run(cases[i].script, cases[i].timeout_ms);
        assert_int_equal(last.kind, FETCH_FAILED);
        assert_int_equal(last.outcome, SCHEDULE_FAILED);
        if (i == 6)
            assert_failed(cases[i].message);
        else
            assert_string_equal(last.message, cases[i].message);
    }
    const char *const argv[] = {"/nonexistent/x", NULL};
    const struct fetch_request request = local_request(NULL, argv);
    fetch(&request);
    assert_string_equal(last.message, "cannot run /nonexistent/x: No such file or directory");
}

static pid_t pid_in(const char *path)
{
    g_autofree char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) && strchr(text, '\n') ? atoi(text) : 0;
}

static bool is_alive(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    g_autofree char *stat_line = NULL;
    return g_file_get_contents(path, &stat_line, NULL, NULL) && !strstr(stat_line, ") Z ");
}

static void wait_until_gone(pid_t pid)
{
    gint64 end_us = g_get_monotonic_time() + DEADLINE_MS * 1000;
    while (is_alive(pid)) {
        assert_true(g_get_monotonic_time() < end_us);
        g_usleep(10000);
    }
}

/* A child that holds the output open neither delays the document nor survives. */
static void test_what_is_left_behind(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        int64_t timeout_ms;
        enum fetch_kind kind;
    } cases[] = {
        {"rm -f $1/pid; sleep 1000 & echo $! >$1/pid; echo \"" RSS "\"", 0, FETCH_DOCUMENT},
        {"rm -f $1/pid; sleep 1000 & echo $! >$1/pid; wait", 500, FETCH_FAILED},
        {"rm -f $1/pid; sleep 1000 & echo $! >$1/pid; cat /dev/zero", 0, FETCH_FAILED},
    };
    g_autofree char *path = in_folder("pid", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        run(cases[i].script, cases[i].timeout_ms);
        assert_int_equal(last.kind, cases[i].kind);
        assert_true(pid_in(path) > 0);
        wait_until_gone(pid_in(path));
    }
}

static void test_cancel_kills(void **state)
{
    (void)state;
    g_autofree char *path = in_folder("pid2", NULL);
    const char *const argv[] = {"/bin/sh", "-c",   "sleep 1000 & echo $! >$1/pid2; wait",
                                "sh",      folder, NULL};
    const struct fetch_request request = local_request(NULL, argv);
    clear_last();
    struct fetch *under_way = fetch_start(fetcher, &request, on_done, &last);
    gint64 end_us = g_get_monotonic_time() + DEADLINE_MS * 1000;
    while (pid_in(path) == 0) {
        assert_true(g_get_monotonic_time() < end_us);
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
    fetch_cancel(under_way);
    wait_until_gone(pid_in(path));
    g_autofree char *file = in_folder("c.xml", RSS);
    const struct fetch_request other = local_request(file, NULL);
    fetch_cancel(fetch_start(fetcher, &other, on_done, &last));
    while (g_main_context_iteration(NULL, FALSE))
        ;
    assert_int_equal(last.n_done, 0);
}

static void test_environment(void **state)
{
    (void)state;
    g_setenv("NOTIFY_SOCKET", "/nowhere", TRUE);
    g_setenv("WATCHDOG_USEC", "1", TRUE);
    run("[ -z \"$NOTIFY_SOCKET$WATCHDOG_USEC\" ] && ! read line && echo \"" RSS "\"", 0);
    g_unsetenv("NOTIFY_SOCKET");
    g_unsetenv("WATCHDOG_USEC");
    assert_int_equal(last.n_items, 1);
}

static void remove_all(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        g_unlink(file);
    }
    g_rmdir(path);
}

static int set_up(void **state)
{
    (void)state;
    folder = g_dir_make_tmp("feedwatch-local-XXXXXX", NULL);
    client = http_client_new(NULL, NULL);
    worker = worker_new(NULL);
    wall = clock_new_real();
    fetcher = fetcher_new(NULL, client, worker, wall);
    fetcher_set_limits(fetcher, 0, 8);
    return folder ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    clear_last();
    fetcher_free(fetcher);
    worker_free(worker);
    http_client_free(client);
    clock_free(wall);
    remove_all(folder);
    g_free(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_file_is_no_feed),
        cmocka_unit_test(test_file_is_refused),
        cmocka_unit_test(test_file_at_the_limit),
        cmocka_unit_test(test_program),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_complaints),
        cmocka_unit_test(test_what_is_left_behind),
        cmocka_unit_test(test_cancel_kills),
        cmocka_unit_test(test_environment),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
