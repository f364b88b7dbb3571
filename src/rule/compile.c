#include "rule/compile.h"

#include "text/utf8.h"

#include <string.h>

#define CODE_MIN 64

struct emitter {
    struct compiler *compiler;
    const char *text; /* the source that offsets are in */
    GArray *code;     /* as long as there is room for; n_code words are used */
    guint n_code;
    GString *terms;
    bool has_regex;
};

static void put_string(GString *strings, const char *text, size_t size)
{
    g_string_append_len(strings, text, (gssize)size);
    g_string_append_c(strings, '\0');
}

uint32_t compile_string(struct compiler *compiler, const char *text, size_t size)
{
    uint32_t offset = (uint32_t)compiler->set->strings->len;
    put_string(compiler->set->strings, text, size);
    return offset;
}

static void put(struct emitter *emitter, uint32_t word)
{
    GArray *code = emitter->code;
    if (emitter->n_code == code->len)
        g_array_set_size(code, MAX(code->len * 2, CODE_MIN));
    g_array_index(code, uint32_t, emitter->n_code++) = word;
}

static guint open_body(struct emitter *emitter, enum program_op op)
{
    put(emitter, PROGRAM_MAKE(op, 0));
    return emitter->n_code - 1;
}

static void close_body(struct emitter *emitter, guint at)
{
    uint32_t *word = &g_array_index(emitter->code, uint32_t, at);
    *word |= emitter->n_code - at - 1;
}

static uint32_t word_id(struct emitter *emitter, const struct query_word *word)
{
    const struct compiler *compiler = emitter->compiler;
    unsigned language = LANGUAGE_NONE;
    if (word->test == WORD_INFLECTS)
        language = lint_fallback_language(word->folded, word->size, compiler->languages,
                                          compiler->n_languages);
    const struct word key = {.folded = word->folded,
                             .size = (uint16_t)MIN(word->size, (size_t)WORD_BYTES_MAX),
                             .hash = word->hash};
    return vocab_add(compiler->set->vocab, word->test, &key, language);
}

static uint32_t add_exact(struct emitter *emitter, const char *text, size_t size)
{
    struct ruleset *set = emitter->compiler->set;
    struct words *cutter = emitter->compiler->context->words;
    const struct word *list;
    g_autofree char *composed = exact_normalise(text, size);
    if (!composed)
        composed = g_strndup(text, size);
    struct exact exact = {.text = compile_string(emitter->compiler, composed, strlen(composed)),
                          .size = (uint32_t)strlen(composed)};
    bool is_first = true;
    words_start(cutter, composed, exact.size);
    for (size_t n; (n = words_next(cutter, &list)) > 0; is_first = false) {
        if (is_first)
            exact.core_start = list[0].start;
        exact.core_end = list[n - 1].end;
    }
    for (size_t pos = 0; pos < exact.core_start; exact.before++)
        utf8_next(composed, exact.size, &pos);
    g_array_append_val(set->exacts, exact);
    return set->exacts->len - 1;
}

static void add_words(struct emitter *emitter, const struct query_term *term,
                      struct rule_leaf *leaf)
{
    GArray *words = emitter->compiler->set->words;
    leaf->at = words->len;
    leaf->n_words = (uint16_t)term->n_words;
    for (size_t i = 0; i < term->n_words; i++) {
        uint32_t id = word_id(emitter, &term->words[i]);
        g_array_append_val(words, id);
        leaf->has_exacts = leaf->has_exacts || term->words[i].exact;
    }
    for (size_t i = 0; leaf->has_exacts && i < term->n_words; i++) {
        const struct query_word *word = &term->words[i];
        uint32_t exact =
            word->exact ? add_exact(emitter, word->exact, word->exact_size) : PROGRAM_NONE;
        g_array_append_val(words, exact);
    }
}

static void add_regex(struct emitter *emitter, const struct query_term *term,
                      struct rule_leaf *leaf)
{
    GPtrArray *regexes = emitter->compiler->set->regexes;
    g_autofree char *message = NULL;
    size_t offset;
    leaf->kind = LEAF_REGEX;
    leaf->at = regexes->len;
    leaf->fields = (uint16_t)term->field;
    /* It was compiled once already, so this cannot fail. */
    g_ptr_array_add(regexes,
                    regex_new(term->text, term->text_size, term->is_caseful, &message, &offset));
    emitter->has_regex = true;
}

static struct rule_leaf make_leaf(struct emitter *emitter, const struct query_term *term)
{
    struct rule_leaf leaf = {.kind = LEAF_PHRASE, .distance = (uint16_t)term->distance};
    switch (term->kind) {
    case TERM_WORDS:
        add_words(emitter, term, &leaf);
        break;
    case TERM_UNORDERED:
        leaf.kind = LEAF_UNORDERED;
        add_words(emitter, term, &leaf);
        break;
    case TERM_EXACT: {
        leaf.kind = LEAF_EXACT;
        add_words(emitter, term, &leaf);
        uint32_t exact = add_exact(emitter, term->text, term->text_size);
        g_array_append_val(emitter->compiler->set->words, exact);
        break;
    }
    case TERM_REGEX:
        add_regex(emitter, term, &leaf);
        break;
    case TERM_VALUE:
        leaf.kind = LEAF_VALUE;
        leaf.fields = (uint16_t)term->field;
        leaf.at = compile_string(emitter->compiler, term->text, term->text_size);
        break;
    }
    return leaf;
}

static void emit_need(struct emitter *emitter, const struct rule_leaf *leaf, guint number)
{
    guint at = open_body(emitter, OP_NEED);
    for (guint i = 0; i < leaf->n_words; i++) {
        uint32_t id = g_array_index(emitter->compiler->set->words, uint32_t, leaf->at + i);
        if (id != VOCAB_ANY)
            put(emitter, id);
    }
    put(emitter, PROGRAM_MAKE(OP_LEAF, number));
    close_body(emitter, at);
}

/* Its first two neighbours that are whole words. */
static uint32_t find_pair(const struct query_term *term)
{
    const struct query_word *words = term->words;
    for (uint32_t i = 0; i + 1 < term->n_words && i < PAIR_NONE; i++)
        if (words[i].test == WORD_IS && words[i + 1].test == WORD_IS)
            return pair_of(words[i].hash, words[i + 1].hash) | i;
    return PAIR_NONE;
}

static void emit_phrase(struct emitter *emitter, const struct query_term *term)
{
    guint at = open_body(emitter, OP_PHRASE);
    for (size_t i = 0; i < term->n_words; i++)
        put(emitter, word_id(emitter, &term->words[i]));
    put(emitter, find_pair(term));
    close_body(emitter, at);
}

static bool has_exacts(const struct query_term *term)
{
    for (size_t i = 0; i < term->n_words; i++)
        if (term->words[i].exact)
            return true;
    return false;
}

static void put_term(struct emitter *emitter, const struct query_node *node)
{
    put_string(emitter->terms, emitter->text + node->start, node->end - node->start);
}

/* Whether it becomes an OP_WORD. */
static bool is_word(const struct query_node *node)
{
    const struct query_term *term = node->kind == QUERY_TERM ? node->term : NULL;
    return term && term->kind == TERM_WORDS && term->n_words == 1 && !term->words[0].exact;
}

static void put_word(struct emitter *emitter, const struct query_node *node)
{
    put(emitter, PROGRAM_MAKE(OP_WORD, word_id(emitter, &node->term->words[0])));
}

static void emit_term(struct emitter *emitter, const struct query_node *node)
{
    const struct query_term *term = node->term;
    put_term(emitter, node);
    if (is_word(node)) {
        put_word(emitter, node);
        return;
    }
    if (term->kind == TERM_WORDS && !has_exacts(term)) {
        emit_phrase(emitter, term);
        return;
    }
    struct rule_leaf leaf = make_leaf(emitter, term);
    GArray *leaves = emitter->compiler->set->leaves;
    g_array_append_val(leaves, leaf);
    if (leaf.n_words > 0)
        emit_need(emitter, &leaf, leaves->len - 1);
    else
        put(emitter, PROGRAM_MAKE(OP_LEAF, leaves->len - 1));
}

/* The list compiled for the rule's languages; once for all rules where they do not matter. */
static uint32_t list_instance(struct compiler *compiler, size_t list)
{
    gint64 key =
        (gint64)list << 32 | (compiler->has_inflections[list] ? compiler->language_choice : 0);
    gpointer known;
    if (g_hash_table_lookup_extended(compiler->list_instances, &key, NULL, &known))
        return GPOINTER_TO_UINT(known);
    struct ruleset *set = compiler->set;
    g_autoptr(GArray) code = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autoptr(GString) terms = g_string_new(NULL);
    const char *id = compiler->context->lists[list].id;
    struct rule_list entry = {.name = compile_string(compiler, id, strlen(id))};
    if (compiler->lists[list])
        compile_tree(compiler, compiler->lists[list], compiler->list_texts[list], code, terms);
    entry.code = set->code->len;
    entry.n_code = code->len;
    entry.terms = (uint32_t)set->terms->len;
    g_array_append_vals(set->code, code->data, code->len);
    g_string_append_len(set->terms, terms->str, (gssize)terms->len);
    g_array_append_val(set->lists, entry);
    gint64 *stored = g_new(gint64, 1);
    *stored = key;
    g_hash_table_insert(compiler->list_instances, stored, GUINT_TO_POINTER(set->lists->len - 1));
    return set->lists->len - 1;
}

static void emit(struct emitter *emitter, const struct query_node *node);

static void emit_children(struct emitter *emitter, const struct query_node *node)
{
    for (const struct query_node *child = node->first; child; child = child->next)
        emit(emitter, child);
}

static void emit_inner(struct emitter *emitter, const struct query_node *node, enum program_op op,
                       const uint32_t *parameter)
{
    guint at = open_body(emitter, op);
    if (parameter)
        put(emitter, *parameter);
    emit_children(emitter, node);
    close_body(emitter, at);
}

/* The words that come first, of these n nodes. Returns which they are, a bit for each. */
static uint32_t put_or_words(struct emitter *emitter, const struct query_node *node, size_t n)
{
    uint32_t order = 0;
    for (size_t i = 0; i < n; i++, node = node->next)
        if (is_word(node)) {
            put_word(emitter, node);
            order |= UINT32_C(1) << i;
        }
    return order;
}

/* An OR of the n nodes from this one on, at most OR_OPERANDS_MAX. Returns the one behind them. */
static const struct query_node *put_or(struct emitter *emitter, const struct query_node *node,
                                       size_t n)
{
    guint at = open_body(emitter, OP_OR);
    put(emitter, 0);
    uint32_t order = put_or_words(emitter, node, n);
    g_array_index(emitter->code, uint32_t, at + 1) = OR_MAKE(__builtin_popcount(order), order);
    for (size_t i = 0; i < n; i++, node = node->next)
        if (order >> i & 1)
            put_term(emitter, node);
        else
            emit(emitter, node);
    close_body(emitter, at);
    return node;
}

static void emit_or(struct emitter *emitter, const struct query_node *node)
{
    size_t n = 0;
    for (const struct query_node *child = node->first; child; child = child->next)
        n++;
    if (n <= OR_OPERANDS_MAX) {
        put_or(emitter, node->first, n);
        return;
    }
    guint at = open_body(emitter, OP_OR);
    put(emitter, OR_OF_PARTS);
    for (const struct query_node *child = node->first; child; n -= MIN(n, OR_OPERANDS_MAX))
        child = put_or(emitter, child, MIN(n, OR_OPERANDS_MAX));
    close_body(emitter, at);
}

static void emit_in(struct emitter *emitter, const struct query_node *node)
{
    if (!(node->fields & FIELDS_WORDS)) { /* the leaves know */
        emit_children(emitter, node);
        return;
    }
    emitter->compiler->set->fields |= node->fields;
    emit_inner(emitter, node, OP_IN, &node->fields);
}

static void emit(struct emitter *emitter, const struct query_node *node)
{
    uint32_t distance = node->n | (node->is_ordered ? PROGRAM_ORDERED : 0);
    switch (node->kind) {
    case QUERY_TERM:
        emit_term(emitter, node);
        break;
    case QUERY_LIST:
        put(emitter, PROGRAM_MAKE(OP_LIST, list_instance(emitter->compiler, node->list)));
        break;
    case QUERY_AND:
        emit_inner(emitter, node, OP_AND, NULL);
        break;
    case QUERY_OR:
        emit_or(emitter, node);
        break;
    case QUERY_NOT:
        emit_inner(emitter, node, OP_NOT, NULL);
        break;
    case QUERY_NEAR:
        emit_inner(emitter, node, OP_NEAR, &distance);
        break;
    case QUERY_ATLEAST:
        emit_inner(emitter, node, OP_ATLEAST, &node->n);
        break;
    case QUERY_IN:
        emit_in(emitter, node);
        break;
    }
}

void compile_ask(struct compiler *compiler, struct query_node *node)
{
    struct query_term *term = node->kind == QUERY_TERM ? node->term : NULL;
    for (size_t i = 0; term && i < term->n_words; i++)
        term->words[i].place =
            vocab_ask(compiler->set->vocab, term->words[i].test, term->words[i].hash);
    for (struct query_node *child = node->first; child; child = child->next)
        compile_ask(compiler, child);
}

void compile_ask_again(struct compiler *compiler, const struct query_node *node)
{
    const struct query_term *term = node->kind == QUERY_TERM ? node->term : NULL;
    for (size_t i = 0; term && i < term->n_words; i++)
        vocab_ask_entry(compiler->set->vocab, term->words[i].place);
    for (const struct query_node *child = node->first; child; child = child->next)
        compile_ask_again(compiler, child);
}

bool compile_tree(struct compiler *compiler, const struct query_node *node, const char *text,
                  GArray *code, GString *terms)
{
    struct emitter emitter = {
        .compiler = compiler, .text = text, .code = code, .n_code = code->len, .terms = terms};
    emit(&emitter, node);
    g_array_set_size(code, emitter.n_code);
    return emitter.has_regex;
}
