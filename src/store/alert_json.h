/* store/alert_json - one alert as a JSON object: what `feedwatch alerts --json` lists and what
 * sinks hand to other programs (design.md section 7). Times are epoch seconds. Pure. */
#ifndef STORE_ALERT_JSON_H
#define STORE_ALERT_JSON_H

#include "base/json.h"
#include "store/store.h"

/* A new reference: id, time, kind, rule, urgency, feed, feed_title, title, link, summary,
 * published, first_seen, matched, story. */
json_t *alert_json(const struct store_alert *alert);

#endif
