/* alert/background - a sink whose deliveries block: they run on a thread of its own.
 *
 * A type gives three functions and uses background_take() and background_stop() as its own. Its
 * state is made on the main thread and from then on belongs to the sink's thread, which begins with
 * the first alert. Reports stand in a queue, so that the end of the sink can collect what its loop
 * did not deliver any more. A thread that hangs beyond the deadline is left behind, with its state.
 */
#ifndef ALERT_BACKGROUND_H
#define ALERT_BACKGROUND_H

#include "alert/sink.h"

struct background;

struct background_work {
    /* Copies what it needs. */
    void *(*open)(const struct sink_settings *settings);
    /* On the thread, may block. Reports on every alert of the batch, in order; those that it does
     * not report on are handed over again later. */
    void (*deliver)(void *state, GPtrArray *alerts, struct background *background);
    void (*close)(void *state);
};

struct sink *background_create(const struct background_work *work,
                               const struct sink_settings *settings, const struct sink_hooks *hooks,
                               GMainContext *context);
void background_take(struct sink *sink, GPtrArray *alerts);
void background_stop(struct sink *sink, int64_t deadline_ms);

/* From the thread. message: NULL with SINK_DONE. */
void background_report(struct background *background, const struct store_alert *alert,
                       enum sink_result result, const char *message);
/* The same for the alerts from index `from` to the end. */
void background_report_rest(struct background *background, const GPtrArray *alerts, guint from,
                            enum sink_result result, const char *message);
/* Whether the sink is to end: what blocks should give up soon. Any thread. */
bool background_is_stopping(struct background *background);

#endif
