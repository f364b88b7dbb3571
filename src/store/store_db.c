#include "store/store_db.h"

#include "base/clock.h"
#include "base/file.h"
#include "store/store.h"
#include "store/store_schema.h"
#include "store/store_sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 1000
/* A file that was closed in order is examined whole only where that costs milliseconds, one that
 * was not also where it costs a second. */
#define CHECK_CLEAN_BYTES   (4 << 20)
#define CHECK_CRASHED_BYTES (INT64_C(256) << 20)
#define DB_PAGE_SIZE        8192
#define SUSPECT_SUFFIX      ".suspect"
#define RESET_SUFFIX        ".reset"

struct db {
    sqlite3 *sqlite;
    char *path;
    sqlite3_stmt *statements[N_DB_QUERIES];
    int code;
    bool has_seen_damage;
    bool is_in_transaction;
    bool flushes; /* what PRAGMA synchronous says now: FULL */
};

bool db_is_damage(int code)
{
    return (code & 0xFF) == SQLITE_CORRUPT || (code & 0xFF) == SQLITE_NOTADB;
}

bool db_is_passing(int code)
{
    switch (code & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
        return true;
    default:
        return false;
    }
}

/* ---- opening ---- */

static char *companion(const char *path, const char *suffix)
{
    return g_strconcat(path, suffix, NULL);
}

static int64_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

/* SQLite gives the journal files the mode of the database. */
static bool make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool fine = fchmod(fd, 0600) == 0;
    close(fd);
    static const char *const suffixes[] = {"-wal", "-shm"};
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *other = companion(path, suffixes[i]);
        (void)chmod(other, 0600);
    }
    return fine;
}

/* The whole one also compares each index with its table. */
enum check { CHECK_NOTHING, CHECK_QUICKLY, CHECK_WHOLE };

static int run_check(sqlite3 *sqlite, enum check check)
{
    sqlite3_stmt *statement = NULL;
    const char *sql = check == CHECK_WHOLE ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)";
    int code = check == CHECK_NOTHING ? SQLITE_DONE
                                      : sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL);
    if (code == SQLITE_DONE)
        return SQLITE_OK;
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const char *said = (const char *)sqlite3_column_text(statement, 0);
        code = said && strcmp(said, "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
    }
    sqlite3_finalize(statement);
    return code;
}

static int configure(sqlite3 *sqlite)
{
    sqlite3_extended_result_codes(sqlite, 1);
    sqlite3_busy_timeout(sqlite, BUSY_TIMEOUT_MS);
    /* Texts are long: larger pages are fewer calls. */
    return sqlite3_exec(sqlite,
                        "PRAGMA page_size = " G_STRINGIFY(
                            DB_PAGE_SIZE) "; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                          "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;"
                                          "PRAGMA journal_size_limit = 16777216;",
                        NULL, NULL, NULL);
}

/* Whether the head itself says that nobody may write the file (the file format's write version,
 * "Database Header" of SQLite's file format). */
static bool head_forbids_writing(const char *path)
{
    unsigned char version = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool is_read = pread(fd, &version, 1, 18) == 1;
    close(fd);
    return is_read && version > 2;
}

/* SQLite opens the file, its log or its index for reading alone where the system refused the other
 * way, and stays with that. */
static bool refuses_writing(sqlite3 *sqlite)
{
    if (sqlite3_db_readonly(sqlite, "main") == 1)
        return true;
    int code = sqlite3_exec(sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        sqlite3_exec(sqlite, "ROLLBACK", NULL, NULL, NULL);
    return (code & 0xFF) == SQLITE_READONLY;
}

/* What SQLite does not call damage, though nobody but a spoilt byte can have said it: a format that
 * is not known, or a file that may not be written. Where the system refused to open a file for
 * writing, for once perhaps, nothing is wrong with it. */
static int judge_head(sqlite3 *sqlite, const char *path, int code)
{
    if (code == SQLITE_ERROR)
        return SQLITE_CORRUPT;
    if (code == SQLITE_OK && refuses_writing(sqlite))
        return head_forbids_writing(path) ? SQLITE_CORRUPT : SQLITE_CANTOPEN;
    return code;
}

/* SQLite takes a file that is too short for a page for an empty one, and drops what is beside it. A
 * rollback journal says that the file was still being made. */
static bool is_stump(const char *path)
{
    g_autofree char *wal = companion(path, "-wal");
    g_autofree char *journal = companion(path, "-journal");
    int64_t size = size_of(path);
    return size < DB_PAGE_SIZE && (size_of(wal) > 0 || (size > 0 && size_of(journal) < 0));
}

static int open_file(const char *path, enum check check, sqlite3 **ret_sqlite)
{
    if (is_stump(path))
        return SQLITE_CORRUPT;
    int code = sqlite3_open_v2(
        path, ret_sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = configure(*ret_sqlite);
    if (code == SQLITE_OK)
        code = run_check(*ret_sqlite, check);
    code = judge_head(*ret_sqlite, path, code);
    if (code == SQLITE_OK)
        code = schema_migrate(*ret_sqlite);
    return code;
}

static enum check check_for(const char *path)
{
    g_autofree char *wal = companion(path, "-wal");
    g_autofree char *suspect = companion(path, SUSPECT_SUFFIX);
    bool is_suspect = unlink(suspect) == 0;
    int64_t limit = size_of(wal) > 0 ? CHECK_CRASHED_BYTES : CHECK_CLEAN_BYTES;
    if (is_suspect)
        return CHECK_WHOLE;
    return size_of(path) <= limit ? CHECK_QUICKLY : CHECK_NOTHING;
}

char *db_reset_path(const char *state_dir)
{
    return g_build_filename(state_dir, DB_FILE RESET_SUFFIX, NULL);
}

static bool make_mark(const char *path, const char *suffix)
{
    g_autofree char *mark = companion(path, suffix);
    int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool fine = fsync(fd) == 0;
    int code = errno;
    close(fd);
    errno = code;
    return fine;
}

/* Under which it is kept; no file has it yet. */
static char *name_aside(const char *path)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(clock_real_wall_ms() / 1000);
    g_autofree char *stamp = g_date_time_format(now, "%Y%m%dT%H%M%SZ");
    char *aside = g_strdup_printf("%s.damaged-%s", path, stamp);
    for (int i = 2; access(aside, F_OK) == 0; i++) {
        g_free(aside);
        aside = g_strdup_printf("%s.damaged-%s-%d", path, stamp, i);
    }
    return aside;
}

/* The mark comes first: a database that is gone without it is taken for none that ever was, and
 * everything is told once more. The database goes before its log, without which it might look well.
 * NULL with errno. */
static char *set_aside(const char *path)
{
    if (!make_mark(path, RESET_SUFFIX))
        return NULL;
    g_autofree char *aside = name_aside(path);
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *from = companion(path, suffixes[i]);
        g_autofree char *to = companion(aside, suffixes[i]);
        if (rename(from, to) != 0 && errno != ENOENT)
            return NULL;
    }
    return g_steal_pointer(&aside);
}

static void explain(GError **error, const char *path, int code, sqlite3 *sqlite)
{
    if (code == SQLITE_MISMATCH)
        g_set_error(error, STORE_ERROR, STORE_ERROR_VERSION,
                    "%s was written by a newer feedwatch: install that version, or move the file "
                    "away to begin anew",
                    path);
    else
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN, "cannot open the database %s: %s", path,
                    sqlite && sqlite3_errcode(sqlite) != SQLITE_OK ? sqlite3_errmsg(sqlite)
                                                                   : sqlite3_errstr(code));
}

struct db *db_open(const char *state_dir, char **ret_notice, GError **error)
{
    g_autofree char *path = g_build_filename(state_dir, DB_FILE, NULL);
    *ret_notice = NULL;
    if (!make_private(path)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN, "cannot open the database %s: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    sqlite3 *sqlite = NULL;
    int code = open_file(path, check_for(path), &sqlite);
    if (db_is_damage(code)) {
        sqlite3_close(sqlite);
        sqlite = NULL;
        g_autofree char *aside = set_aside(path);
        if (!aside) {
            g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN,
                        "the database %s is damaged and cannot be set aside: %s", path,
                        g_strerror(errno));
            return NULL;
        }
        *ret_notice = g_strdup_printf("the database was damaged: it is kept as %s and a new one is "
                                      "begun, so what the feeds show now is taken as known",
                                      aside);
        code = make_private(path) ? open_file(path, CHECK_NOTHING, &sqlite) : SQLITE_CANTOPEN;
    }
    if (code != SQLITE_OK) {
        explain(error, path, code, sqlite);
        if (*ret_notice)
            g_prefix_error(error, "%s; but ", *ret_notice);
        sqlite3_close(sqlite);
        g_clear_pointer(ret_notice, g_free);
        return NULL;
    }
    struct db *db = g_new0(struct db, 1);
    db->sqlite = sqlite;
    db->path = g_steal_pointer(&path);
    db->flushes = true;
    return db;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < N_DB_QUERIES; i++)
        sqlite3_finalize(db->statements[i]);
    sqlite3_close(db->sqlite);
    g_free(db->path);
    g_free(db);
}

void db_release_memory(struct db *db)
{
    sqlite3_db_release_memory(db->sqlite);
}

bool db_has_seen_damage(const struct db *db)
{
    return db->has_seen_damage;
}

void db_mark_suspect(const struct db *db)
{
    (void)make_mark(db->path, SUSPECT_SUFFIX);
}

/* ---- transactions ---- */

static void note(struct db *db, int code)
{
    if (db->code == SQLITE_OK)
        db->code = code;
    db->has_seen_damage = db->has_seen_damage || db_is_damage(code);
}

static void exec(struct db *db, const char *sql)
{
    if (db->code == SQLITE_OK)
        note(db, sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL));
}

void db_begin(struct db *db, bool flush)
{
    db->code = SQLITE_OK;
    if (db->flushes != flush)
        exec(db, flush ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    if (db->code == SQLITE_OK)
        db->flushes = flush;
    db_run(db, db_query(db, DB_BEGIN));
    db->is_in_transaction = db->code == SQLITE_OK;
}

bool db_commit(struct db *db)
{
    db_run(db, db_query(db, DB_COMMIT));
    if (db->code != SQLITE_OK) {
        int code = db->code;
        db_rollback(db);
        db->code = code;
        return false;
    }
    db->is_in_transaction = false;
    return true;
}

bool db_leave_out(struct db *db)
{
    if ((db->code & 0xFF) != SQLITE_CONSTRAINT || sqlite3_get_autocommit(db->sqlite))
        return false;
    db->code = SQLITE_OK;
    return true;
}

void db_rollback(struct db *db)
{
    for (size_t i = 0; i < N_DB_QUERIES; i++)
        sqlite3_reset(db->statements[i]);
    if (db->is_in_transaction && !sqlite3_get_autocommit(db->sqlite))
        sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
    db->is_in_transaction = false;
    db->code = SQLITE_OK;
}

int db_code(const struct db *db)
{
    return db->code;
}

const char *db_message(const struct db *db)
{
    return sqlite3_errstr(db->code);
}

/* ---- statements ---- */

sqlite3_stmt *db_query(struct db *db, enum db_query query)
{
    sqlite3_stmt **statement = &db->statements[query];
    if (*statement) {
        sqlite3_reset(*statement);
        return *statement;
    }
    int code = sqlite3_prepare_v3(db->sqlite, store_sql[query], -1, SQLITE_PREPARE_PERSISTENT,
                                  statement, NULL);
    if (code != SQLITE_OK)
        note(db, code);
    return *statement;
}

bool db_run(struct db *db, sqlite3_stmt *statement)
{
    if (db->code != SQLITE_OK)
        return false;
    int code = sqlite3_step(statement);
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        note(db, code);
    sqlite3_reset(statement);
    return db->code == SQLITE_OK;
}

bool db_next(struct db *db, sqlite3_stmt *statement)
{
    if (db->code != SQLITE_OK)
        return false;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        note(db, code);
    sqlite3_reset(statement);
    return false;
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes(db->sqlite);
}

int64_t db_last_row(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->sqlite);
}

void db_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, index);
}

char *db_dup_text(sqlite3_stmt *statement, int column)
{
    return g_strdup((const char *)sqlite3_column_text(statement, column));
}

int64_t db_meta(struct db *db, const char *key, int64_t otherwise)
{
    sqlite3_stmt *query = db_query(db, DB_META_GET);
    db_bind_text(query, 1, key);
    int64_t value = otherwise;
    if (db_next(db, query)) {
        value = sqlite3_column_int64(query, 0);
        sqlite3_reset(query);
    }
    return value;
}

void db_set_meta(struct db *db, const char *key, int64_t value)
{
    sqlite3_stmt *query = db_query(db, DB_META_SET);
    db_bind_text(query, 1, key);
    sqlite3_bind_int64(query, 2, value);
    db_run(db, query);
}
