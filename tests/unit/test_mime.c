/* text/mime. That other programs read the same from it: tests/e2e/test_sink_mail.py. */
#include "text/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* Every line of ASCII, ended by CRLF, not too long; of a header all but the first begin with a
 * blank. */
static void check_lines(const char *text, bool is_header)
{
    const char *line = text;
    while (*line) {
        const char *end = strstr(line, "\r\n");
        if (!end)
            fail_msg("no CRLF at the end: %s", line);
        assert_true(end - line <= MIME_LINE_MAX);
        for (const char *p = line; p < end; p++)
            assert_true(g_ascii_isprint(*p));
        if (is_header && line != text)
            assert_true(*line == ' ' && line + 1 < end);
        line = end + 2;
    }
}

static void test_headers(void **state)
{
    (void)state;
    static const struct {
        const char *value, *header;
    } cases[] = {
        {"plain words", "S: plain words\r\n"},
        {"", "S: \r\n"},
        {"Куба", "S: =?UTF-8?B?0JrRg9Cx0LA=?=\r\n"},
        {"a\r\nBcc: b@x.org", "S: =?UTF-8?B?YQ0KQmNjOiBiQHgub3Jn?=\r\n"},
        {"=?UTF-8?Q?x?=", "S: =?UTF-8?B?PT9VVEYtOD9RP3g/PQ==?=\r\n"},
        {" ends ", "S: =?UTF-8?B?IGVuZHMg?=\r\n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        mime_append_header(out, "S", cases[i].value);
        assert_string_equal(out->str, cases[i].header);
    }
}

static void test_long_headers_fold(void **state)
{
    (void)state;
    static const char *const units[] = {"word ",       "слово ", "x",  "ж",
                                        "👩‍🚀", "\xff",   "=?", "a\r\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        g_autoptr(GString) value = g_string_new(NULL);
        for (size_t n = 0; n < 60; n++) {
            g_autoptr(GString) out = g_string_new("Earlier: x\r\n");
            mime_append_header(out, "Subject", value->str);
            check_lines(strchr(out->str, '\n') + 1, true);
            g_string_append(value, units[i]);
        }
    }
}

static void test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } cases[] = {
        {NULL, "a@b"},
        {"Ann Lee", "Ann Lee <a@b>"},
        {"Lee, Ann", "\"Lee, Ann\" <a@b>"},
        {"Анна", "=?UTF-8?B?0JDQvdC90LA=?= <a@b>"},
        {"x\r\nBcc: y", "=?UTF-8?B?eA0KQmNjOiB5?= <a@b>"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = mime_address(cases[i].name, "a@b");
        assert_string_equal(text, cases[i].text);
    }
    static const char *const both[] = {"a@b", "Ann <c@d>", NULL};
    g_autoptr(GString) out = g_string_new(NULL);
    mime_append_addresses(out, "To", both);
    assert_string_equal(out->str, "To: a@b,\r\n Ann <c@d>\r\n");
}

static void test_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *text, *body;
    } cases[] = {
        {"", ""},
        {"one\ntwo\n", "one\r\ntwo\r\n"},
        {"no end", "no end\r\n"},
        {"a = b\t", "a =3D b=09\r\n"},
        {"blank \nnext", "blank=20\r\nnext\r\n"},
        {"ж", "=D0=B6\r\n"},
        {".\n..x\nFrom me\n", "=2E\r\n=2E.x\r\n=46rom me\r\n"},
        {"a\rb", "a=0Db\r\n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        mime_append_body(out, cases[i].text);
        assert_string_equal(out->str, cases[i].body);
    }
}

static char *decoded(const char *body)
{
    GString *out = g_string_new(NULL);
    for (const char *p = body; *p; p++) {
        if (*p == '=' && p[1] == '\r') {
            p += 2;
        } else if (*p == '=') {
            g_string_append_c(out,
                              (char)(g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2])));
            p += 2;
        } else if (*p != '\r') {
            g_string_append_c(out, *p);
        }
    }
    return g_string_free(out, FALSE);
}

/* Any bytes come back, in lines that are short enough. */
static void test_random_bodies(void **state)
{
    (void)state;
    static const char alphabet[] = "ab .=\n\t\r\xd0\xb6 From";
    GRand *random = g_rand_new_with_seed(7);
    for (int round = 0; round < 2000; round++) {
        g_autoptr(GString) text = g_string_new(NULL);
        int32_t size = g_rand_int_range(random, 0, 300);
        for (int32_t i = 0; i < size; i++)
            g_string_append_c(text, alphabet[g_rand_int_range(random, 0, sizeof alphabet - 1)]);
        g_string_append_c(text, '\n');
        g_autoptr(GString) out = g_string_new(NULL);
        mime_append_body(out, text->str);
        check_lines(out->str, false);
        g_autofree char *back = decoded(out->str);
        assert_string_equal(back, text->str);
    }
    g_rand_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),       cmocka_unit_test(test_long_headers_fold),
        cmocka_unit_test(test_addresses),     cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_random_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
