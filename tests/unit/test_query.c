/* The query language, row by row of its manual: what a query finds in a title and what it does not.
 */
#include "rule/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct rule_list_def lists[] = {
    {"russia", "Russia, Russian*, Moscow, \"Vladimir Putin\", Росси*, Rusia, =RF"},
    {"cuba", "Cuba, La Habana, Гавана, @havana"},
    {"havana", "Havana"},
};

static struct ruleset *compile(const char *query, GArray **ret_problems)
{
    const struct rule_def rule = {.id = "r", .match = query};
    return ruleset_compile(&rule, 1, lists, G_N_ELEMENTS(lists), NULL, 0, ret_problems);
}

static bool holds(const char *query, const struct rule_item *item)
{
    GArray *problems = NULL;
    size_t n = 0;
    struct ruleset *set = compile(query, &problems);
    if (!set)
        fail_msg("%s: %s", query, g_array_index(problems, struct rule_problem, 0).message);
    struct rule_matcher *matcher = rule_matcher_new(set);
    rule_match_item(matcher, item, true, &n);
    rule_matcher_free(matcher);
    ruleset_unref(set);
    g_array_unref(problems);
    return n == 1;
}

struct row {
    const char *query, *yes, *no;
};

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct rule_item yes = {.title = rows[i].yes}, no = {.title = rows[i].no};
        if (rows[i].yes && !holds(rows[i].query, &yes))
            fail_msg("%s should be found in: %s", rows[i].query, rows[i].yes);
        if (rows[i].no && holds(rows[i].query, &no))
            fail_msg("%s should not be found in: %s", rows[i].query, rows[i].no);
    }
}

static void test_words(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"cuba", "Russia–Cuba", "Russia–Cubans"},
        {"russia", "Russia/Cuba", "Belorussia/Cuba"},
        {"Russia-Cuba", "Russia, Cuba", "Cuba, Russia"},
        {"cuba", "Cuba's", "Cubas"},
        {"Ukraine", "l’Ukraine", "lUkraine"},
        {"U.S.", "the U.S. says", "US says"},
        {"F-35", "an F 35", "an F35"},
        {"1,000.5", "1 000 5", "1000.5"},
        {"россия", "РОССИЯ", "россиян"},
        {"красная", "Кра́сная", "Прекрасная"},
        {"елка", "ёлка", "йолка"},
        {"Йод", "И\u0306од", "Иод"},
        {"їжак", "і\u0308жак", "іжак"},
        {"mexico", "México", "Mexicano"},
        {"Łódź", "lodz", "lodzi"},
        {"ore", "Øre", "Ør"},
        {"strasse", "straße", "strase"},
        {"finance", "ﬁnance", "fi nance"},
        {"abc", "ＡＢＣ", "ＡＢ Ｃ"},
        {"istanbul", "İstanbul", "Is tanbul"},
        {"isi", "ısı", "ıs ı"},
        {"cooperate", "co\u00ADoperate", "co-operate"},
        {"cuba", "cu\u200Bba", "cu ba"},
        {"俄罗斯", "俄罗斯总统", "俄斯罗"},
        {"古巴", "访问古巴", "古 x 巴"},
        {"러시아", "러시아가", "러시"},
        {"launch", "🚀launch", "🚀launched"},
        {"🚀", "a🚀b", "🚁"},
        {"🇷🇺", "in 🇷🇺!", "🇺🇷"},
        {"AT&T", "at t", "att"},
        {"C++", "c", "cpp"},
        {"ukraine", "#Ukraine", "#UkraineWar"},
        {"كتاب", "كِتَاب", "كتب"},
        {"がん", "がん", "かん"},
        {"मुंबई", "मुंबई", "मबई"},
        {"12", "12", "½"},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_terms(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"Tor", "the Tor project", "FileStoreConfig"},
        {"cuba*", "cubano", "acuba"},
        {"росси*", "российский", "пророссийский"},
        {"*cuba", "acuba", "cubano"},
        {"c?ba", "coba", "cooba"},
        {"hav*na", "havana", "havanas"},
        {"\"a * b\"", "a x b", "a b"},
        {"Куба~", "на Кубе", "кубок"},
        {"visit~", "visited", "visa"},
        {"petrolero~", "petroleros", "petrolera2"},
        {"=US", "the US says", "tell us"},
        {"=\"AT&T\"", "AT&T rises", "at t"},
        {"=\"C++\"", "in C++.", "in C"},
        {"=WHO", "WHO warns", "WHOM"},
        {"\"interior minister\"", "Interior Minister", "minister of the interior"},
        {"\"министр внутренних\"", "Министр внутренних дел", "внутренних дел министр"},
        {"\"ministro del interior\"", "Ministro del Interior", "interior del ministro"},
        {"\"oil tanker\"~5", "tanker with heavy fuel oil", "tanker a b c d e f oil"},
        {"\"=US oil\"", "US oil", "us oil"},
        {"/cve-\\d{4}-\\d+/", "CVE-2024-1234", "CVE-24"},
        {"/CVE-\\d+/c", "CVE-2024", "cve-2024"},
        {"@russia", "the RF", "the rf"},
        {"@russia", "VLADIMIR PUTIN", "Vladimir V Putin"},
        {"@cuba", "La Habana", "La x Habana"},
        {"@cuba", "to Havana", "to Havanna"},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_operators(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"a NEAR/2 b", "a x y b", "a x y z b"},
        {"a NEAR/2 b", "b x y a", NULL},
        {"a NEAR b", "a 1 2 3 4 5 6 7 8 9 10 b", "a 1 2 3 4 5 6 7 8 9 10 11 b"},
        {"a ONEAR/2 b", "a x b", "b x a"},
        {"a NEAR/1 a", "a x a", "a x y a"},
        {"(a OR b) NEAR/0 \"c d\"", "c d b", "c x d b"},
        {"@russia NEAR/1 @cuba", "Moscow to Havana", "Moscow flies to Havana"},
        {"a NEAR/1 b NEAR/1 c", "a x b x c", "a x b x y c"},
        {"ATLEAST/3 cuba", "Cuba cuba CUBA", "Cuba cuba"},
        {"a NOT b", "a c", "a b"},
        {"a -b", "a c", "a b"},
        {"a-b", "a b", "a c"},
        {"a b", "b x a", "a"},
        {"a AND b", "b a", "b"},
        {"a OR b", "b", "c"},
        {"a OR b c", "a", "b"}, /* AND binds tighter */
        {"a and b", "a and b", "a b"},
    };
    check_rows(rows, G_N_ELEMENTS(rows));
}

static void test_fields(void **state)
{
    (void)state;
    static const char *const authors[] = {"Ana Pérez", "Juan", NULL};
    static const char *const categories[] = {"World News", "Sport", NULL};
    const struct rule_item item = {.title = "one title",
                                   .summary = "two summary",
                                   .content = "three content",
                                   .link = "https://www.Example.com/news/17?x=1",
                                   .authors = authors,
                                   .categories = categories,
                                   .feed = "granma",
                                   .language = "es"};
    static const struct {
        const char *query;
        bool holds;
    } rows[] = {
        {"title:one", true},         {"title:two", false},
        {"summary:two", true},       {"summary:three", false},
        {"content:three", true},     {"content:two", false},
        {"body:two", true},          {"body:three", true},
        {"body:one", false},         {"text:one", true},
        {"text:three", true},        {"text:ana", false},
        {"title:(one OR x)", true},  {"title:(two OR x)", false},
        {"author:perez", true},      {"author:\"perez juan\"", false},
        {"category:news", true},     {"category:sport", true},
        {"category:one", false},     {"feed:granma", true},
        {"feed:gran", false},        {"lang:es", true},
        {"lang:en", false},          {"site:example.com", true},
        {"site:ample.com", false},   {"link:news/17", true},
        {"link:news/18", false},     {"\"title two\"", false},
        {"title NEAR/5 two", false}, {"perez", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (holds(rows[i].query, &item) != rows[i].holds)
            fail_msg("%s: expected %d", rows[i].query, rows[i].holds);
}

static void test_a_repeated_summary_counts_once(void **state)
{
    (void)state;
    const struct rule_item repeated = {.summary = "cuba cuba", .content = "x Cuba cuba y"};
    const struct rule_item other = {.summary = "cuba cuba", .content = "x Cuba y"};
    assert_false(holds("ATLEAST/3 cuba", &repeated));
    assert_true(holds("ATLEAST/2 cuba", &repeated));
    assert_true(holds("ATLEAST/3 cuba", &other));
}

/* The query, where the problem is, and what its message says. */
struct refusal {
    const char *query;
    bool is_error;
    size_t offset;
    const char *says;
};

static void check_refusals(const struct refusal *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        GArray *problems = NULL;
        bool is_found = false;
        struct ruleset *set = compile(rows[i].query, &problems);
        if ((set == NULL) != rows[i].is_error)
            fail_msg("%s: %s", rows[i].query, set ? "no error" : "an error");
        g_autoptr(GString) said = g_string_new(NULL);
        for (guint k = 0; k < problems->len; k++) {
            const struct rule_problem *p = &g_array_index(problems, struct rule_problem, k);
            g_string_append_printf(said, "%zu: %s\n", p->offset, p->message);
            is_found =
                is_found || (p->offset == rows[i].offset && p->is_error == rows[i].is_error &&
                             strstr(p->message, rows[i].says));
        }
        if (!is_found)
            fail_msg("%s: expected %zu: …%s…, got %s", rows[i].query, rows[i].offset, rows[i].says,
                     said->str);
        g_array_unref(problems);
        ruleset_unref(set);
    }
}

static void test_errors(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {"(cuba", true, 0, "not closed"},
        {"cuba AND", true, 5, "no operand"},
        {"\"cuba", true, 0, "not closed"},
        {"cuba OR ()", true, 8, "is empty"},
        {"NOT cuba", true, 0, "without words"},
        {"/x*/", true, 0, "without words"},
        {"cuba -cuba", true, 6, "never hold"},
        {"titel:cuba", true, 0, "title"},
        {"@rusia", true, 0, "@russia"},
        {"a NEER/5 b", true, 2, "NEAR"},
        {"ab*", true, 0, "at least 3 letters"},
        {"*a*b*", true, 0, "side by side"},
        {"/a(b/", true, 4, "no regular expression"},
        {"a NEAR/5 (NOT b)", true, 9, "NOT has no place inside NEAR"},
        {"a NEAR/5 (b AND c)", true, 9, "AND has no place inside NEAR"},
        {"a NEAR/101 b", true, 2, "NEAR/100"},
        {"a NEAR/5 /b/", true, 9, "no place inside NEAR"},
        {"a OR \"\"", true, 6, "holds no word"},
        {"ATLEAST/0 a", true, 0, "ATLEAST/1"},
        {"NOT a OR b", true, 0, "without words"},
        {"", true, 0, "is empty"},
    };
    check_refusals(rows, G_N_ELEMENTS(rows));
}

static void test_warnings(void **state)
{
    (void)state;
    static const struct refusal rows[] = {
        {"a AND b OR c", false, 0, "(a AND b) OR c"},
        {"x /(i?)y/", false, 3, "optional letter"},
        {"a - b", false, 2, "a lone -"},
        {"Кубa", false, 0, "look alike"},
        {"ẁа", false, 0, "look alike"}, /* a Latin letter of three bytes */
        {"古巴*", false, 6, "dropped"},
    };
    check_refusals(rows, G_N_ELEMENTS(rows));
}

static void test_limits(void **state)
{
    (void)state;
    g_autoptr(GString) deep = g_string_new(NULL), long_list = g_string_new("a");
    for (int i = 0; i <= RULE_DEPTH_MAX; i++)
        g_string_append_c(deep, '(');
    g_string_append_c(deep, 'a');
    for (int i = 0; i <= RULE_DEPTH_MAX; i++)
        g_string_append_c(deep, ')');
    for (int i = 0; i < RULE_TERMS_MAX; i++)
        g_string_append_printf(long_list, " OR w%d", i);
    const struct refusal rows[] = {{deep->str, true, RULE_DEPTH_MAX, "64 levels"},
                                   {long_list->str, true, 0, "over 10000 terms"}};
    check_refusals(rows, G_N_ELEMENTS(rows));
}

/* What is said of rules, lists and feeds together. */
static void test_rules_together(void **state)
{
    (void)state;
    static const struct rule_def rules[] = {
        {.id = "first", .match = "cuba OR habana"},
        {.id = "second", .match = "cuba OR habana"},
        {.id = "foreign", .match = "Куба", .feeds = "english"},
    };
    static const struct rule_list_def circle[] = {{"a", "x, @b"}, {"b", "y, @a"}};
    static const struct rule_feed_def feeds[] = {{.id = "english", .language = "en"}};
    GArray *problems = NULL;
    struct ruleset *set = ruleset_compile(rules, 3, NULL, 0, feeds, 1, &problems);
    assert_non_null(set);
    assert_int_equal(problems->len, 2);
    const struct rule_problem *same = &g_array_index(problems, struct rule_problem, 0);
    const struct rule_problem *script = &g_array_index(problems, struct rule_problem, 1);
    assert_int_equal(same->owner, 1);
    assert_non_null(strstr(same->message, "the same as first"));
    assert_int_equal(script->owner, 2);
    assert_int_equal(script->part, RULE_PART_FEEDS);
    ruleset_unref(set);
    g_array_unref(problems);
    assert_null(ruleset_compile(rules, 1, circle, 2, NULL, 0, &problems));
    const struct rule_problem *first = &g_array_index(problems, struct rule_problem, 0);
    assert_true(first->is_error && first->part == RULE_PART_LIST && first->offset == 3);
    assert_non_null(strstr(first->message, "circle"));
    g_array_unref(problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_operators),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_rules_together),
        cmocka_unit_test(test_a_repeated_summary_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
