#include "rule/lexicon.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 2048u  /* 128 KiB */
#define BUCKETS_MAX 65536u /* 4 MiB */
#define IDS_MAX     (1u << 19)
#define CACHE_LINE  64u

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
    return sizeof *lexicon + (lexicon->mask + 1) * sizeof(struct lexicon_bucket) +
           lexicon->ids->len * sizeof(uint32_t);
}

void lexicon_prefetch_vocab(const struct lexicon *lexicon, const struct word *word)
{
    const struct lexicon_bucket *bucket = &lexicon->buckets[word->hash & lexicon->mask];
    bool is_there =
        (bucket->slots[0].key[0] == word->key[0]) | (bucket->slots[1].key[0] == word->key[0]);
    if (!is_there)
        vocab_prefetch(lexicon->vocab, word);
}

static void forget_all(struct lexicon *lexicon)
{
    memset(lexicon->buckets, 0, (lexicon->mask + 1) * sizeof(struct lexicon_bucket));
    g_array_set_size(lexicon->ids, 0);
}

static uint32_t store_ids(struct lexicon *lexicon)
{
    const GArray *found = lexicon->found;
    if (found->len == 0)
        return LEXICON_NONE;
    if (found->len == 1)
        return g_array_index(found, uint32_t, 0);
    if (lexicon->ids->len + found->len >= IDS_MAX)
        forget_all(lexicon);
    uint32_t at = lexicon->ids->len, n = found->len;
    g_array_append_val(lexicon->ids, n);
    g_array_append_vals(lexicon->ids, found->data, n);
    return LEXICON_LIST | at;
}

const uint32_t *lexicon_resolve(struct lexicon *lexicon, const struct word *word, unsigned language,
                                const struct lexicon_slot *slot, size_t *ret_n)
{
    g_array_set_size(lexicon->found, 0);
    vocab_resolve(lexicon->vocab, lexicon->stems, word, language, lexicon->found);
    if (word->size <= LEXICON_WORD_BYTES) {
        struct lexicon_bucket *bucket = &lexicon->buckets[word->hash & lexicon->mask];
        uint32_t ids = store_ids(lexicon);
        bucket->slots[1] = bucket->slots[0];
        bucket->slots[0] = *slot;
        bucket->slots[0].ids = ids;
    }
    *ret_n = lexicon->found->len;
    return (const uint32_t *)(const void *)lexicon->found->data;
}
