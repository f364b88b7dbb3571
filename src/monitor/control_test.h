/* monitor/control_test - the control command "test-alert".
 *
 * Request: "sinks": a list of sink IDs, absent or empty for every one that is enabled. One harmless
 * alert of the kind "test" goes the way of all alerts: it is stored with a delivery for each of
 * these sinks. An unknown or disabled sink fails the request, and nothing is stored then.
 *
 * Answers, once the alert is durable and its log lines were tried: {"sink": ID, "state":
 * "stored"} for each sink: the delivery waits or is done, as the store says from then on. A store
 * that takes longer than CONTROL_TEST_DEADLINE_S fails the request; the alert is stored later. */
#ifndef MONITOR_CONTROL_TEST_H
#define MONITOR_CONTROL_TEST_H

#include "monitor/control.h"
#include "monitor/monitor.h"

#define CONTROL_TEST_DEADLINE_S 10

/* user is the struct monitor. */
void control_test_alert(struct control_call *call, const json_t *request, void *user);

#endif
