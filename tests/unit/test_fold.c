/* The fold table: classes, folded bytes, and that folding twice is folding once. */
#include "text/fold.h"
#include "text/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

static void append_folded(GString *out, uint32_t c)
{
    const struct fold_table *table = fold_table();
    uint32_t entry = fold_entry(table, c), data = FOLD_DATA(entry);
    if (FOLD_CLASS(entry) == FOLD_SEQUENCE) {
        const uint32_t *sequence = table->sequences + data;
        for (uint32_t i = 1; i <= sequence[0]; i++)
            utf8_append(out, sequence[i]);
    } else if (FOLD_LENGTH(entry) == 0) {
        utf8_append(out, c);
    } else {
        for (uint32_t i = 0; i < FOLD_LENGTH(entry); i++)
            g_string_append_c(out, (char)(data >> 8 * i));
    }
}

static void test_folded_bytes(void **state)
{
    (void)state;
    static const struct {
        uint32_t from;
        const char *to;
    } cases[] = {
        {'A', "a"},
        {'z', "z"},
        {'7', "7"},
        {0x00C9, "e"},
        {0x0141, "l"},
        {0x00D8, "o"},
        {0x01FE, "o"},
        {0x0110, "d"},
        {0x0126, "h"},
        {0x0166, "t"},
        {0x0131, "i"},
        {0x0130, "i"},
        {0x00C6, "ae"},
        {0x0152, "oe"},
        {0x00D0, "d"},
        {0x00DE, "th"},
        {0x00DF, "ss"},
        {0x1E9E, "ss"},
        {0xFB03, "ffi"},
        {0xFF21, "a"},
        {0x2116, "no"},
        {0x00B2, "2"},
        {0x0401, "\u0435"},
        {0x0419, "\u0439"},
        {0x040E, "\u045E"},
        {0x0407, "\u0457"},
        {0x0414, "\u0434"},
        {0x03A3, "\u03C3"},
        {0x03C2, "\u03C3"},
        {0x1FB3, "\u03B1\u03B9"},
        {0x0622, "\u0627"},
        {0xFEFB, "\u0644\u0627"},
        {0x304C, "\u304B\u3099"},
        {0xFF76, "\u30AB"},
        {0xF900, "\u8C48"},
        {0x1D400, "a"},
        {0x10400, "\U00010428"},
        {0x0958, "\u0915\u093C"},
        {0x1F680, "\U0001F680"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        append_folded(out, cases[i].from);
        assert_string_equal(out->str, cases[i].to);
    }
}

static void test_classes(void **state)
{
    (void)state;
    static const struct {
        uint32_t code_point;
        enum fold_class class;
    } cases[] = {
        {' ', FOLD_SEPARATOR},      {'-', FOLD_SEPARATOR},    {'\'', FOLD_SEPARATOR},
        {0x00BD, FOLD_SEPARATOR},   {0x2153, FOLD_SEPARATOR}, {0x2026, FOLD_SEPARATOR},
        {0x00A8, FOLD_SEPARATOR},   {0x1F10D, FOLD_SINGLE},   {0xE000, FOLD_SEPARATOR},
        {0x10FFFF, FOLD_SEPARATOR}, {0x00AD, FOLD_IGNORED},   {0x200B, FOLD_IGNORED},
        {0x202E, FOLD_IGNORED},     {0x0640, FOLD_IGNORED},   {0xE0067, FOLD_IGNORED},
        {0x0301, FOLD_DROPPED},     {0x05B7, FOLD_DROPPED},   {0x064E, FOLD_DROPPED},
        {0x0653, FOLD_DROPPED},     {0x0670, FOLD_DROPPED},   {0xFE0F, FOLD_DROPPED},
        {0x1F3FD, FOLD_DROPPED},    {0x0306, FOLD_BREVE},     {0x0308, FOLD_DIAERESIS},
        {0x093F, FOLD_MARK},        {0x0E34, FOLD_MARK},      {0x3099, FOLD_MARK},
        {0x0915, FOLD_LETTER},      {0x3105, FOLD_LETTER},    {0x05D0, FOLD_LETTER},
        {0x4FC4, FOLD_SINGLE},      {0x20000, FOLD_SINGLE},   {0x3042, FOLD_SINGLE},
        {0x30FC, FOLD_SINGLE},      {0x0E01, FOLD_SINGLE},    {0x0E81, FOLD_SINGLE},
        {0x1780, FOLD_SINGLE},      {0x1000, FOLD_SINGLE},    {0x2122, FOLD_SINGLE},
        {0x1F1F7, FOLD_SINGLE},     {0xAC00, FOLD_SYLLABLE},  {0x1100, FOLD_LEADING},
        {0x1161, FOLD_VOWEL},       {0x11A8, FOLD_TRAILING},  {0x3131, FOLD_LEADING},
        {0xFDFA, FOLD_SEQUENCE},    {0x2105, FOLD_SEQUENCE},  {0x30FB, FOLD_SEPARATOR},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(FOLD_CLASS(fold_entry(fold_table(), cases[i].code_point)), cases[i].class);
}

/* What a query folds to must not fold on when it is folded as text. */
static void test_folding_is_idempotent(void **state)
{
    (void)state;
    g_autoptr(GString) once = g_string_new(NULL), twice = g_string_new(NULL);
    for (uint32_t c = 0; c < FOLD_CODE_POINTS; c++) {
        enum fold_class class = FOLD_CLASS(fold_entry(fold_table(), c));
        if (class == FOLD_SEPARATOR || class == FOLD_IGNORED || class == FOLD_DROPPED)
            continue;
        g_string_truncate(once, 0);
        g_string_truncate(twice, 0);
        append_folded(once, c);
        for (size_t pos = 0; pos < once->len;) {
            uint32_t part = utf8_next(once->str, once->len, &pos);
            append_folded(twice, part);
        }
        if (strcmp(once->str, twice->str) != 0 && c != 0x0439 && c != 0x045E && c != 0x0457)
            fail_msg("U+%04X folds to %s, then to %s", c, once->str, twice->str);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folded_bytes),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_folding_is_idempotent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
