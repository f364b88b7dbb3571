#include "text/html_refs.h"

#include "text/utf8.h"

#include <string.h>

/* What the bytes 0x80-0x9F are in windows-1252; 0 where they are nothing. */
static const uint16_t windows_1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

static bool is_alnum(char c)
{
    return g_ascii_isalnum(c);
}

static const struct html_name *find_name(const char *name, size_t size)
{
    size_t low = 0, high = html_names_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp(html_names[middle].name, name, size);
        if (order == 0 && html_names[middle].name[size] == '\0')
            return &html_names[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* The value of "&#...": false where there are no digits. */
static bool read_number(const char *text, size_t size, uint32_t *ret_value, size_t *ret_used)
{
    size_t pos = 2;
    uint32_t base = 10, value = 0;
    if (pos < size && (text[pos] == 'x' || text[pos] == 'X')) {
        base = 16;
        pos++;
    }
    size_t first = pos;
    for (; pos < size; pos++) {
        int digit = g_ascii_xdigit_value(text[pos]);
        if (digit < 0 || (uint32_t)digit >= base)
            break;
        if (value < 0x110000)
            value = value * base + (uint32_t)digit;
    }
    if (pos == first)
        return false;
    if (pos < size && text[pos] == ';')
        pos++;
    *ret_value = value;
    *ret_used = pos;
    return true;
}

/* A high surrogate counts when a reference to a low one follows at once. */
static uint32_t join_surrogates(const char *text, size_t size, uint32_t high, size_t *used)
{
    uint32_t low = 0;
    size_t more = 0;
    const char *next = text + *used;
    size_t left = size - *used;
    if (high > 0xDBFF || left < 3 || next[0] != '&' || next[1] != '#' ||
        !read_number(next, left, &low, &more) || low < 0xDC00 || low > 0xDFFF)
        return UTF8_REPLACEMENT;
    *used += more;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

static size_t numeric_reference(const char *text, size_t size, char out[HTML_REFERENCE_MAX],
                                size_t *ret_used)
{
    uint32_t value = 0;
    if (!read_number(text, size, &value, ret_used))
        return 0;
    if (value >= 0x80 && value < 0xA0 && windows_1252[value - 0x80] != 0)
        value = windows_1252[value - 0x80];
    else if (value >= 0xD800 && value <= 0xDFFF)
        value = join_surrogates(text, size, value, ret_used);
    else if (value == 0 || value > 0x10FFFF)
        value = UTF8_REPLACEMENT;
    return utf8_put(out, value);
}

/* The longest name without semicolon that begins the run of letters and digits. */
static const struct html_name *find_legacy(const char *name, size_t size, bool in_attribute,
                                           char after)
{
    for (size_t n = MIN(size, 6); n >= 2; n--) {
        const struct html_name *found = find_name(name, n);
        if (found && found->is_legacy) {
            char next = n < size ? name[n] : after;
            return in_attribute && (next == '=' || is_alnum(next)) ? NULL : found;
        }
    }
    return NULL;
}

static size_t named_reference(const char *text, size_t size, enum html_reference_rule rule,
                              char out[HTML_REFERENCE_MAX], size_t *ret_used)
{
    size_t end = 1;
    while (end < size && end < 34 && is_alnum(text[end]))
        end++;
    size_t length = end - 1;
    char after = '\0';
    if (end < size)
        after = text[end];
    const struct html_name *found = length > 0 && after == ';' ? find_name(text + 1, length) : NULL;
    if (found) {
        *ret_used = end + 1;
    } else {
        bool in_attribute = rule == HTML_REFERENCE_ATTRIBUTE;
        if (rule != HTML_REFERENCE_STRICT)
            found = find_legacy(text + 1, length, in_attribute, after);
        if (!found)
            return 0;
        *ret_used = 1 + strlen(found->name);
    }
    size_t bytes = strlen(found->text);
    memcpy(out, found->text, bytes);
    return bytes;
}

/* The ones that nearly every reference is. */
static size_t common_reference(const char *text, size_t size, char out[HTML_REFERENCE_MAX],
                               size_t *ret_used)
{
    static const struct {
        const char *name;
        uint8_t size;
        const char *text;
    } common[] = {
        {"&lt;", 4, "<"},    {"&gt;", 4, ">"},   {"&amp;", 5, "&"},
        {"&quot;", 6, "\""}, {"&apos;", 6, "'"}, {"&nbsp;", 6, "\xC2\xA0"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(common); i++) {
        if (size < common[i].size || memcmp(text, common[i].name, common[i].size) != 0)
            continue;
        size_t bytes = strlen(common[i].text);
        memcpy(out, common[i].text, bytes);
        *ret_used = common[i].size;
        return bytes;
    }
    return 0;
}

size_t html_reference(const char *text, size_t size, enum html_reference_rule rule,
                      char out[HTML_REFERENCE_MAX], size_t *ret_used)
{
    if (size < 3)
        return 0;
    if (text[1] == '#')
        return numeric_reference(text, size, out, ret_used);
    size_t common = common_reference(text, size, out, ret_used);
    return common ? common : named_reference(text, size, rule, out, ret_used);
}
