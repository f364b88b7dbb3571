/* monitor/control_poll - the control command "poll".
 *
 * Request: "feeds": a list of feed IDs, absent or empty for every enabled one; "wait": for how many
 * seconds outcomes are waited for, at most CONTROL_POLL_WAIT_MAX_S, 0 by default. An unknown feed
 * fails the request before anything is asked. Answers: {"feed": ID, "state": WORD}, with
 *
 *   polling, unchanged, disabled, gone    nothing more
 *   unfinished  the wait was too short
 *   news        "new": items, "alerts": how many they raised
 *   failed      "message"
 *   recent      "asked": when, and the "message" of a failure
 *   silent      "until": when the server may be asked again
 *
 * One of the first kind or a final one comes at once for each feed, an outcome for those that are
 * polling. Times are seconds since 1970 (UTC). */
#ifndef MONITOR_CONTROL_POLL_H
#define MONITOR_CONTROL_POLL_H

#include "monitor/control.h"
#include "monitor/monitor.h"

#define CONTROL_POLL_WAIT_MAX_S 3600

/* user is the struct monitor. */
void control_poll(struct control_call *call, const json_t *request, void *user);

#endif
