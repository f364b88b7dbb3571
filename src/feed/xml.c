#include "feed/xml.h"

#include "feed/strict.h"

#include <string.h>

bool slice_is(struct slice slice, const char *text)
{
    return strlen(text) == slice.size && memcmp(slice.at, text, slice.size) == 0;
}

bool slice_is_nocase(struct slice slice, const char *text)
{
    return strlen(text) == slice.size && g_ascii_strncasecmp(slice.at, text, slice.size) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

struct slice slice_trim(struct slice slice)
{
    while (slice.size > 0 && is_blank(*slice.at)) {
        slice.at++;
        slice.size--;
    }
    while (slice.size > 0 && is_blank(slice.at[slice.size - 1]))
        slice.size--;
    return slice;
}

struct slice slice_head(struct slice slice, size_t max)
{
    if (slice.size <= max)
        return slice;
    while (max > 0 && (slice.at[max] & 0xC0) == 0x80)
        max--;
    return (struct slice){slice.at, max};
}

void xml_init(struct xml *x, const char *text, size_t size)
{
    *x = (struct xml){.p = text, .end = text + size, .token = text, .is_piece = true};
}

void xml_clear(struct xml *x)
{
    g_clear_error(&x->error);
    g_clear_pointer(&x->strict, strict_free);
    g_clear_pointer(&x->entities, g_hash_table_unref);
}

static enum xml_event refuse(struct xml *x, const char *message)
{
    if (!x->error)
        g_set_error_literal(&x->error, FEED_ERROR, FEED_ERROR_REFUSED, message);
    return XML_REFUSED;
}

static bool is_name_start(char c)
{
    return g_ascii_isalpha(c) || c == '_' || c == ':';
}

/* Whether the "<" at p begins markup and is no stray sign. */
static bool begins_markup(const char *p, const char *end)
{
    size_t left = (size_t)(end - p);
    if (left < 2)
        return false;
    if (p[1] == '/')
        return left > 2 && (is_name_start(p[2]) || p[2] == '>');
    if (p[1] == '!')
        return left > 2 && (p[2] == '-' || p[2] == '[' || g_ascii_isalpha(p[2]));
    return is_name_start(p[1]) || p[1] == '?';
}

/* The next "<" that begins markup from p on, or the end. */
static const char *find_markup(const char *p, const char *end)
{
    while (p < end) {
        p = memchr(p, '<', (size_t)(end - p));
        if (!p)
            return end;
        if (begins_markup(p, end))
            return p;
        p++;
    }
    return end;
}

static const char *find_text(const char *p, const char *end, const char *what)
{
    return p < end ? memmem(p, (size_t)(end - p), what, strlen(what)) : NULL;
}

static enum xml_event text_token(struct xml *x, const char *from, const char *stop)
{
    x->text = (struct slice){from, (size_t)(stop - from)};
    x->p = stop;
    return XML_TEXT;
}

/* The "<" at the current place is a sign like any other. */
static enum xml_event literal_token(struct xml *x)
{
    x->has_bad_tags = true;
    return text_token(x, x->p, find_markup(x->p + 1, x->end));
}

static enum xml_event ends_within(struct xml *x)
{
    if (x->end - x->p > FEED_TAG_BYTES_MAX)
        return refuse(x, "a tag of the document is longer than 1 MiB");
    x->is_truncated = true;
    x->p = x->end;
    return XML_END_OF_DOCUMENT;
}

static enum xml_event end_tag(struct xml *x)
{
    const char *name = x->p + 2, *p = name;
    while (p < x->end && !is_blank(*p) && *p != '>' && *p != '<')
        p++;
    x->name = (struct slice){name, (size_t)(p - name)};
    while (p < x->end && *p != '>' && *p != '<')
        p++;
    if (p == x->end)
        return ends_within(x);
    x->p = p + (*p == '>');
    return XML_END;
}

/* A quoted value whose end quote is really the beginning of another one: it holds a "<", and
 * something follows that no tag has there. */
static bool is_unclosed(const char *value, const char *quote, const char *end)
{
    const char *next = quote + 1;
    return next < end && !is_blank(*next) && *next != '>' && *next != '/' && *next != '?' &&
           memchr(value, '<', (size_t)(quote - value));
}

/* Reads the value at p into *ret and returns what follows it. */
static const char *read_value(const char *p, const char *end, struct slice *ret)
{
    if (p < end && (*p == '"' || *p == '\'')) {
        const char *quote = memchr(p + 1, *p, (size_t)(end - p - 1));
        if (quote && !is_unclosed(p + 1, quote, end)) {
            *ret = (struct slice){p + 1, (size_t)(quote - p - 1)};
            return quote + 1;
        }
        p++;
    }
    const char *start = p;
    while (p < end && !is_blank(*p) && *p != '>' && *p != '<')
        p++;
    if (p < end && *p == '>' && p > start && p[-1] == '/')
        p--;
    *ret = (struct slice){start, (size_t)(p - start)};
    return p;
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && is_blank(*p))
        p++;
    return p;
}

/* Reads the attribute at p; returns what follows it. */
static const char *read_attribute(struct xml *x, const char *p, struct xml_attribute *ret)
{
    const char *name = p;
    while (p < x->end && !is_blank(*p) && *p != '=' && *p != '>' && *p != '/' && *p != '<')
        p++;
    ret->name = (struct slice){name, (size_t)(p - name)};
    ret->value = (struct slice){p, 0};
    const char *equals = skip_blanks(p, x->end);
    if (equals == x->end || *equals != '=')
        return p;
    return read_value(skip_blanks(equals + 1, x->end), x->end, &ret->value);
}

static enum xml_event start_tag(struct xml *x)
{
    const char *p = x->p + 1;
    while (p < x->end && !is_blank(*p) && *p != '>' && *p != '/' && *p != '<')
        p++;
    x->name = (struct slice){x->p + 1, (size_t)(p - x->p - 1)};
    x->n_attributes = 0;
    for (;;) {
        while (p < x->end && (is_blank(*p) || *p == '/'))
            p++;
        if (p - x->p > FEED_TAG_BYTES_MAX)
            return refuse(x, "a tag of the document is longer than 1 MiB");
        if (p == x->end)
            return ends_within(x);
        if (*p == '<')
            return literal_token(x);
        if (*p == '>')
            break;
        if (x->n_attributes == FEED_ATTRIBUTES_MAX)
            return refuse(x, "a tag of the document has more than 256 attributes");
        p = read_attribute(x, p, &x->attributes[x->n_attributes]);
        if (x->attributes[x->n_attributes].name.size > 0)
            x->n_attributes++;
    }
    x->is_empty = p[-1] == '/';
    x->p = p + 1;
    if (++x->n_elements > XML_ELEMENTS_MAX) {
        x->has_too_many = true;
        x->p = x->end;
        return XML_END_OF_DOCUMENT;
    }
    return XML_START;
}

static bool has_prefix(const struct xml *x, const char *prefix)
{
    size_t size = strlen(prefix);
    return (size_t)(x->end - x->p) >= size && memcmp(x->p, prefix, size) == 0;
}

/* Behind the first "stop" from "from" on. NULL: there is none, and *never says so for good. */
static const char *find_behind(struct xml *x, const char *from, const char *stop, bool *never)
{
    const char *found = *never ? NULL : find_text(from, x->end, stop);
    *never = !found;
    return found ? found + strlen(stop) : NULL;
}

/* Moves behind a comment, a processing instruction or a declaration. */
static void skip_declaration(struct xml *x)
{
    const char *behind = NULL;
    if (x->p[1] == '?')
        behind = find_behind(x, x->p + 2, "?>", &x->never_ends_instruction);
    else if (has_prefix(x, "<!--"))
        behind = find_behind(x, x->p + 4, "-->", &x->never_ends_comment);
    if (!behind) {
        const char *stop = memchr(x->p, '>', (size_t)(x->end - x->p));
        behind = stop ? stop + 1 : NULL;
    }
    x->is_truncated = x->is_truncated || !behind;
    x->p = behind ? behind : x->end;
}

static enum xml_event cdata_section(struct xml *x)
{
    const char *from = x->p + strlen("<![CDATA[");
    const char *stop = find_text(from, x->end, "]]>");
    x->is_truncated = x->is_truncated || !stop;
    x->text = (struct slice){from, (size_t)((stop ? stop : x->end) - from)};
    x->p = stop ? stop + 3 : x->end;
    return XML_CDATA;
}

void xml_use_strict(struct xml *x, struct strict *strict)
{
    x->strict = strict;
}

static enum xml_event next_strict(struct xml *x)
{
    enum xml_event event = strict_next(x->strict, x);
    x->is_malformed = event == XML_REFUSED;
    return event;
}

enum xml_event xml_next(struct xml *x)
{
    if (x->strict)
        return next_strict(x);
    while (x->p < x->end && !x->error) {
        x->token = x->p;
        if (*x->p != '<')
            return text_token(x, x->p, find_markup(x->p, x->end));
        if (x->end - x->p < 2) {
            x->is_truncated = true;
            break;
        }
        if (!begins_markup(x->p, x->end))
            return literal_token(x);
        if (x->p[1] == '/')
            return end_tag(x);
        if (has_prefix(x, "<![CDATA["))
            return cdata_section(x);
        if (x->p[1] != '!' && x->p[1] != '?')
            return start_tag(x);
        if (has_prefix(x, "<!DOCTYPE") || has_prefix(x, "<!doctype"))
            xml_read_doctype(x);
        else
            skip_declaration(x);
    }
    x->token = x->p = x->end;
    return x->error ? XML_REFUSED : XML_END_OF_DOCUMENT;
}

void xml_unread(struct xml *x)
{
    if (x->strict)
        strict_unread(x->strict);
    else
        x->p = x->token;
}

static void append_escaped(GString *out, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] == '<')
            g_string_append(out, "&lt;");
        else if (text.at[i] == '&')
            g_string_append(out, "&amp;");
        else if (text.at[i] == '"')
            g_string_append(out, "&quot;");
        else
            g_string_append_c(out, text.at[i]);
    }
}

static void append_slice(GString *out, struct slice text)
{
    g_string_append_len(out, text.at, (gssize)text.size);
}

void xml_append_tag(const struct xml *x, GString *out, bool is_end)
{
    if (!x->strict) {
        append_slice(out, (struct slice){x->token, (size_t)(x->p - x->token)});
        return;
    }
    g_string_append(out, is_end ? "</" : "<");
    append_slice(out, x->name);
    for (size_t i = 0; i < x->n_attributes && !is_end; i++) {
        g_string_append_c(out, ' ');
        append_slice(out, x->attributes[i].name);
        g_string_append(out, "=\"");
        append_escaped(out, x->attributes[i].value);
        g_string_append_c(out, '"');
    }
    g_string_append(out, x->is_empty && !is_end ? "/>" : ">");
}

void xml_end_cdata(struct xml *x, struct slice element)
{
    const char *p = x->text.at;
    while ((p = find_text(p, x->end, "</"))) {
        if ((size_t)(x->end - p) > element.size + 2 &&
            memcmp(p + 2, element.at, element.size) == 0 && !is_name_start(p[2 + element.size]))
            break;
        p += 2;
    }
    if (!p)
        return;
    x->text.size = (size_t)(p - x->text.at);
    x->p = p;
    x->is_truncated = false;
}

const struct slice *xml_attribute(const struct xml *x, const char *name)
{
    for (size_t i = 0; i < x->n_attributes; i++)
        if (slice_is(x->attributes[i].name, name))
            return &x->attributes[i].value;
    for (size_t i = 0; i < x->n_attributes; i++)
        if (slice_is_nocase(x->attributes[i].name, name))
            return &x->attributes[i].value;
    return NULL;
}
