/* schedule: the due time after every outcome that polling.md names, to the second. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule/schedule.h"

#define NOW        INT64_C(1790000000) /* Monday 2026-09-21 14:13:20 UTC */
#define HOUR       3600
#define DAY        86400
#define RANDOM_MAX G_MAXUINT32

static const struct schedule_settings defaults = {.interval_s = 0, .cache_max_s = 2 * DAY};

/* A feed that was looked at an hour ago and has a validator. */
static struct schedule_state settled(void)
{
    return (struct schedule_state){.looked_s = NOW - HOUR,
                                   .asked_s = NOW - HOUR,
                                   .new_item_s = NOW - 5 * HOUR,
                                   .has_validator = true};
}

static struct schedule_outcome outcome_of(enum schedule_outcome_kind kind)
{
    return (struct schedule_outcome){.kind = kind, .retry_after_s = -1, .has_validator = true};
}

static int64_t delay_after(struct schedule_state *state, const struct schedule_outcome *outcome,
                           uint32_t random)
{
    schedule_after(&defaults, state, outcome, NOW, random);
    return state->due_s - NOW;
}

static void test_hints_lengthen(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t interval_s;
        struct schedule_outcome outcome;
        int64_t least_s, most_s;
    } cases[] = {
        {"nothing said", 0, {.has_validator = true}, 3240, 3600},
        {"no validator (E15)", 0, {.has_validator = false}, 7200, 8000},
        {"no validator, own interval", 600, {.has_validator = false}, 540, 600},
        {"max-age (E11)", 0, {.has_validator = true, .fresh_for_s = 6600}, 6601, 6901},
        {"max-age is short", 0, {.has_validator = true, .fresh_for_s = 60}, 3240, 3600},
        {"max-age, own interval", 900, {.has_validator = true, .fresh_for_s = 6600}, 6601, 6901},
        {"two days (E11)",
         0,
         {.has_validator = true, .fresh_for_s = 2 * DAY},
         2 * DAY,
         2 * DAY + 301},
        {"a year", 0, {.has_validator = true, .fresh_for_s = 365 * DAY}, 2 * DAY, 2 * DAY + 301},
        {"ttl (E28)", 0, {.has_validator = true, .ttl_s = 10800}, 10801, 11101},
        {"a short ttl", 0, {.has_validator = true, .ttl_s = 300}, 3240, 3600},
        {"weekly", 0, {.has_validator = true, .update_period_s = 7 * DAY}, 2 * DAY, 2 * DAY + 301},
        {"the longer of both",
         0,
         {.has_validator = true, .ttl_s = 10800, .update_period_s = 14400},
         14400,
         14700},
        {"negative", 0, {.has_validator = true, .ttl_s = -1, .fresh_for_s = -1}, 3240, 3600},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct schedule_settings settings = defaults;
        settings.interval_s = cases[i].interval_s;
        struct schedule_state early = settled(), late = settled();
        schedule_after(&settings, &early, &cases[i].outcome, NOW, RANDOM_MAX);
        schedule_after(&settings, &late, &cases[i].outcome, NOW, 0);
        int64_t a = early.due_s - NOW, b = late.due_s - NOW;
        if (MIN(a, b) < cases[i].least_s || MAX(a, b) > cases[i].most_s || a == b)
            fail_msg("%s: %ld to %ld", cases[i].what, (long)a, (long)b);
        assert_true(early.due_s >= early.allowed_s && late.due_s >= late.allowed_s);
    }
}

/* A 304 and an unchanged body bring no document: what the last one asked for stays. */
static void test_document_hints_stay(void **state)
{
    (void)state;
    struct schedule_state feed = settled();
    struct schedule_outcome document = outcome_of(SCHEDULE_OK);
    document.ttl_s = 10800;
    document.skip_days = 1;
    delay_after(&feed, &document, 0);
    struct schedule_outcome silent = outcome_of(SCHEDULE_NOT_MODIFIED);
    assert_int_equal(delay_after(&feed, &silent, 0), 10800 + 1);
    silent.kind = SCHEDULE_UNCHANGED;
    assert_int_equal(delay_after(&feed, &silent, 0), 10800 + 1);
    assert_int_equal(feed.skip_days, 1);
    document.ttl_s = 0;
    assert_int_equal(delay_after(&feed, &document, 0), 3600);
}

static void test_skipped_times(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint32_t hours;
        uint8_t days;
        int64_t due_s; /* counted from NOW's midnight, least; 600 more at most */
        int64_t slack_s;
    } cases[] = {
        {"none", 0, 0, 15 * HOUR + 13 * 60 + 20, 0},
        {"another hour", 1 << 14, 0, 15 * HOUR + 13 * 60 + 20, 0},
        {"15 h", 1 << 15, 0, 16 * HOUR, 600},
        {"15 to 24 h", 0xff8000, 0, 24 * HOUR, 600},
        {"all hours: a mistake", 0xffffff, 0, 15 * HOUR + 13 * 60 + 20, 0},
        {"Monday", 0, 1 << 1, 24 * HOUR, 600},
        {"Monday to Saturday", 0, 0x7e, 6 * DAY, 600},
        {"Monday, nights", 0x3f, 1 << 1, 30 * HOUR, 600},
        {"all days: a mistake", 0, 0x7f, 15 * HOUR + 13 * 60 + 20, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (uint32_t random = 0; random < 2; random++) {
            struct schedule_state feed = settled();
            struct schedule_outcome outcome = outcome_of(SCHEDULE_OK);
            outcome.skip_hours = cases[i].hours;
            outcome.skip_days = cases[i].days;
            schedule_after(&defaults, &feed, &outcome, NOW, random);
            int64_t since_midnight = feed.due_s - (NOW - NOW % DAY);
            if (since_midnight < cases[i].due_s ||
                since_midnight > cases[i].due_s + cases[i].slack_s)
                fail_msg("%s: %ld", cases[i].what, (long)since_midnight);
        }
    }
}

static void test_success_clears(void **state)
{
    (void)state;
    static const enum schedule_outcome_kind kinds[] = {SCHEDULE_OK, SCHEDULE_NOT_MODIFIED,
                                                       SCHEDULE_UNCHANGED};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        struct schedule_state feed = settled();
        feed.failures = 7;
        feed.throttles = 3;
        feed.failing_since_s = NOW - DAY;
        feed.allowed_s = NOW + 10;
        struct schedule_outcome outcome = outcome_of(kinds[i]);
        assert_int_equal(delay_after(&feed, &outcome, 0), 3600);
        assert_int_equal(feed.failures, 0);
        assert_int_equal(feed.throttles, 0);
        assert_int_equal(feed.failing_since_s, 0);
        assert_int_equal(feed.looked_s, NOW);
    }
}

static void test_failures_back_off(void **state)
{
    (void)state;
    static const struct {
        enum schedule_outcome_kind kind;
        int64_t interval_s;
        int64_t delays_s[7]; /* of the first failures; then one day */
    } cases[] = {
        {SCHEDULE_FAILED, 0, {3600, 7200, 14400, 28800, 57600, DAY, DAY}},
        {SCHEDULE_FAILED, 300, {900, 1800, 3600, 7200, 14400, 28800, 57600}},
        {SCHEDULE_FAILED_NET, 0, {120, 240, 480, 960, 1920, 3840, 7680}},
        {SCHEDULE_FAILED, 3 * DAY, {3 * DAY, 3 * DAY, 3 * DAY, 3 * DAY, 3 * DAY, 3 * DAY, 3 * DAY}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct schedule_settings settings = defaults;
        settings.interval_s = cases[i].interval_s;
        struct schedule_state feed = settled();
        struct schedule_outcome outcome = outcome_of(cases[i].kind);
        outcome.has_validator = false;
        for (size_t n = 0; n < 100; n++) {
            schedule_after(&settings, &feed, &outcome, NOW, 0);
            if (n < 7)
                assert_int_equal(feed.due_s - NOW, cases[i].delays_s[n]);
            assert_true(feed.due_s - NOW <= MAX(DAY, cases[i].interval_s));
        }
        assert_int_equal(feed.failures, 100);
        assert_int_equal(feed.failing_since_s, NOW);
        assert_true(feed.has_validator); /* E09 */
        assert_false(feed.is_gone);
        assert_int_equal(feed.looked_s, NOW - HOUR);
    }
    struct schedule_state feed = settled();
    struct schedule_outcome outcome = outcome_of(SCHEDULE_FAILED);
    assert_int_equal(delay_after(&feed, &outcome, RANDOM_MAX), 3241); /* jitter */
}

static void test_retry_after(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int64_t retry_after_s;
        uint32_t throttles; /* before */
        int64_t delay_s;
    } cases[] = {
        {"E16", 5400, 0, 5400},
        {"less than the interval", 120, 0, 120},
        {"zero (E20)", 0, 0, 60},
        {"over a week (E20)", INT64_MAX, 0, 7 * DAY},
        {"bare (E19)", -1, 0, 3600},
        {"bare again", -1, 1, 7200},
        {"bare for the fourth time", -1, 3, 28800},
        {"bare for ever", -1, 1000, DAY},
        {"a minute for ever", 60, 1000, DAY},
        {"a minute for the third time", 60, 2, 240},
        {"a week for ever", 7 * DAY, 1000, 7 * DAY},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct schedule_state feed = settled();
        feed.throttles = cases[i].throttles;
        struct schedule_outcome outcome = outcome_of(SCHEDULE_THROTTLED);
        outcome.retry_after_s = cases[i].retry_after_s;
        int64_t least_s = delay_after(&feed, &outcome, 0);
        if (least_s != cases[i].delay_s + 1) /* now is rounded down */
            fail_msg("%s: %ld", cases[i].what, (long)least_s);
        assert_int_equal(feed.throttles, cases[i].throttles + 1);
        assert_int_equal(feed.allowed_s, NOW + cases[i].delay_s + 1);
        assert_true(schedule_is_silenced(&feed, feed.allowed_s - 1));
        assert_false(schedule_is_silenced(&feed, feed.allowed_s));
        feed = settled();
        feed.throttles = cases[i].throttles;
        assert_true(delay_after(&feed, &outcome, RANDOM_MAX) > cases[i].delay_s);
        assert_true(feed.due_s <= NOW + cases[i].delay_s + 301);
    }
}

/* E21: the other feeds of a throttled origin wait, and nothing is charged to them. */
static void test_held(void **state)
{
    (void)state;
    struct schedule_state feed = settled();
    struct schedule_outcome outcome = outcome_of(SCHEDULE_HELD);
    outcome.retry_after_s = 5400;
    assert_int_equal(delay_after(&feed, &outcome, 0), 5401);
    assert_int_equal(feed.failures, 0);
    assert_int_equal(feed.throttles, 0);
    assert_int_equal(feed.failing_since_s, 0);
    assert_int_equal(feed.looked_s, NOW - HOUR);
}

static void test_gone(void **state)
{
    (void)state;
    struct schedule_state feed = settled();
    struct schedule_outcome outcome = outcome_of(SCHEDULE_GONE);
    schedule_after(&defaults, &feed, &outcome, NOW, 0);
    assert_true(feed.is_gone);
    assert_true(feed.due_s == SCHEDULE_NEVER);
    assert_true(schedule_restored_due(&defaults, &feed, NOW + 400 * DAY) == SCHEDULE_NEVER);
    assert_true(schedule_is_silenced(&feed, NOW + 400 * DAY));
}

static void test_offline(void **state)
{
    (void)state;
    struct schedule_state feed = settled(), before = feed;
    struct schedule_outcome outcome = outcome_of(SCHEDULE_OFFLINE);
    assert_in_range(delay_after(&feed, &outcome, 0), 1, 600);
    before.due_s = feed.due_s;
    assert_memory_equal(&before, &feed, sizeof feed);
}

static void test_before_request(void **state)
{
    (void)state;
    struct schedule_state feed = settled();
    assert_int_equal(schedule_before_request(&defaults, &feed, NOW, 0), NOW + 3600);
    feed.failures = 2;
    assert_int_equal(schedule_before_request(&defaults, &feed, NOW, 0), NOW + 14400);
    assert_false(schedule_start(&defaults, &feed, NOW, 0));
    assert_int_equal(feed.asked_s, NOW);
    assert_int_equal(feed.due_s, NOW + 14400);
    assert_int_equal(feed.failures, 2);
}

static void test_restored(void **state)
{
    (void)state;
    struct schedule_state feed = settled();
    feed.due_s = NOW + 1800;
    assert_int_equal(schedule_restored_due(&defaults, &feed, NOW), NOW + 1800);
    /* The clock was a day ahead when this was stored. */
    feed.asked_s = NOW + DAY;
    feed.due_s = NOW + DAY + HOUR;
    assert_int_equal(schedule_restored_due(&defaults, &feed, NOW), NOW + HOUR);
    feed.asked_s = 0;
    feed.due_s = NOW + 3650 * INT64_C(86400);
    assert_true(schedule_restored_due(&defaults, &feed, NOW) <= NOW + 8 * DAY);
    feed.due_s = NOW - 50 * DAY;
    assert_int_equal(schedule_restored_due(&defaults, &feed, NOW), NOW - 50 * DAY);
}

/* E40, day by day over 60 days of 304s. */
static void test_unconditional(void **state)
{
    (void)state;
    static const struct {
        int64_t rhythm_s;
        int n_asked, first_day;
    } cases[] = {{0, 7, 14}, {DAY, 7, 14}, {6 * DAY, 5, 30}, {20 * DAY, 0, 0}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct schedule_state feed = settled();
        feed.rhythm_s = cases[i].rhythm_s;
        int n = 0, first = 0;
        for (int day = 0; day < 60; day++) {
            int64_t now_s = NOW + (int64_t)day * DAY;
            bool is_unconditional = schedule_start(&defaults, &feed, now_s, 0);
            if (is_unconditional && n++ == 0)
                first = day;
            struct schedule_outcome outcome =
                outcome_of(is_unconditional ? SCHEDULE_UNCHANGED : SCHEDULE_NOT_MODIFIED);
            schedule_after(&defaults, &feed, &outcome, now_s, 0);
        }
        assert_int_equal(n, cases[i].n_asked);
        assert_int_equal(first, cases[i].first_day);
    }
    /* A 200 to a conditional request ends the run. */
    struct schedule_state feed = settled();
    feed.unmodified_since_s = NOW - 13 * DAY;
    feed.asked_s = NOW;
    struct schedule_outcome outcome = outcome_of(SCHEDULE_UNCHANGED);
    delay_after(&feed, &outcome, 0);
    assert_int_equal(feed.unmodified_since_s, 0);
}

/* One new item every gap seconds, polled when due: the interval becomes half the gap. */
static void test_rhythm(void **state)
{
    (void)state;
    static const struct {
        int64_t gap_s, least_s, most_s;
    } cases[] = {{60, 600, 600},     {900, 600, 600},    {2400, 900, 1300},
                 {4800, 1700, 2500}, {9000, 3500, 3600}, {30 * DAY, 3600, 3600}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct schedule_state feed = {0};
        int64_t now_s = NOW, seen = NOW / cases[i].gap_s;
        while (now_s < NOW + 40 * cases[i].gap_s + 3 * DAY) {
            struct schedule_outcome outcome = outcome_of(SCHEDULE_OK);
            outcome.n_new = feed.looked_s ? (uint32_t)(now_s / cases[i].gap_s - seen) : 20;
            seen = now_s / cases[i].gap_s;
            schedule_after(&defaults, &feed, &outcome, now_s, 0);
            now_s = feed.due_s;
        }
        assert_in_range(schedule_interval_s(&defaults, &feed), cases[i].least_s, cases[i].most_s);
    }
}

static void test_gap_asks_sooner(void **state)
{
    (void)state;
    struct schedule_outcome outcome = outcome_of(SCHEDULE_OK);
    outcome.n_new = 20;
    outcome.has_gap = true;
    struct schedule_state feed = settled();
    int64_t delay_s = delay_after(&feed, &outcome, 0);
    assert_in_range(delay_s, 600, 1800);
    feed = settled();
    outcome.has_validator = false;
    assert_in_range(delay_after(&feed, &outcome, 0), 600, 3600);
    /* An interval that somebody set is used as it is. */
    struct schedule_settings settings = {.interval_s = 7200, .cache_max_s = DAY};
    schedule_after(&settings, &feed, &outcome, NOW, 0);
    assert_int_equal(feed.due_s, NOW + 7200);
}

/* The clock went back behind everything that is remembered. */
static void test_clock_went_back(void **state)
{
    (void)state;
    struct schedule_state feed = settled();
    feed.rhythm_s = 3000;
    struct schedule_outcome outcome = outcome_of(SCHEDULE_OK);
    outcome.n_new = 1;
    schedule_after(&defaults, &feed, &outcome, NOW - 30 * DAY, 0);
    assert_in_range(feed.due_s, NOW - 30 * DAY + 600, NOW - 30 * DAY + 3600);
    assert_true(feed.rhythm_s > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hints_lengthen),
        cmocka_unit_test(test_document_hints_stay),
        cmocka_unit_test(test_skipped_times),
        cmocka_unit_test(test_success_clears),
        cmocka_unit_test(test_failures_back_off),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_held),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_offline),
        cmocka_unit_test(test_before_request),
        cmocka_unit_test(test_restored),
        cmocka_unit_test(test_unconditional),
        cmocka_unit_test(test_rhythm),
        cmocka_unit_test(test_gap_asks_sooner),
        cmocka_unit_test(test_clock_went_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
