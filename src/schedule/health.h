/* schedule/health - whether a feed that says nothing has nothing to say.
 *
 * Pure. A feed is unreachable when its failures have lasted HEALTH_LIMIT_S and three of its
 * intervals, measured from the first to the last attempt, so that a night in which nobody asked
 * does not count; a server's wish for silence counts as far as it goes. It is silent when it
 * answers but has brought nothing new for HEALTH_LIMIT_S, three times its rhythm and three times
 * the longest pause that it is known to make (nights, weekends). */
#ifndef SCHEDULE_HEALTH_H
#define SCHEDULE_HEALTH_H

#include "schedule/schedule.h"

#define HEALTH_LIMIT_S (12 * 3600)
#define HEALTH_TIMES   3

enum schedule_health {
    SCHEDULE_WELL,
    SCHEDULE_FAILING, /* not for long */
    SCHEDULE_UNREACHABLE,
    SCHEDULE_SILENT,
    SCHEDULE_LOST, /* gone for good: 410 */
};

/* Whether a feed that could not be read for so long was out of sight longer than it usually is. */
bool schedule_is_outage(const struct schedule_settings *settings,
                        const struct schedule_state *state, int64_t span_s);
/* Whether the server keeps us away for longer than its list of so many items lasts, going by the
 * rhythm: then items may come and go unseen. For how long: *ret_hint_s. */
bool schedule_outlasts_window(const struct schedule_settings *settings,
                              const struct schedule_state *state, uint32_t n_items,
                              int64_t *ret_hint_s);
enum schedule_health schedule_health(const struct schedule_settings *settings,
                                     const struct schedule_state *state);

#endif
