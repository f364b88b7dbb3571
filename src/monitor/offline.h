/* monitor/offline - feeds while there is no network (E36).
 *
 * What falls due then waits outside the queue, and when the network is back all of it is laid over
 * some minutes. What fails with the network is charged to no feed, also not to those whose failures
 * gave it away. Files, programs, loopback and addresses on a link are asked all the same; so is
 * everything where `offline = ignore`, with --once, and by hand. */
#ifndef MONITOR_OFFLINE_H
#define MONITOR_OFFLINE_H

#include "monitor/internal.h"

/* By the configuration as it is now; also after a reload. */
void offline_apply(struct monitor *monitor);
void offline_end(struct monitor *monitor);
/* Whether a feed that is due is not to be asked now; then it waits here. */
bool offline_holds(struct monitor_feed *feed);
/* Before an outcome is folded in: one that says nothing of the feed becomes SCHEDULE_OFFLINE. */
void offline_on_fetched(struct monitor_feed *leader, struct fetch_result *result);

#endif
