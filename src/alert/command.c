/* The command sink: runs a program for each alert (hostile.md S18).
 *
 * A fixed argv, no shell. The alert comes as one JSON object on standard input and in the
 * environment, FEEDWATCH_TITLE and so on; nothing of it is ever an argument. The program is the
 * leader of a process group of its own, which is killed as a whole at the time limit, and when the
 * program has ended. Exit status 0: delivered. Anything else: tried again later; the last line that
 * it wrote to standard error says why. */
#include "alert/background.h"
#include "alert/fields.h"
#include "store/alert_json.h"
#include "text/clean.h"
#include "text/template.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH_MAX     16
#define ENV_VALUE_MAX 16384 /* the kernel takes 128 KiB a string (execve(2)) */
#define STDERR_KEPT   4096
#define MESSAGE_MAX   200
#define LOOK_MS       200 /* between looks whether the sink is to end */

enum { END_INPUT, END_ERROR, END_PROCESS, N_ENDS };

extern char **environ;

struct command {
    char **argv;
    int64_t timeout_ms;
};

struct child {
    pid_t pid;
    int process;      /* pidfd_open(2) */
    int input, error; /* our ends; -1: closed */
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
    char **env = g_strdupv(environ);
    for (const char *const *name = template_names; *name; name++) {
        g_autofree char *value = alert_field(alert, *name);
        g_autofree char *cut = clean_shorten(value, ENV_VALUE_MAX);
        g_autofree char *upper = g_ascii_strup(*name, -1);
        g_autofree char *key = g_strconcat("FEEDWATCH_", upper, NULL);
        env = g_environ_setenv(env, key, cut, TRUE);
    }
    /* They tell the daemon who supervises it; it is not their program. */
    env = g_environ_unsetenv(env, "NOTIFY_SOCKET");
    env = g_environ_unsetenv(env, "WATCHDOG_USEC");
    return g_environ_unsetenv(env, "WATCHDOG_PID");
}

static void set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;
    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawnattr_init(attributes);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                             POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &defaults);
}

/* 0 or an errno. */
static int spawn(struct child *child, char **argv, char **env, const int input[2],
                 const int error[2])
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    set_attributes(&attributes);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input[0], STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, error[1], STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    int code = posix_spawnp(&child->pid, argv[0], &files, &attributes, argv, env);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return code;
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int start(struct child *child, char **argv, char **env)
{
    int input[2], error[2];
    if (pipe2(input, O_CLOEXEC) != 0)
        return errno;
    if (pipe2(error, O_CLOEXEC) != 0) {
        int code = errno;
        close(input[0]);
        close(input[1]);
        return code;
    }
    int code = spawn(child, argv, env, input, error);
    close(input[0]);
    close(error[1]);
    child->input = input[1];
    child->error = error[0];
    if (code != 0) {
        close_end(&child->input);
        close_end(&child->error);
        return code;
    }
    (void)fcntl(child->input, F_SETFL, O_NONBLOCK);
    (void)fcntl(child->error, F_SETFL, O_NONBLOCK);
    child->process = pidfd_open(child->pid, 0);
    return 0;
}

/* ---- while it runs ---- */

static void feed_input(struct child *child)
{
    ssize_t n = write(child->input, child->json, child->json_size);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        child->json += n;
        child->json_size -= (size_t)n;
    }
    if (n < 0 || child->json_size == 0)
        close_end(&child->input); /* a program need not read it */
}

static void take_error(struct child *child)
{
    char bytes[1024];
    ssize_t n = read(child->error, bytes, sizeof bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close_end(&child->error);
        return;
    }
    g_string_append_len(child->said, bytes, n);
    if (child->said->len > STDERR_KEPT)
        g_string_erase(child->said, 0, (gssize)(child->said->len - STDERR_KEPT));
}

static void look(struct child *child, int wait_ms)
{
    struct pollfd ends[N_ENDS] = {[END_INPUT] = {child->input, POLLOUT, 0},
                                  [END_ERROR] = {child->error, POLLIN, 0},
                                  [END_PROCESS] = {child->process, POLLIN, 0}};
    if (poll(ends, N_ENDS, wait_ms) > 0) {
        if (ends[END_INPUT].revents)
            feed_input(child);
        if (ends[END_ERROR].revents)
            take_error(child);
    }
    if (waitpid(child->pid, &child->status, WNOHANG) == child->pid)
        child->has_ended = true;
}

static void attend(struct child *child, int64_t timeout_ms, struct background *background)
{
    int64_t end_us = g_get_monotonic_time() + timeout_ms * 1000;
    while (!child->has_ended) {
        int64_t left_ms = (end_us - g_get_monotonic_time()) / 1000;
        child->is_late = left_ms <= 0 || background_is_stopping(background);
        if (child->is_late)
            break;
        look(child, (int)MIN(left_ms, LOOK_MS));
    }
    kill(-child->pid, SIGKILL); /* also what it left behind */
    while (!child->has_ended)
        child->has_ended = waitpid(child->pid, &child->status, 0) == child->pid;
    if (child->error >= 0)
        take_error(child);
    close_end(&child->input);
    close_end(&child->error);
    close_end(&child->process);
}

/* ---- its end ---- */

static char *last_line(const struct child *child)
{
    g_autofree char *text = g_strndup(child->said->str, child->said->len);
    g_strchomp(text);
    const char *line = strrchr(text, '\n');
    g_autofree char *clean = clean_line(line ? line + 1 : text);
    return clean_shorten(clean, MESSAGE_MAX);
}

/* NULL: it did what it should. */
static char *complaint(const struct child *child, const struct command *command)
{
    g_autofree char *said = last_line(child);
    const char *colon = *said ? ": " : "";
    const char *program = command->argv[0];
    if (child->is_late)
        return g_strdup_printf("%s was killed after %.3g s%s%s", program,
                               (double)command->timeout_ms / 1000, colon, said);
    if (WIFSIGNALED(child->status))
        return g_strdup_printf("%s was ended by signal %d%s%s", program, WTERMSIG(child->status),
                               colon, said);
    if (WEXITSTATUS(child->status) != 0)
        return g_strdup_printf("%s ended with status %d%s%s", program, WEXITSTATUS(child->status),
                               colon, said);
    return NULL;
}

/* False: the program cannot be run at all; *ret_message says why, also where this one failed. */
static bool run_for(const struct command *command, const struct store_alert *alert,
                    struct background *background, char **ret_message)
{
    g_auto(GStrv) env = make_environment(alert);
    json_t *object = alert_json(alert);
    g_autofree char *json = json_to_text(object);
    json_decref(object);
    struct child child = {.json = json, .json_size = strlen(json), .said = g_string_new(NULL)};
    int code = start(&child, command->argv, env);
    if (code == 0) {
        attend(&child, command->timeout_ms, background);
        *ret_message = complaint(&child, command);
    } else {
        *ret_message = g_strdup_printf("cannot run %s: %s", command->argv[0], g_strerror(code));
    }
    g_string_free(child.said, TRUE);
    return code == 0;
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
