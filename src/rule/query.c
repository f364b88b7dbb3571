#include "rule/query.h"

#include "text/utf8.h"

#include <string.h>

static const char *const operator_names[] = {"", "AND", "OR", "NOT", "NEAR", "ONEAR", "ATLEAST"};

static struct query_node *parse_or(struct query_parser *parser);
static struct query_node *parse_near(struct query_parser *parser);

static struct rule_problems *problems_of(const struct query_parser *parser)
{
    return parser->context->problems;
}

struct query_node *query_node_new(struct query_parser *parser, enum query_kind kind, size_t start)
{
    struct query_node *node = arena_new_array(parser->context->arena, struct query_node, 1);
    node->kind = kind;
    node->start = start;
    node->depth = 1;
    return node;
}

void query_append(struct query_node *parent, struct query_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->end = child->end;
    parent->depth = MAX(parent->depth, child->depth + 1);
}

size_t query_wide_blank(const struct query_parser *parser, size_t pos)
{
    size_t end = pos;
    uint32_t c = utf8_next(parser->text, parser->size, &end);
    bool is_blank = c == 0xA0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F;
    return is_blank ? end - pos : 0;
}

void query_skip_all_blanks(struct query_parser *parser)
{
    for (size_t n; (n = query_blank(parser, parser->pos)) > 0;)
        parser->pos += n;
}

size_t query_run_end(const struct query_parser *parser, size_t pos)
{
    for (; pos < parser->size; pos++) {
        unsigned char c = (unsigned char)parser->text[pos];
        if (c > ',' && c < 0x80)
            continue; /* nearly all */
        if (query_blank(parser, pos) || c == '(' || c == ')' || c == '"' ||
            (parser->is_list && c == ','))
            break;
    }
    return pos;
}

/* Of a query nearly every second word is one, so they are told apart by their lengths. */
static enum operator_kind operator_named(const char *name, size_t size)
{
    switch (size) {
    case 2:
        return memcmp(name, "OR", 2) == 0 ? OPERATOR_OR : OPERATOR_NONE;
    case 3:
        if (memcmp(name, "AND", 3) == 0)
            return OPERATOR_AND;
        return memcmp(name, "NOT", 3) == 0 ? OPERATOR_NOT : OPERATOR_NONE;
    case 4:
        return memcmp(name, "NEAR", 4) == 0 ? OPERATOR_NEAR : OPERATOR_NONE;
    case 5:
        return memcmp(name, "ONEAR", 5) == 0 ? OPERATOR_ONEAR : OPERATOR_NONE;
    case 7:
        return memcmp(name, "ATLEAST", 7) == 0 ? OPERATOR_ATLEAST : OPERATOR_NONE;
    default:
        return OPERATOR_NONE;
    }
}

static bool all_digits(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!g_ascii_isdigit(text[i]))
            return false;
    return size > 0;
}

/* Operators are looked at more than once. */
static bool is_first_report(struct query_parser *parser, const struct operator_token *token)
{
    bool is_first = parser->n_bad < token->end;
    parser->n_bad = token->end;
    return is_first;
}

/* NAME/digits. */
static void read_number(struct query_parser *parser, struct operator_token *token, size_t slash)
{
    const char *digits = parser->text + slash + 1;
    size_t n_digits = token->end - slash - 1;
    bool counts = token->kind == OPERATOR_ATLEAST;
    unsigned least = counts ? 1 : 0, most = counts ? QUERY_ATLEAST_MAX : QUERY_NEAR_MAX;
    unsigned value = 0;
    for (size_t i = 0; i < n_digits && value <= most; i++)
        value = value * 10 + (unsigned)(digits[i] - '0');
    if (n_digits == 0 || value < least || value > most) {
        if (is_first_report(parser, token))
            rule_error(problems_of(parser), token->start, "%.*s: expected %s/%u to %s/%u",
                       (int)(token->end - token->start), parser->text + token->start,
                       operator_names[token->kind], least, operator_names[token->kind], most);
        token->kind = OPERATOR_BAD;
    }
    token->n = value;
}

static void unknown_operator(struct query_parser *parser, struct operator_token *token,
                             size_t name_size)
{
    struct nearest nearest;
    nearest_init(&nearest, parser->text + token->start, name_size);
    for (int kind = OPERATOR_NEAR; kind <= OPERATOR_ATLEAST; kind++)
        nearest_try(&nearest, operator_names[kind]);
    g_autofree char *hint = nearest_hint(&nearest, "");
    int size = (int)(token->end - token->start);
    if (is_first_report(parser, token))
        rule_error(problems_of(parser), token->start,
                   "unknown operator %.*s%s (as words it is written \"%.*s\")", size,
                   parser->text + token->start, hint, size, parser->text + token->start);
    token->kind = OPERATOR_BAD;
}

/* An operator with a slash, of which size bytes are capitals. */
static void read_slashed(struct query_parser *parser, struct operator_token *token, size_t size)
{
    size_t slash = token->start + size;
    const char *rest = parser->text + slash + 1;
    size_t rest_size = token->end - slash - 1;
    token->kind = operator_named(parser->text + token->start, size);
    if (token->kind < OPERATOR_NEAR) { /* of these, none has a number */
        token->kind = OPERATOR_NONE;
        if (all_digits(rest, rest_size))
            unknown_operator(parser, token, size);
        return;
    }
    read_number(parser, token, all_digits(rest, rest_size) ? slash : token->end - 1);
}

static void read_operator(struct query_parser *parser, struct operator_token *token)
{
    size_t at = parser->pos;
    *token = (struct operator_token){.start = at, .n = QUERY_NEAR_DEFAULT};
    if (at >= parser->size || parser->text[at] == ')') {
        token->kind = OPERATOR_END;
        return;
    }
    if (!g_ascii_isupper(parser->text[at]))
        return; /* a term, as nearly always: where that ends is of no interest */
    while (at < parser->size && parser->text[at] >= 'A' && parser->text[at] <= 'Z')
        at++;
    token->end = query_run_end(parser, at);
    size_t size = at - token->start;
    if (at < token->end && parser->text[at] == '/') {
        read_slashed(parser, token, size);
    } else if (at == token->end) {
        token->kind = operator_named(parser->text + token->start, size);
        if (token->kind == OPERATOR_ATLEAST)
            read_number(parser, token, token->end - 1);
    }
}

static inline bool has_peeked(const struct query_parser *parser)
{
    return parser->has_peeked && parser->peeked.start == parser->pos;
}

/* Looks at what comes next without taking it; valid until the next look. */
static const struct operator_token *peek(struct query_parser *parser)
{
    if (has_peeked(parser))
        return &parser->peeked;
    query_skip_blanks(parser);
    if (!has_peeked(parser))
        read_operator(parser, &parser->peeked);
    parser->has_peeked = true;
    return &parser->peeked;
}

/* What comes next, for a message. */
static char *name_next(const struct query_parser *parser)
{
    const char *text = parser->text + parser->pos;
    if (parser->pos >= parser->size)
        return g_strdup("the end");
    return *text == ')' ? g_strdup(")")
                        : g_strndup(text, query_run_end(parser, parser->pos) - parser->pos);
}

static struct query_node *expected_operand(struct query_parser *parser,
                                           const struct operator_token *before)
{
    if (peek(parser)->kind == OPERATOR_BAD)
        return NULL;
    g_autofree char *found = name_next(parser);
    if (before)
        rule_error(problems_of(parser), before->start,
                   "%.*s has no operand: expected a term after it, found %s",
                   (int)(before->end - before->start), parser->text + before->start, found);
    else
        rule_error(problems_of(parser), parser->pos, "expected a term, found %s", found);
    return NULL;
}

static bool starts_operand(enum operator_kind kind)
{
    return kind == OPERATOR_NONE || kind == OPERATOR_NOT || kind == OPERATOR_ATLEAST;
}

/* Going one level down: false, after saying so, where that is too deep. */
static bool enter(struct query_parser *parser, size_t start)
{
    if (++parser->depth <= RULE_DEPTH_MAX)
        return true;
    rule_error(problems_of(parser), start, "nested over %d levels", RULE_DEPTH_MAX);
    return false;
}

static struct query_node *parse_parentheses(struct query_parser *parser)
{
    size_t start = parser->pos++;
    if (!enter(parser, start))
        return NULL;
    if (peek(parser)->kind == OPERATOR_END && parser->pos < parser->size) {
        rule_error(problems_of(parser), start, "() is empty: expected a term in it");
        return NULL;
    }
    struct query_node *node = parse_or(parser);
    if (!node)
        return NULL;
    parser->depth--;
    query_skip_blanks(parser);
    if (parser->pos >= parser->size) {
        rule_error(problems_of(parser), start, "( is not closed: expected a )");
        return NULL;
    }
    parser->pos++;
    node->in_parentheses = true;
    node->start = start;
    node->end = parser->pos;
    return node;
}

struct query_node *query_parse_reference(struct query_parser *parser)
{
    size_t start = parser->pos, end = start + 1;
    const struct query_context *context = parser->context;
    while (end < parser->size &&
           (g_ascii_isalnum(parser->text[end]) || strchr("._-", parser->text[end])) &&
           parser->text[end])
        end++;
    struct nearest nearest;
    nearest_init(&nearest, parser->text + start + 1, end - start - 1);
    struct query_node *node = query_node_new(parser, QUERY_LIST, start);
    node->end = parser->pos = end;
    for (size_t i = 0; i < context->n_lists; i++) {
        node->list = i;
        if (strlen(context->lists[i].id) == nearest.size &&
            memcmp(context->lists[i].id, nearest.text, nearest.size) == 0)
            return node;
        nearest_try(&nearest, context->lists[i].id);
    }
    g_autofree char *hint = nearest_hint(&nearest, "@");
    int size = (int)(end - start);
    rule_error(context->problems, start, "there is no list %.*s%s", size, parser->text + start,
               hint);
    return NULL;
}

static size_t field_prefix(const struct query_parser *parser)
{
    size_t at = parser->pos;
    while (at < parser->size && (g_ascii_isalpha(parser->text[at]) || parser->text[at] == '_'))
        at++;
    return at > parser->pos && at < parser->size && parser->text[at] == ':' ? at - parser->pos : 0;
}

static unsigned known_field(struct query_parser *parser, size_t size, const char *advice)
{
    const char *name = parser->text + parser->pos;
    unsigned mask = field_mask(name, size);
    if (mask)
        return mask;
    struct nearest nearest;
    nearest_init(&nearest, name, size);
    for (size_t i = 0; field_names[i]; i++)
        nearest_try(&nearest, field_names[i]);
    g_autofree char *hint = nearest_hint(&nearest, "");
    rule_error(problems_of(parser), parser->pos, "unknown field %.*s%s%s", (int)size, name, hint,
               advice);
    return 0;
}

static struct query_node *parse_primary(struct query_parser *parser);

static struct query_node *parse_field(struct query_parser *parser, size_t name_size)
{
    struct operator_token token = {.start = parser->pos, .end = parser->pos + name_size + 1};
    unsigned mask = known_field(parser, name_size, " (words with a colon are written in quotes)"),
             outer = parser->value_field;
    if (!mask || !enter(parser, parser->pos))
        return NULL;
    parser->pos = token.end;
    if (peek(parser)->kind != OPERATOR_NONE)
        return expected_operand(parser, &token);
    parser->value_field = mask & FIELDS_WORDS ? 0 : mask;
    struct query_node *child = parse_primary(parser);
    parser->value_field = outer;
    parser->depth--;
    if (!child)
        return NULL;
    struct query_node *node = query_node_new(parser, QUERY_IN, token.start);
    node->fields = mask;
    if (child->kind == QUERY_TERM)
        child->start = token.start; /* as it is written, with its field */
    query_append(node, child);
    node->end = parser->pos;
    return node;
}

static struct query_node *parse_primary(struct query_parser *parser)
{
    size_t prefix = field_prefix(parser);
    if (parser->text[parser->pos] == '(')
        return parse_parentheses(parser);
    if (prefix && !parser->value_field)
        return parse_field(parser, prefix);
    if (parser->text[parser->pos] == '@' && !parser->value_field)
        return query_parse_reference(parser);
    return query_parse_term(parser);
}

/* A minus is NOT after a blank or ( and directly before a term. */
static bool is_minus(const struct query_parser *parser)
{
    size_t at = parser->pos;
    if (at >= parser->size || parser->text[at] != '-')
        return false;
    if (at + 1 >= parser->size || query_blank(parser, at + 1) || parser->text[at + 1] == ')')
        return false;
    if (at == 0 || parser->text[at - 1] == '(')
        return true;
    size_t before = at - 1;
    while (before > 0 && ((unsigned char)parser->text[before] & 0xC0) == 0x80)
        before--;
    return query_blank(parser, before) > 0;
}

static struct query_node *parse_not(struct query_parser *parser, const struct operator_token *token)
{
    parser->pos = token->end;
    if (!enter(parser, token->start))
        return NULL;
    enum operator_kind next = peek(parser)->kind;
    if (!starts_operand(next))
        return expected_operand(parser, token);
    struct query_node *child =
        next == OPERATOR_NONE && !is_minus(parser) ? parse_primary(parser) : parse_near(parser);
    if (!child)
        return NULL;
    parser->depth--;
    struct query_node *node = query_node_new(parser, QUERY_NOT, token->start);
    query_append(node, child);
    return node;
}

static struct query_node *parse_unary(struct query_parser *parser)
{
    struct operator_token token = *peek(parser);
    bool is_dash = token.kind == OPERATOR_NONE && is_minus(parser);
    if (is_dash)
        token.end = token.start + 1;
    if (is_dash || token.kind == OPERATOR_NOT)
        return parse_not(parser, &token);
    if (token.kind == OPERATOR_ATLEAST)
        return parse_near(parser);
    if (token.kind != OPERATOR_NONE)
        return expected_operand(parser, NULL);
    return parse_primary(parser);
}

static struct query_node *parse_atleast(struct query_parser *parser,
                                        const struct operator_token *token)
{
    parser->pos = token->end;
    if (!enter(parser, token->start))
        return NULL;
    if (!starts_operand(peek(parser)->kind))
        return expected_operand(parser, token);
    struct query_node *child = parse_near(parser);
    if (!child)
        return NULL;
    parser->depth--;
    struct query_node *node = query_node_new(parser, QUERY_ATLEAST, token->start);
    node->n = token->n;
    query_append(node, child);
    return node;
}

static struct query_node *parse_near(struct query_parser *parser)
{
    if (peek(parser)->kind == OPERATOR_ATLEAST) {
        const struct operator_token token = parser->peeked;
        return parse_atleast(parser, &token);
    }
    struct query_node *left = parse_unary(parser);
    if (!left)
        return NULL;
    for (;;) {
        enum operator_kind kind = peek(parser)->kind;
        if (kind != OPERATOR_NEAR && kind != OPERATOR_ONEAR)
            return kind == OPERATOR_BAD ? NULL : left;
        const struct operator_token token = parser->peeked;
        parser->pos = token.end;
        if (!starts_operand(peek(parser)->kind))
            return expected_operand(parser, &token);
        struct query_node *right = parse_unary(parser);
        if (!right)
            return NULL;
        struct query_node *pair = query_node_new(parser, QUERY_NEAR, left->start);
        pair->n = token.n;
        pair->is_ordered = token.kind == OPERATOR_ONEAR;
        query_append(pair, left);
        query_append(pair, right);
        left = pair;
    }
}

/* A dash between blanks stands for nothing; taken with a warning. */
static bool take_lone_dash(struct query_parser *parser)
{
    query_skip_blanks(parser);
    size_t at = parser->pos, end;
    if (at >= parser->size || (parser->text[at] != '-' && parser->text[at] != '\xE2'))
        return false;
    end = query_run_end(parser, at);
    if (end < parser->size && (parser->text[end] == '(' || parser->text[end] == '"'))
        return false;
    static const char *const dashes[] = {"-", "–", "—"};
    for (size_t i = 0; i < G_N_ELEMENTS(dashes); i++)
        if (end - at == strlen(dashes[i]) && memcmp(parser->text + at, dashes[i], end - at) == 0) {
            rule_warning(
                problems_of(parser), at,
                "a lone %s means nothing here; NOT is written directly before a term: -term",
                dashes[i]);
            parser->pos = end;
            return true;
        }
    return false;
}

static struct query_node *parse_and(struct query_parser *parser)
{
    struct query_node *all = NULL;
    for (bool wants_operand = true;;) {
        struct operator_token token = {0};
        while (take_lone_dash(parser))
            continue;
        token = *peek(parser);
        if (!wants_operand && token.kind == OPERATOR_AND) {
            parser->pos = token.end;
            while (take_lone_dash(parser))
                continue;
            if (!starts_operand(peek(parser)->kind))
                return expected_operand(parser, &token);
        } else if (!wants_operand && !starts_operand(token.kind)) {
            if (token.kind == OPERATOR_BAD)
                return NULL;
            break;
        }
        struct query_node *node = parse_near(parser);
        if (!node)
            return NULL;
        if (!all) {
            all = query_node_new(parser, QUERY_AND, node->start);
            wants_operand = false;
        }
        query_append(all, node);
    }
    return all->first->next ? all : all->first;
}

static struct query_node *parse_or(struct query_parser *parser)
{
    struct query_node *any = NULL;
    struct operator_token token = {0};
    for (;;) {
        struct query_node *node = parse_and(parser);
        if (!node)
            return NULL;
        if (!any)
            any = query_node_new(parser, QUERY_OR, node->start);
        query_append(any, node);
        token = *peek(parser);
        if (token.kind != OPERATOR_OR)
            break;
        parser->pos = token.end;
        if (!starts_operand(peek(parser)->kind))
            return expected_operand(parser, &token);
    }
    if (token.kind == OPERATOR_END)
        return any->first->next ? any : any->first;
    return token.kind == OPERATOR_BAD ? NULL : expected_operand(parser, NULL);
}

struct query_node *query_parse(struct query_context *context, const char *text)
{
    struct query_parser parser = {.context = context, .text = text, .size = strlen(text)};
    query_skip_blanks(&parser);
    if (parser.pos >= parser.size) {
        rule_error(context->problems, 0, "the query is empty: expected a term");
        return NULL;
    }
    struct query_node *node = parse_or(&parser);
    if (node && parser.pos < parser.size) {
        rule_error(context->problems, parser.pos, ") closes nothing: expected a ( before it");
        return NULL;
    }
    if (node && node->depth > RULE_DEPTH_MAX) {
        rule_error(context->problems, 0, "nested over %d levels", RULE_DEPTH_MAX);
        return NULL;
    }
    return node;
}

unsigned query_parse_fields(struct query_context *context, const char *text)
{
    unsigned mask = 0;
    struct query_parser parser = {.context = context, .text = text, .size = strlen(text)};
    parser.is_list = true;
    for (;;) {
        while (query_skip_blanks(&parser), parser.pos < parser.size && text[parser.pos] == ',')
            parser.pos++;
        if (parser.pos >= parser.size)
            break;
        size_t end = query_run_end(&parser, parser.pos);
        end = MAX(end, parser.pos + 1);
        unsigned bit = known_field(&parser, end - parser.pos, "");
        if (bit && !(bit & FIELDS_WORDS))
            rule_error(context->problems, parser.pos,
                       "%.*s: expected fields that have words: title, summary, content, body, "
                       "text, author, category",
                       (int)(end - parser.pos), text + parser.pos);
        mask |= bit & FIELDS_WORDS;
        parser.pos = end;
    }
    if (!mask)
        rule_error(context->problems, 0, "expected names of fields, such as title, body");
    return mask;
}
