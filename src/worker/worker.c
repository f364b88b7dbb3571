#include "worker/worker.h"

#include "base/source.h"

struct job {
    guint64 id;
    GBytes *body;
    char *base_url, *content_type;
    worker_done on_done;
    void *user;
};

struct worker {
    GMainContext *context;
    GQueue jobs;     /* struct job, the oldest first */
    GSource *source; /* NULL: nothing waits */
    guint64 last_id;
};

static void job_free(struct job *job)
{
    g_bytes_unref(job->body);
    g_free(job->base_url);
    g_free(job->content_type);
    g_free(job);
}

static void stop(struct worker *worker)
{
    source_end(&worker->source);
}

/* A job that comes alone is done before anything else: news is on its way. Of many, one in each
 * turn of the loop, so that others have theirs. The callback comes last: it may free the worker. */
static gboolean on_turn(gpointer user)
{
    struct worker *worker = user;
    struct job *job = g_queue_pop_head(&worker->jobs);
    bool has_more = !g_queue_is_empty(&worker->jobs);
    struct feed_options options = {.base_url = job->base_url, .content_type = job->content_type};
    gsize size = 0;
    const char *bytes = g_bytes_get_data(job->body, &size);
    g_autoptr(GError) error = NULL;
    if (has_more)
        g_source_set_priority(worker->source, G_PRIORITY_DEFAULT);
    else
        g_clear_pointer(&worker->source, g_source_unref);
    struct feed_doc *doc = feed_parse(bytes ? bytes : "", size, &options, &error);
    job->on_done(doc, error, job->user);
    job_free(job);
    return has_more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

struct worker *worker_new(GMainContext *context)
{
    struct worker *worker = g_new0(struct worker, 1);
    worker->context = context ? g_main_context_ref(context) : NULL;
    g_queue_init(&worker->jobs);
    return worker;
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    stop(worker);
    g_queue_clear_full(&worker->jobs, (GDestroyNotify)job_free);
    g_clear_pointer(&worker->context, g_main_context_unref);
    g_free(worker);
}

guint64 worker_submit(struct worker *worker, GBytes *body, const struct feed_options *options,
                      worker_done on_done, void *user)
{
    struct job *job = g_new0(struct job, 1);
    *job = (struct job){
        .id = ++worker->last_id,
        .body = g_bytes_ref(body),
        .base_url = g_strdup(options ? options->base_url : NULL),
        .content_type = g_strdup(options ? options->content_type : NULL),
        .on_done = on_done,
        .user = user,
    };
    g_queue_push_tail(&worker->jobs, job);
    if (!worker->source) {
        worker->source = g_idle_source_new();
        g_source_set_priority(worker->source, G_PRIORITY_HIGH);
        g_source_set_callback(worker->source, on_turn, worker, NULL);
        g_source_attach(worker->source, worker->context);
    }
    return job->id;
}

void worker_cancel(struct worker *worker, guint64 id)
{
    for (GList *link = worker->jobs.head; link; link = link->next) {
        struct job *job = link->data;
        if (job->id != id)
            continue;
        g_queue_delete_link(&worker->jobs, link);
        job_free(job);
        if (g_queue_is_empty(&worker->jobs))
            stop(worker);
        return;
    }
}
