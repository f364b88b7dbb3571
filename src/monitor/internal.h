/* monitor/internal - what the files of monitor/ share. */
#ifndef MONITOR_INTERNAL_H
#define MONITOR_INTERNAL_H

#include "monitor/judge.h"
#include "monitor/monitor.h"
#include "schedule/queue.h"

struct poll;
struct intake;
struct network;
struct notices;

/* What the last poll of a feed brought, for whoever asked for it. */
struct monitor_outcome {
    enum schedule_outcome_kind kind;
    guint n_new, n_alerts;
};

struct monitor_feed {
    struct monitor *monitor;
    const struct config_feed
        *settings; /* of monitor->config; NULL once the feed is no longer configured */
    struct store_feed *state;
    guint index;             /* in monitor->order */
    struct poll *poll;       /* under way, or NULL; a leader's only */
    struct intake *intake;   /* under way, or NULL */
    struct notices *notices; /* what is to be told with the next commit; NULL: nothing */
    bool is_changed;         /* more of its state than the schedule, since it was stored */
    GList unsaved;           /* in monitor->unsaved while its data is set */
    GList pending;           /* in this queue: */
    GQueue *pending_in;      /* of monitor->pending; NULL: in none */
    bool is_by_hand;         /* pending, and somebody asked for it */
    bool is_reported;        /* that it fails */
    bool is_held;            /* due, and waits for the network */
    bool has_blame;          /* was well, and failed to connect: perhaps not its fault */
    bool was_excused;        /* for that, and has not answered since */
    bool is_urgent;          /* a critical rule looks at it */
    struct monitor_outcome last;
    /* Feeds that are asked for in the same way form a group, and its first, the leader, polls for
     * all (E39). NULL in those that follow; of borrowed struct monitor_feed, the leader first. */
    GPtrArray *group;
    struct monitor_feed *leader; /* that polls for it: itself, or another; NULL: nobody does */
    int64_t group_interval_s;    /* the shortest that one of them sets; 0: none does */
};

/* Of struct monitor_feed: to be polled as soon as there is room. */
struct pending {
    GQueue urgent, others;
};

struct monitor {
    struct monitor_parts parts;
    struct monitor_hooks hooks;
    struct config *config;
    struct judge_rules *rules;
    char *user_agent;
    GHashTable *feeds;            /* feed ID -> struct monitor_feed */
    GPtrArray *order;             /* the same as the configuration has them; NULL: disabled */
    struct schedule_queue *queue; /* of struct monitor_feed, by boot ms */
    GSource *timer;
    struct pending pending;
    GQueue unsaved;  /* of struct monitor_feed: their last outcome is not stored yet */
    GSource *saving; /* it is in a moment; NULL: there is none */
    guint polls;     /* under way */
    guint attempts;  /* of polls, on their way to the database */
    void (*on_poll_over)(struct monitor_feed *feed); /* after a poll, not after poll_cancel() */
    int64_t taking_in_bytes; /* bodies whose documents are not committed yet */
    bool is_choked;          /* by them: no request starts */
    struct monitor_count count;
    GPtrArray *refreshes;    /* struct refresh: under way */
    struct network *network; /* NULL: not looked at (offline = ignore, --once) */
    int64_t slept_ms;        /* in all, since boot, when the loop looked last */
    bool is_once, is_stopped;
};

/* monitor.c. After a change of the queue. */
void monitor_set_timer(struct monitor *monitor);

/* pending.c. A leader without a poll gets one as soon as there is room, urgent ones first; by hand:
 * also where there is no network. It has no place in the queue meanwhile. */
void pending_add(struct monitor_feed *leader, bool by_hand);
void pending_remove(struct monitor_feed *feed);
bool pending_any(const struct monitor *monitor);
/* After a change: those that there is room for. */
void pending_start(struct monitor *monitor);

/* poll.c. Begins a poll of each; none of them may have one. Their attempts are stored together. */
void polls_start(struct monitor *monitor, struct monitor_feed *const *feeds, size_t n_feeds);
/* The same for a leader, wherever it waits. */
void poll_now(struct monitor_feed *leader);
/* Ends it where it is; what was handed to the store is written all the same. */
void poll_cancel(struct poll *poll);

/* unsaved.c. The feed's state is stored soon, with that of others. */
void unsaved_add(struct monitor_feed *feed);
/* Now, those that have not changed, too. on_done (may be NULL) as in unsaved_flush(). */
void unsaved_store(struct monitor *monitor, struct monitor_feed *const *feeds, size_t n_feeds,
                   store_done on_done, void *user);
/* Who stores it now calls this first: it does not go behind what may yet be refused. */
void unsaved_remove(struct monitor_feed *feed);
/* Now. on_done (may be NULL) comes once they and all that was stored before are in the database. */
void unsaved_flush(struct monitor *monitor, store_done on_done, void *user);

/* Sorts the configured feeds into groups and queues each leader. */
void groups_form(struct monitor *monitor);
/* Before a new configuration: nobody belongs to a group, nobody is queued. A poll that is under way
 * goes on, and its answer goes to whom it then leads. */
void groups_dissolve(struct monitor *monitor);
/* Whom an answer to this feed's poll is for: its group, or the feed alone. A new reference. */
GPtrArray *groups_of(struct monitor_feed *feed);

/* Notes whether the machine was asleep since the last look; then lays what is due over some
 * minutes. */
void resume_check(struct monitor *monitor);
/* Lays what is due over some minutes. */
void resume_spread(struct monitor *monitor);
/* The same for what fell due while no daemon ran. */
void resume_after_start(struct monitor *monitor);

/* Tells those that wait for the outcome of this leader's poll. */
void refreshes_on_poll_over(struct monitor_feed *leader);
/* Before a new configuration: nobody waits any longer. */
void refreshes_end(struct monitor *monitor);

/* feed.c: what one feed remembers, and says. By its due time; a feed that follows, is gone, or is
 * polled once only has no place, and one that somebody asked for stays pending. */
void monitor_place_in_queue(struct monitor_feed *feed);
void monitor_on_outcome(struct monitor_feed *feed, bool ok, const char *message);
void monitor_on_moved(struct monitor_feed *feed);
/* What was remembered of another address does not hold for a new one. */
void monitor_forget_address(struct store_feed *state);
void monitor_take_validators(struct store_feed *state, const struct fetch_validators *validators);
/* message: of a failure, or NULL. A feed that was not asked keeps what it had. */
void monitor_fold_outcome(struct monitor_feed *feed, const struct schedule_outcome *outcome,
                          const char *message);
/* Of an outcome: its server, or whatever it comes from, was asked. */
bool monitor_is_asked(const struct schedule_outcome *outcome);
struct schedule_settings monitor_schedule_settings(const struct monitor_feed *feed);

#endif
