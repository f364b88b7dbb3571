#include "store/store_churn.h"

#include "store/store_archive.h"

#include <stdlib.h>
#include <string.h>

/* Fewer than this are adopted only where their texts and dates are the very same. */
#define WEAK_MIN   3
#define DATE_GAP_S 86400

struct old { /* a recent row that no item of the document led to */
    int64_t row;
    uint64_t text_hash;
    char *title;
    int64_t published_s;
};

struct churn {
    const struct feed_doc *doc;
    const struct doc_keys *doc_keys;
    struct item_match *matches;
    GHashTable *by_title; /* title -> struct old; NULL where it stands twice */
    size_t n_items, n_unknown, n_found, n_same;
};

static void old_free(void *data)
{
    struct old *old = data;
    if (old)
        g_free(old->title);
    g_free(old);
}

static void count(struct churn *churn)
{
    for (size_t i = 0; i < churn->doc->n_items; i++) {
        if (doc_keys_is_repeat(churn->doc_keys, i))
            continue;
        churn->n_items++;
        churn->n_unknown += churn->matches[i].row == 0;
    }
}

static void add_old(struct churn *churn, const struct old *row)
{
    struct old *copy =
        g_hash_table_contains(churn->by_title, row->title) ? NULL : g_memdup2(row, sizeof *row);
    char *key = g_strdup(row->title);
    if (copy)
        copy->title = g_strdup(row->title);
    g_hash_table_replace(churn->by_title, key, copy);
}

/* Twice as many rows as the document has items, newest first: what its last version showed. */
static void load_old(struct storage *storage, int64_t feed_row, struct churn *churn)
{
    g_autoptr(GHashTable) taken = g_hash_table_new(g_int64_hash, g_int64_equal);
    for (size_t i = 0; i < churn->doc->n_items; i++)
        if (churn->matches[i].row != 0)
            g_hash_table_add(taken, &churn->matches[i].row);
    sqlite3_stmt *query = db_query(storage->db, DB_ITEM_SCAN);
    sqlite3_bind_int64(query, 1, feed_row);
    for (size_t i = 0; i < 2 * churn->n_items && db_next(storage->db, query); i++) {
        int64_t row = sqlite3_column_int64(query, 0);
        struct feed_item *item =
            g_hash_table_contains(taken, &row) ? NULL : archive_get(storage->db, row);
        if (item && item->title) {
            const struct old old = {row, (uint64_t)sqlite3_column_int64(query, 1),
                                    (char *)(uintptr_t)item->title, item->published_s};
            add_old(churn, &old);
        }
        archive_item_free(item);
    }
    sqlite3_reset(query);
}

static bool is_dated(int64_t time_s)
{
    return time_s != FEED_TIME_NONE;
}

static bool is_same_text(const struct feed_item *item, const struct old *old)
{
    return identity_text_hash(item) == old->text_hash;
}

static bool is_same_item(const struct feed_item *item, const struct old *old)
{
    if (!is_dated(item->published_s) || !is_dated(old->published_s))
        return is_same_text(item, old);
    return llabs(item->published_s - old->published_s) <= DATE_GAP_S;
}

static bool is_very_same(const struct feed_item *item, const struct old *old)
{
    return is_dated(old->published_s) && item->published_s == old->published_s &&
           is_same_text(item, old);
}

static void find_candidates(struct churn *churn, const struct old **candidates)
{
    g_autoptr(GHashTable) titles = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < churn->doc->n_items; i++) {
        const struct feed_item *item = &churn->doc->items[i];
        gpointer first;
        if (!item->title || doc_keys_is_repeat(churn->doc_keys, i))
            continue;
        if (g_hash_table_lookup_extended(titles, item->title, NULL, &first)) {
            candidates[GPOINTER_TO_SIZE(first)] = NULL;
            continue;
        }
        g_hash_table_insert(titles, (gpointer)(uintptr_t)item->title, GSIZE_TO_POINTER(i));
        const struct old *old = g_hash_table_lookup(churn->by_title, item->title);
        if (old && churn->matches[i].row == 0 && is_same_item(item, old))
            candidates[i] = old;
    }
}

static void weigh(struct churn *churn, const struct old *const *candidates)
{
    for (size_t i = 0; i < churn->doc->n_items; i++) {
        if (!candidates[i])
            continue;
        churn->n_found++;
        churn->n_same += is_very_same(&churn->doc->items[i], candidates[i]);
    }
}

static bool is_churn(const struct churn *churn)
{
    return churn->n_found > 0 && 2 * churn->n_found >= churn->n_unknown &&
           (churn->n_found >= WEAK_MIN || churn->n_found == churn->n_same);
}

static void adopt(struct churn *churn, const struct old *const *candidates)
{
    for (size_t i = 0; i < churn->doc->n_items; i++) {
        if (!candidates[i])
            continue;
        churn->matches[i] = (struct item_match){
            .row = candidates[i]->row,
            .text_hash = candidates[i]->text_hash,
            .is_adopted = true,
        };
    }
}

bool churn_adopt(struct storage *storage, int64_t feed_row, const struct feed_doc *doc,
                 const struct doc_keys *doc_keys, struct item_match *matches)
{
    struct churn churn = {.doc = doc, .doc_keys = doc_keys, .matches = matches};
    count(&churn);
    if (2 * churn.n_unknown <= churn.n_items)
        return false;
    churn.by_title = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, old_free);
    load_old(storage, feed_row, &churn);
    g_autofree const struct old **candidates = g_new0(const struct old *, doc->n_items + 1);
    find_candidates(&churn, candidates);
    weigh(&churn, candidates);
    bool done = is_churn(&churn);
    if (done)
        adopt(&churn, candidates);
    g_hash_table_unref(churn.by_title);
    return done;
}
