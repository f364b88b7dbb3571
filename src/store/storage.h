/* store/storage - the storage thread's own world: what only it touches.
 *
 * store.c and store_thread.c carry messages here and completions back; the files store_feed,
 * store_item, store_archive, store_alert, store_outbox and store_purge do the work. All of it runs
 * inside the transaction that the thread holds, and reports errors through db_code() (sticky). A
 * transaction that fails is rolled back and run again, so nothing here may depend on having run
 * once; storage_forget() drops what was remembered of a transaction that is gone. */
#ifndef STORE_STORAGE_H
#define STORE_STORAGE_H

#include "base/clock.h"
#include "store/store.h"
#include "store/store_db.h"
#include "store/ulid.h"

struct storage {
    struct db *db;
    const struct clock *clock; /* borrowed */
    int64_t retention_s;
    GHashTable *feeds; /* feed ID -> struct feed_slot */
    int64_t next_item; /* the next item's row */
    struct ulid_source ulids;
    GPtrArray *outboxes;   /* struct outbox: the log sinks */
    bool is_forgotten;     /* feeds is to be read again */
    bool made_deliveries;  /* for sinks other than logs, in this transaction */
    int64_t next_purge_ms; /* boot; when old rows are looked for again */
    struct purge *purge;   /* under way, or NULL */
    /* One sentence for the user; kind names the state of affairs, message NULL: it is over. */
    void (*on_trouble)(const char *kind, const char *message, void *user);
    void *user;
};

struct storage *storage_new(struct db *db, const struct clock *clock, int64_t retention_s);
void storage_free(struct storage *storage); /* closes the database */
/* After a rollback: what came from the transaction is dropped. */
void storage_forget(struct storage *storage);
/* At the begin of a transaction: reads again what was dropped. */
void storage_remember(struct storage *storage);
/* A change is left out for what it is; the user hears of it once. */
void storage_on_refused(struct storage *storage);

#endif
