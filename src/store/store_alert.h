/* store/store_alert - the rows of alerts and their deliveries. */
#ifndef STORE_STORE_ALERT_H
#define STORE_STORE_ALERT_H

#include "store/storage.h"
#include "store/store_feed.h"

/* Inserts the alerts of a commit with a delivery for each sink; slot may be NULL. rows: each item's
 * row, as item_store() gave them; NULL without a document. */
void alert_store(struct storage *storage, const struct feed_slot *slot,
                 const struct store_commit *commit, const int64_t *rows);
/* See store_pending(). */
GPtrArray *alert_pending(struct storage *storage, const char *sink, guint limit);
/* The newest that the sink was or is to be told of, whatever became of it; newest first. */
GPtrArray *alert_recent(struct storage *storage, const char *sink, guint limit);
void alert_mark(struct storage *storage, const char *sink, const char *const *ids,
                enum store_delivery_state state, int64_t next_try_s);
void alert_note_sink(struct storage *storage, const char *sink, const char *message);
void alert_add_gap(struct storage *storage, const struct store_gap *gap);

/* STORE_ALERT_COLUMNS and, with deliveries, attempts and next_try_s after them. */
struct store_alert *alert_from_row(sqlite3_stmt *row, bool with_delivery);

#endif
