#include "text/plain.h"

#include "text/clean.h"
#include "text/eight.h"
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

/* Goes over printable ASCII with single blanks in it. */
static size_t skip_plain(const char *text, size_t size, size_t pos, bool *after_blank)
{
    bool next = *after_blank;
    while (size - pos >= 8) {
        uint64_t v = eight_load(text + pos);
        uint64_t special = (v & EIGHT_HIGH) | eight_control(v) | eight_equal(v, 0x7F);
        if (special | eight_double_blank(v, &next))
            break;
        *after_blank = next;
        pos += 8;
    }
    return pos;
}

bool plain_is_clean(const char *text, size_t size)
{
    unsigned marks = 0;
    bool after_blank = true; /* the beginning counts as one */
    for (size_t pos = 0; pos < size;) {
        size_t skipped = skip_plain(text, size, pos, &after_blank);
        if (skipped > pos)
            marks = 0;
        pos = skipped;
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
