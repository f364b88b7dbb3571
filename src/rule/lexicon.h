/* rule/lexicon - what a matcher remembers of the words it met.
 *
 * Most words of a text were seen a moment ago. The lexicon keeps, for each of the last ones, the
 * ids of the tests it passes (mostly none), so that a word costs one probe of one cache line,
 * whatever the rules hold. Two words share a bucket; the older one gives way. Words over
 * LEXICON_WORD_BYTES are resolved every time.
 *
 * What the rules want to know of a test differs. Of most it is whether a word passed it at all
 * ("asked"), of some also which words did ("placed"). Those that are only a part of phrases, and
 * not the part that these are looked for by, are "quiet": a word that passes one is of interest
 * beside another word only, and that none does is not seen at once. */
#ifndef RULE_LEXICON_H
#define RULE_LEXICON_H

#include "rule/vocab.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEXICON_WORD_BYTES (WORD_KEY_BYTES + WORD_REST_BYTES)

/* What was found for a word: the one id of a test, or with LEXICON_LIST an offset in ids. */
#define LEXICON_LIST     UINT32_C(0x80000000)
#define LEXICON_QUIET    UINT32_C(0x40000000) /* all of its tests are */
#define LEXICON_UNPLACED UINT32_C(0x20000000) /* none of its tests is placed */
#define LEXICON_NONE     UINT32_MAX           /* no test at all; has all these bits */
#define LEXICON_REST     UINT32_C(0x1FFFFFFF)

enum lexicon_use { LEXICON_IS_PLACED, LEXICON_IS_ASKED, LEXICON_IS_QUIET, LEXICON_USES };

struct lexicon_bucket;

struct lexicon {
    const struct vocab *vocab;
    struct vocab_stems *stems;
    struct lexicon_bucket *buckets;
    size_t mask;
    bool knows_languages;
    const uint8_t *uses; /* enum lexicon_use for each test, borrowed; NULL: all are placed */
    GArray *ids; /* for words that pass several tests: for each use, how many tests of it or of one
                    before it; then the tests in order of use */
    struct vocab_ids resolved;    /* of the word at hand */
    struct vocab_lookup *lookups; /* of the words of the chunk at hand that are missing */
    size_t lookups_size;
    uint32_t *missing; /* their places in list */
    size_t missing_size;
};

struct lexicon *lexicon_new(const struct vocab *vocab); /* borrowed */
void lexicon_free(struct lexicon *lexicon);
size_t lexicon_bytes(const struct lexicon *lexicon);
/* To be called before the words of an item are looked up. uses is borrowed until the next call. */
void lexicon_start(struct lexicon *lexicon, const uint8_t *uses);
/* Looks up the n words list[sifted[i]] of an item in that language; with sifted NULL, the first n.
 * What is found for each, in the same place of found, stands for the tests it passes until the next
 * lexicon_start(). */
void lexicon_find(struct lexicon *lexicon, const struct word *list, const uint32_t *sifted,
                  size_t n, unsigned language, uint32_t *found);

/* Of a list that was found, the tests of this use and those before it. */
static inline const uint32_t *lexicon_list(const struct lexicon *lexicon, uint32_t found,
                                           enum lexicon_use use, size_t *ret_n)
{
    const uint32_t *list = &g_array_index(lexicon->ids, uint32_t, found & LEXICON_REST);
    *ret_n = list[use];
    return list + LEXICON_USES;
}

/* Of a list that is wanted soon. */
static inline void lexicon_prefetch(const struct lexicon *lexicon, uint32_t found)
{
    __builtin_prefetch(&g_array_index(lexicon->ids, uint32_t, found & LEXICON_REST));
}

/* Whether the test is among what was found. */
static inline bool lexicon_has(const struct lexicon *lexicon, uint32_t found, uint32_t id)
{
    size_t n;
    if (!(found & LEXICON_LIST))
        return (found & LEXICON_REST) == id;
    if (found == LEXICON_NONE)
        return false;
    const uint32_t *ids = lexicon_list(lexicon, found, LEXICON_IS_QUIET, &n);
    for (size_t i = 0; i < n; i++)
        if (ids[i] == id)
            return true;
    return false;
}

static inline enum lexicon_use lexicon_use(const struct lexicon *lexicon, uint32_t id)
{
    return lexicon->uses ? (enum lexicon_use)lexicon->uses[id] : LEXICON_IS_PLACED;
}

#endif
