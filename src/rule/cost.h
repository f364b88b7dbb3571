/* rule/cost - how often the parts of rules turn up in items.
 *
 * What turns up how often is guessed at first, from the length of words, and then counted. A cost
 * is a number to compare: the lower, the fewer items will have what it is the cost of. */
#ifndef RULE_COST_H
#define RULE_COST_H

#include "rule/program.h"

#include <stddef.h>
#include <stdint.h>

#define COST_NEVER UINT64_MAX /* of what may hold without any test that turned up */

struct costs {
    const struct ruleset *set; /* borrowed */
    uint32_t n_ids, n_items;
    uint32_t *counts;  /* for each id: in how many of n_items it turned up */
    uint16_t *guesses; /* for each id */
    uint32_t *of_ids;  /* as the last update left them, and so the next */
    uint64_t *of_lists;
};

struct costs *costs_new(const struct ruleset *set);
void costs_free(struct costs *costs);
size_t costs_bytes(const struct costs *costs);
/* The ids that turned up in one item. */
void costs_count(struct costs *costs, const uint32_t *ids, size_t n);
/* Makes what was counted count. */
void costs_update(struct costs *costs);
/* Of the tests of which one must turn up before the node can hold. */
uint64_t cost_of_node(const struct costs *costs, const uint32_t *pc);

struct term_cost {
    uint64_t cost;
    uint32_t id;
};

/* How many words a term needs; they begin at *ret_ids. A WORD is its own id. */
static inline size_t cost_words(const uint32_t *pc, const uint32_t **ret_ids)
{
    G_STATIC_ASSERT(OP_WORD == 0);
    enum program_op op = PROGRAM_OP(*pc);
    uint32_t payload = PROGRAM_PAYLOAD(*pc);
    *ret_ids = op == OP_WORD ? pc : pc + 1;
    return op == OP_WORD ? 1 : op == OP_PHRASE || op == OP_NEED ? payload - 1 : 0;
}

/* Of a single term: of the test that turns up least often among those that all must. What kind a
 * term is, and which test, cannot be foretold, so that there is no branch on either. */
static inline struct term_cost cost_of_term(const struct costs *costs, const uint32_t *pc)
{
    const uint32_t *ids;
    size_t n = cost_words(pc, &ids);
    struct term_cost best = {COST_NEVER, 0};
    for (size_t i = 0; i < n; i++) {
        uint64_t cost = ids[i] == VOCAB_ANY ? COST_NEVER : costs->of_ids[ids[i]];
        best.id = cost < best.cost ? ids[i] : best.id;
        best.cost = cost < best.cost ? cost : best.cost;
    }
    return best;
}

#endif
