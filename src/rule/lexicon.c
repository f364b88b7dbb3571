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
    uint32_t hash; /* of the word in that language */
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
    return lexicon;
}

void lexicon_free(struct lexicon *lexicon)
{
    if (!lexicon)
        return;
    vocab_stems_free(lexicon->stems);
    free(lexicon->buckets);
    g_array_unref(lexicon->ids);
    g_free(lexicon->resolved.list);
    g_free(lexicon->lookups);
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

static inline uint64_t rest_in(const struct word *word, unsigned language)
{
    return word->rest | (uint64_t)language << 48;
}

static inline uint32_t hash_in(const struct word *word, unsigned language)
{
    return word->hash + language * UINT32_C(0x9E3779B1);
}

static inline struct lexicon_bucket *bucket_of(const struct lexicon *lexicon, uint32_t hash)
{
    return &lexicon->buckets[hash & lexicon->mask];
}

/* Which of the two slots it is in cannot be foretold, so that there is no branch on it: in the
 * first one, or else in the second. */
static inline bool find(const struct lexicon *lexicon, const struct word *word, unsigned language,
                        uint32_t *ret_ids)
{
    uint32_t hash = hash_in(word, language);
    const struct slot *slots = bucket_of(lexicon, hash)->slots, *slot = &slots[slots->hash != hash];
    *ret_ids = slot->ids;
    return !((slot->key[0] ^ word->key[0]) | (slot->key[1] ^ word->key[1]) |
             (slot->rest ^ rest_in(word, language)));
}

static uint32_t use_bits(enum lexicon_use use)
{
    static const uint32_t bits[LEXICON_USES] = {0, LEXICON_UNPLACED,
                                                LEXICON_UNPLACED | LEXICON_QUIET};
    return bits[use];
}

/* The ids of a word that passes several tests, in order of use. */
static uint32_t keep_list(struct lexicon *lexicon, const uint32_t *ids, size_t n)
{
    guint at = lexicon->ids->len;
    uint32_t n_kept = 0;
    enum lexicon_use first = LEXICON_IS_QUIET;
    if (at > LEXICON_REST)
        g_error("out of memory"); /* 2 GiB */
    g_array_set_size(lexicon->ids, at + LEXICON_USES + (guint)n);
    uint32_t *counts = &g_array_index(lexicon->ids, uint32_t, at), *kept = counts + LEXICON_USES;
    for (enum lexicon_use use = 0; use < LEXICON_USES; use++) {
        for (size_t i = 0; i < n; i++)
            if (lexicon_use(lexicon, ids[i]) == use) {
                kept[n_kept++] = ids[i];
                first = MIN(first, use);
            }
        counts[use] = n_kept;
    }
    return LEXICON_LIST | use_bits(first) | at;
}

static uint32_t keep_ids(struct lexicon *lexicon, const uint32_t *ids, size_t n)
{
    if (n == 0)
        return LEXICON_NONE;
    if (n == 1)
        return ids[0] | use_bits(lexicon_use(lexicon, ids[0]));
    return keep_list(lexicon, ids, n);
}

static uint32_t resolve(struct lexicon *lexicon, const struct word *word,
                        const struct vocab_lookup *lookups, size_t n, unsigned language)
{
    uint32_t hash = hash_in(word, language), ids;
    if (find(lexicon, word, language, &ids)) /* it was twice in the chunk */
        return ids;
    lexicon->resolved.n = 0;
    vocab_resolve(lexicon->vocab, lexicon->stems, word, lookups, n, language, &lexicon->resolved);
    ids = keep_ids(lexicon, lexicon->resolved.list, lexicon->resolved.n);
    if (word->size <= LEXICON_WORD_BYTES) {
        struct lexicon_bucket *bucket = bucket_of(lexicon, hash);
        bucket->slots[1] = bucket->slots[0];
        bucket->slots[0] = (struct slot){.key = {word->key[0], word->key[1]},
                                         .rest = rest_in(word, language),
                                         .ids = ids,
                                         .hash = hash};
    }
    return ids;
}

void lexicon_start(struct lexicon *lexicon, const uint8_t *uses)
{
    if (lexicon->ids->len >= IDS_MAX || uses != lexicon->uses)
        forget_all(lexicon);
    lexicon->uses = uses;
}

/* What the missing words take to look up; returns how many lookups. */
static size_t plan_missing(struct lexicon *lexicon, const struct word *list, size_t n_missing)
{
    size_t n = 0, n_each = vocab_lookups_max(lexicon->vocab);
    for (size_t i = 0; i < n_missing; i++) {
        uint32_t at = lexicon->missing[i];
        if (G_UNLIKELY(n + n_each > lexicon->lookups_size)) {
            lexicon->lookups_size = lexicon->lookups_size * 2 + n_each;
            lexicon->lookups =
                g_renew(struct vocab_lookup, lexicon->lookups, lexicon->lookups_size);
        }
        n += vocab_plan(lexicon->vocab, &list[at], at, lexicon->lookups + n);
    }
    return vocab_probe(lexicon->vocab, lexicon->lookups, n);
}

static void find_missing(struct lexicon *lexicon, const struct word *list, size_t n_missing,
                         unsigned language, uint32_t *found)
{
    size_t n_lookups = plan_missing(lexicon, list, n_missing);
    const struct vocab_lookup *lookup = lexicon->lookups, *end = lookup + n_lookups;
    for (size_t i = 0; i < n_missing; i++) {
        uint32_t at = lexicon->missing[i];
        const struct vocab_lookup *first = lookup;
        while (lookup < end && lookup->word == at)
            lookup++;
        found[at] = resolve(lexicon, &list[at], first, (size_t)(lookup - first), language);
    }
}

/* Those that the lexicon has; the places of the others are noted as missing. Returns how many. */
G_ALWAYS_INLINE static inline size_t find_known(struct lexicon *lexicon, const struct word *list,
                                                const uint32_t *sifted, size_t n, unsigned language,
                                                uint32_t *found)
{
    size_t n_missing = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = sifted ? sifted[i] : (uint32_t)i;
        __builtin_prefetch(bucket_of(lexicon, hash_in(&list[at], language)));
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t at = sifted ? sifted[i] : (uint32_t)i;
        lexicon->missing[n_missing] = at;
        n_missing += !find(lexicon, &list[at], language, &found[at]);
    }
    return n_missing;
}

void lexicon_find(struct lexicon *lexicon, const struct word *list, const uint32_t *sifted,
                  size_t n, unsigned language, uint32_t *found)
{
    if (!lexicon->knows_languages)
        language = LANGUAGE_NONE;
    if (G_UNLIKELY(n > lexicon->missing_size)) {
        lexicon->missing_size = n;
        lexicon->missing = g_renew(uint32_t, lexicon->missing, n);
    }
    size_t n_missing = sifted ? find_known(lexicon, list, sifted, n, language, found)
                              : find_known(lexicon, list, NULL, n, language, found);
    if (n_missing > 0)
        find_missing(lexicon, list, n_missing, language, found);
}
