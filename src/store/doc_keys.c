#include "store/doc_keys.h"

#include <string.h>

#define NOBODY SIZE_MAX
/* So that the hash of a text is not taken for a key of another kind. */
#define TEXT_KEY_SALT UINT64_C(0x9E3779B97F4A7C15)

struct entry {
    uint64_t key;
    size_t item; /* at first the first that carries it, then the one it counts for */
    unsigned rank;
    bool is_used, is_shared;
};

struct doc_keys {
    struct entry *entries; /* open addressing, linear */
    size_t mask;
    struct identity_keys *keys;
    bool *is_repeat;
};

static size_t table_size(size_t n)
{
    size_t size = 16;
    while (size < 2 * n)
        size *= 2;
    return size;
}

/* The keys are hashes already, but nothing says that their low bits are good. */
static struct entry *slot_of(const struct doc_keys *doc_keys, uint64_t key)
{
    size_t i = (size_t)((key * TEXT_KEY_SALT) >> 32) & doc_keys->mask;
    while (doc_keys->entries[i].is_used && doc_keys->entries[i].key != key)
        i = (i + 1) & doc_keys->mask;
    return &doc_keys->entries[i];
}

static bool is_equal(const struct identity_keys *a, const struct identity_keys *b)
{
    return a->n == b->n && memcmp(a->key, b->key, a->n * sizeof *a->key) == 0;
}

static bool is_same_as_earlier(const struct doc_keys *doc_keys, const struct identity_keys *all,
                               size_t item)
{
    for (size_t k = 0; k < all[item].n; k++) {
        const struct entry *entry = slot_of(doc_keys, all[item].key[k]);
        if (entry->is_used && is_equal(&all[entry->item], &all[item]))
            return true;
    }
    return false;
}

static void enter(struct doc_keys *doc_keys, const struct identity_keys *all, size_t item)
{
    doc_keys->is_repeat[item] = is_same_as_earlier(doc_keys, all, item);
    for (size_t k = 0; !doc_keys->is_repeat[item] && k < all[item].n; k++) {
        struct entry *entry = slot_of(doc_keys, all[item].key[k]);
        if (entry->is_used && entry->item != item)
            entry->is_shared = true;
        else if (!entry->is_used)
            *entry = (struct entry){all[item].key[k], item, 0, true, false};
    }
}

/* Moves the keys that count for the item to its own list. */
static void take_keys(struct doc_keys *doc_keys, const struct identity_keys *all, size_t item,
                      bool shared_ones)
{
    struct identity_keys *mine = &doc_keys->keys[item];
    for (size_t k = 0; k < all[item].n; k++) {
        struct entry *entry = slot_of(doc_keys, all[item].key[k]);
        if (entry->is_shared != shared_ones || (shared_ones && entry->item != NOBODY))
            continue;
        entry->item = item;
        entry->rank = (unsigned)mine->n;
        mine->key[mine->n++] = entry->key;
    }
}

static void take_text_key(struct doc_keys *doc_keys, const struct feed_item *item, size_t index)
{
    uint64_t key = identity_text_hash(item) ^ TEXT_KEY_SALT;
    doc_keys->keys[index] = (struct identity_keys){.key = {key}, .n = 1};
    struct entry *entry = slot_of(doc_keys, key);
    if (entry->is_used)
        doc_keys->is_repeat[index] = true;
    else
        *entry = (struct entry){key, index, 0, true, false};
}

static size_t count_keys(const struct feed_doc *doc, const struct identity_keys *keys)
{
    size_t n = 0;
    for (size_t i = 0; i < doc->n_items; i++)
        n += keys[i].n + 1;
    return n;
}

static void disown_shared(struct doc_keys *doc_keys)
{
    for (size_t i = 0; i <= doc_keys->mask; i++)
        if (doc_keys->entries[i].is_shared)
            doc_keys->entries[i].item = NOBODY;
}

struct doc_keys *doc_keys_new(const struct feed_doc *doc, const struct identity_keys *keys)
{
    struct doc_keys *doc_keys = g_new0(struct doc_keys, 1);
    size_t size = table_size(count_keys(doc, keys));
    doc_keys->entries = g_new0(struct entry, size);
    doc_keys->mask = size - 1;
    doc_keys->keys = g_new0(struct identity_keys, doc->n_items + 1);
    doc_keys->is_repeat = g_new0(bool, doc->n_items + 1);
    for (size_t i = 0; i < doc->n_items; i++)
        enter(doc_keys, keys, i);
    disown_shared(doc_keys);
    for (size_t i = 0; i < doc->n_items; i++)
        if (!doc_keys->is_repeat[i])
            take_keys(doc_keys, keys, i, false);
    for (size_t i = 0; i < doc->n_items; i++)
        if (!doc_keys->is_repeat[i] && doc_keys->keys[i].n == 0)
            take_keys(doc_keys, keys, i, true);
    for (size_t i = 0; i < doc->n_items; i++)
        if (!doc_keys->is_repeat[i] && doc_keys->keys[i].n == 0)
            take_text_key(doc_keys, &doc->items[i], i);
    return doc_keys;
}

void doc_keys_free(struct doc_keys *doc_keys)
{
    if (!doc_keys)
        return;
    g_free(doc_keys->entries);
    g_free(doc_keys->keys);
    g_free(doc_keys->is_repeat);
    g_free(doc_keys);
}

bool doc_keys_find(const struct doc_keys *doc_keys, uint64_t key, struct doc_key *ret_key)
{
    const struct entry *entry = slot_of(doc_keys, key);
    if (!entry->is_used || entry->item == NOBODY)
        return false;
    *ret_key = (struct doc_key){entry->item, entry->rank};
    return true;
}

const struct identity_keys *doc_keys_of(const struct doc_keys *doc_keys, size_t item)
{
    return &doc_keys->keys[item];
}

bool doc_keys_is_repeat(const struct doc_keys *doc_keys, size_t item)
{
    return doc_keys->is_repeat[item];
}
