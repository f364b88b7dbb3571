/* alert/dispatcher - the dispatcher: brings what waits in the store to the sinks, each at its own
 * pace.
 *
 * Each sink has a lane of its own: ask the store for its oldest deliveries, hand them over, mark
 * what became of them, ask again when the marks are durable. A lane rests while its sink is down or
 * nothing is due, so one that hangs delays nobody else. Since a lane asks only after its marks are
 * durable, a full disk stops it instead of repeating alerts. A crash repeats at most one batch.
 *
 * Back-off, in the clock's time: a sink that is down is tried after 5 s, then twice as long each
 * time, at most 5 min; one delivery after 30 s and so on, at most 1 h, given up after 12 attempts.
 * Logs are the store's own business and have no lane. Everything runs on one main context. */
#ifndef ALERT_DISPATCHER_H
#define ALERT_DISPATCHER_H

#include "alert/sink.h"
#include "base/clock.h"
#include "store/store.h"

#define DISPATCHER_ATTEMPTS_MAX 12

struct dispatcher;

struct dispatcher_parts { /* borrowed; outlive the dispatcher */
    GMainContext *context;
    const struct clock *clock;
    struct store *store;
    const struct sink_type *const *types; /* NULL-terminated */
};

struct dispatcher_hooks {
    /* A sink cannot deliver, one sentence, or can again: NULL. Comes when that changes. */
    void (*on_sink)(const char *sink, const char *message, void *user);
    /* Something that the user should know: an alert was given up, a link was not opened. */
    void (*on_trouble)(const char *sink, const char *message, void *user);
    void *user;
};

struct dispatcher *dispatcher_new(const struct dispatcher_parts *parts,
                                  const struct dispatcher_hooks *hooks);
/* The sinks from now on; ones that stay go on as they are. Starts to deliver what waits. */
void dispatcher_set_sinks(struct dispatcher *dispatcher, const struct sink_settings *sinks,
                          size_t n_sinks);
/* There are new deliveries. */
void dispatcher_kick(struct dispatcher *dispatcher);
/* For a run with an end: tries every sink now and calls on_drained once, when nothing waits for a
 * sink that works or deadline_ms have passed. */
void dispatcher_drain(struct dispatcher *dispatcher, int64_t deadline_ms,
                      void (*on_drained)(void *user), void *user);
/* Appends "desktop: no notification server; …" for the sinks that are down. */
void dispatcher_append_state(const struct dispatcher *dispatcher, GString *out);
/* From now on nothing is handed to a sink. What one has in its hands goes on; whether there is any.
 */
void dispatcher_finish(struct dispatcher *dispatcher);
bool dispatcher_is_delivering(const struct dispatcher *dispatcher);
/* Stops the sinks, for at most deadline_ms in all, and marks what they say by then. The store's
 * completions may come later. */
void dispatcher_free(struct dispatcher *dispatcher, int64_t deadline_ms);

#endif
