/* rule/lexicon - what a matcher remembers of the words it met.
 *
 * Most words of a text were seen a moment ago. The lexicon keeps, for each of the last ones, the
 * ids of the tests it passes (mostly none), so that a word costs one probe of one cache line,
 * whatever the rules hold. Two words share a bucket; the older one gives way. Words over
 * LEXICON_WORD_BYTES are resolved every time. */
#ifndef RULE_LEXICON_H
#define RULE_LEXICON_H

#include "rule/vocab.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LEXICON_WORD_BYTES 24

#define LEXICON_NONE UINT32_MAX
#define LEXICON_LIST UINT32_C(0x80000000) /* an offset in ids; else the one id */

struct lexicon_slot {
    uint64_t key[2];
    uint64_t rest; /* bytes 16-23 */
    uint32_t what; /* size, language, a bit that says it is in use */
    uint32_t ids;
};

struct lexicon_bucket {
    struct lexicon_slot slots[2];
};

struct lexicon {
    const struct vocab *vocab;
    struct vocab_stems *stems;
    struct lexicon_bucket *buckets;
    size_t mask;
    bool knows_languages;
    GArray *ids;   /* count, ids …: of words that pass several tests */
    GArray *found; /* of the word at hand */
};

struct lexicon *lexicon_new(const struct vocab *vocab); /* borrowed */
void lexicon_free(struct lexicon *lexicon);
size_t lexicon_bytes(const struct lexicon *lexicon);
/* To be called for words that are about to be looked up, a little after lexicon_prefetch(). */
void lexicon_prefetch_vocab(const struct lexicon *lexicon, const struct word *word);
/* What lexicon_find() does with a word that is not remembered. */
const uint32_t *lexicon_resolve(struct lexicon *lexicon, const struct word *word, unsigned language,
                                const struct lexicon_slot *slot, size_t *ret_n);

/* To be called a few words ahead. */
static inline void lexicon_prefetch(const struct lexicon *lexicon, const struct word *word)
{
    __builtin_prefetch(&lexicon->buckets[word->hash & lexicon->mask]);
}

static inline struct lexicon_slot lexicon_slot(const struct lexicon *lexicon,
                                               const struct word *word, unsigned language)
{
    struct lexicon_slot slot = {.key = {word->key[0], word->key[1]},
                                .what = 0x10000u | word->size |
                                        (lexicon->knows_languages ? language << 8 : 0)};
    if (word->size > WORD_KEY_BYTES) {
        memcpy(&slot.rest, word->folded + WORD_KEY_BYTES, sizeof slot.rest);
        slot.rest &= GUINT64_TO_LE(UINT64_MAX >> (8 * (LEXICON_WORD_BYTES - word->size) & 63));
    }
    return slot;
}

/* 0 where they are the same. */
static inline uint64_t lexicon_differs(const struct lexicon_slot *a, const struct lexicon_slot *b)
{
    return (a->key[0] ^ b->key[0]) | (a->key[1] ^ b->key[1]) | (a->rest ^ b->rest) |
           (a->what ^ b->what);
}

/* The ids of the tests the word passes, valid until the next call, and how many. Which of the two
 * slots it is in cannot be foretold, so that there is no branch on it. */
static inline const uint32_t *lexicon_find(struct lexicon *lexicon, const struct word *word,
                                           unsigned language, size_t *ret_n)
{
    const struct lexicon_bucket *bucket = &lexicon->buckets[word->hash & lexicon->mask];
    struct lexicon_slot wanted = lexicon_slot(lexicon, word, language);
    uint64_t first = lexicon_differs(&bucket->slots[0], &wanted);
    uint64_t second = lexicon_differs(&bucket->slots[1], &wanted);
    if (G_UNLIKELY((first && second) || word->size > LEXICON_WORD_BYTES))
        return lexicon_resolve(lexicon, word, language, &wanted, ret_n);
    const uint32_t *ids = &bucket->slots[first != 0].ids;
    *ret_n = *ids != LEXICON_NONE;
    if (*ids == LEXICON_NONE || !(*ids & LEXICON_LIST))
        return ids;
    ids = &g_array_index(lexicon->ids, uint32_t, *ids & ~LEXICON_LIST);
    *ret_n = *ids;
    return ids + 1;
}

#endif
