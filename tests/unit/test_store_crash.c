/* SIGKILL at random moments: every alert that is in the store is in the log exactly once, every
 * item alerted once, and no line is torn, however often the process dies and the log is rotated.
 *
 * The program runs itself as the victim: `test_store_crash victim DIR FIRST`. */
#include "tests/unit/store_fixture.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#define ROUNDS      200
#define WINDOW      12 /* items in a document */
#define STEP        3  /* new ones in the next */
#define DOCS        400
#define FEEDS       3
#define DELAY_MS    25
#define READY_FILE  "ready"
#define ROTATED_FMT "alerts.log.%d"

extern char **environ;

/* ---- the victim ---- */

struct victim_feed {
    struct fixture *fixture;
    char id[8];
    size_t next; /* number of the first item of its next document */
    size_t docs; /* still to be made */
    struct test_item items[WINDOW];
    char texts[WINDOW][32];
    struct test_doc doc;
    struct store_verdicts *verdicts;
    struct store_new_alert alerts[WINDOW];
    bool *is_over;
};

static void next_document(struct victim_feed *feed);

static void on_victim_committed(void *user)
{
    struct victim_feed *feed = user;
    store_verdicts_free(feed->verdicts);
    doc_clear(&feed->doc);
    next_document(feed);
}

static void on_victim_classified(struct store_verdicts *verdicts, void *user)
{
    struct victim_feed *feed = user;
    size_t n = 0;
    feed->verdicts = verdicts;
    for (size_t i = 0; i < WINDOW; i++)
        if (verdicts->items[i].news == STORE_NEW)
            feed->alerts[n++] = (struct store_new_alert){
                .item = i, .kind = "alert", .rule = "r", .urgency = "low", .sinks = to_both};
    struct store_feed state = {.id = feed->id, .n_items_last = WINDOW};
    const struct store_commit commit = {
        .feed = &state,
        .feed_title = feed->id,
        .doc = &feed->doc.doc,
        .keys = feed->doc.keys,
        .verdicts = verdicts,
        .alerts = feed->alerts,
        .n_alerts = n,
    };
    store_commit(feed->fixture->store, &commit, on_victim_committed, feed);
}

static void next_document(struct victim_feed *feed)
{
    if (feed->docs-- == 0) {
        *feed->is_over = true;
        return;
    }
    for (size_t i = 0; i < WINDOW; i++) {
        g_snprintf(feed->texts[i], sizeof feed->texts[i], "%s item %zu.", feed->id, feed->next + i);
        feed->items[i] = (struct test_item){.guid = feed->texts[i], .title = feed->texts[i]};
    }
    feed->next += STEP;
    feed->doc = make_doc(ITEMS(feed->items));
    store_classify(feed->fixture->store, feed->id, &feed->doc.doc, feed->doc.keys,
                   on_victim_classified, feed);
}

static int run_victim(const char *dir, size_t first)
{
    struct fixture fixture = {
        .dir = (char *)(uintptr_t)dir,
        .log_path = g_build_filename(dir, "alerts.log", NULL),
        .clock = clock_new_virtual(START_S),
        .context = g_main_context_new(),
        .troubles = g_ptr_array_new_with_free_func(g_free),
    };
    g_autofree char *ready = path_in(&fixture, READY_FILE);
    static struct victim_feed feeds[FEEDS];
    bool is_over = false;
    fixture_open(&fixture);
    set_log(&fixture, STORE_LOG_TEXT);
    (void)g_file_set_contents(ready, "", 0, NULL);
    for (size_t i = 0; i < FEEDS; i++) {
        feeds[i] = (struct victim_feed){
            .fixture = &fixture, .next = first, .docs = DOCS, .is_over = &is_over};
        g_snprintf(feeds[i].id, sizeof feeds[i].id, "f%zu", i);
        next_document(&feeds[i]);
    }
    while (!is_over)
        g_main_context_iteration(fixture.context, TRUE);
    return 0;
}

/* ---- the judge ---- */

struct books {
    GHashTable *lines;  /* id -> how often */
    GHashTable *titles; /* of alerts */
    size_t n_lines, n_alerts, n_wrong;
};

static void count_log(struct books *books, const char *path)
{
    g_autofree char *text = get_file(path);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line && line[1]; line++) {
        const char *id = strstr(*line, " | id=");
        if (!id || strlen(id) != 6 + 26 || strlen(*line) < 60) {
            print_error("torn: %s\n", *line);
            books->n_wrong++;
            continue;
        }
        char *key = g_strdup(id + 6);
        guint n = GPOINTER_TO_UINT(g_hash_table_lookup(books->lines, key));
        g_hash_table_replace(books->lines, key, GUINT_TO_POINTER(n + 1));
        books->n_lines++;
    }
}

static bool on_alert(const struct store_alert *alert, const char *const *deliveries, void *user)
{
    struct books *books = user;
    (void)deliveries;
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(books->lines, alert->id));
    bool is_new = g_hash_table_add(books->titles, g_strdup(alert->title));
    if (n != 1 || !is_new) {
        print_error("%s (%s): %u lines%s\n", alert->id, alert->title, n,
                    is_new ? "" : ", told twice");
        books->n_wrong++;
    }
    books->n_alerts++;
    return true;
}

static void audit(struct fixture *fixture, int n_rotated, struct books *books)
{
    books->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    books->titles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int i = 0; i < n_rotated; i++) {
        g_autofree char *name = g_strdup_printf(ROTATED_FMT, i);
        g_autofree char *path = path_in(fixture, name);
        count_log(books, path);
    }
    count_log(books, fixture->log_path);
    struct store_reader *reader = store_reader_open(fixture->dir, NULL);
    const struct store_filter all = {.since_ms = 0};
    assert_non_null(reader);
    assert_true(store_read_alerts(reader, &all, on_alert, books, NULL));
    store_reader_free(reader);
    g_hash_table_unref(books->lines);
    g_hash_table_unref(books->titles);
}

static pid_t spawn_victim(const char *dir, size_t first)
{
    char number[32];
    g_snprintf(number, sizeof number, "%zu", first);
    char *const argv[] = {(char *)(uintptr_t) "victim", (char *)(uintptr_t) "victim",
                          (char *)(uintptr_t)dir, number, NULL};
    pid_t pid = 0;
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
    return pid;
}

static void wait_until_ready(const char *ready, pid_t pid)
{
    int64_t end_us = g_get_monotonic_time() + WAIT_US;
    while (access(ready, F_OK) != 0 && g_get_monotonic_time() < end_us) {
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
        g_usleep(500);
    }
    (void)unlink(ready);
}

/* Half of the victims die while they start, the others while they work. Returns the log's length.
 */
static void kill_one(struct fixture *fixture, GRand *random, size_t first)
{
    g_autofree char *ready = path_in(fixture, READY_FILE);
    pid_t pid = spawn_victim(fixture->dir, first);
    if (g_rand_boolean(random))
        wait_until_ready(ready, pid);
    g_usleep((gulong)g_rand_int_range(random, 0, DELAY_MS * 1000));
    int status = 0;
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    (void)unlink(ready);
}

static void rotate(struct fixture *fixture, int *n_rotated)
{
    g_autofree char *name = g_strdup_printf(ROTATED_FMT, *n_rotated);
    g_autofree char *path = path_in(fixture, name);
    if (rename(fixture->log_path, path) == 0)
        (*n_rotated)++;
}

static void test_killed_again_and_again(void **state)
{
    struct fixture *fixture = *state;
    guint32 seed = g_random_int();
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    int n_rotated = 0;
    for (int i = 0; i < ROUNDS; i++) {
        kill_one(fixture, random, (size_t)i * STEP);
        if (g_rand_int_range(random, 0, 4) == 0)
            rotate(fixture, &n_rotated);
    }
    fixture_open(fixture);
    set_log(fixture, STORE_LOG_TEXT);
    assert_true(fixture_close(fixture));
    struct books books = {0};
    audit(fixture, n_rotated, &books);
    print_message("# note: %d kills, %zu alerts, %d rotations (seed %u)\n", ROUNDS, books.n_alerts,
                  n_rotated, seed);
    assert_int_equal(books.n_wrong, 0);
    assert_int_equal(books.n_lines, books.n_alerts);
    assert_true(books.n_alerts > ROUNDS);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "victim") == 0)
        return run_victim(argv[2], (size_t)g_ascii_strtoull(argv[3], NULL, 10));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_killed_again_and_again, setup_directory,
                                        teardown_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
