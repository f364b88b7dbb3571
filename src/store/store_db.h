/* store/store_db - the SQLite database of the store: opening, schema, statements.
 *
 * One connection that writes (WAL); used by one thread at a time. Errors are sticky: the first one
 * of a transaction stays in db_code() and every later call of it does nothing, so a chain of calls
 * needs one check at its end; db_begin(), db_rollback() and db_leave_out() clear it. Statements are
 * prepared once and kept; bound text is borrowed until the statement has run. */
#ifndef STORE_STORE_DB_H
#define STORE_STORE_DB_H

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#define DB_FILE         "feedwatch.db"
#define STORE_LOCK_FILE "lock"
#define DB_VERSION      5

enum db_query {
    DB_BEGIN,
    DB_COMMIT,
    DB_FEED_ALL,
    DB_FEED_ROWS,
    DB_FEED_INSERT,
    DB_FEED_UPDATE,
    DB_FEED_RENAME,
    DB_FEED_TOUCHED,
    DB_SCHEDULE_SET,
    DB_ITEM_SCAN,
    DB_ITEM_INSERT,
    DB_ITEM_KEYS,
    DB_ITEM_SET_KEYS,
    DB_ITEM_SET_HASH,
    DB_ITEM_TOUCH,
    DB_ITEM_STALE,
    DB_ITEM_DELETE,
    DB_TEXT_INSERT,
    DB_TEXT_UPDATE,
    DB_TEXT_GET,
    DB_TEXT_FIRST_SEEN,
    DB_TEXT_MAX,
    DB_TEXT_DELETE,
    DB_ALERT_INSERT,
    DB_ALERT_LAST_ID,
    DB_ALERT_RULES,
    DB_ALERT_STALE,
    DB_ALERT_DELETE,
    DB_DELIVERY_INSERT,
    DB_DELIVERY_PENDING,
    DB_DELIVERY_NEXT,
    DB_DELIVERY_RECENT,
    DB_DELIVERY_LINES,
    DB_DELIVERY_COUNT_WAITING,
    DB_DELIVERY_PLACE,
    DB_DELIVERY_LOGGED,
    DB_DELIVERY_MARK,
    DB_DELIVERY_DELETE,
    DB_META_GET,
    DB_META_SET,
    DB_SINK_WORKS,
    DB_SINK_FAILED,
    DB_GAP_INSERT,
    DB_GAP_STALE,
    N_DB_QUERIES
};

struct db;

/* Opens or creates STATE_DIR/feedwatch.db (0600) and brings its schema up to date. A damaged one is
 * set aside with its companions; *ret_notice then says so (else NULL). Errors: STORE_ERROR. */
struct db *db_open(const char *state_dir, char **ret_notice, GError **error);
/* The name of the file that is there from before a database is set aside until the new one has what
 * is needed of the old one. Newly allocated. */
char *db_reset_path(const char *state_dir);
void db_close(struct db *db);

/* flush: COMMIT returns when the transaction is on the disk; without, when the system has it. */
void db_begin(struct db *db, bool flush);
/* False where it failed; then everything is rolled back and db_code() says why. */
bool db_commit(struct db *db);
void db_rollback(struct db *db);
/* After a statement, in a transaction: where what it was to store is refused for what it is, only
 * it is undone and the transaction goes on, true. False: all went well, or it is another error. */
bool db_leave_out(struct db *db);
int db_code(const struct db *db);
const char *db_message(const struct db *db);
/* Whether the code says that the file is damaged, and whether trying again can help. */
bool db_is_damage(int code);
bool db_is_passing(int code);
/* Whether any statement has met damage since the opening, in a transaction or outside of one. */
bool db_has_seen_damage(const struct db *db);
/* Gives back the pages that are kept in memory and not in use. */
void db_release_memory(struct db *db);
/* At the next start the whole file is examined, each index against its table too. */
void db_mark_suspect(const struct db *db);

/* The statement, reset and ready to bind. Never NULL: where it cannot be prepared, db_run() and
 * db_next() fail. */
sqlite3_stmt *db_query(struct db *db, enum db_query query);
/* Runs a statement that returns no rows. */
bool db_run(struct db *db, sqlite3_stmt *statement);
/* The next row; false at the end or on an error, when the statement is reset. */
bool db_next(struct db *db, sqlite3_stmt *statement);
int64_t db_changes(const struct db *db);
int64_t db_last_row(const struct db *db);

/* NULL becomes SQL NULL and back. */
void db_bind_text(sqlite3_stmt *statement, int index, const char *text);
char *db_dup_text(sqlite3_stmt *statement, int column);

int64_t db_meta(struct db *db, const char *key, int64_t otherwise);
void db_set_meta(struct db *db, const char *key, int64_t value);

#endif
