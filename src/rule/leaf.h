/* rule/leaf - where a single term matches in an item: phrases, words in any order, exact
 * characters, regular expressions, values. */
#ifndef RULE_LEAF_H
#define RULE_LEAF_H

#include "rule/item.h"
#include "rule/regex.h"
#include "rule/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leaf_scratch {
    struct regex_scratch *regex; /* made when first needed */
    uint32_t steps;              /* budgets that are left for the rule at hand */
    uint32_t work;
    bool is_stopped; /* one of them was used up */
};

/* Adds the spans in these fields, not sorted; with out NULL only the question whether there is one.
 * Of kinds that have positions. */
bool leaf_spans(const struct item_index *index, const struct rule_leaf *leaf, unsigned fields,
                struct spans *out, struct leaf_scratch *scratch);
/* The same for these words, VOCAB_ANY among them, in a row. */
bool leaf_phrase_spans(const struct item_index *index, const uint32_t *ids, size_t n,
                       unsigned fields, struct spans *out);
/* Whether these words stand in a row in these fields. pair: of the PHRASE. */
bool leaf_phrase_holds(const struct item_index *index, const uint32_t *ids, size_t n, uint32_t pair,
                       unsigned fields);
/* Adds the occurrences of one word as spans. */
void leaf_word_spans(const struct item_index *index, uint32_t id, unsigned fields,
                     struct spans *out);

/* A match outside positions: a piece of one value. */
struct leaf_piece {
    enum field field;
    size_t index;
    const char *value;
    size_t start, end;
};

/* The first match of a REGEX or VALUE leaf. ret_piece may be NULL. */
bool leaf_piece(const struct item_index *index, const struct rule_leaf *leaf, unsigned fields,
                struct leaf_scratch *scratch, struct leaf_piece *ret_piece);
/* The bytes that a span of this leaf covers in its value (EXACT: with the signs around). */
void leaf_range(const struct item_index *index, const struct rule_leaf *leaf,
                const struct span *span, struct leaf_piece *ret_piece);

#endif
