#include "schedule/schedule.h"

#include "schedule/rhythm.h"

#define HOUR_S 3600
#define DAY_S  INT64_C(86400)
/* E40 */
#define UNMODIFIED_MIN_S    (14 * DAY_S)
#define UNMODIFIED_RHYTHMS  5
#define UNCONDITIONAL_GAP_S (7 * DAY_S)
/* now_s is rounded down, so a server's seconds end one later. */
#define ROUNDING_S 1
/* After the moment that a server named, the feeds that waited for it come within this. */
#define AFTER_ALLOWED_MAX_S 300
#define AFTER_SKIP_MAX_S    600
/* Days of hours to look through for one that is not skipped. */
#define SKIP_LOOK_HOURS (8 * 24)

/* The part of span_s that random stands for: 0 up to it. */
static int64_t part_of(int64_t span_s, uint32_t random)
{
    return (int64_t)((double)span_s * ((double)random / 4294967296.0));
}

/* -10 to 0 %. */
static int64_t spread(int64_t delay_s, uint32_t random)
{
    return delay_s - part_of(delay_s / 10, random);
}

static int64_t doubled(int64_t first_s, uint32_t times, int64_t max_s)
{
    int64_t delay_s = first_s;
    for (; times > 0 && delay_s < max_s; times--)
        delay_s *= 2;
    return MIN(delay_s, max_s);
}

int64_t schedule_interval_s(const struct schedule_settings *settings,
                            const struct schedule_state *state)
{
    if (settings->interval_s > 0)
        return settings->interval_s;
    if (state->looked_s != 0 && !state->has_validator)
        return SCHEDULE_NO_VALIDATOR_S;
    if (state->rhythm_s <= 0)
        return SCHEDULE_DEFAULT_S;
    return CLAMP(state->rhythm_s / 2, SCHEDULE_RHYTHM_MIN_S, SCHEDULE_DEFAULT_S);
}

/* --- the due time --- */

static bool is_skipped(const struct schedule_state *state, int64_t at_s)
{
    int64_t hour = at_s % DAY_S / HOUR_S;
    int64_t weekday = (at_s / DAY_S + 4) % 7; /* 1970-01-01 was a Thursday */
    return (state->skip_hours >> hour & 1) != 0 || (state->skip_days >> weekday & 1) != 0;
}

/* Moves a time out of the hours and days in which the publisher does not publish. One who never
 * publishes has made a mistake. */
static int64_t after_skips(const struct schedule_state *state, int64_t at_s, uint32_t random)
{
    if (at_s < 0 || !is_skipped(state, at_s))
        return at_s;
    int64_t moved_s = at_s;
    for (int i = 0; i < SKIP_LOOK_HOURS; i++) {
        moved_s += HOUR_S - moved_s % HOUR_S;
        if (!is_skipped(state, moved_s))
            return moved_s + part_of(AFTER_SKIP_MAX_S, random);
    }
    return at_s;
}

static void set_due(struct schedule_state *state, int64_t now_s, int64_t delay_s, uint32_t random)
{
    int64_t due_s = now_s + delay_s;
    if (state->allowed_s > due_s) {
        int64_t late_s = MIN((state->allowed_s - now_s) / 10, AFTER_ALLOWED_MAX_S);
        due_s = state->allowed_s + part_of(late_s, random);
    }
    state->due_s = after_skips(state, due_s, random);
}

/* E15 is a promise, so what has no validator is spread upwards: 0.9 of this is the least. */
static int64_t usual_delay(const struct schedule_settings *settings,
                           const struct schedule_state *state, bool has_gap, uint32_t random)
{
    int64_t interval_s = schedule_interval_s(settings, state);
    if (settings->interval_s == 0 && has_gap)
        interval_s = MAX(interval_s / 2, SCHEDULE_RHYTHM_MIN_S);
    else if (settings->interval_s == 0 && !state->has_validator)
        interval_s = (interval_s * 10 + 8) / 9;
    return spread(interval_s, random);
}

/* --- outcomes --- */

/* The first document is where the measuring starts, whatever is called new in it. */
static void note_items(struct schedule_state *state, const struct schedule_outcome *outcome,
                       int64_t now_s)
{
    bool is_first = state->looked_s == 0 || state->new_item_s == 0;
    int64_t elapsed_s = MAX(now_s - state->new_item_s, 0);
    if (is_first && (outcome->n_new > 0 || outcome->kind == SCHEDULE_OK)) {
        state->new_item_s = now_s;
    } else if (outcome->n_new > 0) {
        state->pause_s = rhythm_pause(state->pause_s, elapsed_s);
        state->rhythm_s =
            rhythm_after_news(state->rhythm_s, elapsed_s, outcome->n_new, outcome->has_gap);
        state->new_item_s = now_s;
    } else if (!is_first) {
        state->rhythm_s = rhythm_after_silence(state->rhythm_s, elapsed_s);
    }
}

static void note_document(struct schedule_state *state, const struct schedule_outcome *outcome)
{
    state->publisher_s = MAX(MAX(outcome->ttl_s, outcome->update_period_s), 0);
    state->skip_hours = outcome->skip_hours;
    state->skip_days = outcome->skip_days;
}

/* The answer to our own unconditional request says nothing about the server's 304s. */
static void note_run(struct schedule_state *state, bool is_unmodified, int64_t now_s)
{
    if (is_unmodified && state->unmodified_since_s == 0)
        state->unmodified_since_s = now_s;
    else if (!is_unmodified &&
             (state->unconditional_s == 0 || state->unconditional_s != state->asked_s))
        state->unmodified_since_s = 0;
}

static void after_success(const struct schedule_settings *settings, struct schedule_state *state,
                          const struct schedule_outcome *outcome, int64_t now_s, uint32_t random)
{
    if (outcome->kind == SCHEDULE_OK)
        note_document(state, outcome);
    note_items(state, outcome, now_s);
    note_run(state, outcome->kind == SCHEDULE_NOT_MODIFIED, now_s);
    state->looked_s = now_s;
    state->failing_since_s = 0;
    state->failures = state->throttles = 0;
    state->has_validator = outcome->has_validator;
    int64_t hint_s = MIN(MAX(outcome->fresh_for_s, state->publisher_s), settings->cache_max_s);
    state->allowed_s = hint_s > 0 ? now_s + hint_s + ROUNDING_S : 0;
    set_due(state, now_s, usual_delay(settings, state, outcome->has_gap, random), random);
}

static void note_failure(struct schedule_state *state, int64_t now_s)
{
    if (state->failing_since_s == 0)
        state->failing_since_s = now_s;
}

static void after_failure(const struct schedule_settings *settings, struct schedule_state *state,
                          bool is_net, int64_t now_s, uint32_t random)
{
    note_failure(state, now_s);
    int64_t first_s = is_net ? SCHEDULE_BACKOFF_NET_S
                             : MAX(schedule_interval_s(settings, state), SCHEDULE_BACKOFF_MIN_S);
    int64_t max_s = MAX(SCHEDULE_BACKOFF_MAX_S, settings->interval_s);
    int64_t delay_s = doubled(first_s, state->failures, max_s);
    if (state->failures < G_MAXUINT32)
        state->failures++;
    set_due(state, now_s, spread(delay_s, random), random);
}

/* A server that asks for little each time and goes on refusing is asked ever more rarely. */
static void after_throttle(struct schedule_state *state, int64_t retry_after_s, int64_t now_s,
                           uint32_t random)
{
    note_failure(state, now_s);
    bool is_bare = retry_after_s < 0;
    int64_t first_s = is_bare ? SCHEDULE_THROTTLED_MIN_S : SCHEDULE_RETRY_AFTER_MIN_S;
    int64_t delay_s = doubled(first_s, state->throttles, SCHEDULE_BACKOFF_MAX_S);
    delay_s = MAX(delay_s, MIN(retry_after_s, SCHEDULE_RETRY_AFTER_MAX_S));
    if (state->throttles < G_MAXUINT32)
        state->throttles++;
    state->allowed_s = now_s + delay_s + ROUNDING_S;
    set_due(state, now_s, delay_s, random);
}

static void after_hold(struct schedule_state *state, int64_t retry_after_s, int64_t now_s,
                       uint32_t random)
{
    int64_t delay_s = CLAMP(retry_after_s, SCHEDULE_RETRY_AFTER_MIN_S, SCHEDULE_RETRY_AFTER_MAX_S);
    state->allowed_s = MAX(state->allowed_s, now_s + delay_s + ROUNDING_S);
    set_due(state, now_s, 0, random);
}

void schedule_after(const struct schedule_settings *settings, struct schedule_state *state,
                    const struct schedule_outcome *outcome, int64_t now_s, uint32_t random)
{
    switch (outcome->kind) {
    case SCHEDULE_OK:
    case SCHEDULE_UNCHANGED:
    case SCHEDULE_NOT_MODIFIED:
        after_success(settings, state, outcome, now_s, random);
        break;
    case SCHEDULE_FAILED:
    case SCHEDULE_FAILED_NET:
        after_failure(settings, state, outcome->kind == SCHEDULE_FAILED_NET, now_s, random);
        break;
    case SCHEDULE_THROTTLED:
        after_throttle(state, outcome->retry_after_s, now_s, random);
        break;
    case SCHEDULE_HELD:
        after_hold(state, outcome->retry_after_s, now_s, random);
        break;
    case SCHEDULE_GONE:
        note_failure(state, now_s);
        state->is_gone = true;
        state->due_s = SCHEDULE_NEVER;
        break;
    case SCHEDULE_OFFLINE:
        set_due(state, now_s, SCHEDULE_BACKOFF_NET_S, random);
        break;
    }
}

/* --- before a request, after a restart --- */

int64_t schedule_before_request(const struct schedule_settings *settings,
                                const struct schedule_state *state, int64_t now_s, uint32_t random)
{
    struct schedule_state copy = *state;
    after_failure(settings, &copy, false, now_s, random);
    return copy.due_s;
}

bool schedule_start(const struct schedule_settings *settings, struct schedule_state *state,
                    int64_t now_s, uint32_t random)
{
    bool is_unconditional = schedule_is_unconditional(state, now_s);
    if (is_unconditional)
        state->unconditional_s = now_s;
    state->asked_s = now_s;
    state->due_s = schedule_before_request(settings, state, now_s, random);
    return is_unconditional;
}

int64_t schedule_restored_due(const struct schedule_settings *settings,
                              const struct schedule_state *state, int64_t now_s)
{
    if (state->is_gone)
        return SCHEDULE_NEVER;
    int64_t due_s = state->due_s;
    if (state->asked_s > now_s) /* the clock was set back by that much, at least */
        due_s -= state->asked_s - now_s;
    int64_t longest_s =
        MAX(MAX(settings->interval_s, settings->cache_max_s), (int64_t)SCHEDULE_RETRY_AFTER_MAX_S);
    int64_t slack_s = DAY_S; /* skipped hours, the spread */
    return MIN(due_s, now_s + longest_s + slack_s);
}

bool schedule_is_unconditional(const struct schedule_state *state, int64_t now_s)
{
    if (state->unmodified_since_s == 0)
        return false;
    int64_t run_s = now_s - state->unmodified_since_s;
    if (run_s < UNMODIFIED_MIN_S || run_s / UNMODIFIED_RHYTHMS < state->rhythm_s)
        return false;
    return state->unconditional_s == 0 || now_s - state->unconditional_s >= UNCONDITIONAL_GAP_S;
}

bool schedule_is_silenced(const struct schedule_state *state, int64_t now_s)
{
    return state->is_gone || (state->throttles > 0 && state->allowed_s > now_s);
}
