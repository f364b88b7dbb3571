#include "store/store_item.h"

#include "store/doc_keys.h"
#include "store/store_archive.h"
#include "store/store_churn.h"

#include <string.h>

#define TOUCH_S 86400
/* Keys that one item may gather; the oldest go first. */
#define ITEM_KEYS_MAX 16

/* ---- finding the known ones ---- */

struct found_row { /* a stored row under examination: which items of the document it knows */
    struct {
        size_t item;
        uint32_t ranks; /* bit r: the key of rank r is stored */
    } hits[ITEM_KEYS_MAX];
    size_t n_hits;
};

static void note_hit(struct found_row *found, struct doc_key key)
{
    for (size_t i = 0; i < found->n_hits; i++) {
        if (found->hits[i].item == key.item) {
            found->hits[i].ranks |= 1u << key.rank;
            return;
        }
    }
    if (found->n_hits < ITEM_KEYS_MAX) {
        found->hits[found->n_hits].item = key.item;
        found->hits[found->n_hits++].ranks = 1u << key.rank;
    }
}

static void look_up_row(const struct doc_keys *doc_keys, const void *blob, size_t size,
                        struct found_row *found)
{
    found->n_hits = 0;
    for (size_t at = 0; at + sizeof(uint64_t) <= size; at += sizeof(uint64_t)) {
        uint64_t key;
        struct doc_key place;
        memcpy(&key, (const char *)blob + at, sizeof key);
        if (doc_keys_find(doc_keys, key, &place))
            note_hit(found, place);
    }
}

/* Returns how many items came to their strongest key by this row. */
static size_t take_row(struct item_match *matches, const struct found_row *found, int64_t row,
                       uint64_t text_hash)
{
    size_t settled = 0;
    for (size_t i = 0; i < found->n_hits; i++) {
        struct item_match *match = &matches[found->hits[i].item];
        unsigned rank = (unsigned)__builtin_ctz(found->hits[i].ranks);
        if (match->row != 0 && match->rank <= rank)
            continue;
        settled += rank == 0;
        match->row = row;
        match->rank = rank;
        match->known_ranks = found->hits[i].ranks;
        match->text_hash = text_hash;
    }
    return settled;
}

/* The newest rows come first and most of a document is in them, so that the scan of a long history
 * ends early unless something is new. */
static void scan(struct storage *storage, int64_t feed_row, const struct doc_keys *doc_keys,
                 size_t n_items, struct item_match *matches)
{
    size_t open = 0;
    for (size_t i = 0; i < n_items; i++)
        open += !doc_keys_is_repeat(doc_keys, i);
    sqlite3_stmt *query = db_query(storage->db, DB_ITEM_SCAN);
    sqlite3_bind_int64(query, 1, feed_row);
    while (open > 0 && db_next(storage->db, query)) {
        struct found_row found;
        const void *blob = sqlite3_column_blob(query, 2);
        look_up_row(doc_keys, blob, (size_t)sqlite3_column_bytes(query, 2), &found);
        if (found.n_hits > 0)
            open -= take_row(matches, &found, sqlite3_column_int64(query, 0),
                             (uint64_t)sqlite3_column_int64(query, 1));
    }
    sqlite3_reset(query);
}

/* Two items may lead to one row, one by its guid, one by a link that it took over. The stronger
 * claim is the item; the other is known, but no edit of it. */
static void settle_claims(struct item_match *matches, size_t n_items)
{
    g_autoptr(GHashTable) owners = NULL;
    for (size_t i = 0; i < n_items; i++) {
        if (matches[i].row == 0)
            continue;
        if (!owners)
            owners = g_hash_table_new(g_int64_hash, g_int64_equal);
        struct item_match *owner = g_hash_table_lookup(owners, &matches[i].row);
        if (owner && owner->rank <= matches[i].rank) {
            matches[i].is_guest = true;
            continue;
        }
        if (owner)
            owner->is_guest = true;
        g_hash_table_replace(owners, &matches[i].row, &matches[i]);
    }
}

/* ---- learning ---- */

static void write_keys(struct storage *storage, int64_t feed_row, int64_t id, const uint64_t *keys,
                       size_t n_keys)
{
    size_t skip = n_keys > ITEM_KEYS_MAX ? n_keys - ITEM_KEYS_MAX : 0;
    sqlite3_stmt *query = db_query(storage->db, DB_ITEM_SET_KEYS);
    sqlite3_bind_int64(query, 1, feed_row);
    sqlite3_bind_int64(query, 2, id);
    sqlite3_bind_blob(query, 3, keys + skip, (int)((n_keys - skip) * sizeof *keys), SQLITE_STATIC);
    db_run(storage->db, query);
}

static bool has_key(const struct identity_keys *keys, uint64_t key)
{
    for (size_t k = 0; k < keys->n; k++)
        if (keys->key[k] == key)
            return true;
    return false;
}

/* What is in use stands last, so that only what is not goes when there are too many. */
static void learn_keys(struct storage *storage, int64_t feed_row, const struct item_match *match,
                       const struct identity_keys *keys)
{
    uint64_t all[ITEM_KEYS_MAX + IDENTITY_KEYS_MAX];
    sqlite3_stmt *query = db_query(storage->db, DB_ITEM_KEYS);
    sqlite3_bind_int64(query, 1, feed_row);
    sqlite3_bind_int64(query, 2, match->row);
    size_t n = 0;
    if (db_next(storage->db, query)) {
        const char *blob = sqlite3_column_blob(query, 0);
        size_t n_stored = (size_t)sqlite3_column_bytes(query, 0) / sizeof *all;
        for (size_t i = 0; i < MIN(n_stored, (size_t)ITEM_KEYS_MAX); i++) {
            memcpy(&all[n], blob + i * sizeof *all, sizeof *all);
            n += !has_key(keys, all[n]);
        }
        sqlite3_reset(query);
    }
    for (size_t k = 0; k < keys->n; k++)
        all[n++] = keys->key[k];
    write_keys(storage, feed_row, match->row, all, n);
}

static void touch(struct storage *storage, struct feed_slot *slot, const struct item_match *matches,
                  size_t n_items)
{
    int64_t now_s = clock_wall_s(storage->clock);
    /* Also when the clock was set back. */
    if (now_s - slot->touched_s < TOUCH_S && now_s >= slot->touched_s)
        return;
    for (size_t i = 0; i < n_items; i++) {
        if (matches[i].row == 0 || matches[i].is_guest)
            continue;
        sqlite3_stmt *query = db_query(storage->db, DB_ITEM_TOUCH);
        sqlite3_bind_int64(query, 1, slot->row);
        sqlite3_bind_int64(query, 2, matches[i].row);
        sqlite3_bind_int64(query, 3, now_s);
        db_run(storage->db, query);
    }
    feed_set_touched(storage, slot, now_s);
}

static void set_hash(struct storage *storage, int64_t feed_row, int64_t id, uint64_t text_hash)
{
    sqlite3_stmt *query = db_query(storage->db, DB_ITEM_SET_HASH);
    sqlite3_bind_int64(query, 1, feed_row);
    sqlite3_bind_int64(query, 2, id);
    sqlite3_bind_int64(query, 3, (int64_t)text_hash);
    db_run(storage->db, query);
}

static void learn(struct storage *storage, struct feed_slot *slot, const struct feed_doc *doc,
                  const struct doc_keys *doc_keys, const struct item_match *matches)
{
    for (size_t i = 0; i < doc->n_items; i++) {
        const struct item_match *match = &matches[i];
        const struct identity_keys *keys = doc_keys_of(doc_keys, i);
        if (match->row == 0 || match->is_guest)
            continue;
        if (match->known_ranks != (1u << keys->n) - 1)
            learn_keys(storage, slot->row, match, keys);
        if (match->is_adopted)
            set_hash(storage, slot->row, match->row, identity_text_hash(&doc->items[i]));
    }
    touch(storage, slot, matches, doc->n_items);
}

/* ---- verdicts ---- */

static char **alerted_rules(struct db *db, int64_t id)
{
    g_autoptr(GPtrArray) rules = g_ptr_array_new();
    sqlite3_stmt *query = db_query(db, DB_ALERT_RULES);
    sqlite3_bind_int64(query, 1, id);
    while (db_next(db, query))
        g_ptr_array_add(rules, db_dup_text(query, 0));
    g_ptr_array_add(rules, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&rules), FALSE);
}

static void judge(struct storage *storage, const struct feed_item *item,
                  const struct item_match *match, struct store_verdict *verdict)
{
    verdict->row = match->row;
    verdict->news = STORE_KNOWN;
    if (match->is_guest || match->is_adopted || identity_text_hash(item) == match->text_hash)
        return;
    verdict->news = STORE_CHANGED;
    verdict->before = archive_get(storage->db, match->row);
    verdict->alerted_rules = alerted_rules(storage->db, match->row);
}

static struct store_verdicts *verdicts_new(size_t n_items)
{
    struct store_verdicts *verdicts = g_new0(struct store_verdicts, 1);
    verdicts->items = g_new0(struct store_verdict, n_items + 1);
    verdicts->n_items = n_items;
    return verdicts;
}

void store_verdicts_free(struct store_verdicts *verdicts)
{
    if (!verdicts)
        return;
    for (size_t i = 0; i < verdicts->n_items; i++) {
        archive_item_free(verdicts->items[i].before);
        g_strfreev(verdicts->items[i].alerted_rules);
    }
    g_free(verdicts->items);
    g_free(verdicts);
}

static void fill(struct storage *storage, const struct feed_doc *doc,
                 const struct doc_keys *doc_keys, const struct item_match *matches,
                 struct store_verdicts *verdicts)
{
    for (size_t i = 0; i < doc->n_items; i++) {
        struct store_verdict *verdict = &verdicts->items[i];
        verdict->news = doc_keys_is_repeat(doc_keys, i) ? STORE_KNOWN : STORE_NEW;
        if (matches[i].row == 0)
            continue;
        judge(storage, &doc->items[i], &matches[i], verdict);
        verdicts->n_known++;
    }
}

struct store_verdicts *item_classify(struct storage *storage, const char *feed_id,
                                     const struct feed_doc *doc, const struct identity_keys *keys)
{
    struct store_verdicts *verdicts = verdicts_new(doc->n_items);
    struct doc_keys *doc_keys = doc_keys_new(doc, keys);
    g_autofree struct item_match *matches = g_new0(struct item_match, doc->n_items + 1);
    struct feed_slot *slot = feed_find_slot(storage, feed_id);
    if (slot) {
        scan(storage, slot->row, doc_keys, doc->n_items, matches);
        settle_claims(matches, doc->n_items);
        verdicts->is_churn = churn_adopt(storage, slot->row, doc, doc_keys, matches);
        learn(storage, slot, doc, doc_keys, matches);
    }
    fill(storage, doc, doc_keys, matches, verdicts);
    doc_keys_free(doc_keys);
    return verdicts;
}

/* ---- storing the news ---- */

static void insert_item(struct storage *storage, int64_t feed_row, int64_t id, int64_t now_s,
                        const struct identity_keys *keys, const struct feed_item *item)
{
    sqlite3_stmt *query = db_query(storage->db, DB_ITEM_INSERT);
    sqlite3_bind_int64(query, 1, feed_row);
    sqlite3_bind_int64(query, 2, id);
    sqlite3_bind_int64(query, 3, (int64_t)identity_text_hash(item));
    sqlite3_bind_int64(query, 4, now_s);
    sqlite3_bind_blob(query, 5, keys->key, (int)(keys->n * sizeof *keys->key), SQLITE_STATIC);
    db_run(storage->db, query);
    archive_insert(storage, id, feed_row, now_s, item);
}

void item_store(struct storage *storage, const struct feed_slot *slot,
                const struct store_commit *commit, int64_t *ret_rows)
{
    int64_t now_s = clock_wall_s(storage->clock);
    struct doc_keys *doc_keys = doc_keys_new(commit->doc, commit->keys);
    for (size_t i = 0; i < commit->doc->n_items; i++) {
        const struct feed_item *item = &commit->doc->items[i];
        const struct store_verdict *verdict = &commit->verdicts->items[i];
        ret_rows[i] = verdict->row;
        if (verdict->news == STORE_NEW) {
            ret_rows[i] = storage->next_item++;
            insert_item(storage, slot->row, ret_rows[i], now_s, doc_keys_of(doc_keys, i), item);
        } else if (verdict->news == STORE_CHANGED) {
            set_hash(storage, slot->row, verdict->row, identity_text_hash(item));
            archive_update(storage, verdict->row, slot->row, now_s, item);
        }
    }
    doc_keys_free(doc_keys);
}
