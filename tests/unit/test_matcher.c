/* A matcher is used for one item after the other: nothing of the last may be left. */
#include "rule/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct ruleset *compile(const char *query)
{
    const struct rule_def rule = {.id = "r", .match = query};
    GArray *problems = NULL;
    struct ruleset *set = ruleset_compile(&rule, 1, NULL, 0, NULL, 0, &problems);
    assert_non_null(set);
    g_array_unref(problems);
    return set;
}

static void test_items_in_a_row(void **state)
{
    (void)state;
    static const struct {
        const char *title;
        size_t n;
    } cases[] = {{"Moscow", 1},   {"Moscow", 1}, {"Paris", 0},
                 {"x Moscow", 1}, {"", 0},       {"Moscow x", 1}};
    struct ruleset *set = compile("Moscow");
    struct rule_matcher *matcher = rule_matcher_new(set);
    for (int round = 0; round < 300; round++)
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
            const struct rule_item item = {.title = cases[i].title};
            size_t n = 7;
            rule_match_item(matcher, &item, true, &n);
            assert_int_equal(n, cases[i].n);
        }
    rule_matcher_free(matcher);
    ruleset_unref(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_items_in_a_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
