#include "alert/background.h"

struct background {
    gatomicrefcount refs; /* the owner, the thread, and each source that waits */
    const struct background_work *work;
    void *state;
    struct sink_hooks hooks;
    GMainContext *main; /* of the hooks; NULL: the default one */
    bool is_stopped;    /* main side only */
    gint is_stopping;   /* atomic */

    GThread *thread; /* NULL: not begun */
    GMainContext *context;
    GMainLoop *loop;
    GAsyncQueue *reports;
    GMutex lock;
    GCond has_changed;
    bool has_ended; /* under lock */
};

enum report_kind { REPORT_RESULT, REPORT_READY, REPORT_TROUBLE };
struct report {
    enum report_kind kind;
    enum sink_result result;
    char **ids;
    char *message;
};

static void unref(gpointer data)
{
    struct background *background = data;
    if (!g_atomic_ref_count_dec(&background->refs))
        return;
    background->work->close(background->state);
    g_main_loop_unref(background->loop);
    g_main_context_unref(background->context);
    if (background->main)
        g_main_context_unref(background->main);
    g_async_queue_unref(background->reports);
    g_mutex_clear(&background->lock);
    g_cond_clear(&background->has_changed);
    g_free(background);
}

static struct background *ref(struct background *background)
{
    g_atomic_ref_count_inc(&background->refs);
    return background;
}

static void report_free(gpointer data)
{
    struct report *report = data;
    g_strfreev(report->ids);
    g_free(report->message);
    g_free(report);
}

/* Always later and on that context's own thread, unlike g_main_context_invoke(). */
static void post(GMainContext *context, int priority, GSourceFunc run, gpointer data,
                 GDestroyNotify notify)
{
    GSource *source = g_idle_source_new();
    g_source_set_priority(source, priority);
    g_source_set_callback(source, run, data, notify);
    g_source_attach(source, context);
    g_source_unref(source);
}

struct sink *background_create(const struct background_work *work,
                               const struct sink_settings *settings, const struct sink_hooks *hooks,
                               GMainContext *context)
{
    struct background *background = g_new0(struct background, 1);
    g_atomic_ref_count_init(&background->refs);
    background->work = work;
    background->state = work->open(settings);
    background->hooks = *hooks;
    background->main = context ? g_main_context_ref(context) : NULL;
    background->context = g_main_context_new();
    background->loop = g_main_loop_new(background->context, FALSE);
    background->reports = g_async_queue_new_full(report_free);
    g_mutex_init(&background->lock);
    g_cond_init(&background->has_changed);
    return (struct sink *)background;
}

/* ---- reports ---- */

static void pass_on(const struct background *background, const struct report *report)
{
    const struct sink_hooks *hooks = &background->hooks;
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
    struct background *background = user;
    for (struct report *report; (report = g_async_queue_try_pop(background->reports));) {
        if (!background->is_stopped)
            pass_on(background, report);
        report_free(report);
    }
    return G_SOURCE_REMOVE;
}

static void push_report(struct background *background, struct report report)
{
    g_async_queue_push(background->reports, g_memdup2(&report, sizeof report));
    post(background->main, G_PRIORITY_DEFAULT, deliver_reports, ref(background), unref);
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

struct sink_hooks background_hooks(struct background *background)
{
    return (struct sink_hooks){on_result, on_ready, on_trouble, background};
}

void background_report(struct background *background, const struct store_alert *alert,
                       enum sink_result result, const char *message)
{
    const char *const ids[] = {alert->id, NULL};
    on_result(ids, result, message, background);
}

void background_report_some(struct background *background, const GPtrArray *alerts, guint from,
                            guint n, enum sink_result result, const char *message)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (guint i = from; i < from + n; i++)
        g_ptr_array_add(ids, ((const struct store_alert *)g_ptr_array_index(alerts, i))->id);
    g_ptr_array_add(ids, NULL);
    if (n > 0)
        on_result((const char *const *)(const void *)ids->pdata, result, message, background);
}

void background_report_rest(struct background *background, const GPtrArray *alerts, guint from,
                            enum sink_result result, const char *message)
{
    background_report_some(background, alerts, from, alerts->len - from, result, message);
}

/* ---- the thread ---- */

static gpointer run(gpointer user)
{
    struct background *background = user;
    g_main_context_push_thread_default(background->context);
    g_main_loop_run(background->loop);
    if (background->work->end)
        background->work->end(background->state);
    /* Batches that came too late; they hold references. */
    while (g_main_context_iteration(background->context, FALSE))
        ;
    g_main_context_pop_thread_default(background->context);
    g_mutex_lock(&background->lock);
    background->has_ended = true;
    g_cond_broadcast(&background->has_changed);
    g_mutex_unlock(&background->lock);
    unref(background);
    return NULL;
}

bool background_is_stopping(struct background *background)
{
    return g_atomic_int_get(&background->is_stopping) != 0;
}

struct batch {
    struct background *background;
    GPtrArray *alerts;
};

static void batch_free(gpointer data)
{
    struct batch *batch = data;
    g_ptr_array_unref(batch->alerts);
    unref(batch->background);
    g_free(batch);
}

static gboolean deliver_batch(gpointer data)
{
    const struct batch *batch = data;
    struct background *background = batch->background;
    if (!background_is_stopping(background)) /* else it comes again */
        background->work->deliver(background->state, batch->alerts, background);
    return G_SOURCE_REMOVE;
}

/* ---- the main thread ---- */

void background_take(struct sink *sink, GPtrArray *alerts)
{
    struct background *background = (struct background *)sink;
    if (!background->thread)
        background->thread = g_thread_new("sink", run, ref(background));
    struct batch *batch = g_new(struct batch, 1);
    *batch = (struct batch){ref(background), g_ptr_array_ref(alerts)};
    post(background->context, G_PRIORITY_DEFAULT, deliver_batch, batch, batch_free);
}

static gboolean quit_loop(gpointer user)
{
    g_main_loop_quit(user);
    return G_SOURCE_REMOVE;
}

static bool wait_for_end(struct background *background, int64_t deadline_ms)
{
    int64_t end_us = g_get_monotonic_time() + deadline_ms * 1000;
    bool in_time = true;
    g_mutex_lock(&background->lock);
    while (!background->has_ended && in_time)
        in_time = g_cond_wait_until(&background->has_changed, &background->lock, end_us);
    bool has_ended = background->has_ended;
    g_mutex_unlock(&background->lock);
    return has_ended;
}

void background_stop(struct sink *sink, int64_t deadline_ms)
{
    struct background *background = (struct background *)sink;
    g_atomic_int_set(&background->is_stopping, 1);
    if (background->thread) {
        /* Before anything else that waits there. */
        post(background->context, G_PRIORITY_HIGH, quit_loop, background->loop, NULL);
        if (wait_for_end(background, deadline_ms))
            g_thread_join(background->thread);
        else
            g_thread_unref(background->thread);
    }
    deliver_reports(background);
    background->is_stopped = true;
    unref(background);
}
