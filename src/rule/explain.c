/* Why a rule does not hold: its first clause that fails, written out, and how it failed. */
#include "rule/eval.h"

struct explainer {
    struct eval *eval;
    const char *terms; /* the next one, as written */
};

static const struct rule_list *list_at(const struct explainer *explainer, uint32_t number)
{
    return &g_array_index(explainer->eval->set->lists, struct rule_list, number);
}

/* A field's name where the term itself does not say it. */
static const char *value_field(const struct explainer *explainer, const uint32_t *pc)
{
    if (PROGRAM_OP(*pc) != OP_LEAF)
        return NULL;
    const struct rule_leaf *leaf =
        &g_array_index(explainer->eval->set->leaves, struct rule_leaf, PROGRAM_PAYLOAD(*pc));
    return leaf->fields ? field_mask_name(leaf->fields) : NULL;
}

static void put_term(struct explainer *explainer, const uint32_t *pc, GString *out)
{
    const char *text = program_next_term(&explainer->terms);
    const char *field = value_field(explainer, pc);
    if (field && !g_str_has_prefix(text, field))
        g_string_append_printf(out, "%s:", field);
    g_string_append(out, text);
}

static void put_node(struct explainer *explainer, const uint32_t *pc, bool is_inner, GString *out);

static void put_operands(struct explainer *explainer, const uint32_t *pc, const uint32_t *first,
                         const char *between, bool is_inner, GString *out)
{
    const uint32_t *end = pc + program_size(pc);
    if (is_inner)
        g_string_append_c(out, '(');
    for (const uint32_t *at = first; at < end; at += program_size(at)) {
        if (at > first)
            g_string_append(out, between);
        put_node(explainer, at, true, out);
    }
    if (is_inner)
        g_string_append_c(out, ')');
}

static void put_near(struct explainer *explainer, const uint32_t *pc, bool is_inner, GString *out)
{
    g_autofree char *between = g_strdup_printf(
        " %s/%u ", pc[1] & PROGRAM_ORDERED ? "ONEAR" : "NEAR", pc[1] & ~PROGRAM_ORDERED);
    put_operands(explainer, pc, pc + 2, between, is_inner, out);
}

static void put_or(struct explainer *explainer, const uint32_t *pc, bool is_inner, GString *out)
{
    struct program_or operands = program_or_start(pc);
    const char *between = is_inner ? "(" : "";
    for (const uint32_t *at; (at = program_or_next(&operands)); between = " OR ") {
        g_string_append(out, between);
        put_node(explainer, at, pc[1] != OR_OF_PARTS, out);
    }
    if (is_inner)
        g_string_append_c(out, ')');
}

/* A single term begins with its field as it was written, a group does not. */
static void put_in_field(struct explainer *explainer, const uint32_t *pc, const char *field,
                         GString *out)
{
    g_autoptr(GString) text = g_string_new(NULL);
    put_node(explainer, pc, true, text);
    if (!g_str_has_prefix(text->str, field))
        g_string_append_printf(out, "%s:", field);
    g_string_append(out, text->str);
}

/* Writes a part of a program as a query, and passes over its terms. */
static void put_node(struct explainer *explainer, const uint32_t *pc, bool is_inner, GString *out)
{
    switch (PROGRAM_OP(*pc)) {
    case OP_WORD:
    case OP_LEAF:
    case OP_NEED:
    case OP_PHRASE:
        put_term(explainer, pc, out);
        break;
    case OP_LIST:
        g_string_append_printf(
            out, "@%s",
            ruleset_string(explainer->eval->set, list_at(explainer, PROGRAM_PAYLOAD(*pc))->name));
        break;
    case OP_AND:
        put_operands(explainer, pc, pc + 1, " AND ", is_inner, out);
        break;
    case OP_OR:
        put_or(explainer, pc, is_inner, out);
        break;
    case OP_NOT:
        g_string_append(out, "NOT ");
        put_node(explainer, pc + 1, true, out);
        break;
    case OP_NEAR:
        put_near(explainer, pc, is_inner, out);
        break;
    case OP_ATLEAST:
        g_string_append_printf(out, "ATLEAST/%u ", pc[1]);
        put_node(explainer, pc + 2, true, out);
        break;
    case OP_IN:
        put_in_field(explainer, pc + 2, field_mask_name(pc[1]), out);
        break;
    }
}

/* What a NOT found, as text. */
static char *found_text(struct explainer *explainer, const uint32_t *pc, unsigned fields)
{
    g_autoptr(GArray) evidence = g_array_new(FALSE, FALSE, sizeof(struct rule_evidence));
    eval_evidence(explainer->eval, pc, fields, explainer->terms, NULL, evidence);
    if (evidence->len == 0)
        return g_strdup("this holds");
    const struct rule_evidence *first = &g_array_index(evidence, struct rule_evidence, 0);
    return g_strdup_printf("\"%.*s\" is there, in the %s", (int)(first->end - first->start),
                           first->text, first->field);
}

static char *reason_of(struct explainer *explainer, const uint32_t *pc, unsigned fields)
{
    switch (PROGRAM_OP(*pc)) {
    case OP_NOT:
        return found_text(explainer, pc + 1, fields);
    case OP_OR:
    case OP_LIST:
        return g_strdup("none of these is there");
    case OP_NEAR:
        return g_strdup(pc[1] & PROGRAM_ORDERED ? "both are there, but not in this order so close"
                                                : "both are there, but not so close");
    case OP_ATLEAST:
        return g_strdup("it is not there so often");
    case OP_WORD:
    case OP_LEAF:
    case OP_NEED:
    case OP_PHRASE:
    case OP_AND:
    case OP_IN:
        break;
    }
    return g_strdup("it is not there");
}

static const uint32_t *first_failing(struct explainer *explainer, const uint32_t *pc,
                                     const uint32_t *first, unsigned fields)
{
    const uint32_t *end = pc + program_size(pc);
    g_autoptr(GString) passed = g_string_new(NULL);
    for (const uint32_t *at = first; at < end; at += program_size(at)) {
        if (!eval_node(explainer->eval, at, fields))
            return at;
        put_node(explainer, at, true, passed); /* its terms are passed over */
    }
    return NULL;
}

/* Goes down to the clause that fails; in_fields gets the field it is sought in, as text. */
static const uint32_t *descend(struct explainer *explainer, const uint32_t *pc, unsigned *fields,
                               const char **in_field)
{
    for (;;) {
        enum program_op op = PROGRAM_OP(*pc);
        const uint32_t *next = NULL;
        const char *terms = explainer->terms;
        if (op == OP_AND) {
            next = first_failing(explainer, pc, pc + 1, *fields);
        } else if (op == OP_NEAR) {
            next = first_failing(explainer, pc, pc + 2, *fields);
        } else if (op == OP_IN) {
            *fields = pc[1];
            *in_field = field_mask_name(pc[1]);
            next = pc + 2;
        } else if (op == OP_ATLEAST && !eval_node(explainer->eval, pc + 2, *fields)) {
            next = pc + 2;
        }
        if (!next) {
            explainer->terms = terms;
            return pc;
        }
        pc = next;
    }
}

char *eval_explain(struct eval *eval, const struct rule_entry *rule, char **ret_clause)
{
    struct explainer explainer = {.eval = eval, .terms = eval->set->terms->str + rule->terms};
    unsigned fields = rule->fields;
    const char *in_field = NULL;
    GString *clause = g_string_new(NULL);
    eval->leaf.work = SPANS_WORK_MAX;
    eval->leaf.steps = REGEX_STEPS_MAX;
    const uint32_t *pc =
        descend(&explainer, ruleset_code(eval->set, rule->code), &fields, &in_field);
    char *reason = reason_of(&explainer, pc, fields);
    if (in_field)
        put_in_field(&explainer, pc, in_field, clause);
    else
        put_node(&explainer, pc, false, clause);
    *ret_clause = g_string_free(clause, FALSE);
    return reason;
}
