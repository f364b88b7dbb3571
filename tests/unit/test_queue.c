/* schedule/queue against a sorted list. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "schedule/queue.h"

static void test_order(void **state)
{
    (void)state;
    struct schedule_queue *queue = schedule_queue_new();
    char keys[5];
    int64_t due = 0;
    assert_false(schedule_queue_next(queue, &due));
    schedule_queue_set(queue, &keys[0], 30);
    schedule_queue_set(queue, &keys[1], 10);
    schedule_queue_set(queue, &keys[2], 20);
    schedule_queue_set(queue, &keys[3], 10);
    assert_true(schedule_queue_next(queue, &due));
    assert_int_equal(due, 10);
    schedule_queue_set(queue, &keys[1], 40);
    assert_null(schedule_queue_pop_due(queue, 9));
    assert_ptr_equal(schedule_queue_pop_due(queue, 10), &keys[3]);
    schedule_queue_remove(queue, &keys[2]);
    schedule_queue_remove(queue, &keys[4]);
    assert_int_equal(schedule_queue_size(queue), 2);
    assert_ptr_equal(schedule_queue_pop_due(queue, 100), &keys[0]);
    assert_ptr_equal(schedule_queue_pop_due(queue, 100), &keys[1]);
    assert_null(schedule_queue_pop_due(queue, 100));
    schedule_queue_free(queue);
}

static void test_equal_times_in_turn(void **state)
{
    (void)state;
    struct schedule_queue *queue = schedule_queue_new();
    char keys[100];
    for (size_t i = 0; i < 100; i++)
        schedule_queue_set(queue, &keys[i], 7);
    for (size_t i = 0; i < 100; i++)
        assert_ptr_equal(schedule_queue_pop_due(queue, 7), &keys[i]);
    schedule_queue_free(queue);
}

static void test_random_changes(void **state)
{
    (void)state;
    enum { N = 200 };
    struct schedule_queue *queue = schedule_queue_new();
    int64_t due[N];
    for (int i = 0; i < N; i++)
        due[i] = -1; /* not in the queue */
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (int step = 0; step < 20000; step++) {
        int i = g_rand_int_range(rand, 0, N);
        bool is_removed = g_rand_int_range(rand, 0, 3) == 0;
        due[i] = is_removed ? -1 : g_rand_int_range(rand, 0, 1000);
        if (is_removed)
            schedule_queue_remove(queue, &due[i]);
        else
            schedule_queue_set(queue, &due[i], due[i]);
        int64_t least = INT64_MAX, first = INT64_MAX;
        guint n = 0;
        for (int k = 0; k < N; k++) {
            n += due[k] >= 0;
            if (due[k] >= 0 && due[k] < least)
                least = due[k];
        }
        schedule_queue_next(queue, &first);
        assert_int_equal(first, least);
        assert_int_equal(schedule_queue_size(queue), n);
    }
    schedule_queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_equal_times_in_turn),
        cmocka_unit_test(test_random_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
