#include "text/clean.h"
#include "text/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct pair {
    const char *in, *out;
};

static void test_lines(void **state)
{
    (void)state;
    static const struct pair cases[] = {
        {"plain", "plain"},
        {"  two   blanks\t ", "two blanks"},
        {"one\ntwo\r\nthree\rfour", "one two three four"},
        {"a\xC2\x85"
         "b\xE2\x80\xA8"
         "c\xE2\x80\xA9"
         "d\x0B"
         "e\x0C"
         "f",
         "a b c d e f"},
        {"\x1B[31mred\x1B]8;;http://x\x07link", "[31mred]8;;http://xlink"},
        {"c1 \xC2\x9B"
         "31m raw \x9B"
         "x",
         "c1 31m raw \xEF\xBF\xBDx"},
        {"back\bspace\x7F", "backspace"},
        {"\xE2\x80\xAEtxt.exe\xE2\x80\xAC", "txt.exe"},
        {"zero\xE2\x80\x8Bwidth\xEF\xBB\xBF", "zerowidth"},
        {"tag\xF3\xA0\x81\x81", "tag"},
        {"lone \xED\xA0\x80 over \xC0\xAF",
         "lone \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD over \xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x92\xBB",
         "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x92\xBB"},
        {"a\xE2\x80\x8D"
         "b",
         "ab"},
        {"\xE2\x9D\xA4\xEF\xB8\x8F x\xEF\xB8\x8F", "\xE2\x9D\xA4\xEF\xB8\x8F x"},
        {"", ""},
        {" \n ", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *line = clean_line(cases[i].in);
        assert_string_equal(line, cases[i].out);
    }
    assert_null(clean_line(NULL));
}

static void test_marks_are_capped(void **state)
{
    (void)state;
    g_autoptr(GString) in = g_string_new("a");
    for (int i = 0; i < 1000; i++)
        g_string_append(in, "\xCC\x81");
    g_autofree char *line = clean_line(in->str);
    assert_int_equal(strlen(line), 1 + 2 * CLEAN_MARKS_MAX);
}

static void test_blocks(void **state)
{
    (void)state;
    g_autoptr(GString) out = g_string_new("> ");
    const char *text = "\n one \r\n two\n\n\n\nthree \n";
    clean_append_block(out, text, strlen(text));
    assert_string_equal(out->str, "> one\ntwo\n\nthree");
}

static void test_shorten(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t max;
        const char *out;
    } cases[] = {
        {"short", 5, "short"},
        {"longer", 5, "lo\xE2\x80\xA6"},
        {"\xD0\xBA\xD1\x83\xD0\xB1\xD0\xBE\xD0\xBA", 8, "\xD0\xBA\xD1\x83\xE2\x80\xA6"},
        {"e\xCC\x81tude", 5, "\xE2\x80\xA6"},
        {"two words", 7, "two\xE2\x80\xA6"},
        {"x\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x92\xBB y", 12, "x\xE2\x80\xA6"},
        {"abc", 2, ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *cut = clean_shorten(cases[i].in, cases[i].max);
        assert_string_equal(cut, cases[i].out);
    }
}

static void test_utf8(void **state)
{
    (void)state;
    static const uint32_t points[] = {0x24, 0xE9, 0x20AC, 0x1F680, 0x10FFFF};
    for (size_t i = 0; i < G_N_ELEMENTS(points); i++) {
        char bytes[4];
        size_t pos = 0;
        size_t size = utf8_put(bytes, points[i]);
        assert_int_equal(utf8_next(bytes, size, &pos), points[i]);
        assert_int_equal(pos, size);
    }
    assert_true(utf8_is_valid("caf\xC3\xA9", 5));
    assert_false(utf8_is_valid("caf\xC3", 4));
    g_autoptr(GString) out = g_string_new(NULL);
    utf8_append_repaired(out, "a\xF0\x9F\x92z", 5);
    assert_string_equal(out->str, "a\xEF\xBF\xBDz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),  cmocka_unit_test(test_marks_are_capped),
        cmocka_unit_test(test_blocks), cmocka_unit_test(test_shorten),
        cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
