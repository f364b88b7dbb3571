/* schedule/schedule - when a feed is polled next.
 *
 * Pure functions of (settings, state, outcome, now, random). Source: polling.md, E11-E21, E25-E28,
 * E35, E40, E41 and "The rhythm". Times are seconds UTC as the caller's clock has them, durations
 * seconds. The caller's clock must not step while it runs: wall time once at its start, from then
 * on what CLOCK_BOOTTIME adds. */
#ifndef SCHEDULE_SCHEDULE_H
#define SCHEDULE_SCHEDULE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_DEFAULT_S         3600 /* a feed that says nothing */
#define SCHEDULE_NO_VALIDATOR_S    7200 /* the least for one that offers no validator */
#define SCHEDULE_RHYTHM_MIN_S      600
#define SCHEDULE_BACKOFF_MIN_S     900
#define SCHEDULE_BACKOFF_NET_S     120 /* first step after a connect or DNS failure */
#define SCHEDULE_BACKOFF_MAX_S     86400
#define SCHEDULE_THROTTLED_MIN_S   3600 /* 429 without a usable Retry-After */
#define SCHEDULE_RETRY_AFTER_MIN_S 60
#define SCHEDULE_RETRY_AFTER_MAX_S (7 * 86400)
#define SCHEDULE_NEVER             INT64_MAX /* the due time of a feed that is gone */

struct schedule_settings {
    int64_t interval_s;  /* 0: follow the feed's rhythm */
    int64_t cache_max_s; /* how long a hint may keep us away */
};

/* What is remembered of a feed between polls; stored with it. All zero is a feed never polled. */
struct schedule_state {
    int64_t due_s;              /* next request not before; 0: at once */
    int64_t asked_s;            /* last request went out */
    int64_t looked_s;           /* last 200 or 304 */
    int64_t new_item_s;         /* last time a new item was found; at first, the first document */
    int64_t failing_since_s;    /* 0: not failing */
    int64_t allowed_s;          /* the server said: not before (Retry-After, hints) */
    int64_t rhythm_s;           /* the usual gap between new items; 0: not known */
    int64_t pause_s;            /* the longest gap between news, fading slowly; 0: not known */
    int64_t unmodified_since_s; /* first 304 of an unbroken run, 0: none (E40) */
    int64_t unconditional_s;    /* last request sent without validators because of E40 */
    int64_t publisher_s;        /* the last document's ttl or updatePeriod, the longer; 0: none */
    uint32_t failures;          /* in a row */
    uint32_t throttles;         /* 429, or an error with Retry-After, in a row */
    uint32_t skip_hours;        /* the last document's, as in feed.h */
    uint8_t skip_days;
    bool has_validator;
    bool is_gone; /* 410 */
};

enum schedule_outcome_kind {
    SCHEDULE_OK,           /* 200 with a parsed document */
    SCHEDULE_NOT_MODIFIED, /* 304 */
    SCHEDULE_FAILED,       /* 4xx, 5xx, time-out, not a feed, … */
    SCHEDULE_FAILED_NET,   /* connect or DNS failure */
    SCHEDULE_THROTTLED,    /* 429, or an error with a usable Retry-After */
    SCHEDULE_GONE,         /* 410 */
    SCHEDULE_OFFLINE,      /* the network is away: charged to no feed */
    SCHEDULE_UNCHANGED,    /* 200 with the body we know: says nothing about the document */
    SCHEDULE_HELD,         /* not asked: its origin was throttled (E21); charged to no feed */
};

struct schedule_outcome {
    enum schedule_outcome_kind kind;
    int64_t retry_after_s; /* seconds from now, negative ones as 0; -1: absent or rubbish */
    int64_t fresh_for_s;   /* max-age less Age, or Expires less Date; 0: nothing said */
    bool has_validator;
    uint32_t n_new; /* new items in the document */
    bool has_gap;   /* no known item was left in the document (E41) */
    /* What the document asks for (E28); counts for SCHEDULE_OK. */
    int64_t ttl_s, update_period_s;
    uint32_t skip_hours;
    uint8_t skip_days;
};

/* How often the feed is asked where nobody says otherwise; what `status` shows. */
int64_t schedule_interval_s(const struct schedule_settings *settings,
                            const struct schedule_state *state);
/* The due time to store before a request goes out: as if it had failed. */
int64_t schedule_before_request(const struct schedule_settings *settings,
                                const struct schedule_state *state, int64_t now_s, uint32_t random);
/* Notes that the request goes out now: sets asked_s, due_s as schedule_before_request() has it, and
 * where schedule_is_unconditional() held, unconditional_s; then it returns true. Store the state
 * before sending. */
bool schedule_start(const struct schedule_settings *settings, struct schedule_state *state,
                    int64_t now_s, uint32_t random);
/* Folds the outcome into the state and sets state->due_s. random spreads by -10 to 0 %, never
 * before allowed_s. */
void schedule_after(const struct schedule_settings *settings, struct schedule_state *state,
                    const struct schedule_outcome *outcome, int64_t now_s, uint32_t random);
/* A stored due time as it may hold after a restart: one further away than anything allows (the
 * clock was set back) is brought near. */
int64_t schedule_restored_due(const struct schedule_settings *settings,
                              const struct schedule_state *state, int64_t now_s);
/* Whether this request must go without validators (E40). */
bool schedule_is_unconditional(const struct schedule_state *state, int64_t now_s);
/* Whether the server asked for silence (429, Retry-After): holds for --once and refreshes too. */
bool schedule_is_silenced(const struct schedule_state *state, int64_t now_s);

#endif
