#include "rule/cost.h"

#include <string.h>

#define COUNT_UNIT 64u /* cost of turning up in one more of the counted items */

/* How often a test is likely to be passed where nothing was counted yet: short words are common. */
static uint16_t guess(const struct vocab *vocab, uint32_t id)
{
    static const uint8_t by_length[] = {200, 200, 160, 90, 40, 24, 14, 10, 7, 5, 4, 3, 2};
    const char *folded;
    size_t size, n = 0;
    enum word_test test = vocab_test(vocab, id, &folded, &size);
    for (size_t pos = 0; pos < size && n < G_N_ELEMENTS(by_length) - 1; pos++)
        n += ((unsigned char)folded[pos] & 0xC0) != 0x80;
    return (uint16_t)(test == WORD_IS || test == WORD_INFLECTS ? by_length[n] : by_length[n] * 4);
}

struct costs *costs_new(const struct ruleset *set)
{
    struct costs *costs = g_new0(struct costs, 1);
    costs->set = set;
    costs->n_ids = vocab_size(set->vocab);
    costs->counts = g_new0(uint32_t, costs->n_ids + 1);
    costs->guesses = g_new(uint16_t, costs->n_ids + 1);
    costs->of_ids = g_new(uint32_t, costs->n_ids + 1);
    costs->of_lists = g_new0(uint64_t, set->lists->len + 1);
    for (uint32_t id = 0; id < costs->n_ids; id++)
        costs->guesses[id] = guess(set->vocab, id);
    costs_update(costs);
    return costs;
}

void costs_free(struct costs *costs)
{
    if (!costs)
        return;
    g_free(costs->counts);
    g_free(costs->guesses);
    g_free(costs->of_ids);
    g_free(costs->of_lists);
    g_free(costs);
}

size_t costs_bytes(const struct costs *costs)
{
    return sizeof *costs +
           costs->n_ids * (sizeof *costs->counts + sizeof *costs->guesses + sizeof *costs->of_ids) +
           costs->set->lists->len * sizeof *costs->of_lists;
}

void costs_count(struct costs *costs, const uint32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        costs->counts[ids[i]]++;
    costs->n_items++;
}

void costs_update(struct costs *costs)
{
    const struct ruleset *set = costs->set;
    for (uint32_t id = 0; id < costs->n_ids; id++) {
        uint32_t prior = costs->guesses[id];
        costs->of_ids[id] =
            costs->n_items == 0 ? prior : costs->counts[id] * COUNT_UNIT + prior / 8 + 1;
    }
    for (uint32_t i = 0; i < set->lists->len; i++) { /* a list comes after those that it uses */
        const struct rule_list *list = &g_array_index(set->lists, struct rule_list, i);
        costs->of_lists[i] = cost_of_node(costs, ruleset_code(set, list->code));
    }
}

static uint64_t add_costs(uint64_t a, uint64_t b)
{
    return a == COST_NEVER || b == COST_NEVER ? COST_NEVER : a + b;
}

uint64_t cost_of_node(const struct costs *costs, const uint32_t *pc)
{
    const uint32_t *end = pc + program_size(pc);
    uint64_t best = COST_NEVER, sum = 0;
    switch (PROGRAM_OP(*pc)) {
    case OP_WORD:
    case OP_LEAF:
    case OP_NEED:
    case OP_PHRASE:
        return cost_of_term(costs, pc).cost;
    case OP_LIST:
        return costs->of_lists[PROGRAM_PAYLOAD(*pc)];
    case OP_NOT:
        return COST_NEVER;
    case OP_OR:
        for (const uint32_t *at = program_operands(pc); at < end; at += program_size(at))
            sum = add_costs(sum, cost_of_node(costs, at));
        return sum;
    case OP_AND:
    case OP_NEAR:
    case OP_ATLEAST:
    case OP_IN:
        break;
    }
    for (const uint32_t *at = program_operands(pc); at < end; at += program_size(at)) {
        uint64_t cost = cost_of_node(costs, at);
        best = MIN(best, cost);
    }
    return best;
}
