/* monitor/monitor - the one place where the parts meet: what happens to a feed that is due.
 *
 * A feed's way: due -> its next attempt is stored -> fetch -> which items are new -> match -> one
 * commit -> due again. One poll of a feed is under way at a time. Everything runs on one main
 * context; storage and fetching are asynchronous. When commits do not get through (full disk), no
 * new request is started until they do. */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "base/clock.h"
#include "config/config.h"
#include "fetch/fetch.h"
#include "store/store.h"

struct monitor;

struct monitor_hooks {
    /* A feed could not be read: one sentence. Also when it can be read again: message is NULL.
     * Comes when the state changes, and for every failure in a run with `once`. */
    void (*on_feed)(const char *feed_id, const char *message, void *user);
    /* A permanent redirect is followed from now on. */
    void (*on_moved)(const char *feed_id, const char *url, void *user);
    /* There is no network, so feeds wait for it; or it is back. */
    void (*on_network)(bool is_away, void *user);
    /* With `once`: every feed was polled and committed. */
    void (*on_finished)(void *user);
    void *user;
};

struct monitor_parts { /* borrowed; outlive the monitor */
    GMainContext *context;
    const struct clock *clock;
    struct store *store;
    struct fetcher *fetcher;
};

struct monitor_count {
    guint feeds, failing, polled, failed_now; /* the last two: of this run */
    bool is_offline;
};

/* Takes a reference to the configuration; reads the feeds' states from the store. */
struct monitor *monitor_new(const struct monitor_parts *parts, struct config *config,
                            const struct monitor_hooks *hooks);
/* Starts polling: what is due, as time goes; or with once every enabled feed now. */
void monitor_start(struct monitor *monitor, bool once);
/* Swaps the configuration; states, validators and due times of feeds that stay survive. */
void monitor_reload(struct monitor *monitor, struct config *config);
/* Starts nothing more and ends what is under way, except commits that were accepted. */
void monitor_stop(struct monitor *monitor);
void monitor_free(struct monitor *monitor);
void monitor_counts(const struct monitor *monitor, struct monitor_count *ret_count);

#endif
