#include "text/plain.h"

#include "text/clean.h"
#include "text/sixteen.h"
#include "text/utf8.h"

#include <utf8proc.h>

enum { SURE, BLANK, LOOK, NEVER };

/* By first bytes. SURE: ASCII, and blocks of Unicode in which nothing is ever removed, turned into
 * a blank or counted as a mark (Latin, Greek, Cyrillic, Han, Hangul). */
static const unsigned char lead_class[256] = {
    [0x00 ... 0x09] = NEVER, ['\n'] = BLANK,         [0x0B ... 0x1F] = NEVER,
    [' '] = BLANK,           [0x7F] = NEVER,         [0x80 ... 0xC1] = NEVER,
    [0xC2] = LOOK,           [0xCC ... 0xCD] = LOOK, [0xD2] = LOOK,
    [0xD6 ... 0xE3] = LOOK,  [0xEA] = LOOK,          [0xEF ... 0xF4] = LOOK,
    [0xF5 ... 0xFF] = NEVER,
};

/* SURE but for ASCII, and bytes that continue a character. */
static const bool sure_or_continuing[256] = {
    [0x80 ... 0xBF] = true, [0xC3 ... 0xCB] = true, [0xCE ... 0xD1] = true,
    [0xD3 ... 0xD5] = true, [0xE4 ... 0xE9] = true, [0xEB ... 0xEE] = true,
};

/* The punctuation of U+2000-207F but for the blanks and invisible ones in it. */
static bool is_general_punctuation(uint32_t c)
{
    return (c >= 0x2010 && c <= 0x2027) || (c >= 0x2030 && c <= 0x205E);
}

/* Whether it may stay; counts marks on one base. */
static bool may_stay(uint32_t c, unsigned *marks)
{
    if (is_general_punctuation(c) || (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0x3001 && c <= 0x3029)) {
        *marks = 0;
        return true;
    }
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return ++*marks <= CLEAN_MARKS_MAX && !(c >= 0xFE00 && c <= 0xFE0F) && c < 0xE0000;
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return false;
    default:
        *marks = 0;
        return true;
    }
}

/* Which of sixteen bytes are printable ASCII, SURE or continue a character. */
static unsigned find_good(sixteen_bytes v)
{
    sixteen_mask good = sixteen_between(v, 0x20, 0x7E);
    if (sixteen_bits(sixteen_between(v, 0x80, 0xFF)) == 0)
        return sixteen_bits(good);
    good |= sixteen_between(v, 0x80, 0xBF) | sixteen_between(v, 0xC3, 0xCB) |
            sixteen_between(v, 0xCE, 0xD1) | sixteen_between(v, 0xD3, 0xD5) |
            sixteen_between(v, 0xE4, 0xE9) | sixteen_between(v, 0xEB, 0xEE);
    return sixteen_bits(good);
}

size_t plain_run(const char *text, size_t size, bool *after_blank)
{
    size_t pos = 0;
    while (size - pos >= SIXTEEN) {
        sixteen_bytes v = sixteen_load(text + pos);
        unsigned blanks = sixteen_bits(sixteen_equal(v, ' '));
        unsigned bad = (~find_good(v) & SIXTEEN_ALL) | sixteen_double(blanks, *after_blank);
        unsigned n = sixteen_first(bad);
        if (n > 0)
            *after_blank = blanks >> (n - 1) & 1;
        pos += n;
        if (bad)
            return pos;
    }
    while (pos > 0 && pos < size && ((unsigned char)text[pos] & 0xC0) == 0x80)
        pos++; /* the rest of a character */
    return pos;
}

bool plain_is_clean(const char *text, size_t size)
{
    unsigned marks = 0;
    bool after_blank = true; /* the beginning counts as one */
    for (size_t pos = 0; pos < size;) {
        size_t n = plain_run(text + pos, size - pos, &after_blank);
        if (n > 0)
            marks = 0;
        pos += n;
        if (pos == size)
            break;
        switch (lead_class[(unsigned char)text[pos]]) {
        case SURE:
            after_blank = false;
            marks = 0;
            pos++;
            /* Bytes that continue a character, and more of the kind. */
            while (pos < size && sure_or_continuing[(unsigned char)text[pos]])
                pos++;
            break;
        case BLANK:
            if (after_blank)
                return false;
            after_blank = true;
            marks = 0;
            pos++;
            break;
        case LOOK:
            if (!may_stay(utf8_next(text, size, &pos), &marks))
                return false;
            after_blank = false;
            break;
        default:
            return false;
        }
    }
    return size == 0 || !after_blank;
}
