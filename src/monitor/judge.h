/* monitor/judge - which items of a document are matched, and which alerts follow.
 *
 * Works in slices, so that a large document or rule set never holds the main loop for longer than
 * JUDGE_SLICE_MS at a time. The rules are those given at birth, whatever is reloaded meanwhile. */
#ifndef MONITOR_JUDGE_H
#define MONITOR_JUDGE_H

#include "config/config.h"
#include "store/store.h"

#define JUDGE_SLICE_MS 10

/* A configuration with what matching against it needs, made once for all documents. */
struct judge_rules;

struct judge_rules *judge_rules_new(struct config *config);
struct judge_rules *judge_rules_ref(struct judge_rules *rules);
void judge_rules_unref(struct judge_rules *rules);

struct judge;

struct judge_input {           /* borrowed as long as the judge lives */
    struct judge_rules *rules; /* a reference is taken */
    const struct config_feed *settings;
    const struct feed_doc *doc;
    const struct store_verdicts *verdicts;
    bool is_baselined; /* false: the feed is new, `initial` decides */
    bool is_silent;    /* it is new, and nothing in it is news */
    int64_t now_s;
};

struct judge *judge_new(const struct judge_input *input);
void judge_free(struct judge *judge);
/* True when it is done; false: call again. */
bool judge_step(struct judge *judge);
/* What is to be alerted; belongs to the judge. */
const struct store_new_alert *judge_alerts(const struct judge *judge, size_t *ret_n);

#endif
