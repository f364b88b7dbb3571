#include "schedule/health.h"

static bool is_long(int64_t span_s, int64_t usual_s)
{
    return span_s >= HEALTH_LIMIT_S && span_s / HEALTH_TIMES >= usual_s;
}

static bool is_unreachable(const struct schedule_settings *settings,
                           const struct schedule_state *state)
{
    int64_t last_s = state->asked_s;
    if (state->throttles > 0)
        last_s = MAX(last_s, state->allowed_s);
    return is_long(last_s - state->failing_since_s, schedule_interval_s(settings, state));
}

/* Before it has made a pause, nobody knows what is usual. */
static bool is_silent(const struct schedule_state *state)
{
    if (state->rhythm_s <= 0 || state->pause_s <= 0)
        return false;
    return is_long(state->looked_s - state->new_item_s, MAX(state->rhythm_s, state->pause_s));
}

bool schedule_is_outage(const struct schedule_settings *settings,
                        const struct schedule_state *state, int64_t span_s)
{
    return span_s >= MAX(schedule_interval_s(settings, state), SCHEDULE_DEFAULT_S);
}

bool schedule_outlasts_window(const struct schedule_settings *settings,
                              const struct schedule_state *state, uint32_t n_items,
                              int64_t *ret_hint_s)
{
    int64_t hint_s = state->allowed_s - state->looked_s;
    *ret_hint_s = hint_s;
    return state->failing_since_s == 0 && state->rhythm_s > 0 && n_items > 0 &&
           hint_s > schedule_interval_s(settings, state) && hint_s / n_items > state->rhythm_s;
}

enum schedule_health schedule_health(const struct schedule_settings *settings,
                                     const struct schedule_state *state)
{
    if (state->is_gone)
        return SCHEDULE_LOST;
    if (state->failing_since_s != 0)
        return is_unreachable(settings, state) ? SCHEDULE_UNREACHABLE : SCHEDULE_FAILING;
    return is_silent(state) ? SCHEDULE_SILENT : SCHEDULE_WELL;
}
