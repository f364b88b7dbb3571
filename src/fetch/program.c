#include "fetch/program.h"

#include "base/child.h"
#include "base/source.h"
#include "text/clean.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES 65536
#define MESSAGE_MAX 200

struct program {
    GMainContext *context;
    program_done on_done;
    void *user;
    char *name;
    int64_t timeout_ms, max_bytes;
    struct child child;
    GSource *output, *error, *end, *timer;
    GByteArray *body;
    GString *said; /* the beginning of what it wrote to its standard error */
    int start_code;
};

static void program_free(struct program *program)
{
    source_end(&program->output);
    source_end(&program->error);
    source_end(&program->end);
    source_end(&program->timer);
    child_close_all(&program->child);
    g_byte_array_unref(program->body);
    g_string_free(program->said, TRUE);
    g_free(program->name);
    g_free(program);
}

static void on_collected(GPid pid, gint status, gpointer unused)
{
    (void)unused, (void)status;
    g_spawn_close_pid(pid);
}

/* It may be a while until a killed program is gone: whoever waits for that, not we. */
static void kill_and_leave(const struct program *program)
{
    child_kill(&program->child);
    g_autoptr(GSource) watch = g_child_watch_source_new(program->child.pid);
    g_source_set_callback(watch, (GSourceFunc)(void (*)(void))on_collected, NULL, NULL);
    g_source_attach(watch, program->context);
}

void program_cancel(struct program *program)
{
    if (program->start_code == 0)
        kill_and_leave(program);
    program_free(program);
}

/* ---- its end ---- */

static void conclude(struct program *program, const char *message)
{
    g_autoptr(GByteArray) body = g_byte_array_ref(program->body);
    program_done on_done = program->on_done;
    void *user = program->user;
    program_free(program);
    on_done(body, message, user);
}

static char *first_line(const struct program *program)
{
    g_autofree char *text = g_strndup(program->said->str, program->said->len);
    g_strstrip(text);
    text[strcspn(text, "\r\n")] = '\0';
    g_autofree char *clean = clean_line(text);
    return clean_shorten(clean, MESSAGE_MAX);
}

static void give_up(struct program *program, char *complaint)
{
    g_autofree char *message = complaint;
    kill_and_leave(program);
    conclude(program, message);
}

static bool is_too_much(const struct program *program)
{
    return program->body->len > program->max_bytes;
}

static void give_up_on_size(struct program *program)
{
    give_up(program, g_strdup_printf("%s prints more than max_size allows", program->name));
}

static gboolean on_late(gpointer user)
{
    struct program *program = user;
    g_autofree char *said = first_line(program);
    give_up(program, child_complaint(program->name, 0, program->timeout_ms, said));
    return G_SOURCE_REMOVE;
}

static gboolean on_not_started(gpointer user)
{
    struct program *program = user;
    g_autofree char *message =
        g_strdup_printf("cannot run %s: %s", program->name, g_strerror(program->start_code));
    conclude(program, message);
    return G_SOURCE_REMOVE;
}

/* ---- while it runs ---- */

/* Whether there may be more: false at the end, or where nothing waits. */
static bool take_output(struct program *program)
{
    guint8 bytes[CHUNK_BYTES];
    ssize_t n = read(program->child.output, bytes, sizeof bytes);
    if (n > 0)
        g_byte_array_append(program->body, bytes, (guint)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        child_close(&program->child.output);
    return n > 0 && !is_too_much(program);
}

static bool take_error(struct program *program)
{
    char bytes[1024];
    ssize_t n = read(program->child.error, bytes, sizeof bytes);
    if (n > 0)
        g_string_append_len(program->said, bytes,
                            MIN(n, (ssize_t)(CHILD_SAID_MAX - program->said->len)));
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        child_close(&program->child.error);
    return n > 0 && program->said->len < CHILD_SAID_MAX;
}

static gboolean on_output(gint fd, GIOCondition condition, gpointer user)
{
    struct program *program = user;
    (void)fd, (void)condition;
    take_output(program);
    if (is_too_much(program)) {
        give_up_on_size(program);
        return G_SOURCE_REMOVE;
    }
    if (program->child.output >= 0)
        return G_SOURCE_CONTINUE;
    g_clear_pointer(&program->output, g_source_unref);
    return G_SOURCE_REMOVE;
}

static gboolean on_error(gint fd, GIOCondition condition, gpointer user)
{
    struct program *program = user;
    (void)fd, (void)condition;
    take_error(program);
    if (program->child.error >= 0)
        return G_SOURCE_CONTINUE;
    g_clear_pointer(&program->error, g_source_unref);
    return G_SOURCE_REMOVE;
}

/* What it wrote is in the pipes, also where something it left behind still holds them open. */
static void take_rest(struct program *program)
{
    while (program->child.output >= 0 && take_output(program))
        ;
    while (program->child.error >= 0 && take_error(program))
        ;
}

static gboolean on_end(gint fd, GIOCondition condition, gpointer user)
{
    struct program *program = user;
    int status = 0;
    (void)fd, (void)condition;
    child_kill(&program->child);
    child_reap(&program->child, true, &status); /* it has ended: no wait */
    take_rest(program);
    g_autofree char *said = first_line(program);
    g_autofree char *message = child_complaint(program->name, status, 0, said);
    if (!message && is_too_much(program))
        message = g_strdup_printf("%s prints more than max_size allows", program->name);
    conclude(program, message);
    return G_SOURCE_REMOVE;
}

/* ---- the start ---- */

static GSource *watch(struct program *program, int fd, GUnixFDSourceFunc function)
{
    GSource *source = g_unix_fd_source_new(fd, G_IO_IN | G_IO_HUP);
    g_source_set_callback(source, (GSourceFunc)(void (*)(void))function, program, NULL);
    g_source_attach(source, program->context);
    return source;
}

static int start(struct program *program, const char *const *argv)
{
    g_auto(GStrv) env = child_environment();
    const struct child_setup setup = {
        .argv = (char *const *)(uintptr_t)argv, .environment = env, .gives_output = true};
    int code = child_start(&setup, &program->child);
    if (code != 0 || program->child.process >= 0)
        return code;
    kill_and_leave(program); /* no descriptor by which to hear of its end */
    return ENFILE;
}

struct program *program_start(GMainContext *context, const struct program_setup *setup,
                              program_done on_done, void *user)
{
    struct program *program = g_new0(struct program, 1);
    program->context = context;
    program->on_done = on_done;
    program->user = user;
    program->name = g_strdup(setup->argv[0]);
    program->timeout_ms = setup->timeout_ms;
    program->max_bytes = setup->max_bytes;
    program->body = g_byte_array_new();
    program->said = g_string_new(NULL);
    program->child = (struct child){0, -1, -1, -1, -1};
    program->start_code = start(program, setup->argv);
    if (program->start_code != 0) {
        program->timer = source_after(program->context, 0, on_not_started, program);
        return program;
    }
    program->output = watch(program, program->child.output, on_output);
    program->error = watch(program, program->child.error, on_error);
    program->end = watch(program, program->child.process, on_end);
    program->timer = source_after(program->context, MAX(setup->timeout_ms, 1), on_late, program);
    return program;
}
