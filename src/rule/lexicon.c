#include "rule/lexicon.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 2048u  /* 128 KiB */
#define BUCKETS_MAX 65536u /* 4 MiB */
#define IDS_MAX     (1u << 19)
#define CACHE_LINE  64u
#define LIST_BIT    UINT32_C(0x80000000) /* an offset in ids; else the one id */
#define NO_IDS      UINT32_MAX

struct slot {
    uint64_t key[2];
    uint64_t rest; /* bytes 16-23 */
    uint32_t what; /* size, language, a bit that says it is in use */
    uint32_t ids;
};

struct bucket {
    struct slot slots[2];
};
G_STATIC_ASSERT(sizeof(struct bucket) == CACHE_LINE);

struct lexicon {
    const struct vocab *vocab;
    struct vocab_stems *stems;
    struct bucket *buckets;
    size_t mask;
    bool knows_languages;
    GArray *ids;   /* count, ids …: of words that pass several tests */
    GArray *found; /* of the word at hand */
};

struct lexicon *lexicon_new(const struct vocab *vocab)
{
    struct lexicon *lexicon = g_new0(struct lexicon, 1);
    size_t n = BUCKETS_MIN;
    while (n < BUCKETS_MAX && n < vocab_size(vocab))
        n *= 2;
    lexicon->vocab = vocab;
    lexicon->stems = vocab_stems_new(vocab);
    lexicon->mask = n - 1;
    lexicon->buckets = aligned_alloc(CACHE_LINE, n * sizeof(struct bucket));
    if (!lexicon->buckets)
        g_error("out of memory");
    memset(lexicon->buckets, 0, n * sizeof(struct bucket));
    lexicon->knows_languages = vocab_has_inflections(vocab);
    lexicon->ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    lexicon->found = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    return lexicon;
}

void lexicon_free(struct lexicon *lexicon)
{
    if (!lexicon)
        return;
    vocab_stems_free(lexicon->stems);
    free(lexicon->buckets);
    g_array_unref(lexicon->ids);
    g_array_unref(lexicon->found);
    g_free(lexicon);
}

size_t lexicon_bytes(const struct lexicon *lexicon)
{
    return sizeof *lexicon + (lexicon->mask + 1) * sizeof(struct bucket) +
           lexicon->ids->len * sizeof(uint32_t);
}

void lexicon_prefetch_vocab(const struct lexicon *lexicon, const struct word *word)
{
    const struct bucket *bucket = &lexicon->buckets[word->hash & lexicon->mask];
    bool is_there =
        (bucket->slots[0].key[0] == word->key[0]) | (bucket->slots[1].key[0] == word->key[0]);
    if (!is_there)
        vocab_prefetch(lexicon->vocab, word);
}

void lexicon_prefetch(const struct lexicon *lexicon, const struct word *word)
{
    __builtin_prefetch(&lexicon->buckets[word->hash & lexicon->mask]);
}

static void forget_all(struct lexicon *lexicon)
{
    memset(lexicon->buckets, 0, (lexicon->mask + 1) * sizeof(struct bucket));
    g_array_set_size(lexicon->ids, 0);
}

static uint32_t store_ids(struct lexicon *lexicon)
{
    const GArray *found = lexicon->found;
    if (found->len == 0)
        return NO_IDS;
    if (found->len == 1)
        return g_array_index(found, uint32_t, 0);
    if (lexicon->ids->len + found->len >= IDS_MAX)
        forget_all(lexicon);
    uint32_t at = lexicon->ids->len, n = found->len;
    g_array_append_val(lexicon->ids, n);
    g_array_append_vals(lexicon->ids, found->data, n);
    return LIST_BIT | at;
}

static size_t load_ids(const struct lexicon *lexicon, const uint32_t *ids, const uint32_t **ret_ids)
{
    if (*ids == NO_IDS)
        return 0;
    if (*ids & LIST_BIT) {
        const uint32_t *list = &g_array_index(lexicon->ids, uint32_t, *ids & ~LIST_BIT);
        *ret_ids = list + 1;
        return *list;
    }
    *ret_ids = ids;
    return 1;
}

static size_t resolve(struct lexicon *lexicon, const struct word *word, unsigned language,
                      const uint32_t **ret_ids)
{
    g_array_set_size(lexicon->found, 0);
    vocab_resolve(lexicon->vocab, lexicon->stems, word, language, lexicon->found);
    *ret_ids = (const uint32_t *)(const void *)lexicon->found->data;
    return lexicon->found->len;
}

static inline bool is_same(const struct slot *slot, const struct slot *wanted)
{
    return slot->key[0] == wanted->key[0] && slot->key[1] == wanted->key[1] &&
           slot->rest == wanted->rest && slot->what == wanted->what;
}

size_t lexicon_find(struct lexicon *lexicon, const struct word *word, unsigned language,
                    const uint32_t **ret_ids)
{
    if (word->size > LEXICON_WORD_BYTES)
        return resolve(lexicon, word, language, ret_ids);
    struct bucket *bucket = &lexicon->buckets[word->hash & lexicon->mask];
    struct slot wanted = {.key = {word->key[0], word->key[1]},
                          .what = 0x10000u | word->size |
                                  (lexicon->knows_languages ? language << 8 : 0)};
    if (word->size > WORD_KEY_BYTES)
        memcpy(&wanted.rest, word->folded + WORD_KEY_BYTES, word->size - WORD_KEY_BYTES);
    for (int way = 0; way < 2; way++)
        if (is_same(&bucket->slots[way], &wanted))
            return load_ids(lexicon, &bucket->slots[way].ids, ret_ids);
    size_t n = resolve(lexicon, word, language, ret_ids);
    wanted.ids = store_ids(lexicon);
    bucket->slots[1] = bucket->slots[0];
    bucket->slots[0] = wanted;
    return n;
}
