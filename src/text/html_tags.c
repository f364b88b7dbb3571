#include "text/html_tags.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#define NAME_MAX_BYTES 15

struct element {
    char name[NAME_MAX_BYTES];
    unsigned char kind;
};

/* In strcmp() order. */
static const struct element elements[] = {
    {"a", HTML_INLINE},         {"abbr", HTML_INLINE},       {"acronym", HTML_INLINE},
    {"address", HTML_BLOCK},    {"annotation", HTML_HIDDEN}, {"applet", HTML_INLINE},
    {"area", HTML_INLINE},      {"article", HTML_BLOCK},     {"aside", HTML_BLOCK},
    {"audio", HTML_HIDDEN},     {"b", HTML_INLINE},          {"base", HTML_INLINE},
    {"basefont", HTML_INLINE},  {"bdi", HTML_INLINE},        {"bdo", HTML_INLINE},
    {"big", HTML_INLINE},       {"blink", HTML_INLINE},      {"blockquote", HTML_BLOCK},
    {"body", HTML_BLOCK},       {"br", HTML_BLOCK},          {"button", HTML_BLANK},
    {"canvas", HTML_HIDDEN},    {"caption", HTML_BLOCK},     {"center", HTML_BLOCK},
    {"circle", HTML_INLINE},    {"cite", HTML_INLINE},       {"code", HTML_INLINE},
    {"col", HTML_INLINE},       {"colgroup", HTML_INLINE},   {"data", HTML_INLINE},
    {"datalist", HTML_HIDDEN},  {"dd", HTML_BLOCK},          {"defs", HTML_INLINE},
    {"del", HTML_INLINE},       {"details", HTML_BLOCK},     {"dfn", HTML_INLINE},
    {"dialog", HTML_BLOCK},     {"dir", HTML_BLOCK},         {"div", HTML_BLOCK},
    {"dl", HTML_BLOCK},         {"dt", HTML_BLOCK},          {"ellipse", HTML_INLINE},
    {"em", HTML_INLINE},        {"embed", HTML_INLINE},      {"fieldset", HTML_BLOCK},
    {"figcaption", HTML_BLOCK}, {"figure", HTML_BLOCK},      {"font", HTML_INLINE},
    {"footer", HTML_BLOCK},     {"form", HTML_BLOCK},        {"frame", HTML_INLINE},
    {"frameset", HTML_BLOCK},   {"g", HTML_INLINE},          {"h1", HTML_BLOCK},
    {"h2", HTML_BLOCK},         {"h3", HTML_BLOCK},          {"h4", HTML_BLOCK},
    {"h5", HTML_BLOCK},         {"h6", HTML_BLOCK},          {"head", HTML_BLOCK},
    {"header", HTML_BLOCK},     {"hgroup", HTML_BLOCK},      {"hr", HTML_BLOCK},
    {"html", HTML_BLOCK},       {"i", HTML_INLINE},          {"iframe", HTML_HIDDEN},
    {"image", HTML_IMAGE},      {"img", HTML_IMAGE},         {"input", HTML_INLINE},
    {"ins", HTML_INLINE},       {"kbd", HTML_INLINE},        {"label", HTML_INLINE},
    {"legend", HTML_BLOCK},     {"li", HTML_BLOCK},          {"line", HTML_INLINE},
    {"link", HTML_INLINE},      {"main", HTML_BLOCK},        {"map", HTML_INLINE},
    {"mark", HTML_INLINE},      {"marquee", HTML_BLOCK},     {"math", HTML_INLINE},
    {"menu", HTML_BLOCK},       {"menuitem", HTML_BLOCK},    {"meta", HTML_INLINE},
    {"meter", HTML_INLINE},     {"mfrac", HTML_INLINE},      {"mi", HTML_INLINE},
    {"mn", HTML_INLINE},        {"mo", HTML_INLINE},         {"mover", HTML_INLINE},
    {"mroot", HTML_INLINE},     {"mrow", HTML_INLINE},       {"ms", HTML_INLINE},
    {"mspace", HTML_BLANK},     {"msqrt", HTML_INLINE},      {"mstyle", HTML_INLINE},
    {"msub", HTML_INLINE},      {"msubsup", HTML_INLINE},    {"msup", HTML_INLINE},
    {"mtable", HTML_BLOCK},     {"mtd", HTML_BLANK},         {"mtext", HTML_INLINE},
    {"mtr", HTML_BLOCK},        {"munder", HTML_INLINE},     {"munderover", HTML_INLINE},
    {"nav", HTML_BLOCK},        {"nobr", HTML_INLINE},       {"noembed", HTML_HIDDEN},
    {"noframes", HTML_HIDDEN},  {"noscript", HTML_BLOCK},    {"object", HTML_INLINE},
    {"ol", HTML_BLOCK},         {"optgroup", HTML_BLOCK},    {"option", HTML_BLOCK},
    {"output", HTML_INLINE},    {"p", HTML_BLOCK},           {"param", HTML_INLINE},
    {"path", HTML_INLINE},      {"picture", HTML_INLINE},    {"plaintext", HTML_BLOCK},
    {"polygon", HTML_INLINE},   {"polyline", HTML_INLINE},   {"pre", HTML_BLOCK},
    {"progress", HTML_INLINE},  {"q", HTML_INLINE},          {"rb", HTML_INLINE},
    {"rect", HTML_INLINE},      {"rp", HTML_INLINE},         {"rt", HTML_INLINE},
    {"rtc", HTML_INLINE},       {"ruby", HTML_INLINE},       {"s", HTML_INLINE},
    {"samp", HTML_INLINE},      {"script", HTML_HIDDEN},     {"search", HTML_BLOCK},
    {"section", HTML_BLOCK},    {"select", HTML_BLOCK},      {"semantics", HTML_INLINE},
    {"slot", HTML_INLINE},      {"small", HTML_INLINE},      {"source", HTML_INLINE},
    {"span", HTML_INLINE},      {"strike", HTML_INLINE},     {"strong", HTML_INLINE},
    {"style", HTML_HIDDEN},     {"sub", HTML_INLINE},        {"summary", HTML_BLOCK},
    {"sup", HTML_INLINE},       {"svg", HTML_INLINE},        {"symbol", HTML_INLINE},
    {"table", HTML_BLOCK},      {"tbody", HTML_BLOCK},       {"td", HTML_BLANK},
    {"template", HTML_HIDDEN},  {"text", HTML_BLANK},        {"textarea", HTML_BLOCK},
    {"tfoot", HTML_BLOCK},      {"th", HTML_BLANK},          {"thead", HTML_BLOCK},
    {"time", HTML_INLINE},      {"title", HTML_BLOCK},       {"tr", HTML_BLOCK},
    {"track", HTML_INLINE},     {"tspan", HTML_INLINE},      {"tt", HTML_INLINE},
    {"u", HTML_INLINE},         {"ul", HTML_BLOCK},          {"use", HTML_INLINE},
    {"var", HTML_INLINE},       {"video", HTML_HIDDEN},      {"wbr", HTML_INLINE},
    {"xmp", HTML_BLOCK},
};

/* A name in 16 bytes, as two numbers: in the order of strcmp(). */
struct key {
    uint64_t first, second;
};

static struct key key_of(const void *name)
{
    struct key key;
    memcpy(&key, name, sizeof key);
    return (struct key){GUINT64_FROM_BE(key.first), GUINT64_FROM_BE(key.second)};
}

enum html_kind html_kind_of(const char *name, size_t size)
{
    char folded[NAME_MAX_BYTES + 1] = "";
    if (size >= NAME_MAX_BYTES)
        return HTML_UNKNOWN;
    for (size_t i = 0; i < size; i++)
        folded[i] = g_ascii_tolower(name[i]);
    struct key wanted = key_of(folded);
    size_t low = 0, high = G_N_ELEMENTS(elements);
    while (low < high) {
        size_t middle = (low + high) / 2;
        struct key key = key_of(&elements[middle]);
        key.second &= ~(uint64_t)0xFF; /* the kind */
        if (key.first == wanted.first && key.second == wanted.second)
            return (enum html_kind)elements[middle].kind;
        if (key.first < wanted.first || (key.first == wanted.first && key.second < wanted.second))
            low = middle + 1;
        else
            high = middle;
    }
    return HTML_UNKNOWN;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

/* The ">" that ends the tag; quotes count where they begin a value. NULL: the text ends first. */
static const char *find_tag_end(const char *p, const char *end)
{
    while (p < end && *p != '>') {
        if (*p++ != '=')
            continue;
        while (p < end && is_blank(*p))
            p++;
        if (p == end || (*p != '"' && *p != '\''))
            continue;
        p = memchr(p + 1, *p, (size_t)(end - p - 1));
        if (!p)
            return NULL;
        p++;
    }
    return p < end ? p : NULL;
}

static const char *name_end(const char *p, const char *end)
{
    while (p < end && (g_ascii_isalnum(*p) || *p == '-' || *p == ':' || *p == '_' || *p == '.'))
        p++;
    return p;
}

bool html_read_tag(const char *text, const char *end, bool *quotes_fail, struct html_tag *ret_tag)
{
    const char *name = text + 1;
    bool is_end = name < end && *name == '/';
    name += is_end;
    if (name >= end || !g_ascii_isalpha(*name))
        return false;
    const char *after = name_end(name, end);
    if (after == end || (!is_blank(*after) && *after != '>' && *after != '/') || after[-1] == ':')
        return false;
    const char *close = *quotes_fail ? NULL : find_tag_end(after, end);
    if (!close) {
        *quotes_fail = true;
        close = memchr(after, '>', (size_t)(end - after));
    }
    if (!close)
        return false;
    *ret_tag = (struct html_tag){
        .kind = html_kind_of(name, (size_t)(after - name)),
        .name = name,
        .name_size = (size_t)(after - name),
        .attributes = after,
        .end = close + 1,
        .is_end = is_end,
        .is_empty = close[-1] == '/',
    };
    return true;
}

/* Reads one value at p, sets what it is, returns what follows it. */
static const char *read_value(const char *p, const char *end, const char **ret_value,
                              size_t *ret_size)
{
    while (p < end && is_blank(*p))
        p++;
    const char *stop = NULL;
    if (p < end && (*p == '"' || *p == '\'')) {
        stop = memchr(p + 1, *p, (size_t)(end - p - 1));
        if (stop) {
            *ret_value = p + 1;
            *ret_size = (size_t)(stop - p - 1);
            return stop + 1;
        }
    }
    for (stop = p; stop < end && !is_blank(*stop);)
        stop++;
    *ret_value = p;
    *ret_size = (size_t)(stop - p);
    return stop;
}

bool html_attribute(const struct html_tag *tag, const char *name, const char **ret_value,
                    size_t *ret_size)
{
    const char *p = tag->attributes, *end = tag->end - 1;
    size_t wanted = strlen(name);
    while (p < end) {
        while (p < end && (is_blank(*p) || *p == '/'))
            p++;
        const char *start = p;
        while (p < end && !is_blank(*p) && *p != '=' && *p != '/')
            p++;
        bool is_it = (size_t)(p - start) == wanted && g_ascii_strncasecmp(start, name, wanted) == 0;
        while (p < end && is_blank(*p))
            p++;
        const char *value = p;
        size_t size = 0;
        if (p < end && *p == '=')
            p = read_value(p + 1, end, &value, &size);
        else if (p == start)
            p++;
        if (!is_it)
            continue;
        *ret_value = value;
        *ret_size = size;
        return true;
    }
    return false;
}
