#include "config/scan.h"

#include <stdint.h>
#include <string.h>

bool scan_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

void scan_init(struct scan *scan, enum scan_mode mode)
{
    *scan = (struct scan){.mode = mode};
}

/* A slash between letters, as in Russia/Cuba or NEAR/5, begins nothing. */
static bool begins_regex(const struct scan *scan)
{
    return scan->before == '\0' || strchr(" \t()\":-", scan->before);
}

static bool is_escape(const struct scan *scan, char c)
{
    if (c != '\\')
        return false;
    switch (scan->mode) {
    case SCAN_TEXT:
        return scan->inside == '"';
    case SCAN_QUERY:
        return scan->inside == '/';
    case SCAN_ARGV:
        return scan->inside != '\'';
    }
    return false;
}

static bool opens(const struct scan *scan, char c)
{
    return c == '"' || (c == '\'' && scan->mode == SCAN_ARGV) ||
           (c == '/' && scan->mode == SCAN_QUERY && begins_regex(scan));
}

void scan_step(struct scan *scan, char c)
{
    bool was_opening = scan->is_opening;
    scan->is_opening = false;
    if (scan->is_escaped) {
        scan->is_escaped = false;
        scan->before = '\\'; /* an escaped blank is no blank */
        return;
    }
    if (is_escape(scan, c))
        scan->is_escaped = true;
    else if (scan->inside && (c == scan->inside || (was_opening && scan_is_blank(c))))
        scan->inside = '\0';
    else if (!scan->inside && opens(scan, c)) {
        scan->inside = c;
        scan->is_opening = c == '/';
    }
    scan->before = c;
}

bool scan_is_comment(const struct scan *scan, char c)
{
    return c == ';' && !scan->inside && !scan->is_escaped && scan_is_blank(scan->before);
}

size_t scan_unclosed(enum scan_mode mode, const char *text)
{
    struct scan scan;
    size_t opened = 0;
    scan_init(&scan, mode);
    for (size_t i = 0; text[i]; i++) {
        bool was_outside = !scan.inside;
        scan_step(&scan, text[i]);
        if (was_outside && scan.inside)
            opened = i;
    }
    return scan.inside && !scan.is_opening ? opened : SIZE_MAX;
}

bool scan_survives(enum scan_mode mode, const char *text)
{
    struct scan scan;
    size_t size = strlen(text);
    if (size > 0 && (scan_is_blank(text[0]) || scan_is_blank(text[size - 1])))
        return false;
    scan_init(&scan, mode);
    for (size_t i = 0; i < size; i++) {
        if (scan_is_comment(&scan, text[i]))
            return false;
        scan_step(&scan, text[i]);
    }
    return (!scan.inside || scan.is_opening) && !scan.is_escaped;
}
