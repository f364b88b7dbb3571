#include "feed/json_mend.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void expect(const char *text, const char *wanted, bool wanted_truncated)
{
    bool truncated = false;
    g_autoptr(GString) got = json_mend(text, strlen(text), &truncated, NULL);
    if (strcmp(got->str, wanted) != 0)
        fail_msg("%s gives %s, wanted %s", text, got->str, wanted);
    assert_int_equal(truncated, wanted_truncated);
}

static void test_mended(void **state)
{
    (void)state;
    expect("{\"a\":[1,\"x\",true,null,{}]}", "{\"a\":[1,\"x\",true,null,{}]}", false);
    expect(" \n{ \"a\" : 1 } trailing", "{\"a\":1}", false);
    expect("{\"a\":[1,],}", "{\"a\":[1]}", false);
    expect("{\"a\":\"\\ud83d\\ude00\"}", "{\"a\":\"\\ud83d\\ude00\"}", false);
    expect("{\"a\":\"\\ud83d x\"}", "{\"a\":\"\\ufffd x\"}", false);
    expect("{\"a\":\"\\ude00\\ud83d\"}", "{\"a\":\"\\ufffd\\ufffd\"}", false);
    expect("{\"a\":\"\\u0000\"}", "{\"a\":\"\\ufffd\"}", false);
    expect("{\"a\":\"\\u12\"}", "{\"a\":\"\\ufffd12\"}", false);
    expect("{\"a\":\"\\'\\x\"}", "{\"a\":\"'x\"}", false);
    expect("{\"a\":\"x\ny\tz\"}", "{\"a\":\"x\\ny z\"}", false);
    expect("{\"a\":123456789012345678901234567890}", "{\"a\":\"123456789012345678901234567890\"}",
           false);
    expect("{\"a\":-1.5e+3}", "{\"a\":-1.5e+3}", false);
    expect("", "", false);
}

static void test_truncated(void **state)
{
    (void)state;
    expect("{\"a\":1,\"b\":[{\"c\":\"d\"},{\"e\":\"f", "{\"a\":1,\"b\":[{\"c\":\"d\"},{}]}", true);
    expect("{\"a\":1,\"b\":[{\"c\":\"d\",\"e\":", "{\"a\":1,\"b\":[{\"c\":\"d\"}]}", true);
    expect("{\"a\":1,\"b\"", "{\"a\":1}", true);
    expect("{\"a\":tru", "{}", true);
    expect("{", "{}", true);
}

/* However it is cut, jansson reads what is left of it. */
static void test_every_cut(void **state)
{
    (void)state;
    static const char text[] = "{\"version\":\"v\",\"n\":[1,-2.5,true,null,[]],\"items\":[{\"id\":"
                               "\"1\\n\\u00e9\",\"tags\":[\"a\",\"b\"]},{\"id\":2}]}";
    for (size_t n = 1; n < sizeof text; n++) {
        bool truncated = false;
        json_error_t reason;
        g_autoptr(GString) mended = json_mend(text, n, &truncated, NULL);
        json_t *value = json_loadb(mended->str, mended->len, 0, &reason);
        if (!value)
            fail_msg("cut at %d: %s: %s", (int)n, mended->str, reason.text);
        assert_int_equal(truncated, n < sizeof text - 1);
        json_decref(value);
    }
}

static void test_limits(void **state)
{
    (void)state;
    bool truncated = false;
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < FEED_DEPTH_MAX; i++)
        g_string_append_c(text, '[');
    g_autoptr(GString) fine = json_mend(text->str, text->len, &truncated, NULL);
    assert_non_null(fine);
    g_string_append_c(text, '[');
    g_autoptr(GError) error = NULL;
    assert_null(json_mend(text->str, text->len, &truncated, &error));
    assert_true(g_error_matches(error, FEED_ERROR, FEED_ERROR_REFUSED));
    g_clear_error(&error);
    g_string_assign(text, "[");
    for (int i = 0; i < JSON_VALUES_MAX; i++)
        g_string_append(text, "1,");
    assert_null(json_mend(text->str, text->len, &truncated, &error));
    assert_true(g_error_matches(error, FEED_ERROR, FEED_ERROR_REFUSED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mended),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
