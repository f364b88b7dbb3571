#include "feed/person.h"

#include <string.h>

static bool is_address_char(char c)
{
    return g_ascii_isalnum(c) || (c != '\0' && strchr(".!#$%&*+/=?^_{|}~-", c));
}

static bool is_domain_char(char c)
{
    return g_ascii_isalnum(c) || c == '-' || c == '.';
}

/* The first address in text: [*ret_start, *ret_end). */
static bool find_address(const char *text, size_t *ret_start, size_t *ret_end)
{
    for (const char *at = strchr(text, '@'); at; at = strchr(at + 1, '@')) {
        const char *start = at, *end = at + 1;
        while (start > text && is_address_char(start[-1]))
            start--;
        while (is_domain_char(*end))
            end++;
        while (end > at + 1 && !g_ascii_isalnum(end[-1]))
            end--;
        if (start == at || !memchr(at, '.', (size_t)(end - at)))
            continue;
        *ret_start = (size_t)(start - text);
        *ret_end = (size_t)(end - text);
        return true;
    }
    return false;
}

/* What stands around a name that is not part of it. */
static char *trim_name(char *name)
{
    static const char around[] = " \t,;:<>()[]\"";
    while (*name && strchr(around, *name))
        name++;
    for (size_t n = strlen(name); n > 0 && strchr(around, name[n - 1]); n--)
        name[n - 1] = '\0';
    return name;
}

static bool has_letter(const char *name)
{
    while (*name && !g_ascii_isalnum(*name) && (unsigned char)*name < 0x80)
        name++;
    return *name != '\0';
}

struct feed_author person_parse(struct arena *arena, const char *text)
{
    size_t start = 0, end = 0;
    if (!find_address(text, &start, &end)) {
        size_t size = strlen(text);
        bool is_bare = size > 2 && strcmp(text + size - 2, "<>") == 0; /* the address is empty */
        while (is_bare && size > 0 && strchr(" <>", text[size - 1]))
            size--;
        return (struct feed_author){.name = is_bare ? arena_text(arena, text, size) : text};
    }
    struct feed_author author = {.email = arena_text(arena, text + start, end - start)};
    if (start >= 7 && g_ascii_strncasecmp(text + start - 7, "mailto:", 7) == 0)
        start -= 7;
    g_autofree char *rest = g_strdup_printf("%.*s %s", (int)start, text, text + end);
    const char *name = trim_name(rest);
    if (has_letter(name))
        author.name = arena_text(arena, name, strlen(name));
    return author;
}
