/* http/headers: fields as they come, and which may leave. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "http/headers.h"

#include <glib.h>
#include <string.h>

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        const char *name, *value; /* NULL: dropped */
    } cases[] = {
        {"ETag: \"a\"\r\n", 11, "etag", "\"a\""},
        {"ETag:W/\"a  b\"", 13, "etag", "W/\"a  b\""},
        {"Expires: \t x y \t\r\n", 18, "expires", "x y"},
        {"Empty:\r\n", 8, "empty", ""},
        {"X: a:b", 6, "x", "a:b"},
        {"X: \xff\xfe", 5, "x", "\xff\xfe"},
        {"no colon\r\n", 10, NULL, NULL},
        {": x\r\n", 5, NULL, NULL},
        {"a b: x\r\n", 8, NULL, NULL},
        {"X: a\0b\r\n", 8, NULL, NULL},
        {"X\0: a\r\n", 7, NULL, NULL},
        {"X: a\rY: b\r\n", 11, NULL, NULL},
        {"", 0, NULL, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct headers *headers = headers_new();
        assert_true(headers_add_line(headers, cases[i].text, cases[i].size));
        assert_int_equal(headers_count(headers), cases[i].name ? 1 : 0);
        size_t place = 0;
        const char *name, *value;
        if (cases[i].name) {
            assert_true(headers_next(headers, &place, &name, &value));
            assert_string_equal(name, cases[i].name);
            assert_string_equal(value, cases[i].value);
        }
        assert_false(headers_next(headers, &place, &name, &value));
        headers_free(headers);
    }
}

static void test_folded_line_goes_on(void **state)
{
    (void)state;
    struct headers *headers = headers_new();
    assert_true(headers_add_line(headers, " stray", 6));
    assert_true(headers_add_line(headers, "X: a\r\n", 6));
    assert_true(headers_add_line(headers, "\t b\r\n", 5));
    assert_int_equal(headers_count(headers), 1);
    assert_string_equal(headers_find(headers, "x"), "a b");
    assert_true(headers_add_line(headers, "Y: c", 4));
    assert_string_equal(headers_find(headers, "x"), "a b");
    assert_string_equal(headers_find(headers, "y"), "c");
    headers_free(headers);
}

static void test_first_of_a_name_counts(void **state)
{
    (void)state;
    struct headers *headers = headers_new();
    assert_true(headers_add_line(headers, "Z: c", 4));
    headers_clear(headers);
    assert_true(headers_add_line(headers, " folded after nothing", 21));
    assert_true(headers_add_line(headers, "X: a", 4));
    assert_true(headers_add_line(headers, "x: b", 4));
    assert_int_equal(headers_count(headers), 2);
    assert_string_equal(headers_find(headers, "x"), "a");
    assert_null(headers_find(headers, "z"));
    assert_null(headers_find(headers, "a")); /* a value is no name */
    headers_free(headers);
}

static void test_count_is_limited(void **state)
{
    (void)state;
    struct headers *headers = headers_new();
    for (size_t i = 0; i < HTTP_HEADERS_MAX; i++)
        assert_true(headers_add_line(headers, "X: a", 4));
    assert_false(headers_add_line(headers, "X: a", 4));
    headers_free(headers);
}

/* Tens of thousands of folded lines would cost seconds. */
static void test_folding_is_limited(void **state)
{
    (void)state;
    struct headers *headers = headers_new();
    assert_true(headers_add_line(headers, "X: a", 4));
    size_t n = 0;
    while (headers_add_line(headers, " b", 2))
        n++;
    assert_true(n > 1000 && n <= HTTP_FOLDED_BYTES_MAX);
    assert_true(headers_add_line(headers, " ", 1));
    assert_true(headers_add_line(headers, "Y: c", 4));
    assert_true(headers_add_line(headers, " d", 2));
    headers_free(headers);
}

static void test_sendable(void **state)
{
    (void)state;
    static const char *const good[] = {"X: a", "X:", "x-y_z!: \xc3\xa9", "X: a\tb"};
    static const char *const bad[] = {"", "X", ": a", "X y: a", "X: a\r", "X: a\nY: b", "X: \x7f"};
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        assert_true(headers_is_sendable(good[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(headers_is_sendable(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_folded_line_goes_on),
        cmocka_unit_test(test_first_of_a_name_counts),
        cmocka_unit_test(test_count_is_limited),
        cmocka_unit_test(test_folding_is_limited),
        cmocka_unit_test(test_sendable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
