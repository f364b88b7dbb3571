#include "store/store_read.h"

#include "base/file.h"
#include "store/store_alert.h"
#include "store/store_archive.h"
#include "store/store_feed.h"
#include "store/store_sql.h"

#include <errno.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 5000

/* seq grows as id does, and the table is in its order: who follows reads only what is new. */
#define WANTED_ALERTS                                                     \
    " FROM alert a WHERE a.time_ms >= ?1 AND (?2 IS NULL OR a.rule = ?2)" \
    " AND (?3 IS NULL OR a.feed = ?3) AND (?4 IS NULL OR a.kind = ?4)"    \
    " AND a.seq > coalesce((SELECT seq FROM alert WHERE id <= ?5 ORDER BY id DESC LIMIT 1), 0)"

static const char alerts_sql[] =
    "SELECT " STORE_ALERT_COLUMNS WANTED_ALERTS
    " AND a.seq >= CASE ?6 WHEN 0 THEN 0 ELSE coalesce((SELECT min(seq) FROM"
    " (SELECT a.seq" WANTED_ALERTS " ORDER BY a.seq DESC LIMIT ?6)), 0) END ORDER BY a.seq";
static const char deliveries_sql[] =
    "SELECT sink, state FROM delivery WHERE alert = ?1 ORDER BY sink";
static const char feeds_sql[] = STORE_FEEDS " ORDER BY id";
static const char rules_sql[] = "SELECT rule, count(*), max(time_ms) FROM alert"
                                " WHERE kind = 'alert' AND rule IS NOT NULL GROUP BY rule";
static const char sinks_sql[] =
    "SELECT s.id, total(d.state = 0), total(d.state = 1), total(d.state = 2), max(d.done_ms),"
    " (SELECT error FROM sink WHERE id = s.id)"
    " FROM (SELECT sink AS id FROM delivery UNION SELECT id FROM sink) s"
    " LEFT JOIN delivery d ON d.sink = s.id GROUP BY s.id";
static const char gaps_sql[] =
    "SELECT feed, from_s, to_s, reason FROM gap WHERE to_s >= ?1 ORDER BY id";
static const char items_sql[] =
    "SELECT t.id, f.id, t.first_seen_s, t.published_s, t.updated_s, t.guid, t.title, t.link,"
    " t.language, t.authors, t.categories, t.summary, t.content"
    " FROM item_text t JOIN feed f ON f.row = t.feed WHERE t.first_seen_s >= ?1"
    " AND (?2 IS NULL OR f.id = ?2) AND (?3 IS NULL OR t.link = ?3) ORDER BY t.id";

struct store_reader {
    sqlite3 *sqlite;
};

static void set_error(GError **error, struct store_reader *reader)
{
    g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN, "cannot read the database: %s",
                sqlite3_errmsg(reader->sqlite));
}

static sqlite3_stmt *prepare(struct store_reader *reader, const char *sql, GError **error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(reader->sqlite, sql, -1, &statement, NULL) != SQLITE_OK)
        set_error(error, reader);
    return statement;
}

/* The next row; false at the end, when the statement is gone, with *error on a failure. */
static bool next(struct store_reader *reader, sqlite3_stmt *statement, GError **error)
{
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        set_error(error, reader);
    sqlite3_finalize(statement);
    return false;
}

static bool is_right_version(struct store_reader *reader, GError **error)
{
    g_autoptr(GError) cause = NULL;
    sqlite3_stmt *statement = prepare(reader, "PRAGMA user_version", &cause);
    int version = 0;
    if (statement && next(reader, statement, &cause)) {
        version = sqlite3_column_int(statement, 0);
        sqlite3_finalize(statement);
    }
    if (cause)
        g_propagate_error(error, g_steal_pointer(&cause));
    else if (version > DB_VERSION)
        g_set_error_literal(error, STORE_ERROR, STORE_ERROR_VERSION,
                            "the database was written by a newer feedwatch");
    else if (version < DB_VERSION)
        g_set_error_literal(error, STORE_ERROR, STORE_ERROR_VERSION,
                            version == 0
                                ? "the database is not set up yet: start feedwatchd once"
                                : "the database is of an older feedwatch: start feedwatchd again, "
                                  "which brings it up to date");
    else
        return true;
    return false;
}

struct store_reader *store_reader_open(const char *state_dir, GError **error)
{
    g_autofree char *path = g_build_filename(state_dir, DB_FILE, NULL);
    if (access(path, R_OK) != 0) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_OPEN, "cannot open %s: %s%s", path,
                    g_strerror(errno), errno == ENOENT ? " (has feedwatchd run yet?)" : "");
        return NULL;
    }
    struct store_reader *reader = g_new0(struct store_reader, 1);
    int code = sqlite3_open_v2(path, &reader->sqlite, SQLITE_OPEN_READONLY, NULL);
    sqlite3_busy_timeout(reader->sqlite, BUSY_TIMEOUT_MS);
    if (code != SQLITE_OK)
        set_error(error, reader);
    if (code != SQLITE_OK || !is_right_version(reader, error)) {
        store_reader_free(reader);
        return NULL;
    }
    return reader;
}

void store_reader_free(struct store_reader *reader)
{
    if (!reader)
        return;
    sqlite3_close(reader->sqlite);
    g_free(reader);
}

bool store_is_running(const char *state_dir)
{
    g_autofree char *path = g_build_filename(state_dir, STORE_LOCK_FILE, NULL);
    return file_is_locked(path);
}

/* ---- alerts ---- */

static const char *state_name(int64_t state)
{
    static const char *const names[] = {"waiting", "done", "failed", "expired"};
    return state >= 0 && state < (int64_t)G_N_ELEMENTS(names) ? names[state] : "unknown";
}

/* sink, state, sink, state, NULL; NULL on a failure. */
static char **read_deliveries(struct store_reader *reader, int64_t seq, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *statement = prepare(reader, deliveries_sql, error);
    if (!statement)
        return NULL;
    sqlite3_bind_int64(statement, 1, seq);
    while (next(reader, statement, &cause)) {
        g_ptr_array_add(pairs, db_dup_text(statement, 0));
        g_ptr_array_add(pairs, g_strdup(state_name(sqlite3_column_int64(statement, 1))));
    }
    if (cause) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    g_ptr_array_add(pairs, NULL);
    return (char **)g_ptr_array_steal(pairs, NULL);
}

static bool hand_over_alert(struct store_reader *reader, sqlite3_stmt *row, store_on_alert on_alert,
                            void *user, bool *ret_go_on, GError **error)
{
    g_auto(GStrv) deliveries = read_deliveries(reader, sqlite3_column_int64(row, 0), error);
    if (!deliveries)
        return false;
    struct store_alert *alert = alert_from_row(row, false);
    *ret_go_on = on_alert(alert, (const char *const *)deliveries, user);
    store_alert_free(alert);
    return true;
}

bool store_read_alerts(struct store_reader *reader, const struct store_filter *filter,
                       store_on_alert on_alert, void *user, GError **error)
{
    g_autoptr(GError) cause = NULL;
    sqlite3_stmt *statement = prepare(reader, alerts_sql, error);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, filter->since_ms);
    db_bind_text(statement, 2, filter->rule);
    db_bind_text(statement, 3, filter->feed);
    db_bind_text(statement, 4, filter->kind);
    db_bind_text(statement, 5, filter->after_id);
    sqlite3_bind_int64(statement, 6, filter->last);
    while (next(reader, statement, &cause)) {
        bool goes_on = false;
        if (!hand_over_alert(reader, statement, on_alert, user, &goes_on, &cause) || !goes_on) {
            sqlite3_finalize(statement);
            break;
        }
    }
    bool fine = !cause;
    if (cause)
        g_propagate_error(error, g_steal_pointer(&cause));
    return fine;
}

/* ---- lists ---- */

typedef void *(*from_row)(sqlite3_stmt *row);

static GPtrArray *read_list(struct store_reader *reader, const char *sql, int64_t parameter,
                            from_row make, GDestroyNotify free_one, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(free_one);
    sqlite3_stmt *statement = prepare(reader, sql, error);
    if (!statement)
        return NULL;
    if (sqlite3_bind_parameter_count(statement) > 0)
        sqlite3_bind_int64(statement, 1, parameter);
    while (next(reader, statement, &cause))
        g_ptr_array_add(list, make(statement));
    if (cause) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    return g_steal_pointer(&list);
}

static void *make_feed(sqlite3_stmt *row)
{
    return feed_from_row(row);
}

GPtrArray *store_read_feeds(struct store_reader *reader, GError **error)
{
    return read_list(reader, feeds_sql, 0, make_feed, (GDestroyNotify)store_feed_free, error);
}

static void *make_rule(sqlite3_stmt *row)
{
    struct store_rule_stats *rule = g_new0(struct store_rule_stats, 1);
    rule->id = db_dup_text(row, 0);
    rule->hits = sqlite3_column_int64(row, 1);
    rule->last_hit_ms = sqlite3_column_int64(row, 2);
    return rule;
}

static void free_rule(void *data)
{
    struct store_rule_stats *rule = data;
    g_free(rule->id);
    g_free(rule);
}

GPtrArray *store_read_rules(struct store_reader *reader, GError **error)
{
    return read_list(reader, rules_sql, 0, make_rule, free_rule, error);
}

static void *make_sink(sqlite3_stmt *row)
{
    struct store_sink_stats *sink = g_new0(struct store_sink_stats, 1);
    sink->id = db_dup_text(row, 0);
    sink->waiting = sqlite3_column_int64(row, 1);
    sink->done = sqlite3_column_int64(row, 2);
    sink->failed = sqlite3_column_int64(row, 3);
    sink->last_done_ms = sqlite3_column_int64(row, 4);
    sink->last_error = db_dup_text(row, 5);
    return sink;
}

static void free_sink(void *data)
{
    struct store_sink_stats *sink = data;
    g_free(sink->id);
    g_free(sink->last_error);
    g_free(sink);
}

GPtrArray *store_read_sinks(struct store_reader *reader, GError **error)
{
    return read_list(reader, sinks_sql, 0, make_sink, free_sink, error);
}

static void *make_gap(sqlite3_stmt *row)
{
    struct store_gap *gap = g_new0(struct store_gap, 1);
    gap->feed = db_dup_text(row, 0);
    gap->from_s = sqlite3_column_int64(row, 1);
    gap->to_s = sqlite3_column_int64(row, 2);
    gap->reason = db_dup_text(row, 3);
    return gap;
}

static void free_gap(void *data)
{
    struct store_gap *gap = data;
    g_free(gap->feed);
    g_free(gap->reason);
    g_free(gap);
}

GPtrArray *store_read_gaps(struct store_reader *reader, int64_t since_s, GError **error)
{
    return read_list(reader, gaps_sql, since_s, make_gap, free_gap, error);
}

/* ---- the archive ---- */

bool store_read_items(struct store_reader *reader, const struct store_item_filter *filter,
                      store_on_item on_item, void *user, GError **error)
{
    g_autoptr(GError) cause = NULL;
    sqlite3_stmt *statement = prepare(reader, items_sql, error);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, filter->since_s);
    db_bind_text(statement, 2, filter->feed);
    db_bind_text(statement, 3, filter->link);
    while (next(reader, statement, &cause)) {
        struct feed_item *archived = archive_item_from_row(statement, 3);
        const struct store_item item = {
            .row = sqlite3_column_int64(statement, 0),
            .feed = (const char *)sqlite3_column_text(statement, 1),
            .first_seen_s = sqlite3_column_int64(statement, 2),
            .item = archived,
        };
        bool goes_on = on_item(&item, user);
        archive_item_free(archived);
        if (!goes_on) {
            sqlite3_finalize(statement);
            break;
        }
    }
    bool fine = !cause;
    if (cause)
        g_propagate_error(error, g_steal_pointer(&cause));
    return fine;
}
