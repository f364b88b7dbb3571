/* alert/background - a sink whose deliveries block: they run on a thread of its own.
 *
 * A type gives the functions of struct background_work, and uses background_take() and
 * background_stop() as its own. Its state is made on the main thread and from then on belongs to
 * the sink's thread, which begins with the first batch and runs the loop of a main context of its
 * own, its thread-default one. Reports stand in a queue, so that the end of the sink can collect
 * what the main loop did not deliver any more. A thread that hangs beyond the deadline is left
 * behind, with its state. */
#ifndef ALERT_BACKGROUND_H
#define ALERT_BACKGROUND_H

#include "alert/sink.h"

struct background;

struct background_work {
    /* Copies what it needs. */
    void *(*open)(const struct sink_settings *settings);
    /* On the thread, may block. Reports on every alert of the batch, at once or later from the
     * thread's loop; those that it does not report on are handed over again in another run. */
    void (*deliver)(void *state, GPtrArray *alerts, struct background *background);
    /* On the thread, when its loop has ended; may be NULL. */
    void (*end)(void *state);
    /* Frees the state; on any thread. */
    void (*close)(void *state);
};

struct sink *background_create(const struct background_work *work,
                               const struct sink_settings *settings, const struct sink_hooks *hooks,
                               GMainContext *context);
void background_take(struct sink *sink, GPtrArray *alerts);
void background_stop(struct sink *sink, int64_t deadline_ms);

/* The sink's hooks, to be called from the thread. */
struct sink_hooks background_hooks(struct background *background);
/* From the thread. message: NULL with SINK_DONE. */
void background_report(struct background *background, const struct store_alert *alert,
                       enum sink_result result, const char *message);
/* The same for n alerts from index `from` on. */
void background_report_some(struct background *background, const GPtrArray *alerts, guint from,
                            guint n, enum sink_result result, const char *message);
/* The same to the end. */
void background_report_rest(struct background *background, const GPtrArray *alerts, guint from,
                            enum sink_result result, const char *message);
/* Whether the sink is to end: what blocks should give up soon. Any thread. */
bool background_is_stopping(struct background *background);

#endif
