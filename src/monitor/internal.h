/* monitor/internal - what the files of monitor/ share. */
#ifndef MONITOR_INTERNAL_H
#define MONITOR_INTERNAL_H

#include "monitor/judge.h"
#include "monitor/monitor.h"
#include "schedule/queue.h"

struct poll;

struct monitor_feed {
    struct monitor *monitor;
    const struct config_feed
        *settings; /* of monitor->config; NULL once the feed is no longer configured */
    struct store_feed *state;
    struct poll *poll; /* under way, or NULL */
    bool is_reported;  /* that it fails */
};

struct monitor {
    struct monitor_parts parts;
    struct monitor_hooks hooks;
    struct config *config;
    struct judge_rules *rules;
    char *user_agent;
    GHashTable *feeds;            /* feed ID -> struct monitor_feed */
    struct schedule_queue *queue; /* of struct monitor_feed, by boot ms */
    GSource *timer;
    guint polls; /* under way */
    struct monitor_count count;
    bool is_once, is_stopped;
};

/* Begins a poll; the feed must not have one. */
void poll_start(struct monitor_feed *feed);
/* Ends it where it is; what was handed to the store is written all the same. */
void poll_cancel(struct poll *poll);

/* Called by a poll when it is over; sets the feed's place in the queue by its state. */
void monitor_on_poll_over(struct monitor_feed *feed);
void monitor_on_outcome(struct monitor_feed *feed, bool ok, const char *message);
void monitor_on_moved(struct monitor_feed *feed);
struct schedule_settings monitor_schedule_settings(const struct monitor_feed *feed);

#endif
