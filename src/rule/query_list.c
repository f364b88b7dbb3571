/* Lists: terms, phrases and other lists, separated by commas. */
#include "rule/query.h"

#include <string.h>

/* The end of the item at pos: the next comma outside quotes. */
static size_t item_end(const struct query_parser *parser)
{
    bool in_quotes = false;
    size_t at = parser->pos;
    for (; at < parser->size && (in_quotes || parser->text[at] != ','); at++)
        if (parser->text[at] == '"')
            in_quotes = !in_quotes;
    return at;
}

static size_t trimmed_end(const struct query_parser *parser, size_t start, size_t end)
{
    size_t last = start;
    for (size_t at = start; at < end;) {
        size_t blank = query_blank(parser, at);
        at += blank ? blank : 1;
        if (!blank)
            last = at;
    }
    return last;
}

static bool refuse_operators(struct query_parser *parser, size_t start, size_t end)
{
    static const char *const operators[] = {"AND", "OR", "NOT", "NEAR", "ONEAR"};
    for (size_t at = start; at < end;) {
        size_t blank = query_blank(parser, at), stop = at + blank;
        while (!blank && stop < end && !query_blank(parser, stop))
            stop++;
        for (size_t i = 0; i < G_N_ELEMENTS(operators); i++)
            if (stop - at == strlen(operators[i]) &&
                memcmp(parser->text + at, operators[i], stop - at) == 0) {
                rule_error(parser->context->problems, at,
                           "%s has no place in a list: its items are separated by commas",
                           operators[i]);
                return false;
            }
        at = stop;
    }
    return true;
}

static struct query_node *parse_reference(struct query_parser *parser, size_t end)
{
    /* The query parser knows how to resolve a name; it stops at the comma. */
    g_autofree char *name = g_strndup(parser->text, end);
    struct query_parser inner = *parser;
    inner.text = name;
    inner.size = end;
    struct query_node *node = query_parse_reference(&inner);
    if (node && inner.pos < end) {
        rule_error(parser->context->problems, inner.pos,
                   "%.*s: expected a comma behind the list's name", (int)(end - inner.pos),
                   parser->text + inner.pos);
        return NULL;
    }
    return node;
}

/* Whether the item begins like something that only a query may hold. */
static bool is_query_only(const struct query_parser *parser, size_t start, size_t end)
{
    const char *text = parser->text + start;
    const char *colon = memchr(text, ':', end - start);
    if (strchr("/()", text[0]) || (text[0] == '-' && end - start > 1))
        return true;
    return colon && field_mask(text, (size_t)(colon - text)) != 0;
}

static struct query_node *parse_item(struct query_parser *parser, size_t end)
{
    size_t start = parser->pos;
    char first = parser->text[start];
    if (first == '@')
        return parse_reference(parser, end);
    if (is_query_only(parser, start, end)) {
        rule_error(parser->context->problems, start,
                   "%.*s: a list holds words, phrases and other lists", (int)(end - start),
                   parser->text + start);
        return NULL;
    }
    if (first != '"' && !(first == '=' && start + 1 < end)) {
        bool has_quote = memchr(parser->text + start, '"', end - start) != NULL;
        if (has_quote) {
            rule_error(parser->context->problems, start, "%.*s: expected a comma before the quote",
                       (int)(end - start), parser->text + start);
            return NULL;
        }
        return refuse_operators(parser, start, end) ? query_parse_phrase(parser, start, end) : NULL;
    }
    struct query_node *node = query_parse_term(parser);
    if (node && parser->pos < end) {
        rule_error(parser->context->problems, parser->pos, "%.*s: expected a comma before it",
                   (int)(end - parser->pos), parser->text + parser->pos);
        return NULL;
    }
    return node;
}

struct query_node *query_parse_list(struct query_context *context, const char *text)
{
    struct query_parser parser = {
        .context = context, .text = text, .size = strlen(text), .is_list = true};
    struct query_node *any = query_node_new(&parser, QUERY_OR, 0);
    size_t n_errors = context->problems->n_errors;
    while (query_skip_blanks(&parser), parser.pos < parser.size) {
        size_t comma = item_end(&parser), end = trimmed_end(&parser, parser.pos, comma);
        if (end > parser.pos) {
            struct query_node *item = parse_item(&parser, end);
            if (item)
                query_append(any, item);
        }
        parser.pos = comma + 1;
    }
    if (context->problems->n_errors > n_errors)
        return NULL;
    if (!any->first) {
        rule_error(context->problems, 0, "the list is empty: expected a term");
        return NULL;
    }
    return any;
}
