/* rule/lint - what a parsed query says that cannot be meant.
 *
 * Errors: a query that holds for an item without words; a conjunction of a term and its negation;
 * what has no place inside NEAR and ATLEAST. Warnings: AND mixed with OR, look-alike letters, short
 * stems, feeds in another script. All on syntax trees; lists are resolved through their trees. */
#ifndef RULE_LINT_H
#define RULE_LINT_H

#include "rule/language.h"
#include "rule/query.h"

#include <stdbool.h>
#include <stdint.h>

struct lint {
    struct query_context *context;
    struct query_node *const *lists; /* by index; NULL where a list has an error */
    const char *text;                /* that the tree was read from */
    bool is_ascii;                   /* that text; false also where nobody has looked */
};

/* One text by itself: operands of NEAR and ATLEAST, mixed operators, look-alikes. */
void lint_tree(const struct lint *lint, const struct query_node *node);
/* Whether it holds where there are no words at all. */
bool lint_holds_empty(const struct lint *lint, const struct query_node *node);
/* match AND NOT exclude (or NULL), both in the fields of mask. Reports at the part that is at
 * fault. */
void lint_contradictions(const struct lint *lint, struct query_node *match,
                         struct query_node *exclude, unsigned mask);
/* Equal for trees that hold for the same items by the order of operands alone. Kept in the nodes.
 */
uint64_t lint_hash(struct query_node *node, unsigned mask);
/* Bits of enum script in the terms that must or may hold; negated ones do not count. */
unsigned lint_scripts(const struct lint *lint, const struct query_node *node);
/* Terms with ~ whose stem is short: what else they find. languages: the rule's. */
void lint_stems(const struct lint *lint, const struct query_node *node, struct stemmers *stemmers,
                const unsigned *languages, size_t n_languages);
/* The language that counts for a word where the item has none. */
unsigned lint_fallback_language(const char *word, size_t size, const unsigned *languages,
                                size_t n_languages);

#endif
