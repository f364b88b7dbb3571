/* health: when a feed's silence is worth a word. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule/health.h"
#include "schedule/rhythm.h"

#define NOW  INT64_C(1790000000)
#define HOUR 3600
#define DAY  86400

static void check(const char *what, int64_t interval_s, const struct schedule_state *schedule,
                  enum schedule_health expected)
{
    const struct schedule_settings settings = {.interval_s = interval_s, .cache_max_s = 2 * DAY};
    enum schedule_health health = schedule_health(&settings, schedule);
    if (health != expected)
        fail_msg("%s: %d, not %d", what, (int)health, (int)expected);
}

static void test_unreachable(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t interval_s, failing_s, allowed_s; /* before the last attempt; after it */
        uint32_t throttles;
        enum schedule_health expected;
    } cases[] = {
        {"just now", 0, 0, 0, 0, SCHEDULE_FAILING},
        {"a second short of 12 h", 0, 12 * HOUR - 1, 0, 0, SCHEDULE_FAILING},
        {"12 h", 0, 12 * HOUR, 0, 0, SCHEDULE_UNREACHABLE},
        {"three intervals are longer", 8 * HOUR, 23 * HOUR, 0, 0, SCHEDULE_FAILING},
        {"three intervals", 8 * HOUR, 24 * HOUR, 0, 0, SCHEDULE_UNREACHABLE},
        {"asked for a day's silence", 0, 0, DAY, 1, SCHEDULE_UNREACHABLE},
        {"asked for an hour's", 0, HOUR, HOUR, 1, SCHEDULE_FAILING},
        {"a cache hint of before", 0, 0, DAY, 0, SCHEDULE_FAILING},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct schedule_state schedule = {
            .asked_s = NOW,
            .looked_s = NOW - 30 * DAY,
            .new_item_s = NOW - 30 * DAY,
            .rhythm_s = HOUR,
            .pause_s = HOUR,
            .failing_since_s = NOW - cases[i].failing_s,
            .allowed_s = NOW + cases[i].allowed_s,
            .throttles = cases[i].throttles,
            .has_validator = true,
        };
        check(cases[i].what, cases[i].interval_s, &schedule, cases[i].expected);
    }
}

/* A night in which nobody asked is none in which it failed. */
static void test_sleep_is_not_failure(void **state)
{
    (void)state;
    const struct schedule_state schedule = {
        .failing_since_s = NOW - 3 * DAY, .asked_s = NOW - 3 * DAY + HOUR, .failures = 2};
    check("asleep", 0, &schedule, SCHEDULE_FAILING);
}

static void test_silent(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t silence_s, rhythm_s, pause_s;
        enum schedule_health expected;
    } cases[] = {
        {"a busy feed, 11 h", 11 * HOUR, 600, 2 * HOUR, SCHEDULE_WELL},
        {"a busy feed, 12 h", 12 * HOUR, 600, 2 * HOUR, SCHEDULE_SILENT},
        {"one with nights", 12 * HOUR, 600, 9 * HOUR, SCHEDULE_WELL},
        {"one with nights, 27 h", 27 * HOUR, 600, 9 * HOUR, SCHEDULE_SILENT},
        {"one with weekends", 4 * DAY, HOUR, 62 * HOUR, SCHEDULE_WELL},
        {"a weekly", 20 * DAY, 7 * DAY, DAY, SCHEDULE_WELL},
        {"a weekly, three weeks", 21 * DAY, 7 * DAY, DAY, SCHEDULE_SILENT},
        {"nothing is known of it", 90 * DAY, 0, 0, SCHEDULE_WELL},
        {"no pause is known of it", 90 * DAY, HOUR, 0, SCHEDULE_WELL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct schedule_state schedule = {
            .asked_s = NOW,
            .looked_s = NOW,
            .new_item_s = NOW - cases[i].silence_s,
            .rhythm_s = cases[i].rhythm_s,
            .pause_s = cases[i].pause_s,
            .has_validator = true,
        };
        check(cases[i].what, 0, &schedule, cases[i].expected);
        schedule.is_gone = true;
        check(cases[i].what, 0, &schedule, SCHEDULE_LOST);
    }
}

static void test_window(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t hint_s, rhythm_s;
        uint32_t n_items;
        int64_t failing_since_s;
        bool expected;
    } cases[] = {
        {"two days for ten items a day", 2 * DAY, DAY / 10, 10, 0, true},
        {"two days for thirty", 2 * DAY, DAY / 10, 30, 0, false},
        {"as long as the list", 2 * DAY, DAY / 5, 10, 0, false},
        {"nothing asked for", 0, 60, 1, 0, false},
        {"no longer than usual", 500, 60, 1, 0, false},
        {"no rhythm", 2 * DAY, 0, 10, 0, false},
        {"no items", 2 * DAY, 60, 0, 0, false},
        {"a failure", 2 * DAY, DAY / 10, 10, NOW, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct schedule_settings settings = {.cache_max_s = 2 * DAY};
        const struct schedule_state schedule = {
            .looked_s = NOW,
            .allowed_s = NOW + cases[i].hint_s,
            .rhythm_s = cases[i].rhythm_s,
            .failing_since_s = cases[i].failing_since_s,
            .has_validator = true,
        };
        int64_t hint_s;
        bool is = schedule_outlasts_window(&settings, &schedule, cases[i].n_items, &hint_s);
        if (is != cases[i].expected)
            fail_msg("%s", cases[i].what);
        assert_int_equal(hint_s, cases[i].hint_s);
    }
}

/* A busy feed that rests from Friday to Monday: its weekend is known again a week later. */
static void test_a_pause_is_remembered(void **state)
{
    (void)state;
    int64_t pause_s = rhythm_pause(0, 62 * HOUR);
    assert_int_equal(pause_s, 62 * HOUR);
    for (int i = 0; i < 5 * 24 * 6; i++)
        pause_s = rhythm_pause(pause_s, 600);
    assert_true(3 * pause_s > 2 * 62 * HOUR);
    for (int i = 0; i < 365 * 24 * 6; i++)
        pause_s = rhythm_pause(pause_s, 600);
    assert_in_range(pause_s, 600, 3 * HOUR);
    assert_true(rhythm_pause(INT64_MAX, INT64_MAX) > 0);
    assert_int_equal(rhythm_pause(0, -5), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_sleep_is_not_failure),
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_a_pause_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
