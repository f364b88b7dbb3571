/* rule/item - one item, cut into words, as the rules see it.
 *
 * Words have positions, counted through the whole item, with a gap between values that no operator
 * reaches across. Only the words that some rule uses ("hits") are kept, with the tests of the
 * vocabulary that they pass ("occurrences"). Most rules ask only whether a test was passed at all;
 * where the first one asks for more, the occurrences of each test are chained in order.
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
#define ITEM_NO_HIT    UINT32_MAX
#define ITEM_BYTES_MAX (1u << 30) /* of one value */

struct item_value {
    enum field field;
    uint32_t index; /* which value of the field */
    const char *text;
    uint32_t size;
    uint32_t position, n_words; /* of its first word; how many */
};

struct item_hit {
    uint32_t position;
    uint32_t start, end; /* bytes */
    uint32_t value;
    uint32_t occurrence; /* its first; those of one hit are neighbours */
};

struct item_occurrence {
    uint32_t id;
    uint32_t hit;
    uint32_t next; /* of the same id, ITEM_NO_HIT at the end */
};

struct item_test {        /* of one id */
    uint32_t first, last; /* occurrences */
    uint32_t n;
    uint32_t fields; /* bits of the fields it occurs in */
};

struct item_chains {
    bool is_made;    /* of this item */
    uint32_t *ranks; /* for each id that is present: its place in ids and tests */
    struct item_test *tests;
    size_t tests_size;
};

struct item_index {
    const struct ruleset *set; /* borrowed */
    const struct rule_item *item;
    unsigned language;
    struct words *words;
    struct lexicon *lexicon;
    uint64_t *present; /* a bit for each id */
    uint32_t *ids;     /* those that are present */
    size_t n_ids;
    struct item_hit *hits;
    size_t n_hits, hits_size;
    struct item_occurrence *occurrences;
    size_t n_occurrences, occurrences_size;
    struct item_chains *chains;
    struct item_value *values;
    size_t n_values, values_size;
    unsigned fields; /* bits of the fields that values are of */
    bool is_large;
    uint32_t *sifted; /* words of a chunk that may pass a test */
    uint32_t *found;  /* for each of them: what the lexicon found */
    size_t sifted_size;
    uint32_t position;
    int summary_repeats; /* -1: not looked at yet */
};

struct item_index *item_index_new(const struct ruleset *set);
void item_index_free(struct item_index *index);
size_t item_index_bytes(const struct item_index *index);
void item_index_fill(struct item_index *index, const struct rule_item *item);
/* Whether the words of the summary stand in a row in the content. */
bool item_summary_repeats(struct item_index *index);

void item_chain(const struct item_index *index, struct item_chains *chains);

/* Of an id that is present. */
static inline const struct item_test *item_test(const struct item_index *index, uint32_t id)
{
    if (!index->chains->is_made)
        item_chain(index, index->chains);
    return &index->chains->tests[index->chains->ranks[id]];
}

static inline bool item_has(const struct item_index *index, uint32_t id, unsigned fields)
{
    return (index->present[id / 64] >> id % 64 & 1) &&
           (!(index->fields & ~fields) || (item_test(index, id)->fields & fields));
}

static inline unsigned item_hit_field(const struct item_index *index, const struct item_hit *hit)
{
    return FIELD_BIT(index->values[hit->value].field);
}

#endif
