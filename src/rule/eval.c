#include "rule/eval.h"

#define OTHERS_MAX 16u /* phrases and the like that are looked at together */

static const struct rule_leaf *leaf_at(const struct eval *eval, uint32_t index)
{
    return &g_array_index(eval->set->leaves, struct rule_leaf, index);
}

static void add_spans(struct eval *eval, const uint32_t *pc, unsigned fields, struct spans *out);

static void near_spans(struct eval *eval, const uint32_t *pc, unsigned fields, struct spans *out)
{
    const uint32_t *left = pc + 2, *right = left + program_size(left);
    struct spans a = {0}, b = {0};
    eval_spans(eval, left, fields, &a);
    if (a.n > 0)
        eval_spans(eval, right, fields, &b);
    spans_near(&a, &b, pc[1] & ~PROGRAM_ORDERED, (pc[1] & PROGRAM_ORDERED) != 0, out,
               &eval->leaf.work);
    spans_clear(&a);
    spans_clear(&b);
}

static void add_spans(struct eval *eval, const uint32_t *pc, unsigned fields, struct spans *out)
{
    const uint32_t *end = pc + program_size(pc);
    uint32_t payload = PROGRAM_PAYLOAD(*pc);
    switch (PROGRAM_OP(*pc)) {
    case OP_WORD:
        leaf_word_spans(eval->index, payload, fields, out);
        break;
    case OP_LEAF:
        leaf_spans(eval->index, leaf_at(eval, payload), fields, out, &eval->leaf);
        break;
    case OP_NEED:
        add_spans(eval, program_needed(pc), fields, out);
        break;
    case OP_PHRASE:
        leaf_phrase_spans(eval->index, pc + 1, payload - 1, fields, out);
        break;
    case OP_LIST:
        add_spans(eval,
                  ruleset_code(eval->set,
                               g_array_index(eval->set->lists, struct rule_list, payload).code),
                  fields, out);
        break;
    case OP_NEAR:
        near_spans(eval, pc, fields, out);
        break;
    case OP_OR:
        for (const uint32_t *at = pc + 2; at < end; at += program_size(at))
            add_spans(eval, at, fields, out);
        break;
    case OP_IN:
        add_spans(eval, pc + 2, pc[1], out);
        break;
    case OP_AND:
    case OP_NOT:
    case OP_ATLEAST:
        break; /* refused inside NEAR and ATLEAST */
    }
}

void eval_spans(struct eval *eval, const uint32_t *pc, unsigned fields, struct spans *out)
{
    add_spans(eval, pc, fields, out);
    spans_sort(out);
}

static bool eval_near(struct eval *eval, const uint32_t *pc, unsigned fields)
{
    const uint32_t *left = pc + 2, *right = left + program_size(left);
    if (!eval_node(eval, left, fields) || !eval_node(eval, right, fields))
        return false;
    struct spans a = {0}, b = {0};
    eval_spans(eval, left, fields, &a);
    eval_spans(eval, right, fields, &b);
    bool found = spans_near(&a, &b, pc[1] & ~PROGRAM_ORDERED, (pc[1] & PROGRAM_ORDERED) != 0, NULL,
                            &eval->leaf.work);
    spans_clear(&a);
    spans_clear(&b);
    return found;
}

static void drop_summary(const struct item_index *index, struct spans *spans)
{
    size_t kept = 0;
    for (size_t i = 0; i < spans->n; i++)
        if (item_value_at(index, spans->items[i].start)->field != FIELD_SUMMARY)
            spans->items[kept++] = spans->items[i];
    spans->n = kept;
}

static bool eval_atleast(struct eval *eval, const uint32_t *pc, unsigned fields)
{
    struct spans spans = {0};
    if (!eval_node(eval, pc + 2, fields))
        return false;
    eval_spans(eval, pc + 2, fields, &spans);
    if (spans.n >= pc[1] && item_summary_repeats(eval->index))
        drop_summary(eval->index, &spans);
    bool holds = spans.n >= pc[1] && spans_disjoint(&spans) >= pc[1];
    spans_clear(&spans);
    return holds;
}

static bool eval_leaf(struct eval *eval, uint32_t index, unsigned fields)
{
    const struct rule_leaf *leaf = leaf_at(eval, index);
    if (leaf->kind == LEAF_REGEX && eval->assumes_regex)
        return !eval->is_negated;
    if (leaf->kind == LEAF_REGEX || leaf->kind == LEAF_VALUE)
        return leaf_piece(eval->index, leaf, fields, &eval->leaf, NULL);
    return leaf_spans(eval->index, leaf, fields, NULL, &eval->leaf);
}

static bool eval_need(struct eval *eval, const uint32_t *pc, unsigned fields)
{
    const uint32_t *leaf = program_needed(pc);
    for (const uint32_t *id = pc + 1; id < leaf; id++)
        if (!item_has(eval->index, *id, fields))
            return false;
    return eval_leaf(eval, PROGRAM_PAYLOAD(*leaf), fields);
}

static bool eval_list(struct eval *eval, uint32_t number, unsigned fields)
{
    struct list_memo *memo = &eval->lists[number];
    if (memo->item == eval->item && memo->fields == fields)
        return memo->holds;
    const struct rule_list *list = &g_array_index(eval->set->lists, struct rule_list, number);
    bool holds = eval_node(eval, ruleset_code(eval->set, list->code), fields);
    *memo = (struct list_memo){eval->item, fields, holds};
    return holds;
}

/* All of these words, since which one is there cannot be foretold. */
static bool any_word(const struct item_index *index, const uint32_t *at, const uint32_t *end,
                     unsigned fields)
{
    uint64_t any = 0;
    if (item_is_within(index, fields))
        for (; at < end; at++)
            any |= item_bit(index, PROGRAM_PAYLOAD(*at));
    for (; at < end && !any; at++)
        any = item_has(index, PROGRAM_PAYLOAD(*at), fields);
    return any != 0;
}

static bool eval_phrase(const struct eval *eval, const uint32_t *pc, unsigned fields)
{
    uint32_t payload = PROGRAM_PAYLOAD(*pc);
    return leaf_phrase_holds(eval->index, pc + 1, payload - 1, pc[payload], fields);
}

/* Its words first; of what else may hold, phrases whose words do not all occur do not. */
static bool eval_or(struct eval *eval, const uint32_t *pc, unsigned fields)
{
    const uint32_t *at = pc + 2 + program_or_words(pc), *end = pc + program_size(pc);
    const uint32_t *others[OTHERS_MAX];
    size_t n = 0;
    if (any_word(eval->index, pc + 2, at, fields))
        return true;
    for (; at < end; at += program_size(at)) {
        if (n < OTHERS_MAX) {
            others[n] = at;
            n += PROGRAM_OP(*at) != OP_PHRASE ||
                 item_may_have_row(eval->index, at + 1, PROGRAM_PAYLOAD(*at) - 1) != 0;
        } else if (eval_node(eval, at, fields)) {
            return true;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (PROGRAM_OP(*others[i]) == OP_PHRASE ? eval_phrase(eval, others[i], fields)
                                                : eval_node(eval, others[i], fields))
            return true;
    return false;
}

/* found: where the operand is that is known to hold; 0: there is none such. */
static bool eval_and(struct eval *eval, const uint32_t *pc, uint32_t found, unsigned fields)
{
    const uint32_t *end = pc + program_size(pc);
    for (const uint32_t *at = pc + 1; at < end; at += program_size(at))
        if (at != pc + found &&
            !(PROGRAM_OP(*at) == OP_OR ? eval_or(eval, at, fields) : eval_node(eval, at, fields)))
            return false;
    return true;
}

bool eval_node(struct eval *eval, const uint32_t *pc, unsigned fields)
{
    uint32_t payload = PROGRAM_PAYLOAD(*pc);
    bool holds;
    switch (PROGRAM_OP(*pc)) {
    case OP_WORD:
        return item_has(eval->index, payload, fields);
    case OP_LEAF:
        return eval_leaf(eval, payload, fields);
    case OP_NEED:
        return eval_need(eval, pc, fields);
    case OP_PHRASE:
        return item_may_have_row(eval->index, pc + 1, payload - 1) && eval_phrase(eval, pc, fields);
    case OP_LIST:
        return eval_list(eval, payload, fields);
    case OP_AND:
        return eval_and(eval, pc, 0, fields);
    case OP_OR:
        return eval_or(eval, pc, fields);
    case OP_NOT:
        eval->is_negated = !eval->is_negated;
        holds = !eval_node(eval, pc + 1, fields);
        eval->is_negated = !eval->is_negated;
        return holds;
    case OP_NEAR:
        return eval_near(eval, pc, fields);
    case OP_ATLEAST:
        return eval_atleast(eval, pc, fields);
    case OP_IN:
        return eval_node(eval, pc + 2, pc[1]);
    }
    return false;
}

bool eval_program(struct eval *eval, const uint32_t *pc, uint32_t found, unsigned fields,
                  bool *ret_stopped)
{
    bool holds;
    eval->leaf.work = SPANS_WORK_MAX;
    eval->leaf.steps = REGEX_STEPS_MAX;
    eval->leaf.is_stopped = false;
    if (found && item_is_within(eval->index, fields))
        holds = eval_and(eval, pc, found, fields);
    else
        holds = eval_node(eval, pc, fields);
    *ret_stopped = eval->leaf.is_stopped || eval->leaf.work == 0;
    return holds;
}

bool eval_rule(struct eval *eval, const struct rule_entry *rule, bool *ret_stopped)
{
    const uint32_t *pc = ruleset_code(eval->set, rule->code);
    if (rule->has_regex) {
        eval->assumes_regex = true;
        bool is_possible = eval_program(eval, pc, 0, rule->fields, ret_stopped);
        eval->assumes_regex = false;
        if (!is_possible)
            return false;
    }
    return eval_program(eval, pc, 0, rule->fields, ret_stopped);
}
