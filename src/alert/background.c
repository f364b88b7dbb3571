#include "alert/background.h"

struct background {
    struct sink base;
    gatomicrefcount refs;
    const struct background_work *work;
    void *state;
    struct sink_hooks hooks;
    GMainContext *main; /* of the hooks; NULL: the default one */
    bool is_stopped;    /* main side only */
    gint is_stopping;   /* atomic */
    GThread *thread;    /* NULL: not begun */
    GAsyncQueue *batches;
    GAsyncQueue *reports;
    GMutex lock;
    GCond has_changed;
    bool has_ended; /* under lock */
};

struct report {
    char *id;
    enum sink_result result;
    char *message;
};

/* The last thing in the queue of batches. */
static gint end_of_batches;

static void unref(gpointer data)
{
    struct background *background = data;
    if (!g_atomic_ref_count_dec(&background->refs))
        return;
    background->work->close(background->state);
    g_async_queue_unref(background->batches);
    g_async_queue_unref(background->reports);
    if (background->main)
        g_main_context_unref(background->main);
    g_mutex_clear(&background->lock);
    g_cond_clear(&background->has_changed);
    g_free(background);
}

static void batch_free(gpointer data)
{
    if (data != &end_of_batches)
        g_ptr_array_unref(data);
}

static void report_free(gpointer data)
{
    struct report *report = data;
    g_free(report->id);
    g_free(report->message);
    g_free(report);
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
    background->batches = g_async_queue_new_full(batch_free);
    background->reports = g_async_queue_new_full(report_free);
    g_mutex_init(&background->lock);
    g_cond_init(&background->has_changed);
    return &background->base;
}

/* ---- the thread ---- */

static gpointer run(gpointer user)
{
    struct background *background = user;
    for (gpointer batch; (batch = g_async_queue_pop(background->batches)) != &end_of_batches;) {
        if (!background_is_stopping(background))
            background->work->deliver(background->state, batch, background);
        batch_free(batch);
    }
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

static gboolean deliver_reports(gpointer user)
{
    struct background *background = user;
    for (struct report *report; (report = g_async_queue_try_pop(background->reports));) {
        const char *const ids[] = {report->id, NULL};
        if (!background->is_stopped)
            background->hooks.on_result(ids, report->result, report->message,
                                        background->hooks.user);
        report_free(report);
    }
    return G_SOURCE_REMOVE;
}

void background_report(struct background *background, const struct store_alert *alert,
                       enum sink_result result, const char *message)
{
    const struct report report = {g_strdup(alert->id), result, g_strdup(message)};
    g_async_queue_push(background->reports, g_memdup2(&report, sizeof report));
    g_atomic_ref_count_inc(&background->refs);
    GSource *source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, deliver_reports, background, unref);
    g_source_attach(source, background->main);
    g_source_unref(source);
}

void background_report_rest(struct background *background, const GPtrArray *alerts, guint from,
                            enum sink_result result, const char *message)
{
    for (guint i = from; i < alerts->len; i++)
        background_report(background, g_ptr_array_index(alerts, i), result, message);
}

/* ---- the main thread ---- */

void background_take(struct sink *sink, GPtrArray *alerts)
{
    struct background *background = (struct background *)sink;
    if (!background->thread) {
        g_atomic_ref_count_inc(&background->refs);
        background->thread = g_thread_new("sink", run, background);
    }
    g_async_queue_push(background->batches, g_ptr_array_ref(alerts));
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
        g_async_queue_push(background->batches, &end_of_batches);
        if (wait_for_end(background, deadline_ms))
            g_thread_join(background->thread);
        else
            g_thread_unref(background->thread);
    }
    deliver_reports(background);
    background->is_stopped = true;
    unref(background);
}
