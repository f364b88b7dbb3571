/* worker/worker - bytes in, document out, asynchronously.
 *
 * The only way to a parser: today it runs in this process between two turns of the main loop, later
 * in a sandboxed process behind the same call. on_done always comes later, never from within
 * worker_submit(). */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "feed/feed.h"

struct worker;

/* doc is NULL and error set where the bytes are no feed; the callback takes doc, borrows error. */
typedef void (*worker_done)(struct feed_doc *doc, const GError *error, void *user);

struct worker *worker_new(GMainContext *context);
/* Pending jobs are dropped without a callback. */
void worker_free(struct worker *worker);
/* Takes a reference to body, copies the options. Returns a job to cancel. */
guint64 worker_submit(struct worker *worker, GBytes *body, const struct feed_options *options,
                      worker_done on_done, void *user);
/* The callback will not come. A job that is done or unknown is ignored. */
void worker_cancel(struct worker *worker, guint64 job);

#endif
