/* store/store_purge - forgetting what is old, in small slices while nothing else is to be done.
 *
 * An item's text goes retention_s after the item was last seen. Its keys stay at least 90 days, and
 * as long as it is among the last three times the feed's length (polling.md, "Identity of an
 * item"). An alert goes retention_s after it was made, but not while a delivery waits, nor while
 * its item is remembered: a late edit must not alert again. */
#ifndef STORE_STORE_PURGE_H
#define STORE_STORE_PURGE_H

#include "store/storage.h"

struct purge;
void purge_free(struct purge *purge);

/* Whether a round is under way or due. */
bool purge_is_due(const struct storage *storage);
/* One slice, with its own transaction. False where it failed: the round begins again later. */
bool purge_step(struct storage *storage);

#endif
