/* store/store_sql - the text of every statement, by its name in enum db_query. */
#ifndef STORE_STORE_SQL_H
#define STORE_STORE_SQL_H

#include "store/store_db.h"

/* In the order that bind_feed() and feed_from_row() expect; then for bind_schedule() and
 * read_schedule(). */
#define STORE_FEED_COLUMNS                                                                   \
    "row, id, url, moved_url, candidate_url, candidate_since_s, candidate_seen, etag,"       \
    " last_modified, body_hash, message, title, is_baselined, uses_title_key, n_items_last," \
    " text_bytes, text_items, health_told_s, gap_told_s, window_told_s"
#define STORE_N_FEED_COLUMNS 20
#define STORE_SCHEDULE_COLUMNS                                                             \
    "due_s, asked_s, looked_s, new_item_s, failing_since_s, allowed_s, rhythm_s, pause_s," \
    " unmodified_since_s, unconditional_s, publisher_s, failures, throttles, skip_hours,"  \
    " skip_days, has_validator, is_gone"
/* The columns of both. */
#define STORE_FEEDS                                          \
    "SELECT " STORE_FEED_COLUMNS ", " STORE_SCHEDULE_COLUMNS \
    " FROM feed LEFT JOIN schedule ON schedule.feed = feed.row"

/* In the order that alert_from_row() expects; of a table named a. */
#define STORE_ALERT_COLUMNS                                                                     \
    "a.seq, a.id, a.time_ms, a.kind, a.rule, a.urgency, a.feed, a.feed_title, a.item, a.title," \
    " a.link, a.summary, a.published_s, a.first_seen_s, a.matched_json, a.matched_text"
#define STORE_N_ALERT_COLUMNS 16

extern const char *const store_sql[N_DB_QUERIES];

#endif
