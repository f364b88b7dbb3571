/* store/store_item - which items are new, which changed; and what is remembered of each.
 *
 * An item is known by any of its keys (polling.md, "Identity of an item"); the strongest key that
 * is known decides which item it is. What a document teaches without news is written at once: keys
 * that a known item has gained, that its items were seen (once a day), and ids that changed all at
 * once (churn). None of that can lose or repeat an alert, whatever happens to the commit that
 * follows. */
#ifndef STORE_STORE_ITEM_H
#define STORE_STORE_ITEM_H

#include "store/storage.h"
#include "store/store_feed.h"

/* The caller frees with store_verdicts_free(), also after an error. */
struct store_verdicts *item_classify(struct storage *storage, const char *feed_id,
                                     const struct feed_doc *doc, const struct identity_keys *keys);
/* Stores what is new or changed. ret_rows: room for each item's row. */
void item_store(struct storage *storage, const struct feed_slot *slot,
                const struct store_commit *commit, int64_t *ret_rows);

#endif
