/* A matcher is used for one item after the other: nothing of the last may be left. */
#include "rule/rule.h"

#include <setjmp.h>
#include <string.h>
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

static size_t matches(struct rule_matcher *matcher, const char *title)
{
    const struct rule_item item = {.title = title};
    size_t n = 7;
    rule_match_item(matcher, &item, false, &n);
    return n;
}

/* Once a matcher has seen enough it looks for a phrase by its rarest word only. An item may be full
 * of that one. */
static void test_phrase_by_its_rarest_word(void **state)
{
    (void)state;
    struct ruleset *set = compile("\"often seldom\"");
    struct rule_matcher *matcher = rule_matcher_new(set);
    g_autoptr(GString) text = g_string_new(NULL);
    for (int i = 0; i < 2100; i++)
        assert_int_equal(matches(matcher, "often, very often"), 0);
    for (int i = 0; i < 300; i++)
        g_string_append(text, "seldom ");
    assert_int_equal(matches(matcher, text->str), 0);
    g_string_append(text, "often and seldom ");
    assert_int_equal(matches(matcher, text->str), 0);
    g_string_append(text, "often, seldom");
    assert_int_equal(matches(matcher, text->str), 1);
    assert_int_equal(matches(matcher, "seldom often"), 0);
    rule_matcher_free(matcher);
    ruleset_unref(set);
}

/* All that a phrase stands for is evidence, the word for a lone * too. */
static void test_evidence_of_any_word(void **state)
{
    (void)state;
    static const struct {
        const char *query, *text;
    } cases[] = {{"\"visit *\"", "visit Havana"}, {"\"* visit\"", "will visit"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct rule_item item = {.title = "He will visit Havana soon"};
        struct ruleset *set = compile(cases[i].query);
        struct rule_matcher *matcher = rule_matcher_new(set);
        size_t n;
        const struct rule_match *match = rule_match_item(matcher, &item, true, &n);
        assert_int_equal(n, 1);
        assert_int_equal(match->n_evidence, 1);
        g_autofree char *text =
            g_strndup(match->evidence[0].text, match->evidence[0].end - match->evidence[0].start);
        assert_string_equal(text, cases[i].text);
        rule_matcher_free(matcher);
        ruleset_unref(set);
    }
}

/* Two neighbours of a phrase may be in many places without the rest of it. */
static void test_phrase_in_many_places(void **state)
{
    (void)state;
    struct ruleset *set = compile("\"red army choir\" OR \"the red army\"");
    struct rule_matcher *matcher = rule_matcher_new(set);
    g_autoptr(GString) text = g_string_new("choir the ");
    for (int i = 0; i < 300; i++)
        g_string_append(text, "red army, ");
    assert_int_equal(matches(matcher, text->str), 1);
    text->str[0] = text->str[6] = 'x';
    assert_int_equal(matches(matcher, text->str), 0);
    g_string_append(text, "choir");
    assert_int_equal(matches(matcher, text->str), 1);
    g_string_prepend(text, "red army choir, ");
    g_string_truncate(text, text->len - strlen("choir"));
    assert_int_equal(matches(matcher, text->str), 1); /* in the first of all these places only */
    const struct rule_item item = {.title = "the red", .summary = "army choir"};
    size_t n;
    rule_match_item(matcher, &item, false, &n);
    assert_int_equal(n, 0);
    rule_matcher_free(matcher);
    ruleset_unref(set);
}

/* However an OR lies in memory. */
static void test_evidence_in_written_order(void **state)
{
    (void)state;
    static const unsigned sizes[] = {2, 23, 24, 25, 48, 49, 300};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GString) query = g_string_new("NOT nothing AND (");
        g_autoptr(GString) text = g_string_new(NULL);
        for (unsigned k = 0; k < sizes[i]; k++) {
            bool is_phrase = k % 3 == 1;
            g_string_append_printf(query, is_phrase ? "%s\"word%u two\"" : "%sword%u",
                                   k > 0 ? " OR " : "", k);
            g_string_prepend(text, is_phrase ? " two " : " ");
            g_autofree char *word = g_strdup_printf("word%u", k);
            g_string_prepend(text, word);
        }
        g_string_append(query, ") AND two");
        const struct rule_item item = {.title = text->str};
        struct ruleset *set = compile(query->str);
        struct rule_matcher *matcher = rule_matcher_new(set);
        size_t n;
        const struct rule_match *match = rule_match_item(matcher, &item, true, &n);
        assert_int_equal(n, 1);
        assert_int_equal(match->n_evidence, sizes[i] + 1);
        for (unsigned k = 0; k < sizes[i]; k++) {
            g_autofree char *term = g_strdup_printf(k % 3 == 1 ? "\"word%u two\"" : "word%u", k);
            assert_string_equal(match->evidence[k].term, term);
        }
        assert_string_equal(match->evidence[sizes[i]].term, "two");
        rule_matcher_free(matcher);
        ruleset_unref(set);
    }
}

/* What failed is shown with the parentheses that were written, and no others. */
static void test_clause_as_written(void **state)
{
    (void)state;
    g_autoptr(GString) many = g_string_new("(a1 OR \"b c\")");
    for (unsigned k = 2; k < 60; k++)
        g_string_append_printf(many, k % 3 ? " OR a%u" : " OR \"b %u\"", k);
    const char *const queries[] = {
        "cuba OR (\"oil oil\" OR (tor OR war))",
        "cuba OR \"oil oil\" OR tor OR war",
        "title:(\"oil oil\" OR cuba)",
        many->str,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(queries); i++) {
        const struct rule_item item = {.title = "nothing"};
        struct ruleset *set = compile(queries[i]);
        struct rule_matcher *matcher = rule_matcher_new(set);
        char *clause = NULL;
        g_autofree char *reason = rule_matcher_explain(matcher, &item, 0, &clause);
        assert_string_equal(clause, queries[i]);
        assert_string_equal(reason, "none of these is there");
        g_free(clause);
        rule_matcher_free(matcher);
        ruleset_unref(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_in_a_row),
        cmocka_unit_test(test_phrase_by_its_rarest_word),
        cmocka_unit_test(test_evidence_of_any_word),
        cmocka_unit_test(test_phrase_in_many_places),
        cmocka_unit_test(test_evidence_in_written_order),
        cmocka_unit_test(test_clause_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
