#include "http/headers.h"

#include <string.h>

static void clear_header(gpointer data)
{
    struct http_header *header = data;
    g_free(header->name);
    g_free(header->value);
}

GArray *headers_new(void)
{
    GArray *headers = g_array_sized_new(FALSE, FALSE, sizeof(struct http_header), 12);
    g_array_set_clear_func(headers, clear_header);
    return headers;
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

/* A folded line (obsolete, RFC 9112 5.2) goes on with the value before. Each one copies the whole
 * value, so there is a limit to it. */
static bool unfold(GArray *headers, const char *text, size_t size)
{
    if (headers->len == 0 || size == 0)
        return true;
    struct http_header *last = &g_array_index(headers, struct http_header, headers->len - 1);
    if (strlen(last->value) + size > HTTP_FOLDED_BYTES_MAX)
        return false;
    g_autofree char *more = g_strndup(text, size);
    g_autofree char *before = last->value;
    last->value = g_strconcat(before, " ", more, NULL);
    return true;
}

bool headers_add_line(GArray *headers, const char *line, size_t size)
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
    if (headers->len >= HTTP_HEADERS_MAX)
        return false;
    struct http_header header = {.name = g_ascii_strdown(line, name_end - line),
                                 .value = g_strndup(value, value_size)};
    g_array_append_val(headers, header);
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
