#include "store/store_feed.h"

#include "base/pack.h"
#include "store/store_sql.h"

/* In the column is_baselined; 0: nothing is known of the feed. */
enum { IS_BASELINED = 1, IS_SILENT = 2 };

void store_feed_free(struct store_feed *feed)
{
    if (!feed)
        return;
    g_free(feed->id);
    g_free(feed->url);
    g_free(feed->moved_url);
    g_free(feed->candidate_url);
    g_free(feed->etag);
    g_free(feed->last_modified);
    g_free(feed->message);
    g_free(feed->title);
    g_free(feed);
}

struct store_feed *feed_pack(const struct store_feed *feed)
{
    static const size_t texts[] = {
        offsetof(struct store_feed, id),        offsetof(struct store_feed, url),
        offsetof(struct store_feed, moved_url), offsetof(struct store_feed, candidate_url),
        offsetof(struct store_feed, etag),      offsetof(struct store_feed, last_modified),
        offsetof(struct store_feed, message),   offsetof(struct store_feed, title),
    };
    return pack_new(feed, sizeof *feed, texts, G_N_ELEMENTS(texts));
}

/* ---- between a struct and a row ---- */

/* STORE_SCHEDULE_COLUMNS */
static void bind_schedule(sqlite3_stmt *query, const struct schedule_state *schedule)
{
    sqlite3_bind_int64(query, 2, schedule->due_s);
    sqlite3_bind_int64(query, 3, schedule->asked_s);
    sqlite3_bind_int64(query, 4, schedule->looked_s);
    sqlite3_bind_int64(query, 5, schedule->new_item_s);
    sqlite3_bind_int64(query, 6, schedule->failing_since_s);
    sqlite3_bind_int64(query, 7, schedule->allowed_s);
    sqlite3_bind_int64(query, 8, schedule->rhythm_s);
    sqlite3_bind_int64(query, 9, schedule->pause_s);
    sqlite3_bind_int64(query, 10, schedule->unmodified_since_s);
    sqlite3_bind_int64(query, 11, schedule->unconditional_s);
    sqlite3_bind_int64(query, 12, schedule->publisher_s);
    sqlite3_bind_int64(query, 13, schedule->failures);
    sqlite3_bind_int64(query, 14, schedule->throttles);
    sqlite3_bind_int64(query, 15, schedule->skip_hours);
    sqlite3_bind_int(query, 16, schedule->skip_days);
    sqlite3_bind_int(query, 17, schedule->has_validator);
    sqlite3_bind_int(query, 18, schedule->is_gone);
}

/* STORE_FEED_COLUMNS */
static void bind_feed(sqlite3_stmt *query, const struct store_feed *feed)
{
    db_bind_text(query, 2, feed->id);
    db_bind_text(query, 3, feed->url);
    db_bind_text(query, 4, feed->moved_url);
    db_bind_text(query, 5, feed->candidate_url);
    sqlite3_bind_int64(query, 6, feed->candidate_since_s);
    sqlite3_bind_int64(query, 7, feed->candidate_seen);
    db_bind_text(query, 8, feed->etag);
    db_bind_text(query, 9, feed->last_modified);
    sqlite3_bind_int64(query, 10, (int64_t)feed->body_hash);
    db_bind_text(query, 11, feed->message);
    db_bind_text(query, 12, feed->title);
    sqlite3_bind_int(query, 13,
                     feed->is_baselined ? IS_BASELINED
                     : feed->is_silent  ? IS_SILENT
                                        : 0);
    sqlite3_bind_int(query, 14, feed->uses_title_key);
    sqlite3_bind_int64(query, 15, feed->n_items_last);
    sqlite3_bind_int64(query, 16, feed->text_bytes);
    sqlite3_bind_int64(query, 17, feed->text_items);
    sqlite3_bind_int64(query, 18, feed->health_told_s);
    sqlite3_bind_int64(query, 19, feed->gap_told_s);
    sqlite3_bind_int64(query, 20, feed->window_told_s);
}

/* Behind the columns of its feed. */
static void read_schedule(sqlite3_stmt *row, struct schedule_state *schedule)
{
    int i = STORE_N_FEED_COLUMNS;
    schedule->due_s = sqlite3_column_int64(row, i++);
    schedule->asked_s = sqlite3_column_int64(row, i++);
    schedule->looked_s = sqlite3_column_int64(row, i++);
    schedule->new_item_s = sqlite3_column_int64(row, i++);
    schedule->failing_since_s = sqlite3_column_int64(row, i++);
    schedule->allowed_s = sqlite3_column_int64(row, i++);
    schedule->rhythm_s = sqlite3_column_int64(row, i++);
    schedule->pause_s = sqlite3_column_int64(row, i++);
    schedule->unmodified_since_s = sqlite3_column_int64(row, i++);
    schedule->unconditional_s = sqlite3_column_int64(row, i++);
    schedule->publisher_s = sqlite3_column_int64(row, i++);
    schedule->failures = (uint32_t)sqlite3_column_int64(row, i++);
    schedule->throttles = (uint32_t)sqlite3_column_int64(row, i++);
    schedule->skip_hours = (uint32_t)sqlite3_column_int64(row, i++);
    schedule->skip_days = (uint8_t)sqlite3_column_int(row, i++);
    schedule->has_validator = sqlite3_column_int(row, i++) != 0;
    schedule->is_gone = sqlite3_column_int(row, i++) != 0;
}

struct store_feed *feed_from_row(sqlite3_stmt *row)
{
    struct store_feed *feed = g_new0(struct store_feed, 1);
    feed->row = sqlite3_column_int64(row, 0);
    feed->id = db_dup_text(row, 1);
    feed->url = db_dup_text(row, 2);
    feed->moved_url = db_dup_text(row, 3);
    feed->candidate_url = db_dup_text(row, 4);
    feed->candidate_since_s = sqlite3_column_int64(row, 5);
    feed->candidate_seen = (uint32_t)sqlite3_column_int64(row, 6);
    feed->etag = db_dup_text(row, 7);
    feed->last_modified = db_dup_text(row, 8);
    feed->body_hash = (uint64_t)sqlite3_column_int64(row, 9);
    feed->message = db_dup_text(row, 10);
    feed->title = db_dup_text(row, 11);
    feed->is_baselined = sqlite3_column_int(row, 12) == IS_BASELINED;
    feed->is_silent = sqlite3_column_int(row, 12) == IS_SILENT;
    feed->uses_title_key = sqlite3_column_int(row, 13) != 0;
    feed->n_items_last = (uint32_t)sqlite3_column_int64(row, 14);
    feed->text_bytes = sqlite3_column_int64(row, 15);
    feed->text_items = sqlite3_column_int64(row, 16);
    feed->health_told_s = sqlite3_column_int64(row, 17);
    feed->gap_told_s = sqlite3_column_int64(row, 18);
    feed->window_told_s = sqlite3_column_int64(row, 19);
    read_schedule(row, &feed->schedule);
    return feed;
}

/* ---- the slots ---- */

static struct feed_slot *add_slot(struct storage *storage, const char *id, int64_t row)
{
    struct feed_slot *slot = g_new0(struct feed_slot, 1);
    slot->row = row;
    g_hash_table_insert(storage->feeds, g_strdup(id), slot);
    return slot;
}

void feed_load_slots(struct storage *storage)
{
    sqlite3_stmt *query = db_query(storage->db, DB_FEED_ROWS);
    while (db_next(storage->db, query)) {
        const char *id = (const char *)sqlite3_column_text(query, 1);
        struct feed_slot *slot = add_slot(storage, id, sqlite3_column_int64(query, 0));
        slot->touched_s = sqlite3_column_int64(query, 2);
        slot->n_items_last = (uint32_t)sqlite3_column_int64(query, 3);
    }
}

struct feed_slot *feed_find_slot(struct storage *storage, const char *id)
{
    return g_hash_table_lookup(storage->feeds, id);
}

void feed_save_schedule(struct storage *storage, const struct feed_slot *slot,
                        const struct schedule_state *schedule)
{
    sqlite3_stmt *query = db_query(storage->db, DB_SCHEDULE_SET);
    sqlite3_bind_int64(query, 1, slot->row);
    bind_schedule(query, schedule);
    db_run(storage->db, query);
}

struct feed_slot *feed_save(struct storage *storage, const struct store_feed *feed)
{
    struct db *db = storage->db;
    struct feed_slot *slot = feed_find_slot(storage, feed->id);
    sqlite3_stmt *query = db_query(db, slot ? DB_FEED_UPDATE : DB_FEED_INSERT);
    if (slot)
        sqlite3_bind_int64(query, 1, slot->row);
    else
        sqlite3_bind_null(query, 1);
    bind_feed(query, feed);
    if (!db_run(db, query))
        return NULL;
    if (!slot)
        slot = add_slot(storage, feed->id, db_last_row(db));
    slot->n_items_last = feed->n_items_last;
    feed_save_schedule(storage, slot, &feed->schedule);
    return slot;
}

void feed_rename(struct storage *storage, const char *old_id, const char *new_id)
{
    struct feed_slot *slot = feed_find_slot(storage, old_id);
    if (!slot || feed_find_slot(storage, new_id))
        return;
    sqlite3_stmt *query = db_query(storage->db, DB_FEED_RENAME);
    sqlite3_bind_int64(query, 1, slot->row);
    db_bind_text(query, 2, new_id);
    if (!db_run(storage->db, query))
        return;
    struct feed_slot copy = *slot;
    g_hash_table_remove(storage->feeds, old_id);
    *add_slot(storage, new_id, copy.row) = copy;
}

void feed_set_touched(struct storage *storage, struct feed_slot *slot, int64_t now_s)
{
    sqlite3_stmt *query = db_query(storage->db, DB_FEED_TOUCHED);
    sqlite3_bind_int64(query, 1, slot->row);
    sqlite3_bind_int64(query, 2, now_s);
    if (db_run(storage->db, query))
        slot->touched_s = now_s;
}

GPtrArray *feed_load_all(struct db *db)
{
    GPtrArray *feeds = g_ptr_array_new_with_free_func((GDestroyNotify)store_feed_free);
    sqlite3_stmt *query = db_query(db, DB_FEED_ALL);
    while (db_next(db, query))
        g_ptr_array_add(feeds, feed_from_row(query));
    return feeds;
}
