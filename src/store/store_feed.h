/* store/store_feed - the rows of the feeds. */
#ifndef STORE_STORE_FEED_H
#define STORE_STORE_FEED_H

#include "store/storage.h"

struct feed_slot { /* what the thread keeps in memory of each row */
    int64_t row;
    int64_t touched_s; /* when its items were last noted as seen */
    uint32_t n_items_last;
};

void feed_load_slots(struct storage *storage);
/* NULL: not stored. */
struct feed_slot *feed_find_slot(struct storage *storage, const char *id);
/* Inserts or updates by id. Returns its slot; NULL on an error. */
struct feed_slot *feed_save(struct storage *storage, const struct store_feed *feed);
/* Of a feed that is stored, only this. */
void feed_save_schedule(struct storage *storage, const struct feed_slot *slot,
                        const struct schedule_state *schedule);
void feed_rename(struct storage *storage, const char *old_id, const char *new_id);
void feed_set_touched(struct storage *storage, struct feed_slot *slot, int64_t now_s);
/* All of them, newly allocated: struct store_feed. */
GPtrArray *feed_load_all(struct db *db);

struct store_feed *feed_from_row(sqlite3_stmt *statement); /* STORE_FEED_COLUMNS */
/* A copy with its texts in one block: to be read, and freed with g_free(). */
struct store_feed *feed_pack(const struct store_feed *feed);

#endif
