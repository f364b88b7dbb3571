#include "store/store_purge.h"

#include "store/store_feed.h"

#define ROUND_S         86400 /* from one round to the next, by the store's clock */
#define KEYS_S          (90 * 86400)
#define LENGTHS_KEPT    3
#define ROWS_PER_SLICE  500
#define ROUND_META      "purged_s"
#define AFTER_FAILED_MS 600000

struct purge {
    GPtrArray *feeds; /* struct feed_slot, copies: those still to be looked at */
    int64_t now_s;
    bool has_alerts; /* that may be stale */
};

void purge_free(struct purge *purge)
{
    if (!purge)
        return;
    g_ptr_array_unref(purge->feeds);
    g_free(purge);
}

bool purge_is_due(const struct storage *storage)
{
    return storage->purge || clock_real_boot_ms() >= storage->next_purge_ms;
}

static void sleep_for(struct storage *storage, int64_t virtual_ms)
{
    storage->next_purge_ms = clock_real_boot_ms() + clock_real_delay_ms(storage->clock, virtual_ms);
}

/* ---- a round ---- */

static void begin_round(struct storage *storage)
{
    int64_t now_s = clock_wall_s(storage->clock);
    int64_t since_s = now_s - db_meta(storage->db, ROUND_META, 0);
    if (since_s >= 0 && since_s < ROUND_S) {
        sleep_for(storage, (ROUND_S - since_s) * 1000);
        return;
    }
    struct purge *purge = g_new0(struct purge, 1);
    purge->now_s = now_s;
    purge->has_alerts = true;
    purge->feeds = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer slot;
    g_hash_table_iter_init(&iter, storage->feeds);
    while (g_hash_table_iter_next(&iter, NULL, &slot))
        g_ptr_array_add(purge->feeds, g_memdup2(slot, sizeof(struct feed_slot)));
    storage->purge = purge;
}

static void end_round(struct storage *storage)
{
    db_set_meta(storage->db, ROUND_META, storage->purge->now_s);
    g_clear_pointer(&storage->purge, purge_free);
    sleep_for(storage, (int64_t)ROUND_S * 1000);
}

/* ---- items ---- */

static void delete_text(struct storage *storage, int64_t id)
{
    sqlite3_stmt *query = db_query(storage->db, DB_TEXT_DELETE);
    sqlite3_bind_int64(query, 1, id);
    db_run(storage->db, query);
}

static void delete_item(struct storage *storage, int64_t feed_row, int64_t id)
{
    sqlite3_stmt *query = db_query(storage->db, DB_ITEM_DELETE);
    sqlite3_bind_int64(query, 1, feed_row);
    sqlite3_bind_int64(query, 2, id);
    db_run(storage->db, query);
}

struct stale {
    int64_t id;
    bool is_forgotten; /* the keys too */
};

static GArray *find_stale(struct storage *storage, const struct feed_slot *slot, int64_t now_s)
{
    GArray *stale = g_array_new(FALSE, FALSE, sizeof(struct stale));
    sqlite3_stmt *query = db_query(storage->db, DB_ITEM_STALE);
    sqlite3_bind_int64(query, 1, slot->row);
    for (uint64_t i = 0; db_next(storage->db, query); i++) {
        int64_t unseen_s = now_s - sqlite3_column_int64(query, 1);
        struct stale entry = {sqlite3_column_int64(query, 0), false};
        entry.is_forgotten = unseen_s > KEYS_S && i >= (uint64_t)LENGTHS_KEPT * slot->n_items_last;
        if (unseen_s > storage->retention_s || entry.is_forgotten)
            g_array_append_val(stale, entry);
    }
    return stale;
}

static void purge_feed(struct storage *storage, const struct feed_slot *slot)
{
    g_autoptr(GArray) stale = find_stale(storage, slot, storage->purge->now_s);
    for (guint i = 0; i < stale->len; i++) {
        const struct stale *entry = &g_array_index(stale, struct stale, i);
        delete_text(storage, entry->id);
        if (entry->is_forgotten)
            delete_item(storage, slot->row, entry->id);
    }
}

/* ---- alerts and gaps ---- */

/* Alerts have real time; retention goes by the store's clock. */
static int64_t oldest_alert_ms(const struct storage *storage)
{
    return clock_real_wall_ms() - clock_real_delay_ms(storage->clock, storage->retention_s * 1000);
}

static void delete_alert(struct storage *storage, int64_t seq)
{
    static const enum db_query queries[] = {DB_DELIVERY_DELETE, DB_ALERT_DELETE};
    for (size_t i = 0; i < G_N_ELEMENTS(queries); i++) {
        sqlite3_stmt *query = db_query(storage->db, queries[i]);
        sqlite3_bind_int64(query, 1, seq);
        db_run(storage->db, query);
    }
}

static void purge_alerts(struct storage *storage)
{
    g_autoptr(GArray) stale = g_array_new(FALSE, FALSE, sizeof(int64_t));
    sqlite3_stmt *query = db_query(storage->db, DB_ALERT_STALE);
    sqlite3_bind_int64(query, 1, oldest_alert_ms(storage));
    sqlite3_bind_int64(query, 2, ROWS_PER_SLICE);
    while (db_next(storage->db, query)) {
        int64_t seq = sqlite3_column_int64(query, 0);
        g_array_append_val(stale, seq);
    }
    for (guint i = 0; i < stale->len; i++)
        delete_alert(storage, g_array_index(stale, int64_t, i));
    storage->purge->has_alerts = stale->len == ROWS_PER_SLICE;
}

static void purge_gaps(struct storage *storage)
{
    sqlite3_stmt *query = db_query(storage->db, DB_GAP_STALE);
    sqlite3_bind_int64(query, 1, storage->purge->now_s - storage->retention_s);
    db_run(storage->db, query);
}

bool purge_step(struct storage *storage)
{
    db_begin(storage->db, false);
    struct purge *purge = storage->purge;
    if (!purge) {
        begin_round(storage);
    } else if (purge->feeds->len > 0) {
        purge_feed(storage, g_ptr_array_index(purge->feeds, purge->feeds->len - 1));
        g_ptr_array_set_size(purge->feeds, (gint)purge->feeds->len - 1);
    } else if (purge->has_alerts) {
        purge_alerts(storage);
    } else {
        purge_gaps(storage);
        end_round(storage);
    }
    if (db_commit(storage->db))
        return true;
    g_clear_pointer(&storage->purge, purge_free);
    storage->next_purge_ms = clock_real_boot_ms() + AFTER_FAILED_MS;
    return false;
}
