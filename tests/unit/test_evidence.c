#include "rule/evidence.h"

#include <setjmp.h>
#include <string.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct rule_evidence found[] = {
    {"Moscow", "russia", "title", 0, 14, 20, "Moscow"},
    {"Havana", "cuba", "title", 0, 33, 39, "Havana and more"},
    {"visit*", NULL, "summary", 1, 2, 8, "visits"},
    {"Havana", "cuba", "content", 0, 5, 11, "Havana"},
};
static const struct rule_match match = {0, found, G_N_ELEMENTS(found)};

static void test_line(void **state)
{
    (void)state;
    g_autofree char *line = rule_evidence_line(&match);
    /* The lists are one string each in a set; here they are literals, which the compiler may or may
     * not share. */
    assert_non_null(strstr(line, "russia: Moscow; cuba: Havana; visits"));
}

static void test_json(void **state)
{
    (void)state;
    g_autofree char *text = rule_evidence_json(&match);
    assert_non_null(strstr(text,
                           "{\"term\":\"Havana\",\"list\":\"cuba\",\"field\":\"title\",\"index\":0,"
                           "\"start\":33,\"end\":39,\"text\":\"Havana\"}"));
    assert_non_null(
        strstr(text, "{\"term\":\"visit*\",\"list\":null,\"field\":\"summary\",\"index\":1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_line), cmocka_unit_test(test_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
