#include "feed/json_mend.h"

#include <string.h>

#define DIGITS_MAX 18 /* of a number that surely fits */

struct mender {
    const char *p, *end;
    GString *out;
    char stack[FEED_DEPTH_MAX]; /* '{' or '[' */
    size_t depth;
    size_t n_values;
    bool comma; /* one is due before the next value */
    /* Where the document may be cut: behind a value, or behind an opening bracket. */
    size_t safe_size, safe_depth;
};

static void mark_safe(struct mender *m)
{
    m->safe_size = m->out->len;
    m->safe_depth = m->depth;
}

static bool refuse(GError **error, const char *message)
{
    g_set_error_literal(error, FEED_ERROR, FEED_ERROR_REFUSED, message);
    return false;
}

/* The value of "XXXX" at p, or -1. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t value = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(p[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool is_low_surrogate(int32_t value)
{
    return value >= 0xDC00 && value <= 0xDFFF;
}

/* "\uXXXX", one or two of them. */
static void take_unicode(struct mender *m)
{
    int32_t value = hex4(m->p + 2, m->end);
    if (value < 0) {
        m->p += 2;
        g_string_append(m->out, "\\ufffd");
        return;
    }
    bool is_high = value >= 0xD800 && value <= 0xDBFF;
    bool is_pair = is_high && m->end - m->p >= 12 && m->p[6] == '\\' && m->p[7] == 'u' &&
                   is_low_surrogate(hex4(m->p + 8, m->end));
    size_t size = is_pair ? 12 : 6;
    if ((is_high && !is_pair) || is_low_surrogate(value) || value == 0)
        g_string_append(m->out, "\\ufffd");
    else
        g_string_append_len(m->out, m->p, (gssize)size);
    m->p += size;
}

static void take_escape(struct mender *m)
{
    if (m->p + 1 == m->end) {
        m->p++;
    } else if (m->p[1] == 'u') {
        take_unicode(m);
    } else if (m->p[1] != '\0' && strchr("\"\\/bfnrt", m->p[1])) {
        g_string_append_len(m->out, m->p, 2);
        m->p += 2;
    } else {
        m->p++;
    }
}

/* False where the document ends within the string. */
static bool take_string(struct mender *m)
{
    g_string_append_c(m->out, *m->p++);
    while (m->p < m->end && *m->p != '"') {
        const char *run = m->p;
        while (m->p < m->end && *m->p != '"' && *m->p != '\\' && (unsigned char)*m->p >= 0x20)
            m->p++;
        g_string_append_len(m->out, run, m->p - run);
        if (m->p == m->end || *m->p == '"')
            continue;
        if (*m->p == '\\') {
            take_escape(m);
        } else {
            g_string_append(m->out, *m->p == '\n' ? "\\n" : " ");
            m->p++;
        }
    }
    if (m->p == m->end)
        return false;
    g_string_append_c(m->out, *m->p++);
    return true;
}

/* A number or a word. */
static void take_bare(struct mender *m)
{
    const char *start = m->p;
    bool is_integer = true;
    while (m->p < m->end && (g_ascii_isalnum(*m->p) || strchr("+-.", *m->p)) && *m->p) {
        is_integer = is_integer && (g_ascii_isdigit(*m->p) || *m->p == '-');
        m->p++;
    }
    size_t size = (size_t)(m->p - start);
    bool is_huge = is_integer && size > DIGITS_MAX;
    if (is_huge)
        g_string_append_c(m->out, '"');
    g_string_append_len(m->out, start, (gssize)size);
    if (is_huge)
        g_string_append_c(m->out, '"');
    if (size == 0)
        m->p++; /* nothing that JSON has */
}

static bool open_container(struct mender *m, GError **error)
{
    if (m->depth == FEED_DEPTH_MAX)
        return refuse(error, "the document is nested more than 256 deep");
    m->stack[m->depth++] = *m->p;
    g_string_append_c(m->out, *m->p++);
    mark_safe(m);
    return true;
}

static void close_container(struct mender *m)
{
    char opening = m->stack[--m->depth];
    g_string_append_c(m->out, opening == '{' ? '}' : ']');
    m->comma = false;
    m->p++;
    mark_safe(m);
}

/* A comma is written when a value follows it. */
static bool flush_comma(struct mender *m, GError **error)
{
    if (m->comma) {
        g_string_append_c(m->out, ',');
        m->comma = false;
    }
    return ++m->n_values <= JSON_VALUES_MAX ||
           refuse(error, "the document has more than 400000 values");
}

/* One token; false where the document is refused. *over: its value is complete, or its end came. */
static bool take_token(struct mender *m, bool *over, GError **error)
{
    switch (*m->p) {
    case ',':
        mark_safe(m);
        m->comma = true;
        m->p++;
        return true;
    case ':':
        g_string_append_c(m->out, *m->p++);
        return true;
    case '}':
    case ']':
        close_container(m);
        *over = m->depth == 0;
        return true;
    case '{':
    case '[':
        return flush_comma(m, error) && open_container(m, error);
    case '"':
        if (!flush_comma(m, error))
            return false;
        *over = !take_string(m);
        return true;
    default:
        if (g_ascii_isspace(*m->p)) {
            m->p++;
            return true;
        }
        if (!flush_comma(m, error))
            return false;
        take_bare(m);
        return true;
    }
}

GString *json_mend(const char *text, size_t size, bool *ret_truncated, GError **error)
{
    struct mender m = {.p = text, .end = text + size, .out = g_string_sized_new(size + 16)};
    bool over = false;
    while (m.p < m.end && *m.p != '{' && *m.p != '[')
        m.p++;
    while (m.p < m.end && !over) {
        if (take_token(&m, &over, error))
            continue;
        g_string_free(m.out, TRUE);
        return NULL;
    }
    *ret_truncated = m.depth > 0;
    if (*ret_truncated) {
        g_string_truncate(m.out, m.safe_size);
        for (size_t i = m.safe_depth; i-- > 0;)
            g_string_append_c(m.out, m.stack[i] == '{' ? '}' : ']');
    }
    return m.out;
}
