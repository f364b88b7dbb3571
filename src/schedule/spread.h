/* schedule/spread - many feeds due at once, after a suspend or a long time offline (E35, E36).
 *
 * Not for a start with a new configuration: first contact comes at once, paced per host only.
 * Pure. */
#ifndef SCHEDULE_SPREAD_H
#define SCHEDULE_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPREAD_SPAN_S     600 /* longer where the rate asks for it */
#define SPREAD_PER_SECOND 2
#define SPREAD_GAP_MS     (1000 / SPREAD_PER_SECOND)

struct spread_feed {
    int64_t due_s; /* in and out */
    bool is_urgent;
};

/* Feeds that are due are laid over the span, urgent ones first, else in an order that random
 * shuffles; those that fall due within it make room. None comes before its own time. */
void schedule_spread(struct spread_feed *feeds, size_t n_feeds, int64_t now_s, uint32_t random);

#endif
