#include "rule/lexicon.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 2048u  /* 128 KiB */
#define BUCKETS_MAX 65536u /* 4 MiB */
#define IDS_MAX     (1u << 19)
#define CACHE_LINE  64u

struct slot {
    uint64_t key[2];
    uint64_t rest; /* the word's, with the language; never 0, because the size is not */
    uint32_t ids;
};

struct lexicon_bucket {
    struct slot slots[2];
};
G_STATIC_ASSERT(sizeof(struct lexicon_bucket) == CACHE_LINE);

struct lexicon *lexicon_new(const struct vocab *vocab)
{
    struct lexicon *lexicon = g_new0(struct lexicon, 1);
    size_t n = BUCKETS_MIN;
    while (n < BUCKETS_MAX && n < vocab_size(vocab))
        n *= 2;
    lexicon->vocab = vocab;
    lexicon->stems = vocab_stems_new(vocab);
    lexicon->mask = n - 1;
    lexicon->buckets = aligned_alloc(CACHE_LINE, n * sizeof(struct lexicon_bucket));
    if (!lexicon->buckets)
        g_error("out of memory");
    memset(lexicon->buckets, 0, n * sizeof(struct lexicon_bucket));
    lexicon->knows_languages = vocab_has_inflections(vocab);
    lexicon->ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    lexicon->resolved = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    lexicon->lookups = g_array_new(FALSE, FALSE, sizeof(struct vocab_lookup));
    return lexicon;
}

void lexicon_free(struct lexicon *lexicon)
{
    if (!lexicon)
        return;
    vocab_stems_free(lexicon->stems);
    free(lexicon->buckets);
    g_array_unref(lexicon->ids);
    g_array_unref(lexicon->resolved);
    g_array_unref(lexicon->lookups);
    g_free(lexicon->missing);
    g_free(lexicon);
}

size_t lexicon_bytes(const struct lexicon *lexicon)
{
    return sizeof *lexicon + (lexicon->mask + 1) * sizeof(struct lexicon_bucket) +
           lexicon->ids->len * sizeof(uint32_t);
}

static void forget_all(struct lexicon *lexicon)
{
    memset(lexicon->buckets, 0, (lexicon->mask + 1) * sizeof(struct lexicon_bucket));
    g_array_set_size(lexicon->ids, 0);
}

/* 0 where it is in the slot. */
static inline uint64_t differs(const struct slot *slot, const struct word *word, uint64_t rest)
{
    return (slot->key[0] ^ word->key[0]) | (slot->key[1] ^ word->key[1]) | (slot->rest ^ rest);
}

/* Which of the two slots it is in cannot be foretold, so that there is no branch on it. */
static inline bool find(const struct lexicon *lexicon, const struct word *word, unsigned language,
                        uint32_t *ret_ids)
{
    const struct lexicon_bucket *bucket = &lexicon->buckets[word->hash & lexicon->mask];
    uint64_t rest = word->rest | (uint64_t)language << 48;
    uint64_t first = differs(&bucket->slots[0], word, rest);
    uint64_t second = differs(&bucket->slots[1], word, rest);
    *ret_ids = bucket->slots[first != 0].ids;
    return !first | !second;
}

static uint32_t use_bits(enum lexicon_use use)
{
    static const uint32_t bits[LEXICON_USES] = {0, LEXICON_UNPLACED,
                                                LEXICON_UNPLACED | LEXICON_QUIET};
    return bits[use];
}

static uint32_t keep_ids(struct lexicon *lexicon)
{
    const GArray *resolved = lexicon->resolved;
    const uint32_t *ids = (const uint32_t *)(const void *)resolved->data;
    uint32_t at = lexicon->ids->len, counts[LEXICON_USES] = {0};
    enum lexicon_use first = LEXICON_IS_QUIET;
    if (resolved->len == 0)
        return LEXICON_NONE;
    if (resolved->len == 1)
        return ids[0] | use_bits(lexicon_use(lexicon, ids[0]));
    if (at > LEXICON_REST)
        g_error("out of memory"); /* 2 GiB */
    g_array_append_vals(lexicon->ids, counts, LEXICON_USES);
    for (enum lexicon_use use = 0; use < LEXICON_USES; use++) {
        for (guint i = 0; i < resolved->len; i++)
            if (lexicon_use(lexicon, ids[i]) == use) {
                g_array_append_val(lexicon->ids, ids[i]);
                first = MIN(first, use);
            }
        counts[use] = lexicon->ids->len - at - LEXICON_USES;
    }
    memcpy(&g_array_index(lexicon->ids, uint32_t, at), counts, sizeof counts);
    return LEXICON_LIST | use_bits(first) | at;
}

static uint32_t resolve(struct lexicon *lexicon, const struct word *word,
                        const struct vocab_lookup *lookups, size_t n, unsigned language)
{
    uint32_t ids;
    if (find(lexicon, word, language, &ids)) /* it was twice in the chunk */
        return ids;
    g_array_set_size(lexicon->resolved, 0);
    vocab_resolve(lexicon->vocab, lexicon->stems, word, lookups, n, language, lexicon->resolved);
    ids = keep_ids(lexicon);
    if (word->size <= LEXICON_WORD_BYTES) {
        struct lexicon_bucket *bucket = &lexicon->buckets[word->hash & lexicon->mask];
        bucket->slots[1] = bucket->slots[0];
        bucket->slots[0] = (struct slot){.key = {word->key[0], word->key[1]},
                                         .rest = word->rest | (uint64_t)language << 48,
                                         .ids = ids};
    }
    return ids;
}

void lexicon_start(struct lexicon *lexicon, const uint8_t *uses)
{
    if (lexicon->ids->len >= IDS_MAX || uses != lexicon->uses)
        forget_all(lexicon);
    lexicon->uses = uses;
}

static void find_missing(struct lexicon *lexicon, const struct word *list, size_t n_missing,
                         unsigned language, uint32_t *found)
{
    const uint32_t *missing = lexicon->missing;
    g_array_set_size(lexicon->lookups, 0);
    for (size_t i = 0; i < n_missing; i++)
        vocab_plan(lexicon->vocab, &list[missing[i]], missing[i], lexicon->lookups);
    const struct vocab_lookup *lookup = (const void *)lexicon->lookups->data;
    const struct vocab_lookup *end = lookup + lexicon->lookups->len;
    vocab_prefetch(lexicon->vocab, lookup, lexicon->lookups->len);
    for (size_t i = 0; i < n_missing; i++) {
        size_t n = 0;
        while (lookup + n < end && lookup[n].word == missing[i])
            n++;
        found[missing[i]] = resolve(lexicon, &list[missing[i]], lookup, n, language);
        lookup += n;
    }
}

void lexicon_find(struct lexicon *lexicon, const struct word *list, const uint32_t *sifted,
                  size_t n, unsigned language, uint32_t *found)
{
    size_t n_missing = 0;
    if (!lexicon->knows_languages)
        language = LANGUAGE_NONE;
    if (G_UNLIKELY(n > lexicon->missing_size)) {
        lexicon->missing_size = n;
        lexicon->missing = g_renew(uint32_t, lexicon->missing, n);
    }
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(&lexicon->buckets[list[sifted[i]].hash & lexicon->mask]);
    for (size_t i = 0; i < n; i++) {
        uint32_t at = sifted[i];
        lexicon->missing[n_missing] = at;
        n_missing += !find(lexicon, &list[at], language, &found[at]);
    }
    if (n_missing > 0)
        find_missing(lexicon, list, n_missing, language, found);
}
