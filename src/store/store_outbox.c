#include "store/store_outbox.h"

#include "store/alert_line.h"
#include "store/alert_log.h"
#include "store/alert_recover.h"
#include "store/store_alert.h"
#include "store/store_sql.h"

#include <string.h>

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000
/* Deliveries that are looked for and written in one go. */
#define RECOVER_MAX 1000
/* A file that is deleted again and again while we write. */
#define DELETED_MAX 5

struct outbox {
    char *sink;
    enum store_log_format format;
    struct alert_log *log;
    GString *lines; /* of this batch */
    GArray *seqs;   /* int64_t: their alerts */
    struct log_place place;
    bool is_placed; /* in this batch */
    bool is_unsure;
    int64_t retry_at_ms, retry_after_ms;
    char *problem; /* NULL: none; "": not known yet */
    bool is_noted; /* in the database */
};

static const struct log_place nowhere;

/* ---- the set ---- */

static struct outbox *outbox_new(const struct store_log *settings)
{
    struct outbox *outbox = g_new0(struct outbox, 1);
    outbox->sink = g_strdup(settings->sink);
    outbox->format = settings->format;
    outbox->log = alert_log_new(settings->path);
    outbox->lines = g_string_new(NULL);
    outbox->seqs = g_array_new(FALSE, FALSE, sizeof(int64_t));
    outbox->is_unsure = true;
    outbox->problem = g_strdup("");
    return outbox;
}

void outbox_free(void *data)
{
    struct outbox *outbox = data;
    if (!outbox)
        return;
    alert_log_free(outbox->log);
    g_free(outbox->sink);
    g_free(outbox->problem);
    g_string_free(outbox->lines, TRUE);
    g_array_unref(outbox->seqs);
    g_free(outbox);
}

struct outbox *outbox_find(struct storage *storage, const char *sink)
{
    for (guint i = 0; i < storage->outboxes->len; i++) {
        struct outbox *outbox = g_ptr_array_index(storage->outboxes, i);
        if (strcmp(outbox->sink, sink) == 0)
            return outbox;
    }
    return NULL;
}

static bool is_as(const struct outbox *outbox, const struct store_log *settings)
{
    return outbox->format == settings->format &&
           strcmp(alert_log_path(outbox->log), settings->path) == 0;
}

void outbox_set_all(struct storage *storage, const struct store_log *logs, size_t n_logs)
{
    g_autoptr(GPtrArray) old = storage->outboxes;
    storage->outboxes = g_ptr_array_new_with_free_func(outbox_free);
    for (size_t i = 0; i < n_logs; i++) {
        struct outbox *keep = NULL;
        for (guint k = 0; k < old->len && !keep; k++) {
            struct outbox *outbox = g_ptr_array_index(old, k);
            if (outbox && strcmp(outbox->sink, logs[i].sink) == 0 && is_as(outbox, &logs[i])) {
                keep = outbox;
                g_ptr_array_index(old, k) = NULL;
            }
        }
        g_ptr_array_add(storage->outboxes, keep ? keep : outbox_new(&logs[i]));
    }
}

void outbox_reopen_all(struct storage *storage)
{
    for (guint i = 0; i < storage->outboxes->len; i++) {
        struct outbox *outbox = g_ptr_array_index(storage->outboxes, i);
        alert_log_close(outbox->log);
        outbox->place = nowhere;
        outbox->retry_at_ms = 0;
    }
}

/* ---- trouble ---- */

/* Why the log takes no lines, for `status`; NULL: it does. */
static void set_problem(struct outbox *outbox, const char *problem)
{
    if (g_strcmp0(outbox->problem, problem) == 0)
        return;
    g_free(outbox->problem);
    outbox->problem = g_strdup(problem);
    outbox->is_noted = false;
}

static void fail(struct storage *storage, struct outbox *outbox, const char *message)
{
    outbox->is_unsure = true;
    outbox->retry_after_ms =
        outbox->retry_after_ms ? MIN(outbox->retry_after_ms * 2, RETRY_MAX_MS) : RETRY_MIN_MS;
    outbox->retry_at_ms = clock_real_boot_ms() + outbox->retry_after_ms;
    g_autofree char *sentence = g_strdup_printf("%s; its alerts wait", message);
    storage->on_trouble(outbox->sink, sentence, storage->user);
    set_problem(outbox, message);
}

/* ---- in the transaction ---- */

static bool is_only_user(const struct storage *storage, const struct outbox *outbox, GError **error)
{
    for (guint i = 0; i < storage->outboxes->len; i++) {
        const struct outbox *other = g_ptr_array_index(storage->outboxes, i);
        if (other == outbox)
            return true;
        if (other->place.inode == outbox->place.inode && other->place.dev == outbox->place.dev) {
            g_set_error(error, STORE_ERROR, STORE_ERROR_LOG,
                        "the log sinks %s and %s write to one file, %s: give each its own path",
                        other->sink, outbox->sink, alert_log_path(outbox->log));
            return false;
        }
    }
    return true;
}

static bool open_log(struct storage *storage, struct outbox *outbox, GError **error)
{
    bool fine =
        alert_log_open(outbox->log, &outbox->place, error) && is_only_user(storage, outbox, error);
    if (!fine)
        outbox->place = nowhere;
    return fine;
}

static void find_place(struct storage *storage, struct outbox *outbox)
{
    g_autoptr(GError) error = NULL;
    if (outbox->is_placed)
        return;
    outbox->is_placed = true;
    if (!outbox->is_unsure && !open_log(storage, outbox, &error))
        fail(storage, outbox, error->message);
}

static void bind_place(sqlite3_stmt *query, const struct log_place *place)
{
    sqlite3_bind_int64(query, 4, (int64_t)place->dev);
    sqlite3_bind_int64(query, 5, (int64_t)place->inode);
    sqlite3_bind_int64(query, 6, place->size_bytes);
}

void outbox_add(struct storage *storage, struct outbox *outbox, const struct store_alert *alert,
                int64_t seq)
{
    find_place(storage, outbox);
    g_autofree char *line = alert_line_render(alert, outbox->format);
    sqlite3_stmt *query = db_query(storage->db, DB_DELIVERY_INSERT);
    sqlite3_bind_int64(query, 1, seq);
    db_bind_text(query, 2, outbox->sink);
    db_bind_text(query, 3, line);
    bind_place(query, &outbox->place);
    db_run(storage->db, query);
    g_string_append(outbox->lines, line);
    g_array_append_val(outbox->seqs, seq);
}

void outbox_forget(struct outbox *outbox)
{
    g_string_truncate(outbox->lines, 0);
    g_array_set_size(outbox->seqs, 0);
    outbox->is_placed = false;
}

/* ---- after the commit ---- */

/* Writes and flushes; once more where the file was deleted under us. */
static bool write_lines(struct storage *storage, struct outbox *outbox, const GString *lines,
                        GError **error)
{
    for (int i = 0; i < DELETED_MAX; i++) {
        bool is_deleted = false;
        if (!open_log(storage, outbox, error) ||
            !alert_log_append(outbox->log, lines->str, lines->len, error) ||
            !alert_log_sync(outbox->log, &is_deleted, error))
            return false;
        if (!is_deleted)
            return true;
    }
    g_set_error(error, STORE_ERROR, STORE_ERROR_LOG, "the alert log %s is deleted again and again",
                alert_log_path(outbox->log));
    return false;
}

/* No flush: a mark that is lost is found out again from the log. */
static bool mark_done(struct storage *storage, const struct outbox *outbox, const int64_t *seqs,
                      size_t n)
{
    db_begin(storage->db, false);
    for (size_t i = 0; i < n; i++) {
        sqlite3_stmt *query = db_query(storage->db, DB_DELIVERY_LOGGED);
        sqlite3_bind_int64(query, 1, seqs[i]);
        db_bind_text(query, 2, outbox->sink);
        sqlite3_bind_int64(query, 3, clock_real_wall_ms());
        db_run(storage->db, query);
    }
    return db_commit(storage->db);
}

/* ---- when unsure ---- */

struct waiting {   /* the oldest deliveries that wait */
    GArray *lines; /* struct log_line; id and text are in texts */
    GArray *seqs;  /* int64_t */
    GPtrArray *texts;
};

static void waiting_clear(struct waiting *waiting)
{
    g_array_unref(waiting->lines);
    g_array_unref(waiting->seqs);
    g_ptr_array_unref(waiting->texts);
}

/* False where the database does not say it all. */
static bool load_waiting(struct storage *storage, const struct outbox *outbox,
                         struct waiting *waiting)
{
    db_begin(storage->db, false);
    waiting->lines = g_array_new(FALSE, TRUE, sizeof(struct log_line));
    waiting->seqs = g_array_new(FALSE, FALSE, sizeof(int64_t));
    waiting->texts = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *query = db_query(storage->db, DB_DELIVERY_LINES);
    db_bind_text(query, 1, outbox->sink);
    sqlite3_bind_int64(query, 2, RECOVER_MAX);
    const int at = STORE_N_ALERT_COLUMNS + 2;
    while (db_next(storage->db, query)) {
        struct store_alert *alert = alert_from_row(query, true);
        int64_t seq = sqlite3_column_int64(query, 0);
        char *text = db_dup_text(query, at);
        struct log_line line = {.time_ms = alert->time_ms};
        line.place.dev = (uint64_t)sqlite3_column_int64(query, at + 1);
        line.place.inode = (uint64_t)sqlite3_column_int64(query, at + 2);
        line.place.size_bytes = sqlite3_column_int64(query, at + 3);
        if (!text)
            text = alert_line_render(alert, outbox->format);
        line.text = text;
        line.id = g_steal_pointer(&alert->id);
        g_ptr_array_add(waiting->texts, text);
        g_ptr_array_add(waiting->texts, (gpointer)(uintptr_t)line.id);
        g_array_append_val(waiting->lines, line);
        g_array_append_val(waiting->seqs, seq);
        store_alert_free(alert);
    }
    return db_commit(storage->db);
}

/* The other log sinks' files in the same directory. */
static char **other_paths(const struct storage *storage, const struct outbox *outbox)
{
    g_autofree char *dir = g_path_get_dirname(alert_log_path(outbox->log));
    GPtrArray *paths = g_ptr_array_new();
    for (guint i = 0; i < storage->outboxes->len; i++) {
        const struct outbox *other = g_ptr_array_index(storage->outboxes, i);
        g_autofree char *other_dir = g_path_get_dirname(alert_log_path(other->log));
        if (other != outbox && strcmp(dir, other_dir) == 0)
            g_ptr_array_add(paths, g_strdup(alert_log_path(other->log)));
    }
    g_ptr_array_add(paths, NULL);
    return (char **)g_ptr_array_free(paths, FALSE);
}

/* Before lines are written to another file than the one recorded, that file is recorded. */
static bool record_place(struct storage *storage, const struct outbox *outbox,
                         const struct waiting *waiting)
{
    db_begin(storage->db, true);
    for (guint i = 0; i < waiting->lines->len; i++) {
        const struct log_line *line = &g_array_index(waiting->lines, struct log_line, i);
        if (line->is_written ||
            (line->place.inode == outbox->place.inode && line->place.dev == outbox->place.dev))
            continue;
        sqlite3_stmt *query = db_query(storage->db, DB_DELIVERY_PLACE);
        sqlite3_bind_int64(query, 1, g_array_index(waiting->seqs, int64_t, i));
        db_bind_text(query, 2, outbox->sink);
        db_bind_text(query, 3, line->text);
        bind_place(query, &outbox->place);
        db_run(storage->db, query);
    }
    return db_commit(storage->db);
}

static bool write_missing(struct storage *storage, struct outbox *outbox,
                          const struct waiting *waiting, GError **error)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    for (guint i = 0; i < waiting->lines->len; i++) {
        const struct log_line *line = &g_array_index(waiting->lines, struct log_line, i);
        if (!line->is_written)
            g_string_append(lines, line->text);
    }
    if (lines->len == 0)
        return true;
    if (!open_log(storage, outbox, error))
        return false;
    if (!record_place(storage, outbox, waiting)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_LOG,
                    "the alert log %s is not written while the database cannot be",
                    alert_log_path(outbox->log));
        return false;
    }
    return write_lines(storage, outbox, lines, error);
}

/* One portion of what waits; *ret_n says how many there were. */
static bool recover_some(struct storage *storage, struct outbox *outbox, guint *ret_n,
                         GError **error)
{
    struct waiting waiting;
    g_auto(GStrv) others = other_paths(storage, outbox);
    bool fine = load_waiting(storage, outbox, &waiting);
    if (!fine)
        g_set_error(error, STORE_ERROR, STORE_ERROR_LOG,
                    "what waits for the alert log %s cannot be read from the database: %s",
                    alert_log_path(outbox->log), db_message(storage->db));
    *ret_n = waiting.lines->len;
    struct log_line *lines = (struct log_line *)(void *)waiting.lines->data;
    fine =
        fine && (*ret_n == 0 || alert_recover(alert_log_path(outbox->log),
                                              (const char *const *)others, lines, *ret_n, error));
    fine = fine && write_missing(storage, outbox, &waiting, error);
    if (fine && *ret_n > 0 &&
        !mark_done(storage, outbox, (const int64_t *)(const void *)waiting.seqs->data, *ret_n)) {
        g_set_error_literal(error, STORE_ERROR, STORE_ERROR_LOG,
                            "the database does not take that alerts were logged");
        fine = false;
    }
    waiting_clear(&waiting);
    return fine;
}

static bool recover(struct storage *storage, struct outbox *outbox, GError **error)
{
    guint n = RECOVER_MAX;
    while (n == RECOVER_MAX)
        if (!recover_some(storage, outbox, &n, error))
            return false;
    /* Also where nothing waits: a path that is refused is told at the start, not at an alert. */
    return open_log(storage, outbox, error);
}

/* A full disk may keep the note out; then it comes with the next flush. */
static void note_problem(struct storage *storage, struct outbox *outbox)
{
    if (outbox->is_noted || (outbox->problem && !outbox->problem[0]))
        return;
    db_begin(storage->db, false);
    alert_note_sink(storage, outbox->sink, outbox->problem);
    outbox->is_noted = db_commit(storage->db);
}

static void flush(struct storage *storage, struct outbox *outbox)
{
    g_autoptr(GError) error = NULL;
    bool fine = true;
    if (!outbox->is_unsure && outbox->seqs->len > 0) {
        fine = write_lines(storage, outbox, outbox->lines, &error);
        outbox->is_unsure =
            !fine || !mark_done(storage, outbox, (const int64_t *)(const void *)outbox->seqs->data,
                                outbox->seqs->len);
    } else if (outbox->is_unsure && clock_real_boot_ms() >= outbox->retry_at_ms) {
        fine = recover(storage, outbox, &error);
        outbox->is_unsure = !fine;
        if (fine) {
            outbox->retry_after_ms = 0;
            storage->on_trouble(outbox->sink, NULL, storage->user);
            set_problem(outbox, NULL);
        }
    }
    if (!fine)
        fail(storage, outbox, error->message);
    note_problem(storage, outbox);
    outbox_forget(outbox);
}

void outbox_flush_all(struct storage *storage)
{
    for (guint i = 0; i < storage->outboxes->len; i++)
        flush(storage, g_ptr_array_index(storage->outboxes, i));
}

int64_t outbox_next_try_ms(const struct storage *storage)
{
    int64_t next_ms = INT64_MAX;
    for (guint i = 0; i < storage->outboxes->len; i++) {
        const struct outbox *outbox = g_ptr_array_index(storage->outboxes, i);
        if (outbox->is_unsure)
            next_ms = MIN(next_ms, outbox->retry_at_ms);
    }
    return next_ms;
}
