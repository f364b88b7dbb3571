/* schedule/spread: E35. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule/spread.h"

#include <glib.h>

#define NOW INT64_C(1790000000)

static void test_rate_span_and_order(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 10, 300, 1200, 1201, 5000};
    for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
        size_t n = sizes[k];
        g_autofree struct spread_feed *feeds = g_new0(struct spread_feed, n);
        for (size_t i = 0; i < n; i++) {
            feeds[i].due_s = NOW - (int64_t)i;
            feeds[i].is_urgent = i % 10 == 9;
        }
        schedule_spread(feeds, n, NOW, 42);
        int64_t span_s = MAX(600, ((int64_t)n + 1) / 2);
        int64_t last_urgent = 0, first_other = INT64_MAX;
        g_autofree int *per_second = g_new0(int, (gsize)span_s);
        for (size_t i = 0; i < n; i++) {
            int64_t at_s = feeds[i].due_s - NOW;
            assert_true(at_s >= 0 && at_s < span_s);
            assert_true(++per_second[at_s] <= 2);
            if (feeds[i].is_urgent)
                last_urgent = MAX(last_urgent, at_s);
            else
                first_other = MIN(first_other, at_s);
        }
        assert_true(last_urgent <= first_other);
    }
}

static void test_what_is_not_due(void **state)
{
    (void)state;
    enum { N = 1400 };
    struct spread_feed feeds[N], before[N];
    for (size_t i = 0; i < N; i++) {
        feeds[i].due_s = i < 1200 ? NOW - 5 : NOW + (int64_t)(i - 1200) * 4;
        feeds[i].is_urgent = false;
        before[i] = feeds[i];
    }
    schedule_spread(feeds, N, NOW, 7);
    int per_second[2000] = {0};
    for (size_t i = 0; i < N; i++) {
        assert_true(feeds[i].due_s >= before[i].due_s);
        assert_true(++per_second[feeds[i].due_s - NOW] <= 2);
        if (before[i].due_s >= NOW + 700)
            assert_int_equal(feeds[i].due_s, before[i].due_s);
    }
    schedule_spread(feeds, 0, NOW, 7);
}

static void test_random_shuffles(void **state)
{
    (void)state;
    struct spread_feed a[50] = {0}, b[50] = {0}, c[50] = {0};
    schedule_spread(a, 50, NOW, 1);
    schedule_spread(b, 50, NOW, 2);
    schedule_spread(c, 50, NOW, 1);
    assert_memory_equal(a, c, sizeof a);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate_span_and_order),
        cmocka_unit_test(test_what_is_not_due),
        cmocka_unit_test(test_random_shuffles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
