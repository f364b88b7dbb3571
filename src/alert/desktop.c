/* The desktop sink: a presenter on a thread of its own, since showing a popup may block for 25 s.
 *
 * The thread begins with the first alert. Messages to it and reports from it are sources attached
 * to the two contexts; reports also stand in a queue, so that the end of the sink can collect what
 * its loop did not deliver any more. The struct is shared by both sides and dies with the latter of
 * them: a thread that hangs is left behind. libnotify is one for the process, so there is one such
 * thread at a time; a second sink of this type is off. */
#include "alert/sink.h"

#include "alert/presenter.h"
#include "base/clock.h"

struct desktop {
    struct sink base;
    gatomicrefcount refs;
    struct sink_hooks hooks;
    GMainContext *main; /* of the hooks; NULL: the default one */
    bool is_stopped;    /* main side only */

    GThread *thread; /* NULL: not begun */
    GMainContext *context;
    GMainLoop *loop;
    GAsyncQueue *reports;
    GMutex lock;
    GCond has_changed;
    bool has_ended;              /* under lock */
    struct presenter *presenter; /* thread side only */
};

enum report_kind { REPORT_RESULT, REPORT_READY, REPORT_TROUBLE };
struct report {
    enum report_kind kind;
    enum sink_result result;
    char **ids;
    char *message;
};

/* Whether a desktop thread runs in this process. */
static gint is_in_use;

static void desktop_unref(struct desktop *desktop)
{
    if (!g_atomic_ref_count_dec(&desktop->refs))
        return;
    g_main_loop_unref(desktop->loop);
    g_main_context_unref(desktop->context);
    if (desktop->main)
        g_main_context_unref(desktop->main);
    g_async_queue_unref(desktop->reports);
    g_mutex_clear(&desktop->lock);
    g_cond_clear(&desktop->has_changed);
    g_free(desktop);
}

static void unref_desktop(gpointer data)
{
    desktop_unref(data);
}

static void report_free(gpointer data)
{
    struct report *report = data;
    g_strfreev(report->ids);
    g_free(report->message);
    g_free(report);
}

/* Always later and on that context's own thread, unlike g_main_context_invoke(). */
static void post(GMainContext *context, GSourceFunc run, gpointer data, GDestroyNotify notify)
{
    GSource *source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, run, data, notify);
    g_source_attach(source, context);
    g_source_unref(source);
}

static void pass_on(const struct desktop *desktop, const struct report *report)
{
    const struct sink_hooks *hooks = &desktop->hooks;
    switch (report->kind) {
    case REPORT_RESULT:
        hooks->on_result((const char *const *)report->ids, report->result, report->message,
                         hooks->user);
        break;
    case REPORT_READY:
        hooks->on_ready(hooks->user);
        break;
    case REPORT_TROUBLE:
        hooks->on_trouble(report->message, hooks->user);
        break;
    }
}

static gboolean deliver_reports(gpointer user)
{
    struct desktop *desktop = user;
    for (struct report *report; (report = g_async_queue_try_pop(desktop->reports));) {
        if (!desktop->is_stopped)
            pass_on(desktop, report);
        report_free(report);
    }
    return G_SOURCE_REMOVE;
}

static void push_report(struct desktop *desktop, struct report report)
{
    g_async_queue_push(desktop->reports, g_memdup2(&report, sizeof report));
    g_atomic_ref_count_inc(&desktop->refs);
    post(desktop->main, deliver_reports, desktop, unref_desktop);
}

static void on_result(const char *const *ids, enum sink_result result, const char *message,
                      void *user)
{
    push_report(user, (struct report){REPORT_RESULT, result, g_strdupv((char **)(gsize)ids),
                                      g_strdup(message)});
}

static void on_ready(void *user)
{
    push_report(user, (struct report){.kind = REPORT_READY});
}

static void on_trouble(const char *message, void *user)
{
    push_report(user, (struct report){.kind = REPORT_TROUBLE, .message = g_strdup(message)});
}

static gpointer run_thread(gpointer user)
{
    struct desktop *desktop = user;
    const struct sink_hooks hooks = {on_result, on_ready, on_trouble, desktop};
    g_main_context_push_thread_default(desktop->context);
    desktop->presenter = presenter_new(desktop->context, &hooks);
    g_main_loop_run(desktop->loop);
    g_clear_pointer(&desktop->presenter, presenter_free);
    /* GIO frees what belonged to its subscriptions from here. */
    while (g_main_context_iteration(desktop->context, FALSE))
        ;
    g_main_context_pop_thread_default(desktop->context);
    g_atomic_int_set(&is_in_use, 0);
    g_mutex_lock(&desktop->lock);
    desktop->has_ended = true;
    g_cond_signal(&desktop->has_changed);
    g_mutex_unlock(&desktop->lock);
    desktop_unref(desktop);
    return NULL;
}

static struct sink *desktop_create(const struct sink_settings *settings,
                                   const struct sink_hooks *hooks, GMainContext *context)
{
    (void)settings;
    struct desktop *desktop = g_new0(struct desktop, 1);
    desktop->base.type = &sink_desktop;
    g_atomic_ref_count_init(&desktop->refs);
    desktop->hooks = *hooks;
    desktop->main = context ? g_main_context_ref(context) : NULL;
    desktop->context = g_main_context_new();
    desktop->loop = g_main_loop_new(desktop->context, FALSE);
    desktop->reports = g_async_queue_new_full(report_free);
    g_mutex_init(&desktop->lock);
    g_cond_init(&desktop->has_changed);
    return &desktop->base;
}

struct batch {
    struct desktop *desktop;
    GPtrArray *alerts;
};

static void batch_free(gpointer data)
{
    struct batch *batch = data;
    g_ptr_array_unref(batch->alerts);
    desktop_unref(batch->desktop);
    g_free(batch);
}

static gboolean take_on_thread(gpointer data)
{
    struct batch *batch = data;
    if (batch->desktop->presenter) /* else it has just ended, and the alerts come again */
        presenter_take(batch->desktop->presenter, batch->alerts);
    return G_SOURCE_REMOVE;
}

static bool begin_thread(struct desktop *desktop)
{
    if (desktop->thread)
        return true;
    if (!g_atomic_int_compare_and_exchange(&is_in_use, 0, 1))
        return false;
    g_atomic_ref_count_inc(&desktop->refs);
    desktop->thread = g_thread_new("desktop", run_thread, desktop);
    return true;
}

static void refuse(struct desktop *desktop, const GPtrArray *alerts)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (guint i = 0; i < alerts->len; i++)
        g_ptr_array_add(ids, ((const struct store_alert *)g_ptr_array_index(alerts, i))->id);
    g_ptr_array_add(ids, NULL);
    on_result((const char *const *)(const void *)ids->pdata, SINK_OFF,
              "another sink already shows popups", desktop);
}

static void desktop_take(struct sink *sink, GPtrArray *alerts)
{
    struct desktop *desktop = (struct desktop *)sink;
    if (!begin_thread(desktop)) {
        refuse(desktop, alerts);
        return;
    }
    struct batch *batch = g_new(struct batch, 1);
    g_atomic_ref_count_inc(&desktop->refs);
    *batch = (struct batch){desktop, g_ptr_array_ref(alerts)};
    post(desktop->context, take_on_thread, batch, batch_free);
}

static gboolean quit_loop(gpointer user)
{
    g_main_loop_quit(user);
    return G_SOURCE_REMOVE;
}

static bool wait_for_end(struct desktop *desktop, int64_t deadline_ms)
{
    int64_t end_us = g_get_monotonic_time() + deadline_ms * 1000;
    bool in_time = true;
    g_mutex_lock(&desktop->lock);
    while (!desktop->has_ended && in_time)
        in_time = g_cond_wait_until(&desktop->has_changed, &desktop->lock, end_us);
    bool has_ended = desktop->has_ended;
    g_mutex_unlock(&desktop->lock);
    return has_ended;
}

static void desktop_stop(struct sink *sink, int64_t deadline_ms)
{
    struct desktop *desktop = (struct desktop *)sink;
    if (desktop->thread) {
        /* Before anything else that waits there: what is not shown comes again. */
        GSource *quit = g_idle_source_new();
        g_source_set_priority(quit, G_PRIORITY_HIGH);
        g_source_set_callback(quit, quit_loop, desktop->loop, NULL);
        g_source_attach(quit, desktop->context);
        g_source_unref(quit);
        if (wait_for_end(desktop, deadline_ms))
            g_thread_join(desktop->thread);
        else
            g_thread_unref(desktop->thread);
    }
    deliver_reports(desktop);
    desktop->is_stopped = true;
    desktop_unref(desktop);
}

const struct sink_type sink_desktop = {
    "desktop", PRESENTER_BATCH_MAX, 0, desktop_create, desktop_take, desktop_stop,
};
