#include "rule/compile.h"

#include <string.h>

#define TEXT_ASKED        256u /* bytes */
#define DEFAULT_LANGUAGES "en, es, ru"
#define DEFAULT_FIELDS    FIELDS_TEXT

/* What is known of a list before any rule uses it. */
struct list_facts {
    size_t n_terms; /* with those of the lists that it uses; saturates above RULE_TERMS_MAX */
    unsigned depth;
    enum { INFLECTS_UNKNOWN, INFLECTS_NO, INFLECTS_YES } inflects;
    enum { LIST_NEW, LIST_OPEN, LIST_DONE } state;
};

struct builder {
    struct query_context context;
    struct compiler compiler;
    struct rule_problems problems;
    struct arena list_arena; /* the lists' trees, which outlive single rules */
    struct arena rule_arena; /* the trees of the rule at hand */
    struct list_facts *facts;
    struct stemmers *stemmers;
    unsigned languages[LANGUAGES_MAX]; /* of the rule at hand */
    const char *language_text; /* that they are from; NULL: one with problems, or none yet */
    const struct rule_def *rules;
    size_t n_rules;
    const struct rule_feed_def *feeds;
    size_t n_feeds;
    GHashTable *language_choices; /* text -> number */
    GHashTable *scopes;           /* text -> index + 1 in set->scopes */
    GHashTable *seen;             /* hash of a whole rule, in hashes -> its index + 1 */
    gint64 *hashes;               /* one a rule */
    GArray *code;                 /* of the rule at hand */
    GString *terms;
};

static GArray *words_new_array(void)
{
    return g_array_new(FALSE, FALSE, sizeof(uint32_t));
}

static struct ruleset *set_new(size_t n_rules)
{
    struct ruleset *set = g_new0(struct ruleset, 1);
    set->n_refs = 1;
    set->vocab = vocab_new(2 * n_rules); /* most have one or two words of their own */
    set->code = words_new_array();
    set->terms = g_string_new(NULL);
    set->words = words_new_array();
    set->leaves = g_array_new(FALSE, FALSE, sizeof(struct rule_leaf));
    set->exacts = g_array_new(FALSE, FALSE, sizeof(struct exact));
    set->rules = g_array_new(FALSE, FALSE, sizeof(struct rule_entry));
    set->lists = g_array_new(FALSE, FALSE, sizeof(struct rule_list));
    set->regexes = g_ptr_array_new_with_free_func((GDestroyNotify)regex_free);
    set->scopes = g_ptr_array_new_with_free_func((GDestroyNotify)scope_free);
    set->strings = g_string_new(NULL);
    return set;
}

struct ruleset *ruleset_ref(struct ruleset *set)
{
    g_atomic_int_inc(&set->n_refs);
    return set;
}

void ruleset_unref(struct ruleset *set)
{
    if (!set || !g_atomic_int_dec_and_test(&set->n_refs))
        return;
    vocab_free(set->vocab);
    g_array_unref(set->code);
    g_string_free(set->terms, TRUE);
    g_array_unref(set->words);
    g_array_unref(set->leaves);
    g_array_unref(set->exacts);
    g_array_unref(set->rules);
    g_array_unref(set->lists);
    g_ptr_array_unref(set->regexes);
    g_ptr_array_unref(set->scopes);
    g_string_free(set->strings, TRUE);
    g_free(set);
}

size_t ruleset_size(const struct ruleset *set)
{
    return set->rules->len;
}

const char *ruleset_id(const struct ruleset *set, size_t rule)
{
    return ruleset_string(set, g_array_index(set->rules, struct rule_entry, rule).id);
}

gssize ruleset_find(const struct ruleset *set, const char *id)
{
    for (guint i = 0; i < set->rules->len; i++)
        if (strcmp(ruleset_id(set, i), id) == 0)
            return (gssize)i;
    return -1;
}

size_t ruleset_bytes(const struct ruleset *set)
{
    size_t bytes = sizeof *set + vocab_bytes(set->vocab) + set->strings->allocated_len +
                   set->terms->allocated_len;
    bytes += (set->code->len + set->words->len) * sizeof(uint32_t);
    bytes += set->leaves->len * sizeof(struct rule_leaf) + set->exacts->len * sizeof(struct exact);
    bytes +=
        set->rules->len * sizeof(struct rule_entry) + set->lists->len * sizeof(struct rule_list);
    for (guint i = 0; i < set->regexes->len; i++)
        bytes += regex_bytes(g_ptr_array_index(set->regexes, i));
    return bytes;
}

static void count_terms(struct builder *builder, const struct query_node *node, size_t *n,
                        unsigned *depth);

/* Resolves what a list uses. False where it uses itself. */
static bool visit_list(struct builder *builder, size_t list)
{
    struct list_facts *facts = &builder->facts[list];
    if (facts->state != LIST_NEW)
        return facts->state == LIST_DONE;
    facts->state = LIST_OPEN;
    if (builder->compiler.lists[list])
        count_terms(builder, builder->compiler.lists[list], &facts->n_terms, &facts->depth);
    facts->state = LIST_DONE;
    return true;
}

static bool has_inflection(const struct query_term *term)
{
    for (size_t i = 0; term && i < term->n_words; i++)
        if (term->words[i].test == WORD_INFLECTS)
            return true;
    return false;
}

static void count_terms(struct builder *builder, const struct query_node *node, size_t *n,
                        unsigned *depth)
{
    if (node->kind == QUERY_LIST) {
        const struct list_facts *facts = &builder->facts[node->list];
        if (visit_list(builder, node->list)) {
            *n = MIN(*n + facts->n_terms, RULE_TERMS_MAX + 1);
            *depth = MAX(*depth, facts->depth + 1);
        }
    } else if (node->kind == QUERY_TERM) {
        *n = MIN(*n + 1, RULE_TERMS_MAX + 1);
    }
    for (const struct query_node *child = node->first; child; child = child->next)
        count_terms(builder, child, n, depth);
}

/* Whether a list uses itself, by whatever way; is_open marks the way so far. */
static bool is_circle(const struct builder *builder, size_t list, size_t target, bool *is_open)
{
    const struct query_node *tree = builder->compiler.lists[list];
    if (!tree || is_open[list])
        return false;
    is_open[list] = true;
    for (const struct query_node *item = tree->first; item; item = item->next)
        if (item->kind == QUERY_LIST &&
            (item->list == target || is_circle(builder, item->list, target, is_open)))
            return true;
    return false;
}

static void refuse_circles(struct builder *builder)
{
    size_t n = builder->context.n_lists;
    g_autofree bool *is_bad = g_new0(bool, n + 1);
    for (size_t i = 0; i < n; i++) {
        g_autofree bool *is_open = g_new0(bool, n);
        is_bad[i] = is_circle(builder, i, i, is_open);
    }
    for (size_t i = 0; i < n; i++)
        for (struct query_node *item = is_bad[i] ? builder->compiler.lists[i]->first : NULL; item;
             item = item->next)
            if (item->kind == QUERY_LIST && is_bad[item->list]) {
                rule_problems_at(&builder->problems, RULE_PART_LIST, i);
                rule_error(&builder->problems, item->start,
                           "list %s uses itself through @%s: lists must not form a circle",
                           builder->context.lists[i].id, builder->context.lists[item->list].id);
                break;
            }
    for (size_t i = 0; i < n; i++)
        if (is_bad[i])
            builder->compiler.lists[i] = NULL;
}

static bool list_inflects(const struct builder *builder, size_t list)
{
    const struct query_node *tree = builder->compiler.lists[list];
    struct list_facts *facts = &builder->facts[list];
    if (facts->inflects != INFLECTS_UNKNOWN)
        return facts->inflects == INFLECTS_YES;
    facts->inflects = INFLECTS_NO;
    for (const struct query_node *item = tree ? tree->first : NULL; item; item = item->next)
        if (has_inflection(item->term) ||
            (item->kind == QUERY_LIST && list_inflects(builder, item->list)))
            facts->inflects = INFLECTS_YES;
    return facts->inflects == INFLECTS_YES;
}

static struct lint lint_for(const struct builder *builder, const char *text)
{
    return (struct lint){
        .context = builder->compiler.context, .lists = builder->compiler.lists, .text = text};
}

static void check_list(struct builder *builder, size_t list)
{
    struct compiler *compiler = &builder->compiler;
    if (!compiler->lists[list])
        return;
    rule_problems_at(&builder->problems, RULE_PART_LIST, list);
    struct lint lint = lint_for(builder, compiler->list_texts[list]);
    lint_tree(&lint, compiler->lists[list]);
    visit_list(builder, list);
    if (builder->facts[list].depth > RULE_DEPTH_MAX)
        rule_error(&builder->problems, 0, "lists are nested over %d levels", RULE_DEPTH_MAX);
    compiler->has_inflections[list] = list_inflects(builder, list);
}

static void read_lists(struct builder *builder, const struct rule_list_def *lists, size_t n)
{
    struct compiler *compiler = &builder->compiler;
    compiler->lists = g_new0(struct query_node *, n + 1);
    compiler->list_texts = g_new0(const char *, n + 1);
    compiler->has_inflections = g_new0(bool, n + 1);
    builder->facts = g_new0(struct list_facts, n + 1);
    builder->context.arena = &builder->list_arena;
    for (size_t i = 0; i < n; i++) {
        compiler->list_texts[i] = lists[i].any ? lists[i].any : "";
        rule_problems_at(&builder->problems, RULE_PART_LIST, i);
        compiler->lists[i] = query_parse_list(&builder->context, compiler->list_texts[i]);
    }
    builder->context.arena = &builder->rule_arena;
    refuse_circles(builder);
    for (size_t i = 0; i < n; i++)
        check_list(builder, i);
}

static void read_languages(struct builder *builder, const char *text)
{
    static const char separators[] = ", \t\r\n";
    struct compiler *compiler = &builder->compiler;
    if (!text)
        text = DEFAULT_LANGUAGES;
    if (builder->language_text && strcmp(text, builder->language_text) == 0)
        return; /* those of the rule before */
    guint n_problems = builder->problems.list->len;
    compiler->n_languages = 0;
    for (const char *at = text + strspn(text, separators); *at; at += strspn(at, separators)) {
        size_t size = strcspn(at, separators);
        unsigned language = language_find(at, size);
        size_t offset = (size_t)(at - text);
        if (!language)
            rule_error(&builder->problems, offset,
                       "unknown language %.*s: expected codes such as en, es, ru", (int)size, at);
        else if (!language_has_stemmer(language))
            rule_warning(&builder->problems, offset, "~ finds no inflected forms in %.*s",
                         (int)size, at);
        if (language && compiler->n_languages < LANGUAGES_MAX)
            builder->languages[compiler->n_languages++] = language;
        at += size;
    }
    if (compiler->n_languages == 0)
        rule_error(&builder->problems, 0, "expected languages, such as en, es, ru");
    gpointer choice = g_hash_table_lookup(builder->language_choices, text);
    if (!choice) {
        choice = GUINT_TO_POINTER(g_hash_table_size(builder->language_choices) + 2);
        g_hash_table_insert(builder->language_choices, g_strdup(text), choice);
    }
    compiler->language_choice = GPOINTER_TO_UINT(choice);
    builder->language_text = builder->problems.list->len == n_problems ? text : NULL;
}

static uint32_t read_scope(struct builder *builder, const char *text)
{
    if (!text)
        return PROGRAM_NONE;
    GPtrArray *scopes = builder->compiler.set->scopes;
    gpointer known = g_hash_table_lookup(builder->scopes, text);
    if (known)
        return GPOINTER_TO_UINT(known) - 1;
    struct scope *scope = scope_parse(text, builder->feeds, builder->n_feeds, &builder->problems);
    if (!scope)
        return PROGRAM_NONE;
    g_ptr_array_add(scopes, scope);
    g_hash_table_insert(builder->scopes, g_strdup(text), GUINT_TO_POINTER(scopes->len));
    return scopes->len - 1;
}

/* The scripts of all feeds in the scope; 0 where one of them is not known. */
static unsigned feed_scripts(const struct builder *builder, const struct scope *scope)
{
    unsigned scripts = 0;
    for (size_t i = 0; i < builder->n_feeds; i++) {
        const struct rule_feed_def *feed = &builder->feeds[i];
        if (scope && !scope_has(scope, feed->id, feed->tags))
            continue;
        unsigned language =
            feed->language ? language_find(feed->language, strlen(feed->language)) : LANGUAGE_NONE;
        if (language == LANGUAGE_NONE)
            return 0;
        scripts |= language_scripts(language);
    }
    return scripts;
}

static void check_scripts(struct builder *builder, const struct query_node *match, uint32_t scope)
{
    if (builder->n_feeds == 0)
        return;
    bool has_scope = scope != PROGRAM_NONE;
    unsigned feeds = feed_scripts(
        builder, has_scope ? g_ptr_array_index(builder->compiler.set->scopes, scope) : NULL);
    struct lint lint = lint_for(builder, NULL);
    unsigned terms = feeds ? lint_scripts(&lint, match) : 0;
    if (!feeds || !terms || (feeds & terms))
        return;
    if (has_scope)
        rule_problems_at(&builder->problems, RULE_PART_FEEDS, builder->problems.owner);
    rule_warning(&builder->problems, 0,
                 "the feeds of this rule are all in a script that none of its terms uses");
}

/* What one text of a rule must not be, whatever stands in the other. */
static void check_text(struct builder *builder, const struct query_node *node, const char *text)
{
    struct lint lint = lint_for(builder, text);
    size_t n_terms = 0, size = strlen(text);
    unsigned depth = 0;
    lint.is_ascii = g_str_is_ascii(text);
    lint_tree(&lint, node);
    if (strchr(text, '~'))
        lint_stems(&lint, node, builder->stemmers, builder->languages,
                   builder->compiler.n_languages);
    if (size > RULE_TERMS_MAX || memchr(text, '@', size)) /* else there are not so many */
        count_terms(builder, node, &n_terms, &depth);
    if (n_terms > RULE_TERMS_MAX)
        rule_error(&builder->problems, 0, "over %d terms", RULE_TERMS_MAX);
}

static struct query_node *read_query(struct builder *builder, enum rule_part part, size_t rule,
                                     const char *text)
{
    rule_problems_at(&builder->problems, part, rule);
    struct query_node *node = query_parse(&builder->context, text);
    if (node)
        check_text(builder, node, text);
    return node;
}

static void check_same(struct builder *builder, size_t rule, uint64_t hash)
{
    const struct rule_def *def = &builder->rules[rule];
    if (def->feeds)
        hash ^= (uint64_t)g_str_hash(def->feeds) << 20;
    gint64 *key = &builder->hashes[rule];
    *key = (gint64)(hash + builder->compiler.language_choice);
    gpointer known = g_hash_table_lookup(builder->seen, key);
    if (known) {
        rule_problems_at(&builder->problems, RULE_PART_MATCH, rule);
        rule_warning(&builder->problems, 0, "this rule is the same as %s",
                     builder->rules[GPOINTER_TO_SIZE(known) - 1].id);
        return;
    }
    g_hash_table_insert(builder->seen, key, GSIZE_TO_POINTER(rule + 1));
}

static void check_rule(struct builder *builder, size_t rule, struct query_node *match,
                       struct query_node *exclude, unsigned fields)
{
    struct lint lint = lint_for(builder, builder->rules[rule].match);
    rule_problems_at(&builder->problems, RULE_PART_MATCH, rule);
    if (lint_holds_empty(&lint, match) && !(exclude && lint_holds_empty(&lint, exclude)))
        rule_error(&builder->problems, match->start,
                   "this holds for an item without words: expected a term that must be there");
    lint_contradictions(&lint, match, exclude, fields);
    uint64_t hash = lint_hash(match, fields);
    check_same(builder, rule, exclude ? hash * 31 + lint_hash(exclude, fields) : hash);
}

/* match AND NOT exclude. */
static void emit_rule(struct builder *builder, struct rule_entry *entry, const struct rule_def *def,
                      const struct query_node *match, const struct query_node *exclude)
{
    struct ruleset *set = builder->compiler.set;
    GArray *code = builder->code;
    g_array_set_size(code, 0);
    g_string_truncate(builder->terms, 0);
    uint32_t zero = 0;
    if (exclude)
        g_array_append_val(code, zero);
    entry->has_regex = compile_tree(&builder->compiler, match, def->match, code, builder->terms);
    if (exclude) {
        guint at = code->len;
        g_array_append_val(code, zero);
        entry->has_regex |=
            compile_tree(&builder->compiler, exclude, def->exclude, code, builder->terms);
        g_array_index(code, uint32_t, at) = PROGRAM_MAKE(OP_NOT, code->len - at - 1);
        g_array_index(code, uint32_t, 0) = PROGRAM_MAKE(OP_AND, code->len - 1);
        entry->has_exclude = true;
    }
    entry->code = set->code->len;
    entry->n_code = code->len;
    entry->terms = (uint32_t)set->terms->len;
    g_array_append_vals(set->code, code->data, code->len);
    g_string_append_len(set->terms, builder->terms->str, (gssize)builder->terms->len);
}

static void read_rule(struct builder *builder, size_t rule)
{
    const struct rule_def *def = &builder->rules[rule];
    struct ruleset *set = builder->compiler.set;
    size_t n_errors = builder->problems.n_errors;
    struct rule_entry entry = {.fields = DEFAULT_FIELDS, .scope = PROGRAM_NONE};
    arena_reset(&builder->rule_arena);
    rule_problems_at(&builder->problems, RULE_PART_LANGUAGE, rule);
    read_languages(builder, def->language);
    rule_problems_at(&builder->problems, RULE_PART_FEEDS, rule);
    entry.scope = read_scope(builder, def->feeds);
    rule_problems_at(&builder->problems, RULE_PART_IN, rule);
    if (def->in)
        entry.fields = (uint16_t)query_parse_fields(&builder->context, def->in);
    struct query_node *match =
        read_query(builder, RULE_PART_MATCH, rule, def->match ? def->match : "");
    struct query_node *exclude =
        def->exclude ? read_query(builder, RULE_PART_EXCLUDE, rule, def->exclude) : NULL;
    if (builder->problems.n_errors == n_errors && match) {
        compile_ask(&builder->compiler, match);
        check_rule(builder, rule, match, exclude, entry.fields);
        rule_problems_at(&builder->problems, RULE_PART_MATCH, rule);
        check_scripts(builder, match, entry.scope);
    }
    if (builder->problems.n_errors > 0)
        return; /* the set will not be used */
    compile_ask_again(&builder->compiler, match);
    entry.id = compile_string(&builder->compiler, def->id, strlen(def->id));
    set->fields |= entry.fields;
    emit_rule(builder, &entry, def, match, exclude);
    g_array_append_val(set->rules, entry);
}

static void builder_init(struct builder *builder)
{
    rule_problems_init(&builder->problems);
    builder->context = (struct query_context){
        .arena = &builder->rule_arena,
        .problems = &builder->problems,
        .words = words_new(),
        .term = g_array_new(FALSE, FALSE, sizeof(struct query_word)),
        .pattern = g_string_new(NULL),
    };
    builder->stemmers = stemmers_new();
    builder->language_choices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    builder->scopes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    builder->seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    builder->hashes = g_new(gint64, builder->n_rules + 1);
    builder->code = words_new_array();
    builder->terms = g_string_new(NULL);
    builder->compiler = (struct compiler){
        .set = set_new(builder->n_rules),
        .context = &builder->context,
        .languages = builder->languages,
        .list_instances = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL)};
}

static void builder_clear(struct builder *builder)
{
    arena_release(&builder->list_arena);
    arena_release(&builder->rule_arena);
    words_free(builder->context.words);
    g_array_unref(builder->context.term);
    g_string_free(builder->context.pattern, TRUE);
    stemmers_free(builder->stemmers);
    g_hash_table_unref(builder->language_choices);
    g_hash_table_unref(builder->scopes);
    g_hash_table_unref(builder->seen);
    g_free(builder->hashes);
    g_hash_table_unref(builder->compiler.list_instances);
    g_array_unref(builder->code);
    g_string_free(builder->terms, TRUE);
    g_free(builder->facts);
    g_free(builder->compiler.lists);
    g_free(builder->compiler.list_texts);
    g_free(builder->compiler.has_inflections);
}

/* Asks for the memory of a text that is read soon; most are not longer. */
static void ask_text(const char *text)
{
    for (size_t at = 0; text && at < TEXT_ASKED; at += 64)
        __builtin_prefetch(text + at);
}

/* To its length: it grows no more. */
static void trim(GString *string)
{
    string->str = g_realloc(string->str, string->len + 1);
    string->allocated_len = string->len + 1;
}

struct ruleset *ruleset_compile(const struct rule_def *rules, size_t n_rules,
                                const struct rule_list_def *lists, size_t n_lists,
                                const struct rule_feed_def *feeds, size_t n_feeds,
                                GArray **ret_problems)
{
    struct builder builder = {
        .rules = rules, .n_rules = n_rules, .feeds = feeds, .n_feeds = feeds ? n_feeds : 0};
    builder_init(&builder);
    builder.context.lists = lists;
    builder.context.n_lists = n_lists;
    read_lists(&builder, lists, n_lists);
    for (size_t i = 0; i < n_rules; i++) {
        if (i + 1 < n_rules)
            ask_text(rules[i + 1].match);
        read_rule(&builder, i);
    }
    struct ruleset *set = builder.compiler.set;
    static const uint32_t zeros[PROGRAM_TOUCHED];
    g_array_append_vals(set->code, zeros, PROGRAM_TOUCHED);
    vocab_seal(set->vocab);
    trim(set->strings);
    trim(set->terms);
    if (builder.problems.n_errors > 0)
        g_clear_pointer(&set, ruleset_unref);
    *ret_problems = builder.problems.list;
    builder_clear(&builder);
    return set;
}
