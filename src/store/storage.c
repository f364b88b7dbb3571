#include "store/storage.h"

#include "store/store_feed.h"
#include "store/store_item.h"
#include "store/store_outbox.h"
#include "store/store_purge.h"

#define FIRST_PURGE_MS 60000 /* the start has other things to do; by the store's clock */

static void load(struct storage *storage)
{
    struct db *db = storage->db;
    feed_load_slots(storage);
    sqlite3_stmt *query = db_query(db, DB_TEXT_MAX);
    storage->next_item = db_next(db, query) ? sqlite3_column_int64(query, 0) + 1 : 1;
    sqlite3_reset(query);
    query = db_query(db, DB_ALERT_LAST_ID);
    const char *last = db_next(db, query) ? (const char *)sqlite3_column_text(query, 0) : NULL;
    ulid_source_init(&storage->ulids, last);
    sqlite3_reset(query);
}

struct storage *storage_new(struct db *db, const struct clock *clock, int64_t retention_s)
{
    struct storage *storage = g_new0(struct storage, 1);
    storage->db = db;
    storage->clock = clock;
    storage->retention_s = retention_s;
    storage->feeds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    storage->next_purge_ms = clock_real_boot_ms() + clock_real_delay_ms(clock, FIRST_PURGE_MS);
    storage->outboxes = g_ptr_array_new_with_free_func(outbox_free);
    load(storage);
    return storage;
}

void storage_forget(struct storage *storage)
{
    g_hash_table_remove_all(storage->feeds);
    storage->is_forgotten = true;
    storage->made_deliveries = false;
    for (guint i = 0; i < storage->outboxes->len; i++)
        outbox_forget(g_ptr_array_index(storage->outboxes, i));
}

void storage_remember(struct storage *storage)
{
    if (!storage->is_forgotten)
        return;
    g_hash_table_remove_all(storage->feeds);
    feed_load_slots(storage);
    storage->is_forgotten = db_code(storage->db) != SQLITE_OK;
}

void storage_on_refused(struct storage *storage)
{
    db_mark_suspect(storage->db);
    storage->on_trouble("task",
                        "the database refused a change that should have been right: it is left "
                        "out, and the whole file is examined at the next start",
                        storage->user);
}

void storage_free(struct storage *storage)
{
    purge_free(storage->purge);
    g_ptr_array_unref(storage->outboxes);
    g_hash_table_unref(storage->feeds);
    db_close(storage->db);
    g_free(storage);
}
