/* schedule/rhythm - the usual gap between a feed's new items.
 *
 * A running estimate in one number that follows a change within a few looks, goes down faster than
 * up (late is worse than often), and is not lifted by nights beyond what matters for polling. Pure;
 * seconds. */
#ifndef SCHEDULE_RHYTHM_H
#define SCHEDULE_RHYTHM_H

#include <stdbool.h>
#include <stdint.h>

/* The gap from which on polling is as rare as it gets: a feed of that gap starts there. */
#define RHYTHM_SLOW_S 7200

/* rhythm_s: the estimate so far, 0: none. elapsed_s: since the last look that found something.
 * has_gap: items were missed, so there are more than n_new. */
int64_t rhythm_after_news(int64_t rhythm_s, int64_t elapsed_s, uint32_t n_new, bool has_gap);
/* The longest gap of late, once a further one has ended; the memory of it fades. */
int64_t rhythm_pause(int64_t pause_s, int64_t elapsed_s);
int64_t rhythm_after_silence(int64_t rhythm_s, int64_t elapsed_s);

#endif
