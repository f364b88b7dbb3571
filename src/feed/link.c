#include "feed/link.h"

#include <string.h>

/* The five parts of RFC 3986, appendix B; at is NULL where a part is not there. */
struct parts {
    struct slice scheme, authority, path, query, fragment;
};

static bool is_one_of(char c, const char *set)
{
    while (*set && *set != c)
        set++;
    return *set != '\0';
}

static size_t scheme_size(struct slice link)
{
    if (link.size == 0 || !g_ascii_isalpha(link.at[0]))
        return 0;
    size_t i = 1;
    while (i < link.size && (g_ascii_isalnum(link.at[i]) || is_one_of(link.at[i], "+-.")))
        i++;
    return i < link.size && link.at[i] == ':' ? i : 0;
}

bool link_is_absolute(struct slice link)
{
    return scheme_size(link) > 0;
}

bool link_is_web(struct slice link)
{
    size_t size = scheme_size(link);
    struct slice scheme = {link.at, size};
    if (!slice_is_nocase(scheme, "http") && !slice_is_nocase(scheme, "https"))
        return false;
    return link.size > size + 3 && memcmp(link.at + size, "://", 3) == 0 &&
           !is_one_of(link.at[size + 3], "/?# ");
}

/* Takes up to the first byte out of stops from the front of rest. */
static struct slice take_until(struct slice *rest, const char *stops)
{
    size_t n = 0;
    while (n < rest->size && !is_one_of(rest->at[n], stops))
        n++;
    struct slice taken = {rest->at, n};
    *rest = (struct slice){rest->at + n, rest->size - n};
    return taken;
}

static void drop(struct slice *rest, size_t n)
{
    *rest = (struct slice){rest->at + n, rest->size - n};
}

static struct parts split(struct slice rest)
{
    struct parts parts = {0};
    size_t scheme = scheme_size(rest);
    if (scheme > 0) {
        parts.scheme = (struct slice){rest.at, scheme};
        drop(&rest, scheme + 1);
    }
    if (rest.size >= 2 && memcmp(rest.at, "//", 2) == 0) {
        drop(&rest, 2);
        parts.authority = take_until(&rest, "/?#");
    }
    parts.path = take_until(&rest, "?#");
    if (rest.size > 0 && rest.at[0] == '?') {
        drop(&rest, 1);
        parts.query = take_until(&rest, "#");
    }
    if (rest.size > 0) {
        drop(&rest, 1);
        parts.fragment = rest;
    }
    return parts;
}

/* Goes back to the slash before the last segment of out, but not before start. */
static void drop_segment(GString *out, size_t start)
{
    while (out->len > start && out->str[out->len - 1] != '/')
        g_string_truncate(out, out->len - 1);
    if (out->len > start)
        g_string_truncate(out, out->len - 1);
}

/* RFC 3986, 5.2.4, segment by segment. */
static void append_without_dots(GString *out, const char *path, size_t size)
{
    size_t start = out->len;
    for (size_t pos = 0; pos < size;) {
        size_t from = pos + (path[pos] == '/');
        size_t stop = from;
        while (stop < size && path[stop] != '/')
            stop++;
        struct slice segment = {path + from, stop - from};
        bool is_last = stop == size;
        if (slice_is(segment, "..")) {
            drop_segment(out, start);
            if (is_last)
                g_string_append_c(out, '/');
        } else if (!slice_is(segment, ".")) {
            g_string_append_len(out, path + pos, (gssize)(stop - pos));
        } else if (is_last) {
            g_string_append_c(out, '/');
        }
        pos = stop;
    }
}

static void append_part(GString *out, const char *before, struct slice part)
{
    if (!part.at)
        return;
    g_string_append(out, before);
    g_string_append_len(out, part.at, (gssize)part.size);
}

/* The path of the reference in the directory of the base's path. */
static void append_merged(GString *out, const struct parts *base, const struct parts *reference)
{
    g_autoptr(GString) merged = g_string_new(NULL);
    size_t directory = base->path.size;
    while (directory > 0 && base->path.at[directory - 1] != '/')
        directory--;
    if (base->authority.at && base->path.size == 0)
        g_string_append_c(merged, '/');
    else
        g_string_append_len(merged, base->path.at, (gssize)directory);
    g_string_append_len(merged, reference->path.at, (gssize)reference->path.size);
    append_without_dots(out, merged->str, merged->len);
}

static void append_resolved(GString *out, struct slice base_url, struct slice url)
{
    struct parts base = split(base_url), reference = split(url);
    g_string_append_len(out, base.scheme.at, (gssize)base.scheme.size);
    g_string_append_c(out, ':');
    if (reference.authority.at) {
        append_part(out, "//", reference.authority);
        g_string_append_len(out, reference.path.at, (gssize)reference.path.size);
        append_part(out, "?", reference.query);
    } else {
        append_part(out, "//", base.authority);
        if (reference.path.size == 0)
            g_string_append_len(out, base.path.at, (gssize)base.path.size);
        else if (reference.path.at[0] == '/')
            append_without_dots(out, reference.path.at, reference.path.size);
        else
            append_merged(out, &base, &reference);
        append_part(out, "?",
                    reference.query.at || reference.path.size > 0 ? reference.query : base.query);
    }
    append_part(out, "#", reference.fragment);
}

/* Bytes that may stand in a URL as they are. */
static const bool is_url_byte[256] = {
    ['!'] = true,         ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true,
    ['\''] = true,        ['('] = true, [')'] = true, ['*'] = true, ['+'] = true,
    [','] = true,         ['-'] = true, ['.'] = true, ['/'] = true, ['0' ... '9'] = true,
    [':'] = true,         [';'] = true, ['='] = true, ['?'] = true, ['@'] = true,
    ['A' ... 'Z'] = true, ['['] = true, [']'] = true, ['_'] = true, ['a' ... 'z'] = true,
    ['~'] = true,
};

/* Appends the bytes with those percent-encoded that no URL has, and without control characters. */
static void append_encoded(GString *out, struct slice link)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < link.size; i++) {
        unsigned char c = (unsigned char)link.at[i];
        if (is_url_byte[c]) {
            g_string_append_c(out, (char)c);
        } else if (c >= 0x20 && c != 0x7F) {
            g_string_append_c(out, '%');
            g_string_append_c(out, hex[c >> 4]);
            g_string_append_c(out, hex[c & 15]);
        }
    }
}

const char *link_resolve(struct arena *arena, const char *base, struct slice reference)
{
    reference = slice_trim(reference);
    if (reference.size == 0 || reference.size > LINK_BYTES_MAX)
        return NULL;
    g_autoptr(GString) encoded = g_string_sized_new(reference.size + 16);
    append_encoded(encoded, reference);
    struct slice url = slice_trim((struct slice){encoded->str, encoded->len});
    struct slice base_url = {base, base ? strlen(base) : 0};
    if (url.size == 0)
        return NULL;
    if (!base || link_is_absolute(url) || !link_is_absolute(base_url))
        return arena_text(arena, url.at, url.size);
    g_autoptr(GString) out = g_string_sized_new(base_url.size + url.size);
    append_resolved(out, base_url, url);
    return arena_text(arena, out->str, out->len);
}
