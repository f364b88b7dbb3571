/* rule/item - one item, cut into words, as the rules see it.
 *
 * Words are numbered through the whole item; of each is kept which tests of the vocabulary it
 * passes. They have positions, too, which have a gap between values that no operator reaches
 * across. Most rules ask only whether a test was passed at all. Where the first one asks for a
 * phrase, all pairs of neighbours are noted; where one asks which words pass a test, those that
 * pass a placed one (rule/lexicon.h) are chained by test; and where one asks for places in the text
 * that were not kept, the values are cut into words once more.
 *
 * A struct item_index is scratch memory that is filled anew for every item. The item's texts are
 * borrowed until then. */
#ifndef RULE_ITEM_H
#define RULE_ITEM_H

#include "rule/lexicon.h"
#include "rule/program.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ITEM_GAP       256u /* positions between two values */
#define ITEM_NONE      UINT32_MAX
#define ITEM_BYTES_MAX (1u << 30) /* of one value */

struct item_value {
    enum field field;
    uint32_t index; /* which value of the field */
    const char *text;
    uint32_t size;
    uint32_t position; /* of its first word */
    uint32_t word;     /* its first */
    uint32_t n_words;
};

struct item_place {
    uint32_t start, end; /* bytes of the value, half open */
};

struct item_occurrence {
    uint32_t id;
    uint32_t word;
    uint32_t next; /* of the same test, ITEM_NONE at the end; once item_test() was asked for it */
    uint32_t in_bucket; /* the next one in the same bucket, ITEM_NONE at the end */
};

struct item_test { /* of one id */
    uint32_t id;
    uint32_t first; /* occurrence, in no order */
    uint32_t n;
    uint32_t fields;    /* bits of the fields it occurs in */
    uint32_t in_bucket; /* the next test in the same bucket, ITEM_NONE at the end */
};

/* Words by the placed tests that they pass: a hash table of occurrences, and one of the tests that
 * were asked for. */
struct item_chains {
    bool is_made; /* of this item */
    bool has_all; /* of all tests but the quiet ones */
    struct item_occurrence *occurrences;
    size_t n_occurrences, occurrences_size;
    struct item_test *tests;
    size_t n_tests, tests_size;
    uint32_t *buckets; /* of occurrences, then as many of tests */
    size_t n_buckets, buckets_size;
    unsigned shift; /* from the hash of an id to its bucket */
};

/* Where two words stand side by side: a hash table of the first of them. */
struct item_pairs {
    bool is_made; /* of this item */
    uint32_t *buckets;
    size_t buckets_size;
    unsigned shift; /* from a pair to its bucket */
    uint32_t *next; /* for each word: the one before it in the same bucket, ITEM_NONE at the end */
    size_t next_size;
};

/* Which tests occur, quiet ones included. */
struct item_bits {
    bool is_made; /* of this item */
    uint64_t *of_tests;
};

struct item_places {
    bool is_made; /* of this item */
    struct item_place *of_words;
    size_t size;
};

struct item_index {
    const struct ruleset *set; /* borrowed */
    const struct rule_item *item;
    unsigned language;
    struct words *words;
    struct lexicon *lexicon;
    uint64_t *present; /* a bit for each id that occurs, and for all quiet ones */
    uint32_t *ids;     /* those that occur and are not quiet */
    size_t n_ids, ids_size;
    uint32_t *found; /* for each word, what the lexicon found */
    size_t n_words, found_size;
    uint32_t *hashes; /* of the words; as many as found */
    struct item_chains *chains;
    struct item_pairs *pairs;
    struct item_places *places;
    struct item_bits *all_bits;
    struct item_value *values;
    size_t n_values, values_size;
    unsigned fields;          /* bits of the fields that values are of */
    bool has_exacts;          /* some rules ask for places again and again */
    uint32_t *sifted;         /* words of a chunk that may pass a test */
    uint32_t *single, *lists; /* what was found for those that pass some */
    size_t sifted_size;
    uint32_t position;   /* of the next value */
    int summary_repeats; /* -1: not looked at yet */
};

struct item_index *item_index_new(const struct ruleset *set);
void item_index_free(struct item_index *index);
size_t item_index_bytes(const struct item_index *index);
/* uses: as for lexicon_start() */
void item_index_fill(struct item_index *index, const struct rule_item *item, const uint8_t *uses);
/* Whether the words of the summary stand in a row in the content. */
bool item_summary_repeats(struct item_index *index);

/* The value that has the word. */
const struct item_value *item_value_of(const struct item_index *index, uint32_t word);
/* The value that has the position. */
const struct item_value *item_value_at(const struct item_index *index, uint32_t position);
struct item_place item_place(const struct item_index *index, uint32_t word);

void item_chain(const struct item_index *index, struct item_chains *chains);
const struct item_test *item_sum_up(const struct item_index *index, struct item_chains *chains,
                                    uint32_t id);
/* Whether a word passes the test, whatever its use. Looks at all words when first asked. */
bool item_occurs(const struct item_index *index, uint32_t id);
/* From here on, until the next item, all tests but quiet ones count as placed. */
void item_chain_all(struct item_index *index);

static inline uint32_t item_bucket(const struct item_chains *chains, uint32_t id)
{
    return id * UINT32_C(0x9E3779B1) >> chains->shift;
}

/* Of an id that is present and placed, or not quiet after item_chain_all(). Valid until the next
 * call. */
static inline const struct item_test *item_test(const struct item_index *index, uint32_t id)
{
    const struct item_chains *chains = index->chains;
    if (!chains->is_made)
        item_chain(index, index->chains);
    uint32_t at = chains->buckets[chains->n_buckets + item_bucket(chains, id)];
    while (at != ITEM_NONE && chains->tests[at].id != id)
        at = chains->tests[at].in_bucket;
    return at != ITEM_NONE ? &chains->tests[at] : item_sum_up(index, index->chains, id);
}

void item_make_pairs(const struct item_index *index, struct item_pairs *pairs);

/* The last place where the two words of a pair may stand, as the number of the first of them; from
 * there on pairs->next has those before it. */
static inline uint32_t item_pair(const struct item_index *index, uint32_t pair)
{
    if (!index->pairs->is_made)
        item_make_pairs(index, index->pairs);
    return index->pairs->buckets[pair >> index->pairs->shift];
}

/* 1 where some word passes the test; always 1 for a quiet one. */
static inline uint64_t item_bit(const struct item_index *index, uint32_t id)
{
    return index->present[id / 64] >> id % 64 & 1;
}

static inline uint64_t item_may_have(const struct item_index *index, uint32_t id)
{
    return id == VOCAB_ANY ? 1 : item_bit(index, id);
}

/* 0 where these words in a row are certainly nowhere. Most phrases are of two to four words; how
 * many cannot be foretold, so that there is no branch on it. */
static inline uint64_t item_may_have_row(const struct item_index *index, const uint32_t *ids,
                                         size_t n)
{
    const uint32_t *last = ids + n - 1, *third = n > 2 ? ids + 2 : last;
    uint64_t all = item_may_have(index, ids[0]) & item_may_have(index, *last) &
                   item_may_have(index, *third) & item_may_have(index, n > 1 ? ids[1] : ids[0]);
    for (size_t i = 3; i + 1 < n; i++)
        all &= item_may_have(index, ids[i]);
    return all;
}

/* Whether all the words are in these fields. */
static inline bool item_is_within(const struct item_index *index, unsigned fields)
{
    return !(index->fields & ~fields);
}

/* Whether a word in these fields passes the test: not a quiet one, and a placed one unless all the
 * words are in these fields. */
static inline bool item_has(const struct item_index *index, uint32_t id, unsigned fields)
{
    return item_bit(index, id) &&
           (item_is_within(index, fields) || (item_test(index, id)->fields & fields));
}

#endif
