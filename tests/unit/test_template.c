#include "text/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static char *value(const char *name, void *user)
{
    return g_strdup_printf("<%s%s>", name, (const char *)user);
}

static char *fill(const char *text, const char *user)
{
    return template_expand(text, value, (void *)(uintptr_t)user);
}

static void test_fills_names_and_leaves_other_braces(void **state)
{
    (void)state;
    g_autofree char *text = fill("{title} {nothing {} {feed_title}{id}} {Title}", "");
    assert_string_equal(text, "<title> {nothing {} <feed_title><id>} {Title}");
}

static void test_escapes_in_json_only(void **state)
{
    (void)state;
    g_autofree char *json = fill(" {\"a\":\"{title}\"}", "\"\\\n\x01");
    assert_string_equal(json, " {\"a\":\"<title\\\"\\\\\\u000a\\u0001>\"}");
    g_autofree char *list = fill("[\"{id}\"]", "\"");
    assert_string_equal(list, "[\"<id\\\">\"]");
    g_autofree char *text = fill("{title}: \"{id}\"", "\"");
    assert_string_equal(text, "<title\">: \"<id\">\"");
}

static void test_finds_what_no_alert_has(void **state)
{
    (void)state;
    size_t offset = 0;
    g_autofree char *unknown = template_find_unknown("{\"a\":\"{title}{titel}\"}", &offset);
    assert_string_equal(unknown, "titel");
    assert_int_equal(offset, 13);
    assert_null(template_find_unknown("{\"a\": {\"b\": 1}} {} {title}", &offset));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fills_names_and_leaves_other_braces),
        cmocka_unit_test(test_escapes_in_json_only),
        cmocka_unit_test(test_finds_what_no_alert_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
