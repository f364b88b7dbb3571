/* fetch/pacer in virtual time: E32, and that no host keeps another waiting. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "fetch/pacer.h"

#include <string.h>

#define SPACING_MS 1000

struct job {
    const char *host;
    struct pacer_ticket *ticket;
    int64_t started_ms; /* -1: waits */
    int64_t ends_ms;
    bool is_over;
};

static void add(struct pacer *pacer, struct job *job, const char *host,
                enum pacer_priority priority, int64_t now_ms)
{
    *job = (struct job){.host = host, .started_ms = -1};
    job->ticket = pacer_add(pacer, host, priority, job, now_ms);
}

static struct job *next(struct pacer *pacer, int64_t now_ms)
{
    struct job *job = pacer_next(pacer, now_ms);
    if (job)
        job->started_ms = now_ms;
    return job;
}

static void test_one_host(void **state)
{
    (void)state;
    struct pacer *pacer = pacer_new();
    pacer_set_limits(pacer, SPACING_MS, 8);
    struct job jobs[3];
    for (size_t i = 0; i < 3; i++)
        add(pacer, &jobs[i], "h", PACER_NORMAL, 0);
    assert_int_equal(pacer_wait_ms(pacer, 0), 0);
    assert_ptr_equal(next(pacer, 0), &jobs[0]);
    assert_null(next(pacer, 5000));           /* one in flight */
    assert_true(pacer_has_room(pacer, 5000)); /* for another host */
    pacer_set_limits(pacer, SPACING_MS, 1);
    assert_false(pacer_has_room(pacer, 5000));
    pacer_set_limits(pacer, SPACING_MS, 8);
    pacer_set_gap(pacer, SPACING_MS, 3000); /* since it began, at 0 */
    assert_false(pacer_has_room(pacer, SPACING_MS - 1));
    assert_true(pacer_has_room(pacer, 3000));
    assert_int_equal(pacer_wait_ms(pacer, 5000), -1);
    pacer_sent(jobs[0].ticket, 4500); /* the connection took its time */
    pacer_end(pacer, jobs[0].ticket);
    assert_null(next(pacer, 5499));
    assert_in_range(pacer_wait_ms(pacer, 5000), 500, 550);
    assert_ptr_equal(next(pacer, 5000 + pacer_wait_ms(pacer, 5000)), &jobs[1]);
    pacer_end(pacer, jobs[1].ticket);
    pacer_end(pacer, jobs[2].ticket); /* cancelled while it waits */
    assert_int_equal(pacer_wait_ms(pacer, 9000), -1);
    assert_null(next(pacer, 9000));
    pacer_free(pacer);
}

static void test_priorities(void **state)
{
    (void)state;
    struct pacer *pacer = pacer_new();
    pacer_set_limits(pacer, 0, 8);
    struct job jobs[4];
    add(pacer, &jobs[0], "h", PACER_NORMAL, 0);
    add(pacer, &jobs[1], "h", PACER_NORMAL, 0);
    add(pacer, &jobs[2], "h", PACER_URGENT, 0);
    add(pacer, &jobs[3], "h", PACER_CONTINUES, 0);
    static const size_t order[] = {3, 2, 0, 1};
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        assert_ptr_equal(next(pacer, 0), &jobs[order[i]]);
        pacer_end(pacer, jobs[order[i]].ticket);
    }
    pacer_free(pacer);
}

static void test_hosts_take_turns(void **state)
{
    (void)state;
    struct pacer *pacer = pacer_new();
    pacer_set_limits(pacer, 0, 1);
    struct job jobs[9];
    static const char *const hosts[] = {"a", "b", "c"};
    for (size_t i = 0; i < 9; i++)
        add(pacer, &jobs[i], hosts[i / 3], PACER_NORMAL, 0);
    for (int64_t now_ms = 0; now_ms < 9; now_ms++) {
        struct job *job = next(pacer, now_ms);
        assert_string_equal(job->host, hosts[now_ms % 3]);
        assert_null(next(pacer, now_ms)); /* one in all */
        pacer_end(pacer, job->ticket);
    }
    pacer_free(pacer);
}

static void test_gap_between_all(void **state)
{
    (void)state;
    struct pacer *pacer = pacer_new();
    pacer_set_limits(pacer, 0, 8);
    pacer_set_gap(pacer, 500, 1400);
    struct job jobs[5];
    static const char *const hosts[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < 5; i++)
        add(pacer, &jobs[i], hosts[i], PACER_NORMAL, 0);
    assert_ptr_equal(next(pacer, 0), &jobs[0]);
    assert_null(next(pacer, 499));
    assert_in_range(pacer_wait_ms(pacer, 0), 500, 550);
    assert_ptr_equal(next(pacer, 550), &jobs[1]);
    assert_null(next(pacer, 1049));
    assert_ptr_equal(next(pacer, 1100), &jobs[2]);
    assert_null(next(pacer, 1399));
    assert_ptr_equal(next(pacer, 1400), &jobs[3]); /* it is over */
    assert_ptr_equal(next(pacer, 1400), &jobs[4]);
    for (size_t i = 0; i < 5; i++)
        pacer_end(pacer, jobs[i].ticket);
    pacer_free(pacer);
}

/* 30 hosts with up to 30 feeds each, answers of 0 to 3 s; every rule is checked at every start. */
static void test_random_load(void **state)
{
    (void)state;
    enum { N = 300, HOSTS = 30, MAX_ACTIVE = 10 };
    static struct job jobs[N];
    static char names[HOSTS][8];
    struct pacer *pacer = pacer_new();
    pacer_set_limits(pacer, SPACING_MS, MAX_ACTIVE);
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);
    int64_t last_ms[HOSTS];
    int active[HOSTS] = {0}, n_active = 0, n_over = 0;
    for (int i = 0; i < HOSTS; i++) {
        g_snprintf(names[i], sizeof names[i], "h%d", i);
        last_ms[i] = -SPACING_MS;
    }
    for (int i = 0; i < N; i++)
        add(pacer, &jobs[i], names[g_rand_int_range(rand, 0, HOSTS)], PACER_NORMAL, 0);
    int64_t now_ms = 0;
    while (n_over < N) {
        struct job *job;
        while ((job = next(pacer, now_ms)) != NULL) {
            int host = (int)((char(*)[8])(gintptr)job->host - names);
            assert_int_equal(++active[host], 1);
            assert_true(++n_active <= MAX_ACTIVE);
            assert_true(now_ms - last_ms[host] >= SPACING_MS);
            last_ms[host] = now_ms;
            job->ends_ms = now_ms + g_rand_int_range(rand, 0, 3000);
        }
        int64_t wait_ms = pacer_wait_ms(pacer, now_ms), then_ms = INT64_MAX;
        if (wait_ms >= 0)
            then_ms = now_ms + wait_ms;
        for (int i = 0; i < N; i++)
            if (jobs[i].started_ms >= 0 && !jobs[i].is_over)
                then_ms = MIN(then_ms, jobs[i].ends_ms);
        assert_true(then_ms != INT64_MAX); /* else it is stuck */
        now_ms = MAX(then_ms, now_ms);
        for (int i = 0; i < N; i++) {
            if (jobs[i].started_ms < 0 || jobs[i].is_over || jobs[i].ends_ms > now_ms)
                continue;
            jobs[i].is_over = true;
            active[(char(*)[8])(gintptr)jobs[i].host - names]--;
            n_active--;
            n_over++;
            pacer_end(pacer, jobs[i].ticket);
        }
    }
    assert_true(now_ms < 90 * 1000); /* about 10 in flight of 1.5 s each */
    pacer_free(pacer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_host),         cmocka_unit_test(test_priorities),
        cmocka_unit_test(test_hosts_take_turns), cmocka_unit_test(test_gap_between_all),
        cmocka_unit_test(test_random_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
