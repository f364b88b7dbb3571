#include "store/store_alert.h"

#include "store/store_archive.h"
#include "store/store_outbox.h"
#include "store/store_sql.h"
#include "text/clean.h"

#include <string.h>

/* Enough for a popup; the whole text is in the archive. */
#define SUMMARY_BYTES_MAX 1000

void store_alert_free(struct store_alert *alert)
{
    if (!alert)
        return;
    g_free(alert->id);
    g_free(alert->kind);
    g_free(alert->rule);
    g_free(alert->urgency);
    g_free(alert->feed);
    g_free(alert->feed_title);
    g_free(alert->title);
    g_free(alert->link);
    g_free(alert->matched_json);
    g_free(alert->matched_text);
    g_free(alert->summary);
    g_free(alert);
}

static int64_t time_of(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL ? FEED_TIME_NONE
                                                           : sqlite3_column_int64(row, column);
}

struct store_alert *alert_from_row(sqlite3_stmt *row, bool with_delivery)
{
    struct store_alert *alert = g_new0(struct store_alert, 1);
    alert->id = db_dup_text(row, 1);
    alert->time_ms = sqlite3_column_int64(row, 2);
    alert->kind = db_dup_text(row, 3);
    alert->rule = db_dup_text(row, 4);
    alert->urgency = db_dup_text(row, 5);
    alert->feed = db_dup_text(row, 6);
    alert->feed_title = db_dup_text(row, 7);
    alert->item = sqlite3_column_int64(row, 8);
    alert->title = db_dup_text(row, 9);
    alert->link = db_dup_text(row, 10);
    alert->summary = db_dup_text(row, 11);
    alert->published_s = time_of(row, 12);
    alert->first_seen_s = time_of(row, 13);
    alert->matched_json = db_dup_text(row, 14);
    alert->matched_text = db_dup_text(row, 15);
    if (with_delivery) {
        alert->attempts = sqlite3_column_int64(row, STORE_N_ALERT_COLUMNS);
        alert->next_try_s = sqlite3_column_int64(row, STORE_N_ALERT_COLUMNS + 1);
    }
    return alert;
}

/* ---- inserting ---- */

/* Everything in *alert is borrowed. */
static void describe(struct storage *storage, const struct store_commit *commit,
                     const struct store_new_alert *new_alert, const int64_t *rows,
                     struct store_alert *alert)
{
    const struct feed_item *item = commit->doc && new_alert->item < commit->doc->n_items
                                       ? &commit->doc->items[new_alert->item]
                                       : NULL;
    *alert = (struct store_alert){
        .kind = (char *)(uintptr_t)(new_alert->kind ? new_alert->kind : "alert"),
        .rule = (char *)(uintptr_t)new_alert->rule,
        .urgency = (char *)(uintptr_t)new_alert->urgency,
        .feed = commit->feed ? commit->feed->id : NULL,
        .feed_title = (char *)(uintptr_t)commit->feed_title,
        .title = (char *)(uintptr_t)new_alert->title,
        .link = (char *)(uintptr_t)new_alert->link,
        .matched_json = (char *)(uintptr_t)new_alert->matched_json,
        .matched_text = (char *)(uintptr_t)new_alert->matched_text,
        .published_s = FEED_TIME_NONE,
        .first_seen_s = FEED_TIME_NONE,
        .time_ms = clock_real_wall_ms(),
    };
    if (!item)
        return;
    alert->item = rows[new_alert->item];
    alert->title = (char *)(uintptr_t)item->title;
    alert->link = (char *)(uintptr_t)item->link;
    alert->summary = (char *)(uintptr_t)(item->summary ? item->summary : item->content);
    alert->published_s = item->published_s != FEED_TIME_NONE ? item->published_s : item->updated_s;
    alert->first_seen_s =
        archive_first_seen_s(storage->db, alert->item, clock_wall_s(storage->clock));
}

static void bind_time(sqlite3_stmt *query, int index, int64_t time_s)
{
    if (time_s == FEED_TIME_NONE)
        sqlite3_bind_null(query, index);
    else
        sqlite3_bind_int64(query, index, time_s);
}

/* False where the item has alerted for the rule before, or on an error. */
static bool insert(struct storage *storage, const struct store_alert *alert, int64_t feed_row)
{
    g_autofree char *summary =
        alert->summary ? clean_shorten(alert->summary, SUMMARY_BYTES_MAX) : NULL;
    sqlite3_stmt *query = db_query(storage->db, DB_ALERT_INSERT);
    db_bind_text(query, 1, alert->id);
    sqlite3_bind_int64(query, 2, alert->time_ms);
    db_bind_text(query, 3, alert->kind);
    db_bind_text(query, 4, alert->rule);
    db_bind_text(query, 5, alert->urgency);
    sqlite3_bind_int64(query, 6, feed_row);
    db_bind_text(query, 7, alert->feed);
    db_bind_text(query, 8, alert->feed_title);
    sqlite3_bind_int64(query, 9, alert->item);
    db_bind_text(query, 10, alert->title);
    db_bind_text(query, 11, alert->link);
    db_bind_text(query, 12, summary);
    bind_time(query, 13, alert->published_s);
    bind_time(query, 14, alert->first_seen_s);
    db_bind_text(query, 15, alert->matched_json);
    db_bind_text(query, 16, alert->matched_text);
    return db_run(storage->db, query) && db_changes(storage->db) == 1;
}

static void add_deliveries(struct storage *storage, const struct store_alert *alert, int64_t seq,
                           const char *const *sinks)
{
    for (; sinks && *sinks; sinks++) {
        struct outbox *outbox = outbox_find(storage, *sinks);
        if (outbox) {
            outbox_add(storage, outbox, alert, seq);
            continue;
        }
        sqlite3_stmt *query = db_query(storage->db, DB_DELIVERY_INSERT);
        sqlite3_bind_int64(query, 1, seq);
        db_bind_text(query, 2, *sinks);
        for (int i = 3; i <= 6; i++)
            sqlite3_bind_null(query, i);
        db_run(storage->db, query);
        storage->made_deliveries = true;
    }
}

void alert_store(struct storage *storage, const struct feed_slot *slot,
                 const struct store_commit *commit, const int64_t *rows)
{
    for (size_t i = 0; i < commit->n_alerts; i++) {
        struct store_alert alert;
        char id[ULID_LENGTH + 1];
        describe(storage, commit, &commit->alerts[i], rows, &alert);
        ulid_next(&storage->ulids, alert.time_ms, id);
        alert.id = id;
        if (insert(storage, &alert, slot ? slot->row : 0))
            add_deliveries(storage, &alert, db_last_row(storage->db), commit->alerts[i].sinks);
    }
}

/* ---- deliveries ---- */

GPtrArray *alert_pending(struct storage *storage, const char *sink, guint limit)
{
    GPtrArray *alerts = g_ptr_array_new_with_free_func((GDestroyNotify)store_alert_free);
    sqlite3_stmt *query = db_query(storage->db, DB_DELIVERY_PENDING);
    int64_t now_s = clock_wall_s(storage->clock);
    db_bind_text(query, 1, sink);
    sqlite3_bind_int64(query, 2, limit);
    sqlite3_bind_int64(query, 3, now_s);
    while (db_next(storage->db, query))
        g_ptr_array_add(alerts, alert_from_row(query, true));
    if (alerts->len >= limit)
        return alerts;
    query = db_query(storage->db, DB_DELIVERY_NEXT);
    db_bind_text(query, 1, sink);
    sqlite3_bind_int64(query, 2, now_s);
    while (db_next(storage->db, query))
        g_ptr_array_add(alerts, alert_from_row(query, true));
    return alerts;
}

GPtrArray *alert_recent(struct storage *storage, const char *sink, guint limit)
{
    GPtrArray *alerts = g_ptr_array_new_with_free_func((GDestroyNotify)store_alert_free);
    sqlite3_stmt *query = db_query(storage->db, DB_DELIVERY_RECENT);
    db_bind_text(query, 1, sink);
    sqlite3_bind_int64(query, 2, limit);
    while (db_next(storage->db, query))
        g_ptr_array_add(alerts, alert_from_row(query, false));
    return alerts;
}

void alert_mark(struct storage *storage, const char *sink, const char *const *ids,
                enum store_delivery_state state, int64_t next_try_s)
{
    for (; *ids; ids++) {
        sqlite3_stmt *query = db_query(storage->db, DB_DELIVERY_MARK);
        db_bind_text(query, 1, *ids);
        db_bind_text(query, 2, sink);
        sqlite3_bind_int64(query, 3, state);
        sqlite3_bind_int64(query, 4, next_try_s);
        sqlite3_bind_int64(query, 5, clock_real_wall_ms());
        db_run(storage->db, query);
    }
}

/* ---- sinks and gaps ---- */

void alert_note_sink(struct storage *storage, const char *sink, const char *message)
{
    /* Of a sink that works there is nothing to note, so nothing is written where nothing was. */
    sqlite3_stmt *query = db_query(storage->db, message ? DB_SINK_FAILED : DB_SINK_WORKS);
    db_bind_text(query, 1, sink);
    if (message) {
        db_bind_text(query, 2, message);
        sqlite3_bind_int64(query, 3, clock_real_wall_ms());
    }
    db_run(storage->db, query);
}

void alert_add_gap(struct storage *storage, const struct store_gap *gap)
{
    sqlite3_stmt *query = db_query(storage->db, DB_GAP_INSERT);
    db_bind_text(query, 1, gap->feed);
    sqlite3_bind_int64(query, 2, gap->from_s);
    sqlite3_bind_int64(query, 3, gap->to_s);
    db_bind_text(query, 4, gap->reason);
    db_run(storage->db, query);
}
