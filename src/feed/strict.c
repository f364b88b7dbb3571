#include "feed/strict.h"

#include "text/sixteen.h"

#include <libxml/parser.h>
#include <string.h>

#define CDATA_BYTES      9  /* of its opening */
#define HIDDEN_BYTES_MIN 32 /* a shorter text is as cheap as its placeholder */

struct token {
    enum xml_event event; /* START, END, CDATA: text without references; TEXT: with some */
    struct slice name;
    size_t from, size; /* text: in strict->bytes; START: the first attribute, and how many */
    const char *piece; /* text: where it stands in the document, instead; TEXT always has it */
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
    GString *shown; /* the piece, as it is told of it */
    GArray *hidden; /* struct token, of what it is told of as CDATA sections, in order */
    guint next_hidden;
    GArray *tokens;     /* struct token, of the piece */
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

/* Behind the markup at p, which is no CDATA section and no comment. A document type is none for
 * libxml2. */
static const char *behind_markup(const char *p, const char *end, size_t *n)
{
    size_t left = (size_t)(end - p);
    if (left >= 2 && p[1] == '?')
        return behind_text(p + 2, end, "?>");
    return left >= 2 && p[1] != '!' ? behind_tag(p, end, n) : NULL;
}

/* A character that XML allows and that feed/xml takes for no other: C1 is windows-1252 there. */
static bool is_sure_character(guint64 c)
{
    return c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7F) || (c >= 0xA0 && c < 0xD800) ||
           (c >= 0xE000 && c < 0xFFFE) || (c >= 0x10000 && c <= 0x10FFFF);
}

/* Whether the "&" at p begins a reference that means the same to everyone: to a character, or one
 * of XML's five (XML 1.0, 4.1 and 4.6). */
static bool is_sure_reference(const char *p, const char *end)
{
    static const char *const names[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"};
    size_t left = (size_t)(end - p);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (left >= strlen(names[i]) && memcmp(p, names[i], strlen(names[i])) == 0)
            return true;
    if (left < 4 || p[1] != '#')
        return false;
    bool is_hex = p[2] == 'x';
    const char *digit = p + 2 + is_hex, *first = digit;
    guint64 c = 0;
    for (; digit < end && digit - first < 8; digit++) {
        if (!(is_hex ? g_ascii_isxdigit(*digit) : g_ascii_isdigit(*digit)))
            break;
        c = c * (is_hex ? 16 : 10) + (guint64)g_ascii_xdigit_value(*digit);
    }
    return digit > first && digit < end && *digit == ';' && is_sure_character(c);
}

/* Whether the byte at p, which may be part of something that XML forbids in text or that is to be
 * looked at, is none. */
static bool is_harmless(const char *p, const char *end)
{
    size_t left = (size_t)(end - p);
    switch ((unsigned char)*p) {
    case '&':
        return is_sure_reference(p, end);
    case ']':
        return left < 3 || memcmp(p, "]]>", 3) != 0;
    case 0xEF: /* U+FFFE and U+FFFF */
        return left < 3 || (unsigned char)p[1] != 0xBF || (unsigned char)p[2] < 0xBE;
    default:
        return *p == '\n' || *p == '\t' || (unsigned char)*p >= 0x20;
    }
}

/* Whether there is nothing to be found out about a text (valid UTF-8, without "<") by libxml2. */
static bool is_sure_text(const char *p, const char *end)
{
    for (; end - p >= SIXTEEN; p += SIXTEEN) {
        sixteen_bytes v = sixteen_load(p);
        unsigned bits = sixteen_bits(sixteen_equal(v, '&') | sixteen_equal(v, ']') |
                                     sixteen_equal(v, 0xEF) | sixteen_between(v, 0x00, 0x1F));
        for (; bits; bits &= bits - 1)
            if (!is_harmless(p + sixteen_first(bits), end))
                return false;
    }
    for (; p < end; p++)
        if (!is_harmless(p, end))
            return false;
    return true;
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

/* Only those that push_hidden() has made. */
static void on_cdata(void *user, const xmlChar *text, int size)
{
    struct strict *strict = user;
    (void)text;
    (void)size;
    g_array_append_val(strict->tokens,
                       g_array_index(strict->hidden, struct token, strict->next_hidden++));
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
    strict->shown = g_string_new(NULL);
    strict->hidden = g_array_new(FALSE, FALSE, sizeof(struct token));
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
    g_string_free(strict->shown, TRUE);
    g_array_unref(strict->hidden);
    g_free(strict);
}

/* Text with nothing in it for libxml2, which is shown a short section in its place. */
static void hide(struct strict *strict, enum xml_event event, const char *from, const char *to)
{
    const struct token token = {.event = event, .piece = from, .size = (size_t)(to - from)};
    g_array_append_val(strict->hidden, token);
    g_string_append(strict->shown, "<![CDATA[.]]>");
}

static void show(struct strict *strict, const char *from, const char *to)
{
    g_string_append_len(strict->shown, from, to - from);
}

static void take_text(struct strict *strict, const char *from, const char *to)
{
    const char *first = from; /* blanks alone may stand where a section may not */
    while (first < to && g_ascii_isspace(*first))
        first++;
    if (to - first >= HIDDEN_BYTES_MIN && is_sure_text(from, to))
        hide(strict, XML_TEXT, from, to);
    else
        show(strict, from, to);
}

static const char *take_cdata(struct strict *strict, const char *p)
{
    const char *from = p + CDATA_BYTES, *stop = behind_text(from, strict->end, "]]>");
    if (stop)
        hide(strict, XML_CDATA, from, stop - 3);
    return stop;
}

/* Two hyphens within a comment are an error (XML 1.0, 2.5). */
static const char *take_comment(struct strict *strict, const char *p)
{
    const char *stop = behind_text(p + 4, strict->end, "--");
    bool is_fit = stop && stop < strict->end && *stop == '>';
    if (is_fit)
        g_string_append(strict->shown, "<!---->");
    return is_fit ? stop + 1 : NULL;
}

/* One piece of markup at p. Returns what comes behind it; NULL: it is none for libxml2. */
static const char *take_markup(struct strict *strict, const char *p)
{
    size_t left = (size_t)(strict->end - p);
    if (left >= CDATA_BYTES && memcmp(p, "<![CDATA[", CDATA_BYTES) == 0)
        return take_cdata(strict, p);
    if (left >= 4 && memcmp(p, "<!--", 4) == 0)
        return take_comment(strict, p);
    const char *stop = behind_markup(p, strict->end, &strict->n_names);
    if (!stop || strict->n_names > STRICT_NAMES_MAX)
        return NULL;
    show(strict, p, stop);
    return stop;
}

/* About piece_bytes for libxml2, and what they stand for. */
static void push_piece(struct strict *strict)
{
    g_string_truncate(strict->shown, 0);
    g_array_set_size(strict->hidden, 0);
    strict->next_hidden = 0;
    const char *p = strict->text, *end = strict->end;
    while (p && p < end && strict->shown->len < strict->piece_bytes) {
        const char *markup = memchr(p, '<', (size_t)(end - p));
        take_text(strict, p, markup ? markup : end);
        p = markup ? take_markup(strict, markup) : end;
    }
    if (!p) {
        strict->is_malformed = true;
        return;
    }
    strict->text = p;
    strict->is_over = p == end;
    xmlParseChunk(strict->parser, strict->shown->str, (int)strict->shown->len, strict->is_over);
    strict->is_malformed = strict->is_malformed || !strict->parser->wellFormed;
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
    if (token->event == XML_CDATA || token->event == XML_TEXT)
        x->text = (struct slice){x->is_piece ? token->piece : strict->bytes->str + token->from,
                                 token->size};
    return token->event;
}

void strict_unread(struct strict *strict)
{
    strict->next--;
}
