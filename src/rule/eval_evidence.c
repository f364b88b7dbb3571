/* What made a rule true: the first match of each term that has one and is not negated. */
#include "rule/eval.h"

struct walk {
    struct eval *eval;
    const char *terms; /* the next one, as written */
    const char *list;
    GArray *out; /* struct rule_evidence */
};

static const struct rule_leaf *leaf_at(const struct walk *walk, uint32_t index)
{
    return &g_array_index(walk->eval->set->leaves, struct rule_leaf, index);
}

static void add(struct walk *walk, const char *term, const struct leaf_piece *piece)
{
    struct rule_evidence evidence = {.term = term,
                                     .list = walk->list,
                                     .field = field_name(piece->field),
                                     .index = piece->index,
                                     .start = piece->start,
                                     .end = piece->end,
                                     .text = piece->value + piece->start};
    g_array_append_val(walk->out, evidence);
}

/* The leaf of a term; NULL where it is nothing but words. */
static const struct rule_leaf *leaf_of(const struct walk *walk, const uint32_t *pc)
{
    if (PROGRAM_OP(*pc) == OP_NEED)
        pc = program_needed(pc);
    return PROGRAM_OP(*pc) == OP_LEAF ? leaf_at(walk, PROGRAM_PAYLOAD(*pc)) : NULL;
}

static void add_span(struct walk *walk, const struct rule_leaf *leaf, const char *term,
                     const struct span *span)
{
    struct leaf_piece piece;
    leaf_range(walk->eval->index, leaf, span, &piece);
    add(walk, term, &piece);
}

/* wanted NULL: the first match; else the one that is this span. Returns whether there is one. */
static bool walk_term(struct walk *walk, const uint32_t *pc, unsigned fields,
                      const struct span *wanted)
{
    const char *term = program_next_term(&walk->terms);
    const struct rule_leaf *leaf = leaf_of(walk, pc);
    struct spans spans = {0};
    struct leaf_piece piece;
    bool found = false;
    if (leaf && (leaf->kind == LEAF_REGEX || leaf->kind == LEAF_VALUE)) {
        found = leaf_piece(walk->eval->index, leaf, fields, &walk->eval->leaf, &piece);
        if (found)
            add(walk, term, &piece);
        return found;
    }
    eval_spans(walk->eval, pc, fields, &spans);
    for (size_t i = 0; i < spans.n && !found; i++)
        if (!wanted ||
            (spans.items[i].start == wanted->start && spans.items[i].end == wanted->end)) {
            add_span(walk, leaf, term, &spans.items[i]);
            found = true;
        }
    spans_clear(&spans);
    return found;
}

/* Passes over the terms of a node that contributes nothing. */
static void skip(struct walk *walk, const uint32_t *pc)
{
    const uint32_t *end = pc + program_size(pc);
    enum program_op op = PROGRAM_OP(*pc);
    if (program_is_term(pc)) {
        program_next_term(&walk->terms);
        return;
    }
    if (op == OP_LIST)
        return;
    for (const uint32_t *at = program_operands(pc); at < end; at += program_size(at))
        skip(walk, at);
}

static bool walk_node(struct walk *walk, const uint32_t *pc, unsigned fields,
                      const struct span *wanted);

static bool walk_list(struct walk *walk, uint32_t number, unsigned fields,
                      const struct span *wanted)
{
    const struct ruleset *set = walk->eval->set;
    const struct rule_list *list = &g_array_index(set->lists, struct rule_list, number);
    struct walk inner = *walk;
    inner.terms = set->terms->str + list->terms;
    inner.list = ruleset_string(set, list->name);
    return walk_node(&inner, ruleset_code(set, list->code), fields, wanted);
}

struct pair {
    struct span first, second;
    bool is_found;
};

/* The pair of a span of first and one of second behind it whose span begins, then ends, first. */
static void find_pair(const struct spans *first, const struct spans *second, uint32_t distance,
                      const struct span *wanted, struct pair *best)
{
    size_t i = wanted ? spans_lower_bound(first, wanted->start) : 0;
    for (; i < first->n; i++) {
        const struct span *x = &first->items[i];
        if ((best->is_found && x->start > best->first.start) ||
            (wanted && x->start > wanted->start))
            break;
        size_t k = spans_lower_bound(second, x->end + 1);
        for (; k < second->n && second->items[k].start - x->end - 1 <= distance; k++) {
            const struct span *y = &second->items[k];
            if ((wanted && y->end != wanted->end) ||
                (best->is_found && x->start == best->first.start && y->end >= best->second.end))
                continue;
            *best = (struct pair){*x, *y, true};
        }
    }
}

/* Of either order. */
static bool first_pair(const struct spans *a, const struct spans *b, uint32_t n,
                       const struct span *wanted, struct span *ret_a, struct span *ret_b)
{
    uint32_t distance = n & ~PROGRAM_ORDERED;
    struct pair before = {0}, behind = {0};
    find_pair(a, b, distance, wanted, &before);
    if (!(n & PROGRAM_ORDERED))
        find_pair(b, a, distance, wanted, &behind);
    bool turned =
        behind.is_found &&
        (!before.is_found || behind.first.start < before.first.start ||
         (behind.first.start == before.first.start && behind.second.end < before.second.end));
    *ret_a = turned ? behind.second : before.first;
    *ret_b = turned ? behind.first : before.second;
    return before.is_found || behind.is_found;
}

static bool walk_near(struct walk *walk, const uint32_t *pc, unsigned fields,
                      const struct span *wanted)
{
    const uint32_t *left = pc + 2, *right = left + program_size(left);
    struct spans a = {0}, b = {0};
    struct span in_a, in_b;
    eval_spans(walk->eval, left, fields, &a);
    eval_spans(walk->eval, right, fields, &b);
    bool found = first_pair(&a, &b, pc[1], wanted, &in_a, &in_b);
    spans_clear(&a);
    spans_clear(&b);
    if (!found) {
        skip(walk, pc);
        return false;
    }
    walk_node(walk, left, fields, &in_a);
    walk_node(walk, right, fields, &in_b);
    return true;
}

/* Of the operands of OR all those that hold; for one wanted span the first that has it. */
static bool walk_or(struct walk *walk, const uint32_t *pc, unsigned fields,
                    const struct span *wanted)
{
    struct program_or operands = program_or_start(pc);
    bool found = false;
    for (const uint32_t *at; (at = program_or_next(&operands));) {
        if ((wanted && found) || !eval_node(walk->eval, at, fields))
            skip(walk, at);
        else
            found = walk_node(walk, at, fields, wanted) || found;
    }
    return found;
}

static bool walk_node(struct walk *walk, const uint32_t *pc, unsigned fields,
                      const struct span *wanted)
{
    const uint32_t *end = pc + program_size(pc);
    switch (PROGRAM_OP(*pc)) {
    case OP_WORD:
    case OP_LEAF:
    case OP_NEED:
    case OP_PHRASE:
        return walk_term(walk, pc, fields, wanted);
    case OP_LIST:
        return walk_list(walk, PROGRAM_PAYLOAD(*pc), fields, wanted);
    case OP_AND:
        for (const uint32_t *at = pc + 1; at < end; at += program_size(at))
            walk_node(walk, at, fields, NULL);
        return true;
    case OP_OR:
        return walk_or(walk, pc, fields, wanted);
    case OP_NOT:
        skip(walk, pc);
        return false;
    case OP_NEAR:
        return walk_near(walk, pc, fields, wanted);
    case OP_ATLEAST:
        return walk_node(walk, pc + 2, fields, NULL);
    case OP_IN:
        return walk_node(walk, pc + 2, pc[1], wanted);
    }
    return false;
}

void eval_evidence(struct eval *eval, const uint32_t *pc, unsigned fields, const char *terms,
                   const char *list_name, GArray *list)
{
    struct walk walk = {.eval = eval, .terms = terms, .list = list_name, .out = list};
    item_chain_all(eval->index);
    eval->leaf.work = SPANS_WORK_MAX;
    eval->leaf.steps = REGEX_STEPS_MAX;
    walk_node(&walk, pc, fields, NULL);
}
