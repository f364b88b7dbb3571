/* fetch/internal - what the files of fetch/ share: one fetch under way, and the fetcher.
 *
 * fetch.c begins and ends a fetch; hop.c sends its requests when they may go and follows redirects;
 * answer.c makes a result of the final response; local.c has files and programs in place of
 * requests; hold.c knows which origins want silence. A callback of the owner's may free everything:
 * fetch_finish() and fetch_fail() are the last thing a function does. */
#ifndef FETCH_INTERNAL_H
#define FETCH_INTERNAL_H

#include "fetch/disk.h"
#include "fetch/fetch.h"
#include "fetch/pacer.h"
#include "fetch/program.h"
#include "fetch/url.h"
#include "fetch/verdict.h"

struct fetcher {
    GSource timer; /* first: GLib allocates and owns the whole */
    GMainContext *context;
    struct http_client *client;
    struct worker *worker;
    const struct clock *clock;
    struct pacer *pacer;
    GQueue fetches;    /* the links are in them */
    GHashTable *holds; /* origin -> int64_t wall seconds */
};

struct fetch {
    GList link;
    struct fetcher *fetcher;
    fetch_done on_done;
    void *user;

    /* What does not change, in one block with the fetch. */
    struct fetch_url own; /* as configured; of a local feed, its name as origin and host */
    struct fetch_validators validators;
    uint64_t body_hash;
    const char *path; /* of a file: feed */
    const char *userpwd, *bearer;
    const char *user_agent, *proxy;

    struct fetch_url url; /* of this hop; of the first, borrowed from own */
    char **argv;          /* of an exec: feed */
    char **headers;
    int64_t timeout_ms; /* what is left of it */
    int64_t max_bytes;
    bool allows_private;
    bool names_private; /* the configured URL's own host is a private address */
    bool is_urgent;

    unsigned n_hops;
    bool is_permanent_route; /* so far: every hop 301 or 308 */
    bool was_conditional;
    int64_t started_ms;

    /* Where it is: exactly one of these, or a ticket and one of the next three. */
    struct pacer_ticket *ticket;
    struct http_exchange *exchange;
    struct disk_read *disk_read;
    struct program *program;
    guint64 job;
    GSource *ending;
    struct fetch_result result;
};

/* fetch.c */
struct fetch_validators fetch_validators_copy(const struct fetch_validators *validators);
bool fetch_validators_any(const struct fetch_validators *validators);
void fetch_result_clear(struct fetch_result *result);
/* Hands the result over and frees the fetch. */
void fetch_finish(struct fetch *fetch);
void fetch_fail(struct fetch *fetch, char *message); /* takes the message */
/* For a fetch that ends without having been sent, from inside a call of the owner's. */
void fetch_fail_later(struct fetch *fetch, enum schedule_outcome_kind kind, char *message);

/* hop.c */
/* Lets the next request to fetch->url wait for its turn. */
void fetch_enqueue(struct fetch *fetch);
/* Its host and one of the connections are free for others. */
void fetch_leave_host(struct fetch *fetch);
/* Makes of an answer what it is; local feeds have one too. */
void fetch_take_response(struct fetch *fetch, struct http_response *response);
/* Sends whatever may go now. Calls nobody back. */
void fetcher_pump(struct fetcher *fetcher);
bool fetch_is_own_site(const struct fetch *fetch);

/* answer.c */
void fetch_take_body(struct fetch *fetch, struct http_response *response);
void fetch_take_not_modified(struct fetch *fetch, const struct http_response *response);

/* local.c */
bool fetch_is_local(const struct fetch *fetch);
/* Its turn has come. */
void fetch_start_local(struct fetch *fetch);
void fetch_stop_local(struct fetch *fetch);

/* hold.c */
/* Until when the origin is left alone; 0: it may be asked. */
int64_t fetch_held_until_s(struct fetcher *fetcher, const char *origin);
/* Ends a fetch that waits, later. */
void fetch_end_held(struct fetch *fetch, int64_t until_s);
/* Leaves the origin of the fetch alone after a 429. */
void fetch_hold_after(struct fetch *fetch, const struct schedule_outcome *outcome);

#endif
