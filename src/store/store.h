/* store/store - what must survive: feeds' states, items, alerts, deliveries; and the alert log.
 *
 * One storage thread owns the one SQLite connection that writes (WAL, synchronous=FULL, STRICT,
 * user_version migrations) and the alert log. Calls are messages; a completion runs on the context
 * given at birth, in the order of the calls, never from within the call. Messages that wait
 * together share one transaction (group commit); a batch in which nothing but due times and 304s
 * changed is committed without a flush of its own.
 *
 * A feed's commit is ONE transaction: its state with validators and due time, its items, their
 * alerts, one delivery row per alert and sink, and for log sinks the rendered line and the log's
 * place. After it the thread writes the lines, fdatasyncs once, and marks the deliveries done. A
 * log delivery that was under way when the process died is looked up by its id, so that the log has
 * each alert exactly once.
 *
 * A batch that cannot be committed (full disk) is kept and tried again; on_trouble says so; nothing
 * that was accepted is dropped. The process that opened the store holds a flock on STATE_DIR/lock.
 *
 * Times are wall seconds. Structs passed to a call are taken over by it where it says so. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/clock.h"
#include "feed/feed.h"
#include "feed/identity.h"
#include "schedule/schedule.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum store_error {
    STORE_ERROR_BUSY, /* another daemon */
    STORE_ERROR_OPEN,
    STORE_ERROR_VERSION, /* of a newer feedwatch */
    STORE_ERROR_LOG,     /* an alert log that is refused or cannot be written */
};
#define STORE_ERROR store_error_quark()
GQuark store_error_quark(void);

struct store;

struct store_feed { /* everything that is remembered of one configured feed */
    int64_t row;    /* as it was loaded; 0: not stored then */
    char *id;
    char *url;           /* configured */
    char *moved_url;     /* where a permanent redirect leads, once it is believed; else NULL */
    char *candidate_url; /* E22: seen, not yet believed */
    int64_t candidate_since_s;
    uint32_t candidate_seen;
    char *etag, *last_modified;
    uint64_t body_hash;
    struct schedule_state schedule;
    char *message; /* last failure, or NULL */
    int64_t
        health_told_s;  /* when the user was told that it is not well; 0: it is, or was not told */
    int64_t gap_told_s; /* when the user was last told that its window rolled over; 0: never */
    int64_t window_told_s; /* the same, that its server keeps us away for too long */
    char *title;
    bool is_baselined; /* a document was taken in once */
    bool is_silent;    /* its first document is no news, whatever `initial` says */
    bool uses_title_key;
    uint32_t n_items_last;          /* in its last document */
    int64_t text_bytes, text_items; /* for the mean length of its texts */
};
void store_feed_free(struct store_feed *feed);

enum store_log_format { STORE_LOG_TEXT, STORE_LOG_LOGFMT, STORE_LOG_JSON };
struct store_log { /* one log sink */
    const char *sink;
    const char *path;
    enum store_log_format format;
};

struct store_hooks {
    /* Something the user must know: a full disk, a refused log path, a database set aside. One
     * sentence; comes on the context, at most once for each state of affairs. */
    void (*on_trouble)(const char *message, void *user);
    /* After a commit that made deliveries for sinks other than logs. */
    void (*on_deliveries)(void *user);
    void *user;
};

/* Opens or creates STATE_DIR/feedwatch.db, migrates it, recovers the logs, starts the thread.
 * retention_s: how long items are kept in the archive. Fails with STORE_ERROR_BUSY where another
 * process holds the directory. */
struct store *store_open(const char *state_dir, const struct clock *clock, int64_t retention_s,
                         const struct store_hooks *hooks, GMainContext *context, GError **error);
/* Finishes what waits, for at most deadline_ms; then closes. True where everything was written. */
bool store_close(struct store *store, int64_t deadline_ms);
/* A damaged database was set aside, at this opening or before: of feeds that were known nothing is
 * known any more. So until store_end_reset() is on disk, also after a crash. */
bool store_was_reset(const struct store *store);
/* What was saved before this call says what is needed of the feeds that were known. */
void store_end_reset(struct store *store);
/* Replaces the set of log sinks; copied. Deliveries of a sink that is no longer there stay and
 * wait. */
void store_set_logs(struct store *store, const struct store_log *logs, size_t n_logs);
/* SIGUSR1: closes the log files and opens them anew. */
void store_reopen_logs(struct store *store);
/* Every feed that is stored; none of a damaged database. Blocks; call before the main loop runs or
 * on a reload. GPtrArray of struct store_feed. */
GPtrArray *store_load_feeds(struct store *store);
/* T0 of the scaled clock: the first caller's value is kept and returned from then on; not kept
 * where the database cannot be written. Blocks. */
int64_t store_time_origin(struct store *store, int64_t now_s);
/* How many commits were accepted and are not yet on disk. */
guint store_backlog(struct store *store);
/* Whether what is to be stored waits for a disk that takes nothing. */
bool store_is_stuck(struct store *store);

typedef void (*store_done)(void *user);

/* Records the state as it is; the ID is the key. Copies feed. on_done may be NULL. */
void store_save_feed(struct store *store, const struct store_feed *feed, store_done on_done,
                     void *user);

/* Of feeds that are stored, or posted to be, only the schedules: most polls change nothing else.
 * What lies together is written once, and one that the database refuses is left out alone.
 * Copies them. on_done may be NULL. */
void store_save_schedules(struct store *store, const struct store_feed *const *feeds,
                          size_t n_feeds, store_done on_done, void *user);

/* A feed goes on under another ID, with all that is known of it. Nothing where new_id is stored. */
void store_rename_feed(struct store *store, const char *old_id, const char *new_id);

enum store_news { STORE_KNOWN, STORE_NEW, STORE_CHANGED };
struct store_verdict {
    enum store_news news;
    int64_t row; /* of the known item */
    struct feed_item
        *before; /* CHANGED: its text as it was archived (owned); NULL where retention took it */
    char **alerted_rules; /* CHANGED: rules that alerted for it; NULL-terminated */
};
struct store_verdicts {
    struct store_verdict *items; /* one an item of the document */
    size_t n_items;
    size_t n_known;
    bool is_churn; /* ids changed all at once and were adopted (polling.md) */
};
void store_verdicts_free(struct store_verdicts *verdicts);

/* Which items are new, which changed. doc and keys stay alive until on_done; the callback owns the
 * verdicts. NULL: the database refused the question, which the user was told of. */
typedef void (*store_classified)(struct store_verdicts *verdicts, void *user);
void store_classify(struct store *store, const char *feed_id, const struct feed_doc *doc,
                    const struct identity_keys *keys, store_classified on_done, void *user);

/* A time in which a feed was not looked at, or showed nothing that was known (E41). */
struct store_gap {
    char *feed; /* ID; NULL: all of them */
    int64_t from_s, to_s;
    char *reason; /* a sentence */
};

struct store_new_alert {
    size_t item;      /* index in the document; SIZE_MAX for kinds without an item */
    const char *kind; /* "alert", "health", "gap", … */
    const char *rule;
    const char *urgency;      /* "low", "normal", "critical" */
    const char *matched_json; /* the list of section 7 */
    const char *matched_text; /* "russia: Moscow; cuba: Havana" for the log line */
    const char *title, *link; /* for alerts without an item */
    const char *const *sinks; /* NULL-terminated */
};

struct store_commit {           /* everything in it is borrowed until on_done, except where said */
    struct store_feed *feed;    /* copied at the call */
    const char *feed_title;     /* what the alert calls the feed; copied too */
    const struct feed_doc *doc; /* NULL: only the state and alerts */
    const struct identity_keys *keys;
    const struct store_verdicts *verdicts;
    const struct store_new_alert *alerts;
    size_t n_alerts;
    const struct store_gap *gap; /* or NULL */
    bool *ret_is_refused;        /* or NULL; set to true where nothing of it was stored */
};
/* The one transaction. on_done comes after it is durable and after the log lines it made were
 * tried. */
void store_commit(struct store *store, const struct store_commit *commit, store_done on_done,
                  void *user);

/* An alert as it is stored; also what `feedwatch alerts` lists. */
struct store_alert {
    char *id, *kind, *rule, *urgency, *feed, *feed_title, *title, *link, *matched_json,
        *matched_text, *summary;
    int64_t time_ms; /* real wall clock, when it was committed */
    int64_t published_s, first_seen_s;
    int64_t item; /* row; 0: none */
    int64_t attempts, next_try_s;
};
void store_alert_free(struct store_alert *alert);

/* The oldest deliveries of one sink that are due, at most limit, in order of id; where they are
 * fewer, then also the one that is due next. What is tried again later holds up nothing. GPtrArray
 * of struct store_alert. */
typedef void (*store_pending_done)(GPtrArray *alerts, void *user);
void store_pending(struct store *store, const char *sink, guint limit, store_pending_done on_done,
                   void *user);

/* The newest alerts that one sink was or is to be told of, whatever became of it; newest first, at
 * most limit. Blocks, on any thread but the storage's own; NULL where the store is closing or
 * damaged. */
GPtrArray *store_recent(struct store *store, const char *sink, guint limit);

enum store_delivery_state {
    STORE_DELIVERY_WAITING,
    STORE_DELIVERY_DONE,
    STORE_DELIVERY_FAILED,
    STORE_DELIVERY_EXPIRED
};
/* ids: NULL-terminated, copied. next_try_s counts for WAITING. */
void store_mark(struct store *store, const char *sink, const char *const *ids,
                enum store_delivery_state state, int64_t next_try_s, store_done on_done,
                void *user);
/* Why a sink does not deliver, for `status`; NULL: it does again. */
void store_note_sink(struct store *store, const char *sink, const char *message);
/* on_done comes when the storage thread has had a turn, also while a full disk holds up everything
 * else; not while it hangs or the database is damaged. For a watchdog. */
void store_ping(struct store *store, store_done on_done, void *user);

void store_add_gap(struct store *store, const struct store_gap *gap);

#endif
