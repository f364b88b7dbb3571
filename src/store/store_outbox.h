/* store/store_outbox - a log sink's deliveries on their way into its file.
 *
 * A line is stored with its alert; after the commit the lines of the whole batch are written at
 * once, flushed, and marked as done. When anything goes wrong in between, or after a start, the
 * outbox is unsure: all its waiting deliveries are looked for in the log before any is written
 * (alert_recover). A log that cannot be written is tried again after 1 s, doubling to 60 s. */
#ifndef STORE_STORE_OUTBOX_H
#define STORE_STORE_OUTBOX_H

#include "store/storage.h"

struct outbox;

void outbox_free(void *outbox);
/* Replaces the set; a sink that stays as it is keeps its state. */
void outbox_set_all(struct storage *storage, const struct store_log *logs, size_t n_logs);
void outbox_reopen_all(struct storage *storage);
/* NULL: no log sink. */
struct outbox *outbox_find(struct storage *storage, const char *sink);

/* In the transaction: stores the delivery and keeps its line for outbox_flush_all(). */
void outbox_add(struct storage *storage, struct outbox *outbox, const struct store_alert *alert,
                int64_t seq);
/* After a rollback: what was kept is dropped. */
void outbox_forget(struct outbox *outbox);
/* After the commit, outside of any transaction: writes what was kept and what is due again. */
void outbox_flush_all(struct storage *storage);
/* When outbox_flush_all() is to be called again, boot ms; INT64_MAX: nothing waits. */
int64_t outbox_next_try_ms(const struct storage *storage);

#endif
