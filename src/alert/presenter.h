/* alert/presenter - what the desktop shows when, so that a flood stays readable.
 *
 * A burst begins with its first popup and lasts BURST_MS, or as long as full batches keep coming.
 * Its first BURST_POPUPS items each have a popup at once; all others, and any that are older than
 * OLD_MS, fold into one digest that is updated in place, at most once a DIGEST_PAUSE_MS. Lives on
 * the notifier's thread. Each alert of a batch gets one result, after the popup that tells of it is
 * shown: a crash in between repeats it once. */
#ifndef ALERT_PRESENTER_H
#define ALERT_PRESENTER_H

#include "alert/sink.h"

#define BURST_MS        10000
#define BURST_POPUPS    3
#define OLD_MS          (24 * 3600 * 1000)
#define DIGEST_PAUSE_MS 1000

/* A full batch: the more at once, the fewer updates of a digest. */
#define PRESENTER_BATCH_MAX 4000

struct presenter;

/* The hooks run on the presenter's thread. context: borrowed, thread-default there. */
struct presenter *presenter_new(GMainContext *context, const struct sink_hooks *hooks);
/* Takes a reference. One batch at a time. */
void presenter_take(struct presenter *presenter, GPtrArray *alerts);
/* What has no result yet gets none. */
void presenter_free(struct presenter *presenter);

#endif
