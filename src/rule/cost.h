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
/* Of one of the tests of which one must turn up before a single term can hold. ret_id gets it. */
uint64_t cost_of_term(const struct costs *costs, const uint32_t *pc, uint32_t *ret_id);
/* Of the tests of which one must turn up before the node can hold. Where all of its operands must
 * hold, ret_best (or NULL) gets the one that these tests are of. */
uint64_t cost_of_node(const struct costs *costs, const uint32_t *pc, const uint32_t **ret_best);

#endif
