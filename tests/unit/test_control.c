/* monitor/control: the socket, its limits, and the order of requests and answers. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "monitor/control.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_US (20 * G_USEC_PER_SEC)

struct fixture {
    char *dir, *path;
    GMainContext *context;
    struct control *control;
    struct control_call *held; /* by the command "hold" */
    bool is_gone;
};

static void run_echo(struct control_call *call, const json_t *request, void *user)
{
    (void)user;
    json_t *line = json_object();
    json_set_text(line, "said", json_string_value(json_object_get(request, "text")));
    control_say(call, line);
    control_end(call);
}

static void on_gone(void *data)
{
    struct fixture *fixture = data;
    fixture->held = NULL;
    fixture->is_gone = true;
}

static void run_hold(struct control_call *call, const json_t *request, void *user)
{
    struct fixture *fixture = user;
    (void)request;
    fixture->held = call;
    control_on_gone(call, on_gone, fixture);
}

static void run_flood(struct control_call *call, const json_t *request, void *user)
{
    (void)request;
    (void)user;
    g_autofree char *text = g_strnfill(1 << 20, 'x');
    for (int i = 0; i < 2 * (CONTROL_OUT_MAX >> 20); i++) {
        json_t *line = json_object();
        json_set_text(line, "said", text);
        control_say(call, line);
    }
    control_end(call);
}

static void open_control(struct fixture *fixture)
{
    static struct control_command commands[4];
    g_autoptr(GError) error = NULL;
    commands[0] = (struct control_command){"echo", run_echo, fixture};
    commands[1] = (struct control_command){"hold", run_hold, fixture};
    commands[2] = (struct control_command){"flood", run_flood, fixture};
    fixture->control = control_new(fixture->context, fixture->dir, commands, &error);
    assert_null(error);
}

static int setup_in(void **state, const char *parent)
{
    struct fixture *fixture = g_new0(struct fixture, 1);
    g_autofree char *template = g_build_filename(g_get_tmp_dir(), "feedwatch-control-XXXXXX", NULL);
    assert_non_null(g_mkdtemp(template));
    fixture->dir = g_build_filename(template, parent, NULL);
    g_mkdir_with_parents(fixture->dir, 0700);
    fixture->path = g_build_filename(fixture->dir, "control", NULL);
    fixture->context = g_main_context_new();
    open_control(fixture);
    *state = fixture;
    return 0;
}

static int setup(void **state)
{
    return setup_in(state, "s");
}

/* Longer than the address of a socket may be. */
static int setup_deep(void **state)
{
    g_autofree char *name = g_strnfill(150, 'd');
    return setup_in(state, name);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    g_autofree char *parent = g_path_get_dirname(fixture->dir);
    control_free(fixture->control);
    assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
    assert_int_equal(g_rmdir(fixture->dir), 0);
    g_rmdir(parent);
    g_main_context_unref(fixture->context);
    g_free(fixture->dir);
    g_free(fixture->path);
    g_free(fixture);
    return 0;
}

static GSocket *connect_to(const struct fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    GSocket *socket = control_connect(fixture->dir, &error);
    assert_null(error);
    g_socket_set_blocking(socket, FALSE);
    return socket;
}

static void send_text(struct fixture *fixture, GSocket *socket, const char *text, size_t size)
{
    int64_t end_us = g_get_monotonic_time() + WAIT_US;
    while (size > 0 && g_get_monotonic_time() < end_us) {
        gssize sent = g_socket_send(socket, text, size, NULL, NULL);
        text += MAX(sent, 0);
        size -= (size_t)MAX(sent, 0);
        g_main_context_iteration(fixture->context, FALSE);
    }
    assert_int_equal(size, 0);
}

/* Everything until so many lines were read or the other side hung up. */
static char *read_lines(struct fixture *fixture, GSocket *socket, guint n_lines)
{
    GString *text = g_string_new(NULL);
    int64_t end_us = g_get_monotonic_time() + WAIT_US;
    for (guint n = 0; n < n_lines && g_get_monotonic_time() < end_us;) {
        char byte;
        g_autoptr(GError) error = NULL;
        gssize got = g_socket_receive(socket, &byte, 1, NULL, &error);
        if (got == 0 || (got < 0 && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)))
            break;
        if (got < 0)
            g_main_context_iteration(fixture->context, FALSE);
        else
            g_string_append_c(text, byte);
        n += got == 1 && byte == '\n';
    }
    assert_true(g_get_monotonic_time() < end_us);
    return g_string_free(text, FALSE);
}

static void assert_answer(struct fixture *fixture, const char *request, guint n_lines,
                          const char *expected)
{
    g_autoptr(GSocket) socket = connect_to(fixture);
    send_text(fixture, socket, request, strlen(request));
    g_autofree char *answer = read_lines(fixture, socket, n_lines);
    assert_string_equal(answer, expected);
}

#define BAD "{\"done\":true,\"error\":\"a request is one JSON object with a \\\"command\\\"\"}\n"

static void test_answers(void **state)
{
    static const struct {
        const char *request;
        guint n_lines;
        const char *answer;
    } cases[] = {
        {"{\"command\":\"echo\",\"text\":\"a\"}\n", 2, "{\"said\":\"a\"}\n{\"done\":true}\n"},
        {"{\"command\":\"echo\",\"text\":\"a\"}\n{\"command\":\"echo\",\"text\":\"b\"}\n", 4,
         "{\"said\":\"a\"}\n{\"done\":true}\n{\"said\":\"b\"}\n{\"done\":true}\n"},
        {"{\"command\":\"dance\"}\n", 1,
         "{\"done\":true,\"error\":\"this daemon does not know that command\"}\n"},
        {"\n", 1, BAD},
        {"[]\n", 1, BAD},
        {"{\"command\":7}\n", 1, BAD},
        {"{\"command\":\"echo\"\n", 1, BAD},
        {"\xff\xfe\n", 1, BAD},
        {"{}\n{\"command\":\"echo\"}\n", 3, BAD "{\"said\":null}\n{\"done\":true}\n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_answer(*state, cases[i].request, cases[i].n_lines, cases[i].answer);
}

static void test_only_the_owner_may_connect(void **state)
{
    const struct fixture *fixture = *state;
    struct stat st;
    assert_int_equal(lstat(fixture->path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_the_socket_of_a_dead_daemon_is_replaced(void **state)
{
    struct fixture *fixture = *state;
    struct control *first = fixture->control;
    open_control(fixture); /* the first one was not freed, as after kill -9 */
    assert_answer(fixture, "{\"command\":\"echo\",\"text\":\"new\"}\n", 1, "{\"said\":\"new\"}\n");
    control_free(fixture->control);
    fixture->control = first;
}

static void test_anything_else_in_the_way_stays(void **state)
{
    struct fixture *fixture = *state;
    const struct control_command none[] = {{NULL, NULL, NULL}};
    control_free(fixture->control);
    assert_true(g_file_set_contents(fixture->path, "mine", -1, NULL));
    g_autoptr(GError) error = NULL;
    assert_null(control_new(fixture->context, fixture->dir, none, &error));
    assert_non_null(strstr(error->message, "in the way"));
    assert_true(g_file_test(fixture->path, G_FILE_TEST_IS_REGULAR));
    g_unlink(fixture->path);
    open_control(fixture);
}

static void test_without_a_daemon(void **state)
{
    struct fixture *fixture = *state;
    control_free(fixture->control);
    g_autoptr(GError) error = NULL;
    assert_null(control_connect(fixture->dir, &error));
    assert_true(g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND));
    open_control(fixture);
}

static void test_a_request_that_never_ends(void **state)
{
    struct fixture *fixture = *state;
    g_autoptr(GSocket) socket = connect_to(fixture);
    g_autofree char *text = g_strnfill(CONTROL_LINE_MAX + 10, 'x');
    send_text(fixture, socket, text, CONTROL_LINE_MAX + 10);
    g_autofree char *answer = read_lines(fixture, socket, 2);
    assert_string_equal(answer, "{\"done\":true,\"error\":\"the request is too long\"}\n");
}

static void test_a_client_that_never_reads(void **state)
{
    struct fixture *fixture = *state;
    static const char request[] = "{\"command\":\"flood\"}\n";
    g_autoptr(GSocket) socket = connect_to(fixture);
    send_text(fixture, socket, request, strlen(request));
    g_autofree char *answer = read_lines(fixture, socket, 1000);
    assert_null(strstr(answer, "done")); /* it was cut off */
}

static void test_too_many_clients(void **state)
{
    struct fixture *fixture = *state;
    GSocket *sockets[CONTROL_CLIENTS_MAX];
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        sockets[i] = connect_to(fixture);
        send_text(fixture, sockets[i], "{\"command\":\"echo\"}\n", 19);
        g_autofree char *answer = read_lines(fixture, sockets[i], 2);
        assert_non_null(strstr(answer, "done"));
    }
    assert_answer(fixture, "", 1, "{\"done\":true,\"error\":\"too many ask at once\"}\n");
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
        g_object_unref(sockets[i]);
    while (g_main_context_iteration(fixture->context, FALSE))
        ;
    assert_answer(fixture, "{\"command\":\"echo\"}\n", 1, "{\"said\":null}\n");
}

/* Without a descriptor to spare the loop does not spin, and whoever waits gets in later. */
static void test_no_descriptors(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before, now;
    g_autoptr(GSocket) socket = connect_to(fixture);
    assert_int_equal(g_socket_send(socket, "{\"command\":\"echo\"}\n", 19, NULL, NULL), 19);
    int next = dup(g_socket_get_fd(socket));
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = (struct rlimit){(rlim_t)next, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    int n_turns = 0;
    while (n_turns < 50 && g_main_context_iteration(fixture->context, FALSE))
        n_turns++;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_in_range(n_turns, 1, 5);
    g_autofree char *answer = read_lines(fixture, socket, 2);
    assert_string_equal(answer, "{\"said\":null}\n{\"done\":true}\n");
}

static struct control_call *hold(struct fixture *fixture, GSocket *socket)
{
    send_text(fixture, socket, "{\"command\":\"hold\"}\n{\"command\":\"echo\"}\n", 38);
    while (!fixture->held)
        g_main_context_iteration(fixture->context, TRUE);
    return fixture->held;
}

static void test_a_slow_command_holds_up_the_next(void **state)
{
    struct fixture *fixture = *state;
    g_autoptr(GSocket) socket = connect_to(fixture);
    struct control_call *call = hold(fixture, socket);
    fixture->held = NULL;
    control_fail(call, "no");
    g_autofree char *answer = read_lines(fixture, socket, 3);
    assert_string_equal(answer,
                        "{\"done\":true,\"error\":\"no\"}\n{\"said\":null}\n{\"done\":true}\n");
    assert_false(fixture->is_gone);
}

static void test_a_client_that_hangs_up(void **state)
{
    struct fixture *fixture = *state;
    GSocket *socket = connect_to(fixture);
    hold(fixture, socket);
    g_object_unref(socket);
    while (!fixture->is_gone)
        g_main_context_iteration(fixture->context, TRUE);
    assert_null(fixture->held);
}

static void test_the_daemon_stops(void **state)
{
    struct fixture *fixture = *state;
    g_autoptr(GSocket) socket = connect_to(fixture);
    hold(fixture, socket);
    control_free(fixture->control);
    assert_true(fixture->is_gone);
    g_autofree char *answer = read_lines(fixture, socket, 9);
    assert_string_equal(answer, "{\"done\":true,\"error\":\"the daemon stops\"}\n");
    open_control(fixture);
}

#define with_control(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_control(test_answers),
        cmocka_unit_test_setup_teardown(test_answers, setup_deep, teardown),
        with_control(test_only_the_owner_may_connect),
        with_control(test_the_socket_of_a_dead_daemon_is_replaced),
        with_control(test_anything_else_in_the_way_stays),
        with_control(test_without_a_daemon),
        with_control(test_a_request_that_never_ends),
        with_control(test_a_client_that_never_reads),
        with_control(test_too_many_clients),
        with_control(test_no_descriptors),
        with_control(test_a_slow_command_holds_up_the_next),
        with_control(test_a_client_that_hangs_up),
        with_control(test_the_daemon_stops),
    };
    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
