/* publisher - a feed's server in virtual time, for the simulations.
 *
 * Items appear by one of four habits; the server answers by one of the manners that polling.md
 * knows. True time is seconds since the simulation began to matter to nobody's clock. */
#ifndef TESTS_SIM_PUBLISHER_H
#define TESTS_SIM_PUBLISHER_H

#include "schedule/schedule.h"

#include <math.h>
#include <string.h>

#define DAY_S      INT64_C(86400)
#define WINDOW_MAX 40

enum habit { HABIT_RANDOM, HABIT_DAYTIME, HABIT_BURSTS, HABIT_CLOCKWORK, HABIT_SILENT, HABITS };

enum manner {
    MANNER_PLAIN, /* validators, nothing else: hints allow everything */
    MANNER_PLAIN_TOO,
    MANNER_SHORT_CACHE,   /* max-age below any interval */
    MANNER_NO_VALIDATORS, /* 200 each time, body unchanged where it is */
    MANNER_CACHE_2H,
    MANNER_CACHE_2D,
    MANNER_TTL,
    MANNER_SKIP_NIGHTS,
    MANNER_SKIP_WEEKEND,
    MANNER_WEEKLY,
    MANNER_RETRY_AFTER, /* a day of 429 now and then, with a number */
    MANNER_BARE_429,
    MANNER_OUTAGES, /* three days of 500 */
    MANNER_NET_OUTAGES,
    MANNER_GONE,      /* 410 after 100 days */
    MANNER_STUCK_304, /* a broken cache after 60 days */
    MANNERS
};

struct publisher {
    enum habit habit;
    enum manner manner;
    int64_t gap_s;
    int window; /* items in a document */
    int64_t next_item_s;
    int64_t n_items;                 /* so far */
    int64_t published_s[WINDOW_MAX]; /* ring, by item number */
    int64_t n_seen;                  /* by the client, of n_items */
    int64_t n_validator;             /* n_items at the last 200 */
};

struct answer {
    struct schedule_outcome outcome;
    int64_t silence_s;  /* what it asked for: no request before that many seconds are over */
    int64_t first_item; /* of the document; INT64_MAX: none */
};

static inline double uniform(GRand *rand)
{
    return g_rand_double(rand);
}

static inline int64_t gap_after(const struct publisher *publisher, int64_t now_s, GRand *rand)
{
    switch (publisher->habit) {
    case HABIT_RANDOM:
        return 1 + (int64_t)(-log(1.0 - uniform(rand)) * (double)publisher->gap_s);
    case HABIT_DAYTIME: { /* between 6 and 20 h, 14 of 24 hours */
        int64_t next_s =
            now_s + 1 + (int64_t)(-log(1.0 - uniform(rand)) * (double)publisher->gap_s);
        int64_t hour = next_s % DAY_S / 3600;
        if (hour < 6 || hour >= 20)
            next_s += ((hour < 6 ? 6 : 30) - hour) * 3600;
        return next_s - now_s;
    }
    case HABIT_BURSTS: /* five at once */
        if (publisher->n_items % 5 != 0)
            return 1;
        return 1 + (int64_t)(-log(1.0 - uniform(rand)) * 5.0 * (double)publisher->gap_s);
    case HABIT_CLOCKWORK:
        return publisher->gap_s;
    default:
        return INT64_MAX / 4;
    }
}

static inline void publisher_init(struct publisher *publisher, int number, GRand *rand)
{
    static const int64_t gaps_s[] = {300,   900,   1800,      3600,      7200,
                                     21600, DAY_S, 3 * DAY_S, 20 * DAY_S};
    memset(publisher, 0, sizeof *publisher);
    publisher->manner = (enum manner)(number % MANNERS);
    publisher->habit = number % 29 == 28 ? HABIT_SILENT : (enum habit)(number / MANNERS % 4);
    publisher->gap_s = gaps_s[g_rand_int_range(rand, 0, G_N_ELEMENTS(gaps_s))];
    publisher->window = g_rand_int_range(rand, 8, WINDOW_MAX + 1);
    publisher->next_item_s = gap_after(publisher, 0, rand);
    publisher->n_validator = -1;
}

static inline void publish_until(struct publisher *publisher, int64_t now_s, GRand *rand)
{
    while (publisher->next_item_s <= now_s) {
        publisher->published_s[publisher->n_items++ % WINDOW_MAX] = publisher->next_item_s;
        publisher->next_item_s += gap_after(publisher, publisher->next_item_s, rand);
    }
}

/* One day out of 23, each publisher another one; `days` in a row. */
static inline bool has_bad_day(const struct publisher *publisher, int64_t now_s, int days)
{
    return (now_s / DAY_S + publisher->window) % 23 < days;
}

static inline bool refuses(const struct publisher *publisher, int64_t now_s, struct answer *answer)
{
    struct schedule_outcome *outcome = &answer->outcome;
    switch (publisher->manner) {
    case MANNER_RETRY_AFTER:
        outcome->kind = SCHEDULE_THROTTLED;
        outcome->retry_after_s = answer->silence_s = 5400;
        return has_bad_day(publisher, now_s, 1);
    case MANNER_BARE_429:
        outcome->kind = SCHEDULE_THROTTLED;
        answer->silence_s = SCHEDULE_THROTTLED_MIN_S;
        return has_bad_day(publisher, now_s, 1);
    case MANNER_OUTAGES:
        outcome->kind = SCHEDULE_FAILED;
        return has_bad_day(publisher, now_s, 3);
    case MANNER_NET_OUTAGES:
        outcome->kind = SCHEDULE_FAILED_NET;
        return has_bad_day(publisher, now_s, 1);
    case MANNER_GONE:
        outcome->kind = SCHEDULE_GONE;
        return now_s > 100 * DAY_S;
    default:
        return false;
    }
}

static inline void add_hints(const struct publisher *publisher, struct answer *answer)
{
    struct schedule_outcome *outcome = &answer->outcome;
    bool is_document = outcome->kind == SCHEDULE_OK;
    static const uint8_t weekend = 1 << 0 | 1 << 6;
    switch (publisher->manner) {
    case MANNER_SHORT_CACHE:
        outcome->fresh_for_s = answer->silence_s = 300;
        break;
    case MANNER_CACHE_2H:
        outcome->fresh_for_s = answer->silence_s = 7200;
        break;
    case MANNER_CACHE_2D:
        outcome->fresh_for_s = answer->silence_s = 2 * DAY_S;
        break;
    case MANNER_TTL:
        outcome->ttl_s = is_document ? 10800 : 0;
        answer->silence_s = 10800;
        break;
    case MANNER_WEEKLY:
        outcome->update_period_s = is_document ? 7 * DAY_S : 0;
        answer->silence_s = 2 * DAY_S;
        break;
    case MANNER_SKIP_NIGHTS:
        outcome->skip_hours = is_document ? 0x3f : 0; /* 0 to 6 h */
        break;
    case MANNER_SKIP_WEEKEND:
        outcome->skip_days = is_document ? weekend : 0;
        break;
    default:
        break;
    }
}

/* What the server says to a request at that time. */
static inline struct answer publisher_answer(struct publisher *publisher, int64_t now_s,
                                             bool is_conditional, GRand *rand)
{
    struct answer answer = {.outcome.retry_after_s = -1, .first_item = INT64_MAX};
    struct schedule_outcome *outcome = &answer.outcome;
    publish_until(publisher, now_s, rand);
    if (refuses(publisher, now_s, &answer))
        return answer;
    answer = (struct answer){.outcome.retry_after_s = -1, .first_item = INT64_MAX};
    outcome->has_validator = publisher->manner != MANNER_NO_VALIDATORS;
    bool is_same = publisher->n_validator == publisher->n_items;
    bool is_stuck = publisher->manner == MANNER_STUCK_304 && now_s > 60 * DAY_S;
    if (is_conditional && (is_same || is_stuck)) {
        outcome->kind = SCHEDULE_NOT_MODIFIED;
    } else if (is_same) {
        outcome->kind = SCHEDULE_UNCHANGED;
    } else {
        outcome->kind = SCHEDULE_OK;
        answer.first_item = MAX(publisher->n_items - publisher->window, 0);
        publisher->n_validator = publisher->n_items;
    }
    add_hints(publisher, &answer);
    return answer;
}

#endif
