/* monitor/refresh - polls that somebody asks for by hand, now.
 *
 * Freshness and due times do not count, politeness does: a feed that was asked less than
 * REFRESH_GAP_S ago is not asked again (E38), one that is gone or whose server asked for silence
 * not at all; requests are conditional and wait for their host's turn like any other. Feeds that
 * share a request share its outcome. */
#ifndef MONITOR_REFRESH_H
#define MONITOR_REFRESH_H

#include "monitor/monitor.h"

#define REFRESH_GAP_S 60

enum refresh_kind {
    /* At once, one for each feed. */
    REFRESH_POLLING,  /* an outcome follows */
    REFRESH_RECENT,   /* was asked at time_s; message is how that failed, or NULL */
    REFRESH_SILENT,   /* its server wants silence until time_s */
    REFRESH_GONE,     /* its server said that it is gone for good (410) */
    REFRESH_DISABLED, /* by the configuration */
    /* Outcomes, one for each that is polled. */
    REFRESH_NEWS,       /* a document was taken in; n_new, n_alerts */
    REFRESH_UNCHANGED,  /* 304, or the same document */
    REFRESH_FAILED,     /* message */
    REFRESH_UNFINISHED, /* nobody waits any longer; the poll goes on, where its feed is still there
                         */
};

struct refresh_news {
    const char *feed_id;
    enum refresh_kind kind;
    int64_t time_s; /* of the monitor's clock */
    const char *message;
    guint n_new, n_alerts;
};

struct refresh_hooks {
    void (*on_feed)(const struct refresh_news *news, void *user);
    /* Every outcome was told; the refresh is gone. */
    void (*on_done)(void *user);
    void *user;
};

struct refresh;

/* feed_ids: configured ones, none twice; NULL: every one that is enabled. on_feed comes from
 * within, on_done does not. NULL where there is no outcome to wait for. */
struct refresh *refresh_start(struct monitor *monitor, const char *const *feed_ids,
                              const struct refresh_hooks *hooks);
/* Tells what is unfinished; on_done does not come. */
void refresh_stop(struct refresh *refresh);
/* No callback at all. */
void refresh_cancel(struct refresh *refresh);

#endif
