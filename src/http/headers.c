#include "http/headers.h"

#include <glib.h>
#include <string.h>

/* What a usual head takes. */
#define TEXT_BYTES 400

/* One text for all: a response has a dozen, and is gone in a moment. */
struct headers {
    GString *text; /* name NUL value NUL, … */
    size_t n;
    size_t last; /* where the last value begins */
};

struct headers *headers_new(void)
{
    struct headers *headers = g_new0(struct headers, 1);
    headers->text = g_string_sized_new(TEXT_BYTES);
    return headers;
}

void headers_free(struct headers *headers)
{
    g_string_free(headers->text, TRUE);
    g_free(headers);
}

void headers_clear(struct headers *headers)
{
    g_string_truncate(headers->text, 0);
    headers->n = 0;
}

size_t headers_count(const struct headers *headers)
{
    return headers->n;
}

bool headers_next(const struct headers *headers, size_t *place, const char **ret_name,
                  const char **ret_value)
{
    if (*place >= headers->text->len)
        return false;
    *ret_name = headers->text->str + *place;
    *ret_value = *ret_name + strlen(*ret_name) + 1;
    *place = (size_t)(*ret_value + strlen(*ret_value) + 1 - headers->text->str);
    return true;
}

const char *headers_find(const struct headers *headers, const char *name)
{
    const char *each, *value;
    for (size_t place = 0; headers_next(headers, &place, &each, &value);)
        if (strcmp(each, name) == 0)
            return value;
    return NULL;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static void trim(const char **text, size_t *size)
{
    while (*size > 0 && is_blank(**text))
        (*text)++, (*size)--;
    while (*size > 0 && (is_blank((*text)[*size - 1]) || (*text)[*size - 1] == '\n' ||
                         (*text)[*size - 1] == '\r'))
        (*size)--;
}

static bool is_name(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!g_ascii_isalnum(text[i]) && (text[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", text[i])))
            return false;
    return size > 0;
}

static void add_text(GString *text, const char *bytes, size_t size)
{
    g_string_append_len(text, bytes, (gssize)size);
    g_string_append_c(text, '\0');
}

/* A folded line (obsolete, RFC 9112 5.2) goes on with the value before. */
static bool unfold(struct headers *headers, const char *text, size_t size)
{
    if (headers->n == 0 || size == 0)
        return true;
    size_t end = headers->text->len - 1;
    if (end - headers->last + size > HTTP_FOLDED_BYTES_MAX)
        return false;
    headers->text->str[end] = ' ';
    add_text(headers->text, text, size);
    return true;
}

static void add(struct headers *headers, const char *line, size_t name_size, const char *value,
                size_t value_size)
{
    size_t start = headers->text->len;
    add_text(headers->text, line, name_size);
    for (char *p = headers->text->str + start; *p; p++)
        *p = g_ascii_tolower(*p);
    headers->last = headers->text->len;
    add_text(headers->text, value, value_size);
    headers->n++;
}

bool headers_add_line(struct headers *headers, const char *line, size_t size)
{
    const char *end = line + size;
    bool is_folded = size > 0 && is_blank(*line);
    const char *value = is_folded ? line : memchr(line, ':', size);
    if (!value || (!is_folded && !is_name(line, (size_t)(value - line))))
        return true;
    const char *name_end = value;
    value += is_folded ? 0 : 1;
    size_t value_size = (size_t)(end - value);
    trim(&value, &value_size);
    if (memchr(value, '\0', value_size) || memchr(value, '\r', value_size))
        return true;
    if (is_folded)
        return unfold(headers, value, value_size);
    if (headers->n >= HTTP_HEADERS_MAX)
        return false;
    add(headers, line, (size_t)(name_end - line), value, value_size);
    return true;
}

bool headers_is_value(const char *value)
{
    for (; *value; value++)
        if (*value != '\t' && g_ascii_iscntrl(*value))
            return false;
    return true;
}

bool headers_is_sendable(const char *field)
{
    const char *colon = strchr(field, ':');
    return colon && is_name(field, (size_t)(colon - field)) && headers_is_value(colon);
}
