/* monitor/intake - what one document brings to one feed: which items are new, which rules hold, one
 * commit.
 *
 * Several feeds may share a document (the same address under several IDs); each takes it in for
 * itself. */
#ifndef MONITOR_INTAKE_H
#define MONITOR_INTAKE_H

#include "monitor/internal.h"

/* A parsed document, and what came with it. */
struct shared_doc {
    grefcount refs;
    struct feed_doc *doc;
    struct fetch_validators validators;
    uint64_t body_hash;
    int64_t body_bytes;
    bool is_delta;                   /* has only what is new */
    struct schedule_outcome outcome; /* n_new and has_gap are each feed's own */
};

/* Takes the document and the validators out of the result. */
struct shared_doc *shared_doc_steal(struct fetch_result *result);
void shared_doc_unref(struct shared_doc *shared);

typedef void (*intake_done)(struct monitor_feed *feed, void *user);

/* Sets feed->intake until it is over; takes a reference to shared. on_done comes once the commit is
 * durable. */
void intake_start(struct monitor_feed *feed, struct shared_doc *shared, intake_done on_done,
                  void *user);
/* Ends it here, with on_done; a commit that was handed to the store is written all the same. */
void intake_cancel(struct intake *intake);

/* By the configuration; none where too many bytes are taken in and not committed yet. */
void intake_limit_fetching(struct monitor *monitor);

#endif
