/* monitor/notices - what is to be told of a feed itself, rather than of its items.
 *
 * Alerts of the kinds health (it cannot be read for long, has fallen silent, is gone, has moved, is
 * back) and gap (items came and went unseen). They collect in the feed while an outcome is worked
 * out, and go into the commit that stores the outcome: what was told and that it was told are one
 * transaction. They go to the sinks of the rules that look at the feed; where none does, to the log
 * and the desktop. */
#ifndef MONITOR_NOTICES_H
#define MONITOR_NOTICES_H

#include "monitor/internal.h"

/* So often, at most, a feed's gaps are told; each is recorded. */
#define NOTICES_GAP_S 86400
/* And that a server keeps us away for longer than its list lasts. */
#define NOTICES_WINDOW_S (30 * 86400)

struct notices; /* alerts, and all that they point to */

/* After an outcome was folded into the feed's state; before: the schedule as it was. */
void notices_on_outcome(struct monitor_feed *feed, const struct schedule_state *before);
void notices_on_moved(struct monitor_feed *feed);
/* The window rolled over since the last look; may tell nothing. before: the schedule then. */
void notices_on_gap(struct monitor_feed *feed, const struct schedule_state *before);

/* What has collected, with sinks as they are configured now; NULL: nothing. */
struct notices *notices_take(struct monitor_feed *feed);
void notices_free(struct notices *notices);
/* Belongs to the notices. */
const struct store_new_alert *notices_alerts(const struct notices *notices, size_t *ret_n);

#endif
