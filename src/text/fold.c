#include "text/fold.h"

#include "text/utf8.h"

#include <glib.h>
#include <string.h>
#include <utf8proc.h>

struct range {
    uint32_t first, last;
};

/* Marks that vanish: those for Latin, Greek and Cyrillic (and for symbols), Hebrew, Arabic. */
static const struct range dropped_marks[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05C7},   {0x0610, 0x061A},   {0x064B, 0x065F},
    {0x0670, 0x0670}, {0x06D6, 0x06ED}, {0x0898, 0x089F},   {0x08CA, 0x08FF},   {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0x2DE0, 0x2DFF},   {0xA66F, 0xA67D},   {0xA69E, 0xA69F},
    {0xFB1E, 0xFB1E}, {0xFE20, 0xFE2F}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF},
};

/* Invisible characters that neither join nor part. U+0640 (tatweel) only stretches a word. */
static const struct range ignored[] = {
    {0x00AD, 0x00AD},   {0x061C, 0x061C},   {0x0640, 0x0640},   {0x115F, 0x1160},
    {0x17B4, 0x17B5},   {0x180E, 0x180E},   {0x200B, 0x200F},   {0x202A, 0x202E},
    {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFB},   {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE00FF},
    {0xE01F0, 0xE0FFF},
};

/* Variation selectors and skin tones. */
static const struct range modifiers[] = {
    {0x180B, 0x180D}, {0x180F, 0x180F}, {0xFE00, 0xFE0F}, {0x1F3FB, 0x1F3FF}, {0xE0100, 0xE01EF},
};

/* Scripts in which each letter is a word. Han, kana, Thai, Lao, Khmer, Myanmar. */
static const struct range single_scripts[] = {
    {0x0E00, 0x0EFF}, {0x1000, 0x109F},   {0x1780, 0x17FF},   {0x19E0, 0x19FF}, {0x2E80, 0x2FDF},
    {0x3005, 0x3007}, {0x3021, 0x3029},   {0x3031, 0x3035},   {0x3038, 0x303C}, {0x3041, 0x30FF},
    {0x31F0, 0x31FF}, {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xA9E0, 0xA9FE}, {0xAA60, 0xAA7F},
    {0xF900, 0xFAFF}, {0x1AFF0, 0x1B16F}, {0x20000, 0x3FFFF},
};

static const struct range hangul[] = {
    {0x1100, 0x11FF},
    {0x3131, 0x318E},
    {0xA960, 0xA97C},
    {0xD7B0, 0xD7FB},
};

/* Letters that no decomposition takes apart, but that people type without their strokes. */
static const struct {
    uint32_t code_point;
    const char *plain;
} plain_letters[] = {
    {0x0142, "l"}, {0x00F8, "o"},  {0x0111, "d"},  {0x0127, "h"}, {0x0167, "t"},
    {0x0131, "i"}, {0x00E6, "ae"}, {0x0153, "oe"}, {0x00F0, "d"}, {0x00FE, "th"},
};

#define MIXED UINT32_MAX

struct builder {
    struct fold_table *table;
    GArray *entries;   /* uint32_t, whole blocks */
    GArray *sequences; /* uint32_t */
    uint32_t alike;    /* what all of the block before are, or MIXED */
};

/* Whether one of them, which are in order, has all from first to last. */
static bool in_ranges(uint32_t first, uint32_t last, const struct range *ranges, size_t n)
{
    while (n > 1) {
        size_t half = n / 2;
        if (first >= ranges[half].first)
            ranges += half;
        n -= half;
    }
    return first >= ranges->first && last <= ranges->last;
}
#define IN(c, ranges)               in_ranges(c, c, ranges, G_N_ELEMENTS(ranges))
#define ARE_IN(first, last, ranges) in_ranges(first, last, ranges, G_N_ELEMENTS(ranges))

static bool is_emoji(uint32_t c)
{
    const utf8proc_property_t *property = utf8proc_get_property((utf8proc_int32_t)c);
    return property->boundclass == UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC ||
           (c >= 0x1F1E6 && c <= 0x1F1FF);
}

static enum fold_class mark_class(uint32_t c)
{
    if (c == 0x0306)
        return FOLD_BREVE;
    if (c == 0x0308)
        return FOLD_DIAERESIS;
    return IN(c, dropped_marks) ? FOLD_DROPPED : FOLD_MARK;
}

static enum fold_class letter_class(uint32_t c)
{
    if (c >= 0x1100 && c <= 0x1112)
        return FOLD_LEADING;
    if (c >= 0x1161 && c <= 0x1175)
        return FOLD_VOWEL;
    if (c >= 0x11A8 && c <= 0x11C2)
        return FOLD_TRAILING;
    return IN(c, single_scripts) || IN(c, hangul) ? FOLD_SINGLE : FOLD_LETTER;
}

/* The class of a character that folds to itself. */
static enum fold_class class_of(uint32_t c)
{
    if (IN(c, ignored))
        return FOLD_IGNORED;
    if (IN(c, modifiers))
        return FOLD_DROPPED;
    if (is_emoji(c))
        return FOLD_SINGLE;
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
        return letter_class(c);
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return mark_class(c);
    default:
        return FOLD_SEPARATOR;
    }
}

/* NFKD and case folding of one character, with our plain letters. Returns how many. */
static size_t decompose(uint32_t c, uint32_t out[FOLD_SEQUENCE_MAX + 2])
{
    utf8proc_int32_t raw[FOLD_SEQUENCE_MAX + 2];
    int last_class = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char(
        (utf8proc_int32_t)c, raw, G_N_ELEMENTS(raw),
        UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD, &last_class);
    size_t n_out = 0;
    for (utf8proc_ssize_t i = 0; i < n && n_out < FOLD_SEQUENCE_MAX; i++) {
        const char *plain = NULL;
        for (size_t k = 0; k < G_N_ELEMENTS(plain_letters) && !plain; k++)
            if (plain_letters[k].code_point == (uint32_t)raw[i])
                plain = plain_letters[k].plain;
        if (!plain)
            out[n_out++] = (uint32_t)raw[i];
        for (; plain && *plain; plain++)
            out[n_out++] = (unsigned char)*plain;
    }
    return n_out;
}

/* Drops the marks that vanish behind a letter and puts й, ў and ї together again, so that most
 * sequences come down to one character. Returns how many are left. */
static size_t reduce(uint32_t *c, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        enum fold_class class = class_of(c[i]);
        uint32_t before = kept > 0 ? c[kept - 1] : 0;
        if (class == FOLD_BREVE && (before == 0x0438 || before == 0x0443))
            c[kept - 1] = before == 0x0438 ? 0x0439 : 0x045E;
        else if (class == FOLD_DIAERESIS && before == 0x0456)
            c[kept - 1] = 0x0457;
        else if (kept == 0 ||
                 (class != FOLD_DROPPED && class != FOLD_BREVE && class != FOLD_DIAERESIS))
            c[kept++] = c[i];
    }
    return kept;
}

static uint32_t plain_entry(uint32_t c, enum fold_class class, const uint32_t *folded, size_t n)
{
    char bytes[4 * FOLD_SEQUENCE_MAX];
    size_t size = 0;
    if (class == FOLD_MARK)
        return class | (uint32_t)utf8proc_get_property((utf8proc_int32_t)c)->combining_class << 8;
    if (n == 1 && folded[0] == c && (c >= 0x10000 || class == FOLD_SINGLE))
        return class;
    for (size_t i = 0; i < n; i++)
        size += utf8_put(bytes + size, folded[i]);
    uint32_t entry = class | (uint32_t)size << 4;
    for (size_t i = 0; i < size; i++)
        entry |= (uint32_t)(unsigned char)bytes[i] << (8 + 8 * i);
    return entry;
}

/* Whether the folded characters fit into an entry: all letters, or one of any class. */
static bool is_plain(uint32_t c, const uint32_t *folded, size_t n, enum fold_class *ret_class)
{
    char bytes[4];
    size_t size = 0;
    *ret_class = class_of(folded[0]);
    for (size_t i = 0; i < n; i++) {
        if (n > 1 && class_of(folded[i]) != FOLD_LETTER)
            return false;
        size += utf8_put(bytes, folded[i]);
    }
    if (n == 1 && folded[0] == c)
        return true;
    return size <= 3 && *ret_class != FOLD_MARK;
}

static bool separates_only(const uint32_t *folded, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (class_of(folded[i]) != FOLD_SEPARATOR)
            return false;
    return true;
}

static uint32_t sequence_entry(struct builder *builder, const uint32_t *folded, size_t n)
{
    uint32_t at = builder->sequences->len, count = (uint32_t)n;
    g_array_append_val(builder->sequences, count);
    g_array_append_vals(builder->sequences, folded, count);
    return FOLD_SEQUENCE | at << 8;
}

static uint32_t make_entry(struct builder *builder, uint32_t c)
{
    uint32_t folded[FOLD_SEQUENCE_MAX + 2];
    enum fold_class class = class_of(c);
    const utf8proc_property_t *property = utf8proc_get_property((utf8proc_int32_t)c);
    if (property->category == UTF8PROC_CATEGORY_CN && class == FOLD_SEPARATOR)
        return FOLD_SEPARATOR;
    if (property->decomp_type == UTF8PROC_DECOMP_TYPE_FRACTION)
        return FOLD_SEPARATOR;
    if (class == FOLD_IGNORED || (class == FOLD_DROPPED && c != 0x0345))
        return class;
    if (is_emoji(c))
        return plain_entry(c, FOLD_SINGLE, &c, 1);
    size_t n = reduce(folded, decompose(c, folded));
    if (n == 0 || (n == 1 && folded[0] == c))
        return class == FOLD_SEPARATOR ? class : plain_entry(c, class, &c, 1);
    if (is_plain(c, folded, n, &class))
        return class == FOLD_SEPARATOR ? class : plain_entry(c, class, folded, n);
    if (separates_only(folded, n))
        return FOLD_SEPARATOR;
    return sequence_entry(builder, folded, n);
}

/* Index of a block with these entries, which is added where there is none yet. */
static uint16_t intern_block(struct builder *builder, const uint32_t *block)
{
    const uint32_t *entries = (const uint32_t *)(void *)builder->entries->data;
    unsigned n = builder->entries->len / FOLD_BLOCK;
    for (unsigned i = n; i-- > FOLD_DIRECT_BELOW / FOLD_BLOCK;)
        if (memcmp(entries + (size_t)i * FOLD_BLOCK, block, FOLD_BLOCK * sizeof *block) == 0)
            return (uint16_t)i;
    g_array_append_vals(builder->entries, block, FOLD_BLOCK);
    return (uint16_t)n;
}

/* Ranges in which all characters are alike, so that most of their blocks are one and the same. */
static bool are_uniform(uint32_t first, uint32_t last, uint32_t *ret_entry)
{
    static const struct range syllables[] = {{0xAC00, 0xD7A3}};
    static const struct range han[] = {
        {0x3400, 0x4DBF}, {0x4E00, 0x9FFF}, {0x20000, 0x2F7FF}, {0x30000, 0x31FFF}};
    static const struct range nothing[] = {
        {0xD800, 0xF8FF}, {0x32000, 0xDFFFF}, {0xE1000, 0x10FFFF}};
    if (ARE_IN(first, last, syllables))
        *ret_entry = FOLD_SYLLABLE;
    else if (ARE_IN(first, last, han))
        *ret_entry = FOLD_SINGLE;
    else if (ARE_IN(first, last, nothing))
        *ret_entry = FOLD_SEPARATOR;
    else
        return false;
    return true;
}

static void make_block(struct builder *builder, uint32_t first)
{
    uint32_t block[FOLD_BLOCK], alike = MIXED;
    uint16_t *place = &builder->table->blocks[first / FOLD_BLOCK];
    bool are_alike = are_uniform(first, first + FOLD_BLOCK - 1, &alike);
    for (uint32_t i = 0; i < FOLD_BLOCK; i++)
        if (are_alike)
            block[i] = alike;
        else if (!are_uniform(first + i, first + i, &block[i]))
            block[i] = make_entry(builder, first + i);
    *place = are_alike && alike == builder->alike ? place[-1] : intern_block(builder, block);
    builder->alike = alike;
}

static struct fold_table *build(void)
{
    struct builder builder = {.table = g_new0(struct fold_table, 1),
                              .alike = MIXED,
                              .entries = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
                              .sequences = g_array_new(FALSE, FALSE, sizeof(uint32_t))};
    for (uint32_t first = 0; first < FOLD_CODE_POINTS; first += FOLD_BLOCK)
        make_block(&builder, first);
    builder.table->entries = (uint32_t *)(void *)g_array_free(builder.entries, FALSE);
    builder.table->sequences = (uint32_t *)(void *)g_array_free(builder.sequences, FALSE);
    return builder.table;
}

const struct fold_table *fold_table(void)
{
    static gsize table; /* made once, never changed or freed */
    if (g_once_init_enter(&table))
        g_once_init_leave(&table, (gsize)build());
    return (const struct fold_table *)table;
}
