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

#define LEXICON_WORD_BYTES 22

#define LEXICON_NONE UINT32_MAX
#define LEXICON_LIST UINT32_C(0x80000000) /* an offset in ids; else the one id */

struct lexicon_bucket;

struct lexicon {
    const struct vocab *vocab;
    struct vocab_stems *stems;
    struct lexicon_bucket *buckets;
    size_t mask;
    bool knows_languages;
    GArray *ids;       /* count, ids …: of words that pass several tests */
    GArray *resolved;  /* of the word at hand */
    uint32_t *missing; /* places in sifted, of the chunk at hand */
    size_t missing_size;
};

struct lexicon *lexicon_new(const struct vocab *vocab); /* borrowed */
void lexicon_free(struct lexicon *lexicon);
size_t lexicon_bytes(const struct lexicon *lexicon);
/* Looks up the words list[sifted[i]] of an item in that language. What is found for each stands for
 * the ids of the tests it passes, lexicon_ids(), until the next call. */
void lexicon_find(struct lexicon *lexicon, const struct word *list, const uint32_t *sifted,
                  size_t n, unsigned language, uint32_t *found);

static inline const uint32_t *lexicon_ids(const struct lexicon *lexicon, const uint32_t *found,
                                          size_t *ret_n)
{
    if (*found == LEXICON_NONE || !(*found & LEXICON_LIST)) {
        *ret_n = *found != LEXICON_NONE;
        return found;
    }
    const uint32_t *list = &g_array_index(lexicon->ids, uint32_t, *found & ~LEXICON_LIST);
    *ret_n = *list;
    return list + 1;
}

#endif
