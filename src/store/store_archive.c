#include "store/store_archive.h"

#include <string.h>

/* Between the entries of a list, and between the parts of an entry: control characters, which clean
 * text never has. */
#define ENTRY_END "\x1e"
#define PART_END  "\x1f"

/* ---- lists as text ---- */

static char *categories_to_text(const struct feed_item *item)
{
    return item->categories && item->categories[0]
               ? g_strjoinv(ENTRY_END, (char **)(uintptr_t)item->categories)
               : NULL;
}

static char *authors_to_text(const struct feed_item *item)
{
    if (item->n_authors == 0)
        return NULL;
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < item->n_authors; i++) {
        const struct feed_author *author = &item->authors[i];
        g_string_append_printf(out, "%s%s" PART_END "%s" PART_END "%s", i > 0 ? ENTRY_END : "",
                               author->name ? author->name : "", author->email ? author->email : "",
                               author->url ? author->url : "");
    }
    return g_string_free(out, FALSE);
}

static const char *text_or_null(char **parts, guint n, guint index)
{
    char *text = index < n && *parts[index] ? g_strdup(parts[index]) : NULL;
    return text;
}

static struct feed_author *authors_from_text(const char *text, size_t *ret_n)
{
    g_auto(GStrv) entries = g_strsplit(text, ENTRY_END, -1);
    guint n = g_strv_length(entries);
    struct feed_author *authors = g_new0(struct feed_author, n);
    for (guint i = 0; i < n; i++) {
        g_auto(GStrv) parts = g_strsplit(entries[i], PART_END, 3);
        guint n_parts = g_strv_length(parts);
        authors[i].name = text_or_null(parts, n_parts, 0);
        authors[i].email = text_or_null(parts, n_parts, 1);
        authors[i].url = text_or_null(parts, n_parts, 2);
    }
    *ret_n = n;
    return authors;
}

/* ---- an item that owns its parts ---- */

static void free_text(const char *text)
{
    g_free((gpointer)(uintptr_t)text);
}

void archive_item_free(struct feed_item *item)
{
    if (!item)
        return;
    for (size_t i = 0; i < item->n_authors; i++) {
        free_text(item->authors[i].name);
        free_text(item->authors[i].email);
        free_text(item->authors[i].url);
    }
    g_free((gpointer)(uintptr_t)item->authors);
    g_strfreev((char **)(uintptr_t)item->categories);
    free_text(item->id);
    free_text(item->title);
    free_text(item->link);
    free_text(item->language);
    free_text(item->summary);
    free_text(item->content);
    g_free(item);
}

static int64_t time_of(sqlite3_stmt *row, int column)
{
    return sqlite3_column_type(row, column) == SQLITE_NULL ? FEED_TIME_NONE
                                                           : sqlite3_column_int64(row, column);
}

struct feed_item *archive_item_from_row(sqlite3_stmt *row, int column)
{
    struct feed_item *item = g_new0(struct feed_item, 1);
    item->published_s = time_of(row, column);
    item->updated_s = time_of(row, column + 1);
    item->id = db_dup_text(row, column + 2);
    item->title = db_dup_text(row, column + 3);
    item->link = db_dup_text(row, column + 4);
    item->language = db_dup_text(row, column + 5);
    const char *authors = (const char *)sqlite3_column_text(row, column + 6);
    if (authors)
        item->authors = authors_from_text(authors, &item->n_authors);
    const char *categories = (const char *)sqlite3_column_text(row, column + 7);
    if (categories)
        item->categories = (const char *const *)g_strsplit(categories, ENTRY_END, -1);
    item->summary = db_dup_text(row, column + 8);
    item->content = db_dup_text(row, column + 9);
    return item;
}

/* ---- rows ---- */

static void bind_time(sqlite3_stmt *query, int index, int64_t time_s)
{
    if (time_s == FEED_TIME_NONE)
        sqlite3_bind_null(query, index);
    else
        sqlite3_bind_int64(query, index, time_s);
}

static void write_row(struct db *db, enum db_query which, int64_t id, int64_t feed_row,
                      int64_t now_s, const struct feed_item *item)
{
    g_autofree char *authors = authors_to_text(item);
    g_autofree char *categories = categories_to_text(item);
    sqlite3_stmt *query = db_query(db, which);
    sqlite3_bind_int64(query, 1, id);
    sqlite3_bind_int64(query, 2, feed_row);
    sqlite3_bind_int64(query, 3, now_s);
    bind_time(query, 4, item->published_s);
    bind_time(query, 5, item->updated_s);
    db_bind_text(query, 6, item->id);
    db_bind_text(query, 7, item->title);
    db_bind_text(query, 8, item->link);
    db_bind_text(query, 9, item->language);
    db_bind_text(query, 10, authors);
    db_bind_text(query, 11, categories);
    db_bind_text(query, 12, item->summary);
    db_bind_text(query, 13, item->content);
    db_run(db, query);
}

void archive_insert(struct storage *storage, int64_t id, int64_t feed_row, int64_t now_s,
                    const struct feed_item *item)
{
    write_row(storage->db, DB_TEXT_INSERT, id, feed_row, now_s, item);
}

void archive_update(struct storage *storage, int64_t id, int64_t feed_row, int64_t now_s,
                    const struct feed_item *item)
{
    write_row(storage->db, DB_TEXT_UPDATE, id, feed_row, now_s, item);
    if (db_code(storage->db) == SQLITE_OK && db_changes(storage->db) == 0)
        archive_insert(storage, id, feed_row, now_s, item);
}

struct feed_item *archive_get(struct db *db, int64_t id)
{
    sqlite3_stmt *query = db_query(db, DB_TEXT_GET);
    sqlite3_bind_int64(query, 1, id);
    struct feed_item *item = NULL;
    if (db_next(db, query)) {
        item = archive_item_from_row(query, 0);
        sqlite3_reset(query);
    }
    return item;
}

int64_t archive_first_seen_s(struct db *db, int64_t id, int64_t otherwise)
{
    sqlite3_stmt *query = db_query(db, DB_TEXT_FIRST_SEEN);
    sqlite3_bind_int64(query, 1, id);
    int64_t first_seen_s = otherwise;
    if (db_next(db, query)) {
        first_seen_s = sqlite3_column_int64(query, 0);
        sqlite3_reset(query);
    }
    return first_seen_s;
}
