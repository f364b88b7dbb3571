/* fetch/fetch - one feed's conversation with its publisher.
 *
 * Conditional request, redirects hop by hop (at most FETCH_HOPS_MAX, credentials and validators
 * only on the feed's own origin), cache hints, Retry-After, limits; requests to one host one at a
 * time and host_spacing apart, hosts interleaved, at most max_connections in all. A body whose hash
 * is the stored one is not parsed again. A feed may also be a file, or what a program prints
 * (file:, exec:); no redirect leads there. Parsing goes through worker/. Source: polling.md
 * E01-E33, hostile.md S06-S12. */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include "base/clock.h"
#include "feed/feed.h"
#include "http/http.h"
#include "schedule/schedule.h"
#include "worker/worker.h"

#define FETCH_HOPS_MAX            5
#define FETCH_VALIDATOR_BYTES_MAX 4096 /* a longer one is dropped */

enum fetch_error { FETCH_ERROR_URL };
#define FETCH_ERROR fetch_error_quark()
GQuark fetch_error_quark(void);

/* One value from one response (E07): both or either may be NULL. Sent back byte for byte. */
struct fetch_validators {
    char *etag;
    char *last_modified;
};
void fetch_validators_clear(struct fetch_validators *validators);

struct fetch_request {   /* borrowed until fetch_start() returns */
    const char *feed_id; /* for messages */
    const char *url;
    /* In place of a request, only ever from the configuration: a file to read, a program to run. */
    const char *path;
    const char *const *argv;
    struct fetch_validators validators; /* both NULL: unconditional */
    uint64_t body_hash;                 /* of the last parsed body; 0: none */
    const char *const *headers;         /* the feed's own */
    const char *credentials; /* "user:password" or "Bearer token", already read from its file */
    const char *user_agent;
    const char *proxy;
    int64_t timeout_ms;
    int64_t max_bytes;
    bool allow_private;
    bool is_urgent; /* before others that wait for the same host */
};

enum fetch_kind {
    FETCH_DOCUMENT,     /* doc is set */
    FETCH_UNCHANGED,    /* 200, but the body is the one we know */
    FETCH_NOT_MODIFIED, /* 304 */
    FETCH_FAILED,       /* outcome.kind says how; message is set */
};

struct fetch_result { /* borrowed by the callback; doc and validators may be stolen */
    enum fetch_kind kind;
    int status;                      /* the last response's, 0: none */
    struct schedule_outcome outcome; /* everything but n_new and has_gap is filled in */
    struct fetch_validators
        validators; /* the pair to store; as sent where the response brought none and was a 304 */
    uint64_t body_hash;
    struct feed_doc *doc;
    char *message;       /* a sentence: what went wrong */
    char *permanent_url; /* set where every hop was a 301 or 308: where they led (E22) */
    int64_t body_bytes;
    bool is_delta;        /* a 226: the document has only what is new, and nothing is missing */
    bool had_credentials; /* of the URL or the settings: nothing here is to be printed */
};

typedef void (*fetch_done)(struct fetch_result *result, void *user);

struct fetcher;
struct fetch;

struct fetcher *fetcher_new(GMainContext *context, struct http_client *client,
                            struct worker *worker, const struct clock *clock);
void fetcher_free(struct fetcher *fetcher); /* what is under way ends without a callback */
/* May change at any time; applies to what starts from then on. */
void fetcher_set_limits(struct fetcher *fetcher, int64_t host_spacing_ms, guint max_connections);
/* For so long (of the fetcher's clock), requests of all hosts start at least the gap apart: after a
 * resume, beside schedule_spread(), since what waits for its host comes later than it was due. */
void fetcher_limit_rate(struct fetcher *fetcher, int64_t gap_ms, int64_t for_ms);
/* Whether another request might start now, if only there were one whose host's turn it is. */
bool fetcher_has_room(const struct fetcher *fetcher);
/* Queues the request; on_done comes later, never from within. */
struct fetch *fetch_start(struct fetcher *fetcher, const struct fetch_request *request,
                          fetch_done on_done, void *user);
void fetch_cancel(struct fetch *fetch); /* no callback */
/* Nothing is sent to the URL's origin until then (wall seconds of the fetcher's clock): what waits
 * or comes ends as SCHEDULE_HELD (E21). Done here after a 429; for the caller, after a restart,
 * with the allowed_s of a feed that schedule_is_silenced(). */
void fetcher_hold(struct fetcher *fetcher, const char *url, int64_t until_s);
/* The URL as it may be shown: userinfo is ***. Newly allocated. */
char *fetch_url_shown(const char *url);

#endif
