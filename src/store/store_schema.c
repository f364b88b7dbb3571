#include "store/store_schema.h"

#include "store/store_db.h"

/* feed: what is remembered of a configured feed. is_baselined: 1 a document was taken in; 2 not
 * yet, and the first one is no news.
 *
 * schedule: one for each feed, by its row. All that most polls change, twice each; small rows, of
 * which many share a page.
 *
 * item: by which keys an item is known again, 64-bit hashes, 8 bytes each in one blob. Small rows,
 * clustered by feed: one range scan classifies a document.
 *
 * item_text: the archive, clean text; authors and categories as lists with U+001E and U+001F
 * between (clean text holds neither). Its id is the item's; ids grow with time.
 *
 * alert: what was told; seq grows as id does. An item alerts once for a rule: the index says so.
 *
 * delivery: one for each alert and sink. line, dev, inode, size: log sinks, until it is done. */
static const char step_1[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE feed("
    " row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, url TEXT, moved_url TEXT,"
    " candidate_url TEXT, candidate_since_s INTEGER NOT NULL, candidate_seen INTEGER NOT NULL,"
    " etag TEXT, last_modified TEXT, body_hash INTEGER NOT NULL, message TEXT, title TEXT,"
    " is_baselined INTEGER NOT NULL, uses_title_key INTEGER NOT NULL,"
    " n_items_last INTEGER NOT NULL, text_bytes INTEGER NOT NULL, text_items INTEGER NOT NULL,"
    " due_s INTEGER NOT NULL, asked_s INTEGER NOT NULL, looked_s INTEGER NOT NULL,"
    " new_item_s INTEGER NOT NULL, failing_since_s INTEGER NOT NULL, allowed_s INTEGER NOT NULL,"
    " rhythm_s INTEGER NOT NULL, unmodified_since_s INTEGER NOT NULL,"
    " unconditional_s INTEGER NOT NULL, failures INTEGER NOT NULL, throttles INTEGER NOT NULL,"
    " has_validator INTEGER NOT NULL, is_gone INTEGER NOT NULL,"
    " publisher_s INTEGER NOT NULL, skip_hours INTEGER NOT NULL, skip_days INTEGER NOT NULL,"
    " health_told_s INTEGER NOT NULL,"
    " touched_s INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE item("
    " feed INTEGER NOT NULL, id INTEGER NOT NULL, text_hash INTEGER NOT NULL,"
    " seen_s INTEGER NOT NULL, keys BLOB NOT NULL, PRIMARY KEY(feed, id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE item_text("
    " id INTEGER PRIMARY KEY, feed INTEGER NOT NULL, first_seen_s INTEGER NOT NULL,"
    " published_s INTEGER, updated_s INTEGER, guid TEXT, title TEXT, link TEXT, language TEXT,"
    " authors TEXT, categories TEXT, summary TEXT, content TEXT) STRICT;"
    "CREATE TABLE alert("
    " seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, time_ms INTEGER NOT NULL,"
    " kind TEXT NOT NULL, rule TEXT, urgency TEXT, feed_row INTEGER NOT NULL, feed TEXT,"
    " feed_title TEXT, item INTEGER NOT NULL, title TEXT, link TEXT, summary TEXT,"
    " published_s INTEGER, first_seen_s INTEGER, matched_json TEXT, matched_text TEXT) STRICT;"
    "CREATE UNIQUE INDEX alert_once ON alert(item, rule, kind) WHERE item > 0;"
    "CREATE TABLE delivery("
    " alert INTEGER NOT NULL, sink TEXT NOT NULL, state INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 0, next_try_s INTEGER NOT NULL DEFAULT 0,"
    " done_ms INTEGER, line TEXT, dev INTEGER, inode INTEGER, size INTEGER,"
    " PRIMARY KEY(alert, sink)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX delivery_waiting ON delivery(sink, alert) WHERE state = 0;";

static const char step_2[] =
    "CREATE TABLE sink(id TEXT PRIMARY KEY, error TEXT, error_ms INTEGER) STRICT, WITHOUT ROWID;"
    "CREATE TABLE gap(id INTEGER PRIMARY KEY, feed TEXT, from_s INTEGER NOT NULL,"
    " to_s INTEGER NOT NULL, reason TEXT) STRICT;";

static const char step_3[] = "ALTER TABLE feed ADD COLUMN pause_s INTEGER NOT NULL DEFAULT 0;"
                             "ALTER TABLE feed ADD COLUMN gap_told_s INTEGER NOT NULL DEFAULT 0;";

/* No release will be so far ahead: the number is spoilt. */
#define VERSION_MAX (DB_VERSION + 1000)

static const char step_4[] =
    "ALTER TABLE feed ADD COLUMN window_told_s INTEGER NOT NULL DEFAULT 0;";

/* As they were then. */
#define STEP_5_COLUMNS                                                                     \
    "due_s, asked_s, looked_s, new_item_s, failing_since_s, allowed_s, rhythm_s, pause_s," \
    " unmodified_since_s, unconditional_s, publisher_s, failures, throttles, skip_hours,"  \
    " skip_days, has_validator, is_gone"

static const char step_5[] =
    "CREATE TABLE schedule("
    " feed INTEGER PRIMARY KEY, due_s INTEGER NOT NULL, asked_s INTEGER NOT NULL,"
    " looked_s INTEGER NOT NULL, new_item_s INTEGER NOT NULL, failing_since_s INTEGER NOT NULL,"
    " allowed_s INTEGER NOT NULL, rhythm_s INTEGER NOT NULL, pause_s INTEGER NOT NULL,"
    " unmodified_since_s INTEGER NOT NULL, unconditional_s INTEGER NOT NULL,"
    " publisher_s INTEGER NOT NULL, failures INTEGER NOT NULL, throttles INTEGER NOT NULL,"
    " skip_hours INTEGER NOT NULL, skip_days INTEGER NOT NULL, has_validator INTEGER NOT NULL,"
    " is_gone INTEGER NOT NULL) STRICT;"
    "INSERT INTO schedule(feed, " STEP_5_COLUMNS ") SELECT row, " STEP_5_COLUMNS " FROM feed;"
    "ALTER TABLE feed DROP COLUMN due_s;"
    "ALTER TABLE feed DROP COLUMN asked_s;"
    "ALTER TABLE feed DROP COLUMN looked_s;"
    "ALTER TABLE feed DROP COLUMN new_item_s;"
    "ALTER TABLE feed DROP COLUMN failing_since_s;"
    "ALTER TABLE feed DROP COLUMN allowed_s;"
    "ALTER TABLE feed DROP COLUMN rhythm_s;"
    "ALTER TABLE feed DROP COLUMN pause_s;"
    "ALTER TABLE feed DROP COLUMN unmodified_since_s;"
    "ALTER TABLE feed DROP COLUMN unconditional_s;"
    "ALTER TABLE feed DROP COLUMN publisher_s;"
    "ALTER TABLE feed DROP COLUMN failures;"
    "ALTER TABLE feed DROP COLUMN throttles;"
    "ALTER TABLE feed DROP COLUMN skip_hours;"
    "ALTER TABLE feed DROP COLUMN skip_days;"
    "ALTER TABLE feed DROP COLUMN has_validator;"
    "ALTER TABLE feed DROP COLUMN is_gone;";

static const char *const steps[DB_VERSION] = {step_1, step_2, step_3, step_4, step_5};

static int read_version(sqlite3 *sqlite, int *ret_version)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(sqlite, "PRAGMA user_version", -1, &statement, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        *ret_version = sqlite3_column_int(statement, 0);
        code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return code;
}

static int run_steps(sqlite3 *sqlite, int from)
{
    int code = SQLITE_OK;
    for (int i = from; i < DB_VERSION && code == SQLITE_OK; i++)
        code = sqlite3_exec(sqlite, steps[i], NULL, NULL, NULL);
    g_autofree char *stamp = g_strdup_printf("PRAGMA user_version = %d", DB_VERSION);
    return code == SQLITE_OK ? sqlite3_exec(sqlite, stamp, NULL, NULL, NULL) : code;
}

int schema_migrate(sqlite3 *sqlite)
{
    int version = 0;
    int code = read_version(sqlite, &version);
    if (code != SQLITE_OK || version == DB_VERSION)
        return code;
    if (version > VERSION_MAX || version < 0)
        return SQLITE_CORRUPT;
    if (version > DB_VERSION)
        return SQLITE_MISMATCH;
    code = sqlite3_exec(sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = run_steps(sqlite, version);
    if (code == SQLITE_OK)
        code = sqlite3_exec(sqlite, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        sqlite3_exec(sqlite, "ROLLBACK", NULL, NULL, NULL);
    /* What the version says is missing is there, or the reverse. */
    return code == SQLITE_ERROR ? SQLITE_CORRUPT : code;
}
