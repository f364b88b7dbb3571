/* base/suggest: edit distance, and which name is near enough. */
#include "base/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>

static void test_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } cases[] = {
        {"", "", 0},
        {"a", "", 1},
        {"", "abc", 3},
        {"url", "url", 0},
        {"URL", "url", 0},
        {"ulr", "url", 1},
        {"intervall", "interval", 1},
        {"match", "catch", 1},
        {"kitten", "sitting", 3},
        {"ab", "ba", 1},
        {"abcd", "badc", 2},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(suggest_distance(cases[i].a, cases[i].b), cases[i].distance);
        assert_int_equal(suggest_distance(cases[i].b, cases[i].a), cases[i].distance);
    }
    char longest[SUGGEST_BYTES_MAX + 1], longer[SUGGEST_BYTES_MAX + 2];
    memset(longest, 'x', sizeof(longest));
    memset(longer, 'x', sizeof(longer));
    longest[sizeof(longest) - 1] = longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(suggest_distance(longest, ""), SUGGEST_BYTES_MAX);
    assert_true(suggest_distance(longer, "x") == SIZE_MAX);
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const names[] = {"any", "url", "match", "timeout", "max_size", "interval"};
    static const struct {
        const char *word, *best;
    } cases[] = {
        {"ulr", "url"},
        {"URL", "url"},
        {"Timeouts", "timeout"},
        {"maxsize", "max_size"},
        {"intervl", "interval"},
        {"mtach", "match"},
        {"an", "any"},
        {"inter", "interval"},
        {"in", NULL},
        {"xyz", NULL},
        {"", NULL},
        {"alert", NULL},
        {"zzzzzzzz", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct suggest suggest;
        suggest_init(&suggest, cases[i].word);
        for (size_t n = 0; n < G_N_ELEMENTS(names); n++)
            suggest_offer(&suggest, names[n]);
        if (cases[i].best)
            assert_string_equal(suggest.best, cases[i].best);
        else
            assert_null(suggest.best);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
