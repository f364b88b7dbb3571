#include "monitor/moves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct step {
    const char *url;
    int64_t now_s;
    bool moved;
};

static void play(const struct step *steps, size_t n, const char *moved_url)
{
    struct store_feed *state = g_new0(struct store_feed, 1);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(moves_note(state, steps[i].url, steps[i].now_s), steps[i].moved);
    if (moved_url)
        assert_string_equal(state->moved_url, moved_url);
    else
        assert_null(state->moved_url);
    g_free(state->moved_url);
    g_free(state->candidate_url);
    g_free(state);
}

static void test_three_times_over_a_day(void **state)
{
    (void)state;
    const struct step steps[] = {{"https://b/", 0, false},
                                 {"https://b/", 3600, false},
                                 {"https://b/", 7200, false},
                                 {"https://b/", 86400, true}};
    play(steps, G_N_ELEMENTS(steps), "https://b/");
}

static void test_a_day_alone_is_not_enough(void **state)
{
    (void)state;
    const struct step steps[] = {
        {"https://b/", 0, false}, {"https://b/", 90000, false}, {"https://b/", 90001, true}};
    play(steps, G_N_ELEMENTS(steps), "https://b/");
}

static void test_anything_else_starts_anew(void **state)
{
    (void)state;
    const struct step steps[] = {{"https://b/", 0, false},      {"https://b/", 3600, false},
                                 {NULL, 50000, false},          {"https://b/", 90000, false},
                                 {"https://c/", 100000, false}, {"https://b/", 190000, false},
                                 {"https://b/", 200000, false}};
    play(steps, G_N_ELEMENTS(steps), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_times_over_a_day),
        cmocka_unit_test(test_a_day_alone_is_not_enough),
        cmocka_unit_test(test_anything_else_starts_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
