/* store/store_archive - the texts of items, as they were when they were last seen. */
#ifndef STORE_STORE_ARCHIVE_H
#define STORE_STORE_ARCHIVE_H

#include "store/storage.h"

void archive_insert(struct storage *storage, int64_t id, int64_t feed_row, int64_t now_s,
                    const struct feed_item *item);
/* Inserts where retention has taken it. */
void archive_update(struct storage *storage, int64_t id, int64_t feed_row, int64_t now_s,
                    const struct feed_item *item);
/* NULL: not there. Owned by the caller; archive_item_free(). */
struct feed_item *archive_get(struct db *db, int64_t id);
int64_t archive_first_seen_s(struct db *db, int64_t id, int64_t otherwise);
void archive_item_free(struct feed_item *item);

/* The columns published_s .. content of DB_TEXT_GET, from `column` on. */
struct feed_item *archive_item_from_row(sqlite3_stmt *row, int column);

#endif
