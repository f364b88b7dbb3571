/* The command sink: runs a program for each alert (hostile.md S18).
 *
 * A fixed argv, no shell. The alert comes as one JSON object on standard input and in the
 * environment, FEEDWATCH_TITLE and so on; nothing of it is ever an argument. The program is the
 * leader of a process group of its own, which is killed as a whole at the time limit, and when the
 * program has ended. Exit status 0: delivered. Anything else: tried again later; the last line that
 * it wrote to standard error says why. */
#include "alert/background.h"
#include "alert/fields.h"
#include "base/child.h"
#include "store/alert_json.h"
#include "text/clean.h"
#include "text/template.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH_MAX     16
#define ENV_VALUE_MAX 16384 /* the kernel takes 128 KiB a string (execve(2)) */
#define MESSAGE_MAX   200
#define LOOK_MS       200 /* between looks whether the sink is to end */

enum { END_INPUT, END_ERROR, END_PROCESS, N_ENDS };

struct command {
    char **argv;
    int64_t timeout_ms;
};

struct run { /* the program, for one alert */
    struct child child;
    const char *json; /* what of the input is not yet written */
    size_t json_size;
    GString *said;
    int status;
    bool has_ended, is_late;
};

static void *command_open(const struct sink_settings *settings)
{
    struct command *command = g_new0(struct command, 1);
    command->argv = g_strdupv((char **)(uintptr_t)settings->argv);
    command->timeout_ms = settings->timeout_ms;
    return command;
}

static void command_close(void *state)
{
    struct command *command = state;
    g_strfreev(command->argv);
    g_free(command);
}

/* ---- the start ---- */

static char **make_environment(const struct store_alert *alert)
{
    char **env = child_environment();
    for (const char *const *name = template_names; *name; name++) {
        g_autofree char *value = alert_field(alert, *name);
        g_autofree char *cut = clean_shorten(value, ENV_VALUE_MAX);
        g_autofree char *upper = g_ascii_strup(*name, -1);
        g_autofree char *key = g_strconcat("FEEDWATCH_", upper, NULL);
        env = g_environ_setenv(env, key, cut, TRUE);
    }
    return env;
}

/* ---- while it runs ---- */

static void feed_input(struct run *run)
{
    ssize_t n = write(run->child.input, run->json, run->json_size);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        run->json += n;
        run->json_size -= (size_t)n;
    }
    if (n < 0 || run->json_size == 0)
        child_close(&run->child.input); /* a program need not read it */
}

static void take_error(struct run *run)
{
    char bytes[1024];
    ssize_t n = read(run->child.error, bytes, sizeof bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        child_close(&run->child.error);
        return;
    }
    g_string_append_len(run->said, bytes, n);
    if (run->said->len > CHILD_SAID_MAX)
        g_string_erase(run->said, 0, (gssize)(run->said->len - CHILD_SAID_MAX));
}

/* It has ended, but is not yet collected: its group's number is still its own. */
static bool is_over(const struct run *run)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)run->child.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == run->child.pid;
}

static void look(struct run *run, int wait_ms)
{
    struct pollfd ends[N_ENDS] = {[END_INPUT] = {run->child.input, POLLOUT, 0},
                                  [END_ERROR] = {run->child.error, POLLIN, 0},
                                  [END_PROCESS] = {run->child.process, POLLIN, 0}};
    if (poll(ends, N_ENDS, wait_ms) > 0) {
        if (ends[END_INPUT].revents)
            feed_input(run);
        if (ends[END_ERROR].revents)
            take_error(run);
    }
    run->has_ended = is_over(run);
}

static void attend(struct run *run, int64_t timeout_ms, struct background *background)
{
    int64_t end_us = g_get_monotonic_time() + timeout_ms * 1000;
    while (!run->has_ended) {
        int64_t left_ms = (end_us - g_get_monotonic_time()) / 1000;
        run->is_late = left_ms <= 0 || background_is_stopping(background);
        if (run->is_late)
            break;
        look(run, (int)MIN(left_ms, LOOK_MS));
    }
    child_kill(&run->child); /* also what it left behind */
    child_reap(&run->child, true, &run->status);
    if (run->child.error >= 0)
        take_error(run);
    child_close_all(&run->child);
}

/* ---- its end ---- */

static char *last_line(const struct run *run)
{
    g_autofree char *text = g_strndup(run->said->str, run->said->len);
    g_strchomp(text);
    const char *line = strrchr(text, '\n');
    g_autofree char *clean = clean_line(line ? line + 1 : text);
    return clean_shorten(clean, MESSAGE_MAX);
}

/* False: the program cannot be run at all; *ret_message says why, also where this one failed. */
static bool run_for(const struct command *command, const struct store_alert *alert,
                    struct background *background, char **ret_message)
{
    g_auto(GStrv) env = make_environment(alert);
    json_t *object = alert_json(alert);
    g_autofree char *json = json_to_text(object);
    json_decref(object);
    const struct child_setup setup = {
        .argv = command->argv, .environment = env, .takes_input = true};
    struct run run = {.json = json, .json_size = strlen(json)};
    int code = child_start(&setup, &run.child);
    if (code != 0) {
        *ret_message = g_strdup_printf("cannot run %s: %s", command->argv[0], g_strerror(code));
        return false;
    }
    run.said = g_string_new(NULL);
    attend(&run, command->timeout_ms, background);
    g_autofree char *said = last_line(&run);
    *ret_message =
        child_complaint(command->argv[0], run.status, run.is_late ? command->timeout_ms : 0, said);
    g_string_free(run.said, TRUE);
    return true;
}

static void command_deliver(void *state, GPtrArray *alerts, struct background *background)
{
    const struct command *command = state;
    for (guint i = 0; i < alerts->len && !background_is_stopping(background); i++) {
        struct store_alert *alert = g_ptr_array_index(alerts, i);
        g_autofree char *message = NULL;
        if (!run_for(command, alert, background, &message)) {
            background_report_rest(background, alerts, i, SINK_DOWN, message);
            return;
        }
        if (background_is_stopping(background) && message)
            return; /* our own doing: it comes again */
        background_report(background, alert, message ? SINK_RETRY : SINK_DONE, message);
    }
}

static struct sink *command_create(const struct sink_settings *settings,
                                   const struct sink_hooks *hooks, GMainContext *context)
{
    static const struct background_work work = {
        .open = command_open, .deliver = command_deliver, .close = command_close};
    return background_create(&work, settings, hooks, context);
}

const struct sink_type sink_command = {
    .name = "command",
    .batch_max = BATCH_MAX,
    .create = command_create,
    .take = background_take,
    .stop = background_stop,
};
