#include "text/clean.h"

#include "text/plain.h"
#include "text/utf8.h"

#include <string.h>
#include <utf8proc.h>

#define ZWJ      0x200D
#define ELLIPSIS "\xE2\x80\xA6"

enum char_class { CHAR_PRINT, CHAR_MARK, CHAR_JOINER, CHAR_BLANK, CHAR_BREAK, CHAR_DROP };

struct cleaner {
    GString *out;
    size_t start; /* where our own output begins in out */
    bool keep_breaks;
    unsigned breaks;  /* pending line breaks */
    bool blank;       /* a pending blank */
    unsigned marks;   /* on the current base */
    bool after_emoji; /* the last character was one, or its selector or skin tone */
    bool joiner;      /* a ZWJ that is kept only when an emoji follows */
};

static bool is_emoji(uint32_t c)
{
    const utf8proc_property_t *property = utf8proc_get_property((utf8proc_int32_t)c);
    return property->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC ||
           (c >= 0x1F3FB && c <= 0x1F3FF) || (c >= 0x1F1E6 && c <= 0x1F1FF);
}

static bool is_selector(uint32_t c)
{
    return (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0100 && c <= 0xE01EF);
}

/* LRM, RLM, ALM, embeddings, overrides, isolates; zero-width characters; tags; noncharacters. */
static bool is_dropped(uint32_t c)
{
    return (c >= 0x200B && c <= 0x200F && c != ZWJ) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || c == 0x061C || c == 0xFEFF || c == 0x180E ||
           c == 0x00AD || (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F) ||
           (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
}

static enum char_class class_of(uint32_t c)
{
    if (c >= 0x20 && c < 0x7F)
        return c == ' ' ? CHAR_BLANK : CHAR_PRINT;
    if (c == '\n' || c == '\r' || c == 0x0B || c == 0x0C || c == 0x85 || c == 0x2028 || c == 0x2029)
        return CHAR_BREAK;
    if (c == '\t' || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F ||
        c == 0x205F || c == 0x3000)
        return CHAR_BLANK;
    if (c < 0x20 || (c >= 0x7F && c < 0xA0) || is_dropped(c))
        return CHAR_DROP;
    if (c == ZWJ || is_selector(c))
        return CHAR_JOINER;
    if (c < 0x300)
        return CHAR_PRINT;
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    bool is_mark = category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME ||
                   category == UTF8PROC_CATEGORY_MC;
    return is_mark ? CHAR_MARK : CHAR_PRINT;
}

/* Blanks and breaks are written only when something follows them, so that the ends are trimmed. */
static void flush_space(struct cleaner *cleaner)
{
    if (cleaner->out->len > cleaner->start) {
        if (cleaner->breaks > 0 && cleaner->keep_breaks)
            g_string_append(cleaner->out, cleaner->breaks > 1 ? "\n\n" : "\n");
        else if (cleaner->breaks > 0 || cleaner->blank)
            g_string_append_c(cleaner->out, ' ');
    }
    cleaner->breaks = 0;
    cleaner->blank = false;
}

static void put_joiner(struct cleaner *cleaner, uint32_t c)
{
    if (!cleaner->after_emoji)
        return;
    if (c == ZWJ)
        cleaner->joiner = true;
    else if (c == 0xFE0E || c == 0xFE0F)
        utf8_append(cleaner->out, c);
}

static void put_printable(struct cleaner *cleaner, uint32_t c)
{
    bool emoji = c >= 0xA9 && is_emoji(c);
    flush_space(cleaner);
    if (cleaner->joiner && emoji)
        utf8_append(cleaner->out, ZWJ);
    cleaner->joiner = false;
    cleaner->after_emoji = emoji;
    cleaner->marks = 0;
    utf8_append(cleaner->out, c);
}

static void put(struct cleaner *cleaner, uint32_t c)
{
    if (c == UTF8_INVALID)
        c = UTF8_REPLACEMENT;
    switch (class_of(c)) {
    case CHAR_PRINT:
        put_printable(cleaner, c);
        return;
    case CHAR_MARK:
        flush_space(cleaner);
        if (cleaner->marks++ < CLEAN_MARKS_MAX)
            utf8_append(cleaner->out, c);
        return;
    case CHAR_JOINER:
        put_joiner(cleaner, c);
        return;
    case CHAR_BLANK:
        cleaner->blank = true;
        break;
    case CHAR_BREAK:
        cleaner->breaks++;
        break;
    case CHAR_DROP:
        return;
    }
    cleaner->after_emoji = cleaner->joiner = false;
    cleaner->marks = 0;
}

/* Characters to which nothing is done, and single blanks between them; the first is no blank. */
static void put_run(struct cleaner *cleaner, const char *text, size_t size, bool ends_blank)
{
    flush_space(cleaner);
    g_string_append_len(cleaner->out, text, (gssize)(size - ends_blank));
    cleaner->blank = ends_blank;
    cleaner->joiner = cleaner->after_emoji = false;
    cleaner->marks = 0;
}

static void clean(GString *out, const char *text, size_t size, bool keep_breaks)
{
    struct cleaner cleaner = {.out = out, .start = out->len, .keep_breaks = keep_breaks};
    bool is_valid = utf8_is_valid(text, size);
    for (size_t pos = 0; pos < size;) {
        bool ends_blank = true; /* so that none begins with one */
        size_t n = is_valid ? plain_run(text + pos, size - pos, &ends_blank) : 0;
        if (n > 0) {
            put_run(&cleaner, text + pos, n, ends_blank);
            pos += n;
            continue;
        }
        bool was_return = text[pos] == '\r';
        put(&cleaner, utf8_next(text, size, &pos));
        if (was_return && pos < size && text[pos] == '\n')
            pos++;
    }
}

void clean_append_line(GString *out, const char *text, size_t size)
{
    clean(out, text, size, false);
}

void clean_append_block(GString *out, const char *text, size_t size)
{
    clean(out, text, size, true);
}

char *clean_line(const char *text)
{
    if (!text)
        return NULL;
    GString *out = g_string_sized_new(strlen(text) + 1);
    clean_append_line(out, text, strlen(text));
    return g_string_free(out, FALSE);
}

/* Whether the character at pos belongs to the one before it. */
static bool continues(const char *text, size_t size, size_t pos)
{
    uint32_t c = utf8_next(text, size, &pos);
    if (c == ZWJ || is_selector(c) || (c >= 0x1F3FB && c <= 0x1F3FF))
        return true;
    return class_of(c) == CHAR_MARK;
}

/* The last place at or before max where the text may be cut. */
static size_t cut_place(const char *text, size_t size, size_t max)
{
    size_t best = 0;
    bool after_joiner = false;
    for (size_t pos = 0; pos <= max && pos < size;) {
        if (!after_joiner && !continues(text, size, pos))
            best = pos;
        after_joiner = utf8_next(text, size, &pos) == ZWJ;
    }
    return best;
}

char *clean_shorten(const char *text, size_t max_bytes)
{
    size_t size = strlen(text);
    if (size <= max_bytes)
        return g_strdup(text);
    if (max_bytes < strlen(ELLIPSIS))
        return g_strdup("");
    size_t keep = cut_place(text, size, max_bytes - strlen(ELLIPSIS));
    while (keep > 0 && text[keep - 1] == ' ')
        keep--;
    return g_strdup_printf("%.*s" ELLIPSIS, (int)keep, text);
}
