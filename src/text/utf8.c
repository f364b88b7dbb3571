#include "text/utf8.h"

#include "text/sixteen.h"

/* Unicode 15, table 3-7: the second byte's range depends on the first. */
static bool second_byte_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return second >= 0x80 && second <= 0xBF;
    }
}

static unsigned sequence_length(unsigned char first)
{
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF)
        return 3;
    if (first >= 0xF0 && first <= 0xF4)
        return 4;
    return 0;
}

uint32_t utf8_next(const char *text, size_t size, size_t *pos)
{
    const unsigned char *p = (const unsigned char *)text + *pos;
    size_t left = size - *pos;
    if (p[0] < 0x80) {
        *pos += 1;
        return p[0];
    }
    unsigned length = sequence_length(p[0]);
    if (length == 0 || left < 2 || !second_byte_fits(p[0], p[1])) {
        *pos += 1;
        return UTF8_INVALID;
    }
    uint32_t code_point = p[0] & (0x7Fu >> length);
    code_point = code_point << 6 | (p[1] & 0x3Fu);
    for (unsigned i = 2; i < length; i++) {
        if (i >= left || (p[i] & 0xC0) != 0x80) {
            *pos += i;
            return UTF8_INVALID;
        }
        code_point = code_point << 6 | (p[i] & 0x3Fu);
    }
    *pos += length;
    return code_point;
}

size_t utf8_put(char out[4], uint32_t code_point)
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    size_t length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; code_point >>= 6)
        out[i] = (char)(0x80 | (code_point & 0x3F));
    out[0] = (char)((0xF00u >> length & 0xFFu) | code_point);
    return length;
}

void utf8_append(GString *out, uint32_t code_point)
{
    char bytes[4];
    g_string_append_len(out, bytes, (gssize)utf8_put(bytes, code_point));
}

static size_t skip_ascii(const char *text, size_t size, size_t pos)
{
    while (size - pos >= SIXTEEN) {
        unsigned high = sixteen_bits(sixteen_between(sixteen_load(text + pos), 0x80, 0xFF));
        pos += sixteen_first(high);
        if (high)
            return pos;
    }
    while (pos < size && (unsigned char)text[pos] < 0x80)
        pos++;
    return pos;
}

static bool continues(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The length of the character at p where that is seen at a glance: of two bytes, or of three but
 * for the blocks where not all are characters (utf8_next() knows). Else 0. */
static size_t plain_length(const unsigned char *p, size_t size)
{
    if (p[0] >= 0xC2 && p[0] < 0xE0)
        return size >= 2 && continues(p[1]) ? 2 : 0;
    bool is_three = p[0] > 0xE0 && p[0] < 0xF0 && p[0] != 0xED;
    return is_three && size >= 3 && continues(p[1]) && continues(p[2]) ? 3 : 0;
}

size_t utf8_count(const char *text, size_t size, bool stop, size_t *ret_invalid)
{
    size_t good = 0;
    *ret_invalid = 0;
    for (size_t pos = skip_ascii(text, size, 0); pos < size;) {
        if ((unsigned char)text[pos] < 0x80) {
            pos = skip_ascii(text, size, pos);
            continue;
        }
        size_t length = plain_length((const unsigned char *)text + pos, size - pos);
        pos += length;
        if (length > 0 || utf8_next(text, size, &pos) != UTF8_INVALID)
            good++;
        else if ((*ret_invalid)++ == 0 && stop)
            break;
    }
    return good;
}

bool utf8_is_valid(const char *text, size_t size)
{
    size_t n_invalid = 0;
    utf8_count(text, size, true, &n_invalid);
    return n_invalid == 0;
}

void utf8_append_repaired(GString *out, const char *text, size_t size)
{
    size_t good = 0;
    for (size_t pos = 0; pos < size;) {
        size_t start = pos;
        if (utf8_next(text, size, &pos) != UTF8_INVALID)
            continue;
        g_string_append_len(out, text + good, (gssize)(start - good));
        utf8_append(out, UTF8_REPLACEMENT);
        good = pos;
    }
    g_string_append_len(out, text + good, (gssize)(size - good));
}
