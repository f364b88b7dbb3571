#include "feed/strict.h"

#include <libxml/parser.h>
#include <string.h>

#define CDATA_BYTES 9 /* of its opening */

struct token {
    enum xml_event event; /* START, END, or CDATA: text without references */
    struct slice name;
    size_t from, size; /* text: in strict->bytes; START: the first attribute, and how many */
    const char *piece; /* text: where it stands in the document, instead */
    bool is_empty;
};

struct attribute {
    struct slice name;
    size_t from, size; /* value: in strict->bytes */
};

struct strict {
    xmlSAXHandler handler;
    xmlParserCtxt *parser;
    const char *text, *end; /* what it has not seen yet */
    size_t piece_bytes;
    size_t n_names;
    struct slice cdata; /* the section that it is told of */
    GArray *tokens;     /* struct token, of the last piece */
    GArray *attributes; /* struct attribute */
    GString *bytes;
    guint next;
    bool is_empty; /* the element just started: its end is no token */
    bool is_over, is_malformed;
};

/* ---- before ---- */

/* Behind the tag at p, whose names are added to *n; NULL: it is none for libxml2. A value without
 * quotes is not counted: it is an error in XML, and libxml2 stops there. */
static const char *behind_tag(const char *p, const char *end, size_t *n)
{
    const char *start = p;
    size_t n_attributes = 0;
    for (; p < end && *p != '>'; p++) {
        if (*p != '"' && *p != '\'')
            continue;
        p = memchr(p + 1, *p, (size_t)(end - p - 1));
        if (!p)
            return NULL;
        n_attributes++;
    }
    bool is_fit = p < end && p - start <= FEED_TAG_BYTES_MAX && n_attributes <= FEED_ATTRIBUTES_MAX;
    *n += 1 + n_attributes;
    return is_fit ? p + 1 : NULL;
}

static const char *behind_text(const char *p, const char *end, const char *stop)
{
    const char *found = memmem(p, (size_t)(end - p), stop, strlen(stop));
    return found ? found + strlen(stop) : NULL;
}

/* Behind the markup at p, which is no CDATA section. A document type is none for libxml2. */
static const char *behind_markup(const char *p, const char *end, size_t *n)
{
    size_t left = (size_t)(end - p);
    if (left >= 4 && memcmp(p, "<!--", 4) == 0)
        return behind_text(p + 4, end, "-->");
    if (left >= 2 && p[1] == '?')
        return behind_text(p + 2, end, "?>");
    return left >= 2 && p[1] != '!' ? behind_tag(p, end, n) : NULL;
}

/* ---- what libxml2 tells ---- */

static struct slice name_of(const xmlChar *name)
{
    return (struct slice){(const char *)name, strlen((const char *)name)};
}

/* A control character of C1: what was meant is a character of windows-1252, and feed/xml knows
 * that. */
static bool is_c1(const char *text)
{
    return (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] >= 0x80 &&
           (unsigned char)text[1] <= 0x9F;
}

static void add_attribute(struct strict *strict, const xmlChar *name, const xmlChar *value)
{
    const char *text = value ? (const char *)value : "";
    struct attribute attribute = {name_of(name), strict->bytes->len, strlen(text)};
    for (const char *c = strchr(text, 0xC2); c; c = strchr(c + 1, 0xC2))
        strict->is_malformed = strict->is_malformed || is_c1(c);
    g_string_append_len(strict->bytes, text, (gssize)attribute.size);
    g_array_append_val(strict->attributes, attribute);
}

/* Called before the end of the tag is read. */
static void on_start(void *user, const xmlChar *name, const xmlChar **attributes)
{
    struct strict *strict = user;
    const xmlChar *rest = strict->parser->input->cur;
    struct token token = {.event = XML_START,
                          .name = name_of(name),
                          .from = strict->attributes->len,
                          .is_empty = *rest == '/'};
    for (size_t i = 0; attributes && attributes[i]; i += 2)
        add_attribute(strict, attributes[i], attributes[i + 1]);
    token.size = strict->attributes->len - token.from;
    strict->is_malformed = strict->is_malformed || token.size > FEED_ATTRIBUTES_MAX;
    strict->is_empty = token.is_empty;
    g_array_append_val(strict->tokens, token);
}

static struct token *last_token(struct strict *strict)
{
    guint n = strict->tokens->len;
    return n > 0 ? &g_array_index(strict->tokens, struct token, n - 1) : NULL;
}

static void on_end(void *user, const xmlChar *name)
{
    struct strict *strict = user;
    const struct token token = {.event = XML_END, .name = name_of(name)};
    if (!strict->is_empty)
        g_array_append_val(strict->tokens, token);
    strict->is_empty = false;
}

static void on_text(void *user, const xmlChar *text, int size)
{
    struct strict *strict = user;
    struct token *last = last_token(strict);
    if (size == 2 && is_c1((const char *)text))
        strict->is_malformed = true;
    if (!last || last->event != XML_CDATA || last->piece) {
        const struct token token = {.event = XML_CDATA, .from = strict->bytes->len};
        g_array_append_val(strict->tokens, token);
        last = last_token(strict);
    }
    g_string_append_len(strict->bytes, (const char *)text, size);
    last->size += (size_t)size;
}

static void on_cdata(void *user, const xmlChar *text, int size)
{
    struct strict *strict = user;
    const struct token token = {
        .event = XML_CDATA, .piece = strict->cdata.at, .size = strict->cdata.size};
    (void)text;
    (void)size;
    g_array_append_val(strict->tokens, token);
}

static void on_unexpected(void *user, const xmlChar *name)
{
    (void)name;
    ((struct strict *)user)->is_malformed = true;
}

static void on_error(void *user, const char *message, ...)
{
    (void)user; /* wellFormed says the same */
    (void)message;
}

/* ---- a life ---- */

struct strict *strict_new(const char *text, size_t size, size_t piece_bytes)
{
    struct strict *strict = g_new0(struct strict, 1);
    strict->handler.startElement = on_start;
    strict->handler.endElement = on_end;
    strict->handler.characters = on_text;
    strict->handler.ignorableWhitespace = on_text;
    strict->handler.cdataBlock = on_cdata;
    strict->handler.reference = on_unexpected;
    strict->handler.error = strict->handler.fatalError = on_error;
    strict->text = text;
    strict->end = text + size;
    strict->piece_bytes = piece_bytes;
    strict->tokens = g_array_new(FALSE, FALSE, sizeof(struct token));
    strict->attributes = g_array_new(FALSE, FALSE, sizeof(struct attribute));
    strict->bytes = g_string_new(NULL);
    strict->parser = xmlCreatePushParserCtxt(&strict->handler, strict, NULL, 0, NULL);
    xmlCtxtUseOptions(strict->parser, XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_SAX1 |
                                          XML_PARSE_IGNORE_ENC | XML_PARSE_NOERROR |
                                          XML_PARSE_NOWARNING);
    return strict;
}

void strict_free(struct strict *strict)
{
    if (!strict)
        return;
    xmlFreeParserCtxt(strict->parser);
    g_array_unref(strict->tokens);
    g_array_unref(strict->attributes);
    g_string_free(strict->bytes, TRUE);
    g_free(strict);
}

static void push(struct strict *strict, const char *bytes, size_t size)
{
    bool is_last = strict->text == strict->end;
    if (!strict->is_malformed)
        xmlParseChunk(strict->parser, bytes, (int)size, is_last);
    strict->is_malformed = strict->is_malformed || !strict->parser->wellFormed;
    strict->is_over = is_last;
}

/* There is nothing to be read in a CDATA section, so libxml2 is shown a short one in its place. */
static void push_cdata(struct strict *strict, const char *from)
{
    static const char placeholder[] = "<![CDATA[.]]>";
    const char *stop = behind_text(from, strict->end, "]]>");
    if (!stop) {
        strict->is_malformed = true;
        return;
    }
    strict->cdata = (struct slice){from, (size_t)(stop - 3 - from)};
    strict->text = stop;
    push(strict, placeholder, strlen(placeholder));
}

static bool is_cdata(const char *p, const char *end)
{
    return end - p >= CDATA_BYTES && memcmp(p, "<![CDATA[", CDATA_BYTES) == 0;
}

/* Up to the first end of markup behind piece_bytes, or up to a CDATA section. */
static void push_piece(struct strict *strict)
{
    const char *from = strict->text, *p = from, *end = strict->end;
    while (p && p < end && (size_t)(p - from) < strict->piece_bytes) {
        p = memchr(p, '<', (size_t)(end - p));
        if (!p)
            p = end;
        else if (is_cdata(p, end))
            break;
        else
            p = behind_markup(p, end, &strict->n_names);
    }
    if (!p || strict->n_names > STRICT_NAMES_MAX) {
        strict->is_malformed = true;
        return;
    }
    strict->text = p;
    push(strict, from, (size_t)(p - from));
    if (is_cdata(p, end))
        push_cdata(strict, p + CDATA_BYTES);
}

/* Text that may go on in the next piece is not handed out before. */
static bool is_complete(struct strict *strict)
{
    const struct token *last = last_token(strict);
    return strict->is_over || strict->is_malformed ||
           (last && (last->event != XML_CDATA || last->piece));
}

static void refill(struct strict *strict)
{
    g_array_set_size(strict->tokens, 0);
    g_array_set_size(strict->attributes, 0);
    g_string_truncate(strict->bytes, 0);
    strict->next = 0;
    while (!is_complete(strict))
        push_piece(strict);
}

static void take_attributes(const struct strict *strict, const struct token *token, struct xml *x)
{
    x->n_attributes = token->size;
    for (size_t i = 0; i < token->size; i++) {
        const struct attribute *attribute =
            &g_array_index(strict->attributes, struct attribute, token->from + i);
        x->attributes[i].name = attribute->name;
        x->attributes[i].value =
            (struct slice){strict->bytes->str + attribute->from, attribute->size};
    }
}

enum xml_event strict_next(struct strict *strict, struct xml *x)
{
    if (strict->next == strict->tokens->len)
        refill(strict);
    if (strict->is_malformed)
        return XML_REFUSED;
    if (strict->next == strict->tokens->len)
        return XML_END_OF_DOCUMENT;
    const struct token *token = &g_array_index(strict->tokens, struct token, strict->next++);
    x->name = token->name;
    x->is_empty = token->is_empty;
    if (token->event == XML_START)
        take_attributes(strict, token, x);
    x->is_piece = token->piece != NULL;
    if (token->event == XML_CDATA)
        x->text = (struct slice){x->is_piece ? token->piece : strict->bytes->str + token->from,
                                 token->size};
    return token->event;
}

void strict_unread(struct strict *strict)
{
    strict->next--;
}
