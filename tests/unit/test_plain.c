#include "text/plain.h"
#include "text/clean.h"
#include "text/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void test_clean_text_is_seen(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "a",
        "Plain words, and a longer line of them: 123 (456).",
        "two\nlines",
        "Gr\xC3\xBC\xC3\x9F"
        "e aus Z\xC3\xBCrich",
        "Новости из Гаваны",
        "\xE2\x80\x9Cquoted\xE2\x80\x9D \xE2\x80\x93 dash\xE2\x80\xA6",
        "新闻 ニュース 뉴스",
        "\xE0\xA4\xB9\xE0\xA4\xBF\xE0\xA4\x82\xE0\xA4\xA6\xE0\xA5\x80", /* Hindi, with marks */
        "\xF0\x9F\x98\x80 emoji",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (!plain_is_clean(texts[i], strlen(texts[i])))
            fail_msg("\"%s\" is clean", texts[i]);
}

/* Whatever is called clean must be left alone by the real thing. */
static void check(const GString *text)
{
    if (!plain_is_clean(text->str, text->len))
        return;
    g_autoptr(GString) cleaned = g_string_new(NULL);
    clean_append_block(cleaned, text->str, text->len);
    if (!g_string_equal(cleaned, text))
        fail_msg("\"%s\" is not clean: \"%s\"", text->str, cleaned->str);
}

static void test_every_character(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new(NULL);
    for (uint32_t c = 1; c <= 0x10FFFF; c++) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        g_string_assign(text, "a");
        utf8_append(text, c);
        g_string_append_c(text, 'b');
        check(text);
        g_string_assign(text, "seven..");
        utf8_append(text, c);
        check(text);
        g_string_assign(text, "fourteen bytes");
        utf8_append(text, c);
        g_string_append(text, "and then more of it");
        check(text);
    }
}

static void test_random(void **state)
{
    (void)state;
    static const uint32_t few[] = {
        ' ',    '\n',   'a',    '\t',    0x7F,    0x85,    0xA0,   0x301,  0x30B,  0x430,
        0x483,  0x5B0,  0x64B,  0x200B,  0x2013,  0x2028,  0x200D, 0x3000, 0x3099, 0xFE0F,
        0xFEFF, 0xFFFF, 0xFFFD, 0x1F600, 0xE0041, 0x1D165, 0x94D,  0x4E00, 0xAC00};
    g_autoptr(GRand) random = g_rand_new_with_seed(11);
    g_autoptr(GString) text = g_string_new(NULL);
    for (int round = 0; round < 100000; round++) {
        g_string_truncate(text, 0);
        uint32_t filler = few[g_rand_int_range(random, 0, G_N_ELEMENTS(few))];
        for (int n = g_rand_int_range(random, 0, 24); n > 0; n--) {
            bool is_filler = g_rand_int_range(random, 0, 3) > 0;
            utf8_append(text,
                        is_filler ? filler : few[g_rand_int_range(random, 0, G_N_ELEMENTS(few))]);
        }
        check(text);
    }
}

static void test_marks_are_counted(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new("a");
    for (int i = 0; i < CLEAN_MARKS_MAX; i++)
        g_string_append(text, "\xCC\x81");
    assert_true(plain_is_clean(text->str, text->len));
    g_string_append(text, "\xCC\x81");
    assert_false(plain_is_clean(text->str, text->len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean_text_is_seen),
        cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_marks_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
