#include "text/template.h"

#include <string.h>

const char *const template_names[] = {"id",    "kind", "rule",    "urgency", "feed", "feed_title",
                                      "title", "link", "summary", "matched", "time", NULL};

static bool is_name(const char *word, size_t size)
{
    for (const char *const *name = template_names; *name; name++)
        if (strlen(*name) == size && memcmp(*name, word, size) == 0)
            return true;
    return false;
}

/* The length of the word where p begins "{word}", else 0. */
static size_t word_at(const char *p)
{
    if (*p != '{')
        return 0;
    size_t size = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_");
    return p[1 + size] == '}' ? size : 0;
}

char *template_find_unknown(const char *text, size_t *ret_offset)
{
    for (const char *p = text; *p; p++) {
        size_t size = word_at(p);
        if (size > 0 && !is_name(p + 1, size)) {
            *ret_offset = (size_t)(p - text);
            return g_strndup(p + 1, size);
        }
    }
    return NULL;
}

bool template_is_json(const char *text)
{
    text += strspn(text, " \t\n");
    return (*text == '{' || *text == '[') && word_at(text) == 0;
}

static void append_escaped(GString *out, const char *value)
{
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", c);
        else if (c < 0x20)
            g_string_append_printf(out, "\\u%04x", c);
        else
            g_string_append_c(out, (char)c);
    }
}

char *template_expand(const char *text, char *(*value)(const char *name, void *user), void *user)
{
    bool is_json = template_is_json(text);
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p; p++) {
        size_t size = word_at(p);
        if (size == 0 || !is_name(p + 1, size)) {
            g_string_append_c(out, *p);
            continue;
        }
        g_autofree char *name = g_strndup(p + 1, size);
        g_autofree char *filled = value(name, user);
        if (is_json)
            append_escaped(out, filled);
        else
            g_string_append(out, filled);
        p += size + 1;
    }
    return g_string_free(out, FALSE);
}
