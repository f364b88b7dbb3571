/* store/store_read - looking into a store that a daemon may be writing to.
 *
 * For the command. Opens the database read-only; never checkpoints, never migrates. Works beside a
 * daemon and without one, also after a crash. Blocks. Errors: STORE_ERROR. */
#ifndef STORE_STORE_READ_H
#define STORE_STORE_READ_H

#include "store/store.h"

struct store_reader;

struct store_reader *store_reader_open(const char *state_dir, GError **error);
void store_reader_free(struct store_reader *reader);
/* Whether a daemon holds the directory. */
bool store_is_running(const char *state_dir);

struct store_filter {
    int64_t since_ms; /* real wall; 0: all */
    const char *rule; /* NULL: all; also the next two */
    const char *feed; /* ID */
    const char *kind;
    const char *after_id; /* NULL: from the beginning */
    int64_t last;         /* of those that are left, only so many, the newest; 0: all */
};
/* deliveries: sink -> state text, pairs, NULL-terminated. false from the callback stops. */
typedef bool (*store_on_alert)(const struct store_alert *alert, const char *const *deliveries,
                               void *user);
bool store_read_alerts(struct store_reader *reader, const struct store_filter *filter,
                       store_on_alert on_alert, void *user, GError **error);

GPtrArray *store_read_feeds(struct store_reader *reader, GError **error); /* struct store_feed */

struct store_rule_stats {
    char *id;
    int64_t hits, last_hit_ms;
};
GPtrArray *store_read_rules(struct store_reader *reader, GError **error);

struct store_sink_stats {
    char *id;
    int64_t waiting, done, failed, last_done_ms;
    char *last_error;
};
GPtrArray *store_read_sinks(struct store_reader *reader, GError **error);

/* struct store_gap, to_s not before since_s. */
GPtrArray *store_read_gaps(struct store_reader *reader, int64_t since_s, GError **error);

/* An item of the archive; also what a rule is tried on. */
struct store_item {
    int64_t row;
    const char *feed; /* ID */
    int64_t first_seen_s;
    const struct feed_item *item;
};
struct store_item_filter {
    int64_t since_s;  /* first seen not before; 0: all */
    const char *feed; /* NULL: all */
    const char *link; /* NULL: all; else exactly this link */
};
/* Oldest first. Everything in item lives until the callback returns; false from it stops. */
typedef bool (*store_on_item)(const struct store_item *item, void *user);
bool store_read_items(struct store_reader *reader, const struct store_item_filter *filter,
                      store_on_item on_item, void *user, GError **error);

#endif
