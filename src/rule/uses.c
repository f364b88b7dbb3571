#include "rule/uses.h"

#include <string.h>

struct finder {
    const struct ruleset *set;
    const struct costs *costs;
    uint8_t *uses;
};

static void note(const struct finder *finder, uint32_t id, enum lexicon_use use)
{
    if (id != VOCAB_ANY)
        finder->uses[id] = MIN(finder->uses[id], (uint8_t)use);
}

/* A word, or that of a phrase which is to say where the others are. */
static inline void note_rarest(const struct finder *finder, const uint32_t *pc,
                               enum lexicon_use use)
{
    struct term_cost term = cost_of_term(finder->costs, pc);
    if (term.cost != COST_NEVER)
        note(finder, term.id, PROGRAM_OP(*pc) == OP_WORD ? use : LEXICON_IS_PLACED);
}

/* What a node wants to know of its tests. use is that of single words: where a node is looked for
 * in some fields only, or with others near it, they are placed. */
static void note_node(const struct finder *finder, const uint32_t *pc, enum lexicon_use use)
{
    const uint32_t *at = program_operands(pc), *end = pc + program_size(pc);
    const struct rule_leaf *leaf;
    switch (PROGRAM_OP(*pc)) {
    case OP_WORD:
    case OP_PHRASE:
        note_rarest(finder, pc, use);
        return;
    case OP_NEED:
        for (at = pc + 1; at < program_needed(pc); at++)
            note(finder, *at, LEXICON_IS_PLACED);
        note_node(finder, program_needed(pc), use);
        return;
    case OP_LEAF:
        leaf = &g_array_index(finder->set->leaves, struct rule_leaf, PROGRAM_PAYLOAD(*pc));
        for (size_t i = 0; leaf->kind < LEAF_REGEX && i < leaf->n_words; i++)
            note(finder, g_array_index(finder->set->words, uint32_t, leaf->at + i),
                 LEXICON_IS_PLACED);
        return;
    case OP_NEAR:
    case OP_ATLEAST:
    case OP_IN:
        use = LEXICON_IS_PLACED;
        break;
    case OP_LIST: /* is looked at by itself */
        return;
    case OP_OR:
        for (uint32_t i = 0; i < program_or_words(pc); i++, at++)
            note(finder, PROGRAM_PAYLOAD(*at), use);
        break;
    case OP_AND:
    case OP_NOT:
        break;
    }
    for (; at < end; at += program_size(at))
        if (PROGRAM_OP(*at) == OP_WORD || PROGRAM_OP(*at) == OP_PHRASE)
            note_rarest(finder, at, use);
        else
            note_node(finder, at, use);
}

uint8_t *uses_new(const struct ruleset *set, const struct costs *costs)
{
    size_t n = vocab_size(set->vocab);
    struct finder finder = {.set = set, .costs = costs, .uses = g_malloc(n + 1)};
    memset(finder.uses, LEXICON_IS_QUIET, n);
    for (uint32_t i = 0; i < set->rules->len; i++) {
        const struct rule_entry *rule = &g_array_index(set->rules, struct rule_entry, i);
        bool is_anywhere = !(set->fields & ~(unsigned)rule->fields);
        note_node(&finder, ruleset_code(set, rule->code),
                  is_anywhere ? LEXICON_IS_ASKED : LEXICON_IS_PLACED);
    }
    for (uint32_t i = 0; i < set->lists->len; i++)
        note_node(&finder, ruleset_code(set, g_array_index(set->lists, struct rule_list, i).code),
                  LEXICON_IS_PLACED);
    return finder.uses;
}
