/* alert/sink - what every sink is to the dispatcher: it takes alerts, and says later what became of
 * each.
 *
 * A sink that is not the log is one file with one struct sink_type. The dispatcher hands it one
 * batch at a time, never more than batch_max alerts, and gives it no further one before each alert
 * of it has had its result. A sink never blocks the main thread and never calls a hook from within
 * take(). All hooks run on the main context. A sink holds no state that must survive: what has no
 * result yet is handed over again after a restart, so a result comes right after the deed.
 *
 * struct sink_settings is what the daemon copies from the configuration; its pointers are borrowed
 * for the call. A type ignores what does not belong to it. */
#ifndef ALERT_SINK_H
#define ALERT_SINK_H

#include "store/store.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum sink_result {
    SINK_DONE,
    SINK_RETRY,  /* this alert failed in a way that may pass: again after a back-off, counted */
    SINK_FAILED, /* this alert will never pass */
    SINK_DOWN,   /* the sink as a whole cannot deliver now: later, not counted */
    SINK_OFF     /* the same, and nothing suggests that it soon will: nobody waits for it */
};

struct sink_hooks {
    /* ids: NULL-terminated alert IDs. message: one sentence; NULL with SINK_DONE. */
    void (*on_result)(const char *const *ids, enum sink_result result, const char *message,
                      void *user);
    /* A sink that was down can deliver again. */
    void (*on_ready)(void *user);
    /* Something went wrong that is no alert's delivery, say the opening of a link. */
    void (*on_trouble)(const char *message, void *user);
    void *user;
};

struct sink_settings {
    const char *id;
    const char *type; /* a sink_type's name; others have no sink, and their deliveries wait */
    const char *const *argv; /* command */
    int64_t timeout_ms;
    const char *url;            /* webhook */
    const char *const *headers; /* "Name: value", NULL-terminated */
    const char *template_text;  /* "": the alert as JSON */
    const char *credentials;    /* path of a file, or "" */
    const char *user_agent;
    const char *const *to;     /* mail: "Name <address>", NULL-terminated */
    const char *from, *server; /* mail */
    const char *topic;         /* mqtt; url is the broker */
    guint digest;              /* mail: more at once are one message; 0: never */
    const char *path;          /* feed */
    guint entries;             /* feed */
    struct store *store;       /* feed: where the alerts are; outlives the sink */
};

struct sink; /* each type's own */

struct sink_type {
    const char *name;
    guint batch_max;
    int64_t expire_s; /* an alert that has waited longer is given up; 0: never */
    struct sink *(*create)(const struct sink_settings *settings, const struct sink_hooks *hooks,
                           GMainContext *context);
    /* alerts: struct store_alert, in order of id; the sink takes a reference where it needs one. */
    void (*take)(struct sink *sink, GPtrArray *alerts);
    /* Ends the sink and frees it, after at most deadline_ms. Results that are known by then come
     * from within the call; no hook after it. */
    void (*stop)(struct sink *sink, int64_t deadline_ms);
};

/* All of it but the ID: two that are equal mean the same sink. Newly allocated. */
char *sink_fingerprint(const struct sink_settings *settings);

extern const struct sink_type sink_desktop, sink_journal, sink_command, sink_webhook, sink_feed,
    sink_mail, sink_mqtt;

/* Every type that is built, NULL-terminated. */
extern const struct sink_type *const sink_types[];

#endif
