#include "rule/lint.h"

#include "text/utf8.h"

#include <string.h>
#include <xxhash.h>

static struct rule_problems *problems_of(const struct lint *lint)
{
    return lint->context->problems;
}

static const char *kind_name(const struct query_node *node)
{
    static const char *const names[] = {"a term", "a list", "AND",     "OR",
                                        "NOT",    "NEAR",   "ATLEAST", "a field"};
    if (node->kind != QUERY_TERM)
        return names[node->kind];
    if (node->term->kind == TERM_REGEX)
        return "a regular expression";
    return node->term->kind == TERM_VALUE ? "a field without words" : "a term";
}

static bool has_positions(const struct query_node *node)
{
    if (node->kind == QUERY_TERM)
        return node->term->kind != TERM_REGEX && node->term->kind != TERM_VALUE;
    return node->kind == QUERY_LIST || node->kind == QUERY_OR || node->kind == QUERY_NEAR ||
           node->kind == QUERY_IN;
}

/* Everything below NEAR or ATLEAST must be matches, that is, spans of words. */
static void check_operands(const struct lint *lint, const struct query_node *node,
                           const char *operator_name)
{
    if (!has_positions(node)) {
        rule_error(problems_of(lint), node->start,
                   "%s has no place inside %s: expected words, phrases, lists or groups of them "
                   "joined by OR",
                   kind_name(node), operator_name);
        return;
    }
    for (const struct query_node *child = node->first; child; child = child->next)
        check_operands(lint, child, operator_name);
}

static void render(const struct lint *lint, const struct query_node *node, GString *out, bool outer)
{
    if (node->kind != QUERY_AND && node->kind != QUERY_OR) {
        g_string_append_len(out, lint->text + node->start, (gssize)(node->end - node->start));
        return;
    }
    if (!outer)
        g_string_append_c(out, '(');
    for (const struct query_node *child = node->first; child; child = child->next) {
        render(lint, child, out, false);
        if (child->next)
            g_string_append(out, node->kind == QUERY_AND ? " AND " : " OR ");
    }
    if (!outer)
        g_string_append_c(out, ')');
}

static void check_mixed(const struct lint *lint, const struct query_node *node)
{
    if (node->kind != QUERY_OR)
        return;
    for (const struct query_node *child = node->first; child; child = child->next)
        if (child->kind == QUERY_AND && !child->in_parentheses) {
            g_autoptr(GString) text = g_string_new(NULL);
            render(lint, node, text, true);
            rule_warning(problems_of(lint), node->start, "AND and OR are mixed, this is read as %s",
                         text->str);
            return;
        }
}

/* Latin letters and the Cyrillic ones that look the same. */
static bool is_look_alike(uint32_t c)
{
    static const uint32_t letters[] = {
        'a',    'c',    'e',    'i',    'j',    'k',    'o',    'p',    's',    'x',    'y',
        'A',    'B',    'C',    'E',    'H',    'I',    'J',    'K',    'M',    'O',    'P',
        'S',    'T',    'X',    'Y',    0x0430, 0x0441, 0x0435, 0x0456, 0x0458, 0x043A, 0x043E,
        0x0440, 0x0455, 0x0445, 0x0443, 0x0410, 0x0412, 0x0421, 0x0415, 0x041D, 0x0406, 0x0408,
        0x041A, 0x041C, 0x041E, 0x0420, 0x0405, 0x0422, 0x0425, 0x0423,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(letters); i++)
        if (letters[i] == c)
            return true;
    return false;
}

#define BOTH_SCRIPTS (SCRIPT_LATIN | SCRIPT_CYRILLIC)

/* False where a look at the first bytes of its characters tells that there are no letters of both:
 * Latin has some below U+0300 and some that take three bytes, Cyrillic none below. */
static bool may_mix(const char *text, size_t start, size_t end)
{
    bool has_latin = false, has_other = false;
    for (size_t i = start; i < end; i++) {
        unsigned char byte = (unsigned char)text[i];
        has_latin =
            has_latin || g_ascii_isalpha(byte) || (byte >= 0xC2 && byte < 0xCC) || byte >= 0xE0;
        has_other = has_other || byte >= 0xCC;
    }
    return has_latin && has_other;
}

static bool has_both_scripts(const char *text, size_t start, size_t end)
{
    unsigned scripts = 0;
    if (!may_mix(text, start, end))
        return false;
    for (size_t pos = start; pos < end;)
        scripts |= script_of(utf8_next(text, end, &pos));
    return (scripts & BOTH_SCRIPTS) == BOTH_SCRIPTS;
}

/* One written word: letters of both scripts, and all those of one of them look like the other's. */
static void check_look_alikes_in(const struct lint *lint, size_t start, size_t end)
{
    unsigned distinct = 0; /* scripts of letters that have no double */
    if (!has_both_scripts(lint->text, start, end))
        return;
    for (size_t pos = start; pos < end;) {
        uint32_t c = utf8_next(lint->text, end, &pos);
        if (!is_look_alike(c))
            distinct |= script_of(c) & BOTH_SCRIPTS;
    }
    if (distinct == BOTH_SCRIPTS)
        return;
    rule_warning(problems_of(lint), start,
                 "%.*s mixes %s letters into a %s word: they only look alike", (int)(end - start),
                 lint->text + start, distinct == SCRIPT_LATIN ? "Cyrillic" : "Latin",
                 distinct == SCRIPT_LATIN ? "Latin" : "Cyrillic");
}

static void check_look_alikes(const struct lint *lint, const struct query_node *node)
{
    if (node->kind != QUERY_TERM || !node->term || node->term->kind == TERM_REGEX ||
        node->term->kind == TERM_VALUE)
        return;
    size_t size = node->end - node->start, done = 0;
    const char *text = lint->text + node->start;
    for (; done < size && (unsigned char)text[done] < 0x80; done++)
        continue;
    if (done == size || !has_both_scripts(text, 0, size))
        return;
    struct words *cutter = lint->context->words;
    const struct word *list;
    words_start(cutter, text, size);
    for (size_t n; (n = words_next(cutter, &list)) > 0;)
        for (size_t i = 0; i < n; i++)
            check_look_alikes_in(lint, node->start + list[i].start, node->start + list[i].end);
}

void lint_tree(const struct lint *lint, const struct query_node *node)
{
    if (node->kind == QUERY_NEAR || node->kind == QUERY_ATLEAST)
        for (const struct query_node *child = node->first; child; child = child->next)
            check_operands(lint, child, node->kind == QUERY_NEAR ? "NEAR" : "ATLEAST");
    if (node->term && node->term->n_words > QUERY_PHRASE_MAX)
        rule_error(problems_of(lint), node->start, "expected at most %u words in a phrase",
                   QUERY_PHRASE_MAX);
    check_mixed(lint, node);
    if (!lint->is_ascii)
        check_look_alikes(lint, node);
    for (const struct query_node *child = node->first; child; child = child->next)
        lint_tree(lint, child);
}

static bool any_holds_empty(const struct lint *lint, const struct query_node *node)
{
    for (const struct query_node *child = node->first; child; child = child->next)
        if (lint_holds_empty(lint, child))
            return true;
    return false;
}

static bool all_hold_empty(const struct lint *lint, const struct query_node *node)
{
    for (const struct query_node *child = node->first; child; child = child->next)
        if (!lint_holds_empty(lint, child))
            return false;
    return true;
}

bool lint_holds_empty(const struct lint *lint, const struct query_node *node)
{
    switch (node->kind) {
    case QUERY_TERM:
        return node->term->kind == TERM_REGEX && node->term->matches_nothing;
    case QUERY_AND:
        return all_hold_empty(lint, node);
    case QUERY_OR:
    case QUERY_IN:
        return any_holds_empty(lint, node);
    case QUERY_NOT:
        return !any_holds_empty(lint, node);
    case QUERY_LIST:
    case QUERY_NEAR:
    case QUERY_ATLEAST:
        break;
    }
    return false;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ull;
    return hash ^ hash >> 29;
}

static uint64_t mix_text(uint64_t hash, const char *text, size_t size)
{
    return mix(hash, XXH3_64bits(text, size));
}

static uint64_t hash_term(const struct query_term *term, unsigned mask)
{
    uint64_t hash = mix(term->kind, term->kind == TERM_VALUE || term->field ? 0 : mask), words = 0;
    hash = mix(hash, (uint64_t)term->distance << 32 | term->field << 1 | term->is_caseful);
    if (term->text)
        hash = mix_text(hash, term->text, term->text_size);
    for (size_t i = 0; i < term->n_words && !term->text; i++) {
        const struct query_word *word = &term->words[i];
        uint64_t one = mix_text(word->test + 1u, word->folded, word->size);
        if (word->exact)
            one = mix_text(one, word->exact, word->exact_size);
        words = term->kind == TERM_UNORDERED ? words + one : mix(words, one);
    }
    return mix(hash, words);
}

/* Operands of the same operator, however they are grouped, in any order. */
static uint64_t hash_operands(const struct query_node *node, enum query_kind kind, unsigned mask)
{
    uint64_t sum = 0;
    for (struct query_node *child = node->first; child; child = child->next)
        sum +=
            child->kind == kind ? hash_operands(child, kind, mask) : mix(lint_hash(child, mask), 7);
    return sum;
}

static uint64_t hash_node(const struct query_node *node, unsigned mask)
{
    uint64_t hash = mix(0x51ED270B, node->kind);
    switch (node->kind) {
    case QUERY_TERM:
        return mix(hash, hash_term(node->term, mask));
    case QUERY_LIST:
        return mix(mix(hash, node->list), mask);
    case QUERY_AND:
    case QUERY_OR:
        return mix(hash, hash_operands(node, node->kind, mask));
    case QUERY_IN:
        return lint_hash(node->first, node->fields & FIELDS_WORDS ? node->fields : mask);
    case QUERY_NEAR: {
        uint64_t left = lint_hash(node->first, mask), right = lint_hash(node->last, mask);
        hash = mix(hash, node->n << 1 | node->is_ordered);
        return node->is_ordered ? mix(mix(hash, left), right)
                                : mix(hash, mix(left, 3) + mix(right, 3));
    }
    case QUERY_NOT:
    case QUERY_ATLEAST:
        break;
    }
    return mix(mix(hash, node->n), lint_hash(node->first, mask));
}

uint64_t lint_hash(struct query_node *node, unsigned mask)
{
    if (!node->has_hash || node->hash_mask != mask)
        node->hash = hash_node(node, mask);
    node->has_hash = true;
    node->hash_mask = mask;
    return node->hash;
}

struct conjunct {
    uint64_t hash;
    bool is_negated;
    const struct query_node *node;
    enum rule_part part;
};

struct conjuncts {
    const struct lint *lint;
    GArray *list; /* struct conjunct */
    bool has_negated;
    enum rule_part part;
    const struct query_node *reference;
};

static void forget(struct conjuncts *conjuncts)
{
    g_array_set_size(conjuncts->list, 0);
    conjuncts->has_negated = false;
}

static void gather(struct conjuncts *conjuncts, struct query_node *node, unsigned mask,
                   bool is_negated)
{
    struct query_node *list = NULL;
    const struct query_node *outer = conjuncts->reference;
    if (node->kind == QUERY_NOT) {
        gather(conjuncts, node->first, mask, !is_negated);
        return;
    }
    if (node->kind == QUERY_IN) {
        gather(conjuncts, node->first, node->fields & FIELDS_WORDS ? node->fields : mask,
               is_negated);
        return;
    }
    if (node->kind != QUERY_AND || is_negated) {
        struct conjunct conjunct = {.hash = lint_hash(node, mask),
                                    .is_negated = is_negated,
                                    .node = outer ? outer : node,
                                    .part = conjuncts->part};
        g_array_append_val(conjuncts->list, conjunct);
        conjuncts->has_negated = conjuncts->has_negated || is_negated;
    }
    if (node->kind == QUERY_LIST)
        list = conjuncts->lint->lists[node->list];
    if (list && (is_negated || !list->first->next)) {
        conjuncts->reference = outer ? outer : node;
        gather(conjuncts, list, mask, is_negated);
        conjuncts->reference = outer;
    }
    if (node->kind == (is_negated ? QUERY_OR : QUERY_AND) ||
        (node->kind == QUERY_OR && !node->first->next))
        for (struct query_node *child = node->first; child; child = child->next)
            gather(conjuncts, child, mask, is_negated);
}

static gint compare_conjuncts(gconstpointer a, gconstpointer b)
{
    const struct conjunct *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (int)x->is_negated - (int)y->is_negated;
}

static void report_contradiction(const struct conjuncts *conjuncts)
{
    GArray *list = conjuncts->list;
    if (!conjuncts->has_negated)
        return;
    g_array_sort(list, compare_conjuncts);
    for (guint i = 1; i < list->len; i++) {
        const struct conjunct *yes = &g_array_index(list, struct conjunct, i - 1);
        const struct conjunct *no = &g_array_index(list, struct conjunct, i);
        if (yes->hash != no->hash || yes->is_negated || !no->is_negated)
            continue;
        struct rule_problems *problems = problems_of(conjuncts->lint);
        rule_problems_at(problems, no->part, problems->owner);
        rule_error(problems, no->node->start,
                   "this can never hold: the same term is demanded and excluded");
        return;
    }
}

/* Every conjunction below node that is not part of a larger one. */
static void check_conjunctions(struct conjuncts *conjuncts, struct query_node *node, unsigned mask,
                               bool in_and)
{
    if (!node->first)
        return;
    if (node->kind == QUERY_IN && (node->fields & FIELDS_WORDS))
        mask = node->fields;
    if (node->kind == QUERY_AND && !in_and) {
        forget(conjuncts);
        gather(conjuncts, node, mask, false);
        report_contradiction(conjuncts);
    }
    bool is_and = node->kind == QUERY_AND || (in_and && node->kind == QUERY_IN);
    for (struct query_node *child = node->first; child; child = child->next)
        check_conjunctions(conjuncts, child, mask, is_and);
}

void lint_contradictions(const struct lint *lint, struct query_node *match,
                         struct query_node *exclude, unsigned mask)
{
    struct conjuncts conjuncts = {.lint = lint,
                                  .list = g_array_new(FALSE, FALSE, sizeof(struct conjunct)),
                                  .part = RULE_PART_MATCH};
    size_t n_errors = problems_of(lint)->n_errors;
    check_conjunctions(&conjuncts, match, mask, false);
    if (exclude) {
        conjuncts.part = RULE_PART_EXCLUDE;
        check_conjunctions(&conjuncts, exclude, mask, false);
        if (problems_of(lint)->n_errors == n_errors) {
            forget(&conjuncts);
            gather(&conjuncts, exclude, mask, true);
            conjuncts.part = RULE_PART_MATCH;
            gather(&conjuncts, match, mask, false);
            report_contradiction(&conjuncts);
        }
    }
    g_array_unref(conjuncts.list);
}

static unsigned term_scripts(const struct query_term *term)
{
    unsigned scripts = 0;
    for (size_t i = 0; i < term->n_words; i++)
        scripts |= scripts_of_text(term->words[i].folded, term->words[i].size);
    if (term->kind == TERM_REGEX || term->kind == TERM_VALUE)
        scripts = ~0u; /* says nothing about words */
    return scripts;
}

unsigned lint_scripts(const struct lint *lint, const struct query_node *node)
{
    unsigned scripts = 0;
    if (node->kind == QUERY_TERM)
        return term_scripts(node->term);
    if (node->kind == QUERY_NOT)
        return 0;
    if (node->kind == QUERY_LIST)
        return lint->lists[node->list] ? lint_scripts(lint, lint->lists[node->list]) : ~0u;
    for (const struct query_node *child = node->first; child; child = child->next)
        scripts |= lint_scripts(lint, child);
    return scripts;
}
