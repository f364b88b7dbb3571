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
    g_autofree char *line = rule_evidence_line(&match, NULL);
    /* The lists are one string each in a set; here they are literals, which the compiler may or may
     * not share. */
    assert_non_null(strstr(line, "russia: Moscow; cuba: Havana; visits"));
}

static void test_json(void **state)
{
    (void)state;
    g_autofree char *text = rule_evidence_json(&match, NULL);
    assert_non_null(strstr(text,
                           "{\"term\":\"Havana\",\"list\":\"cuba\",\"field\":\"title\",\"index\":0,"
                           "\"start\":33,\"end\":39,\"text\":\"Havana\"}"));
    assert_non_null(
        strstr(text, "{\"term\":\"visit*\",\"list\":null,\"field\":\"summary\",\"index\":1"));
}

/* The words of one piece of evidence, and whether they are new. */
static void test_gained(void **state)
{
    (void)state;
    static const char *const authors[] = {"Ann Lee", NULL};
    const struct rule_item before = {
        .title = "The Cubans' café in Moscow",
        .content = "oil, and tankers; CVE-2026-1",
        .authors = authors,
    };
    static const struct {
        const char *term, *text;
        bool is_new;
    } cases[] = {
        {"Moscow", "MOSCOW", false},
        {"cafe", "Cafe", false},
        {"cuba", "Cuba", true}, /* no part of a word */
        {"\"oil and tankers\"", "oil and tankers", false},
        {"\"and oil\"", "and oil", true},
        {"\"Moscow oil\"", "Moscow oil", true}, /* not across two fields */
        {"/cve-[0-9-]+/", "CVE-2026-1", false},
        {"/cve-[0-9-]+/", "CVE-2026-2", true},
        {"/ank/", "ank", false},
        {"author:lee", "Lee", false},
        {"Гавана", "Гаване", true},
    };
    struct gained *gained = gained_new(&before);
    struct gained *unknown = gained_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct rule_evidence evidence = {
            cases[i].term, NULL, "title", 0, 5, 5 + strlen(cases[i].text), cases[i].text};
        if (gained_is_new(gained, &evidence) != cases[i].is_new)
            fail_msg("%s: %s", cases[i].term, cases[i].text);
        assert_false(gained_is_new(unknown, &evidence));
    }
    gained_free(gained);
    gained_free(unknown);
}

static void test_edited(void **state)
{
    (void)state;
    const struct rule_item before = {.title = "A visit", .summary = "from Moscow; visits"};
    struct gained *gained = gained_new(&before);
    g_autofree char *line = rule_evidence_line(&match, gained);
    assert_true(g_str_has_prefix(line, "edited; russia: Moscow; cuba: Havana (new); visits"));
    g_autofree char *text = rule_evidence_json(&match, gained);
    assert_non_null(strstr(text, "\"text\":\"Moscow\",\"new\":false}"));
    assert_non_null(strstr(text, "\"text\":\"Havana\",\"new\":true}"));
    gained_free(gained);
    gained = gained_new(NULL);
    g_autofree char *unknown = rule_evidence_line(&match, gained);
    assert_true(g_str_has_prefix(unknown, "edited; russia: Moscow; cuba: Havana; visits"));
    g_autofree char *plain = rule_evidence_json(&match, gained);
    assert_null(strstr(plain, "\"new\""));
    gained_free(gained);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_line), cmocka_unit_test(test_json),
                                       cmocka_unit_test(test_gained),
                                       cmocka_unit_test(test_edited)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
