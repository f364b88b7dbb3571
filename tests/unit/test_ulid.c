#include "store/ulid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void test_time_comes_first(void **state)
{
    (void)state;
    /* The example of the specification: 1469918176385 ms is 01ARYZ6S41. */
    struct ulid_source source = {0};
    char id[ULID_LENGTH + 1];
    ulid_next(&source, INT64_C(1469918176385), id);
    assert_memory_equal(id, "01ARYZ6S41", 10);
    assert_int_equal(strlen(id), ULID_LENGTH);
    assert_true(ulid_is_valid(id));
}

static void test_never_backwards(void **state)
{
    (void)state;
    static const int64_t times_ms[] = {1000, 1000, 1001, 500, 500, -7, INT64_C(1) << 46, 2000};
    struct ulid_source source = {0};
    char last[ULID_LENGTH + 1] = "", id[ULID_LENGTH + 1];
    for (size_t i = 0; i < sizeof times_ms / sizeof *times_ms; i++) {
        ulid_next(&source, times_ms[i], id);
        assert_true(strcmp(last, id) < 0);
        assert_true(ulid_is_valid(id));
        memcpy(last, id, sizeof id);
    }
}

static void test_counts_over_the_end(void **state)
{
    (void)state;
    static const char *const lasts[] = {"0000000ZZZ0000000000ZZZZZZ", "0000000ZZZZZZZZZZZZZZZZZZZ"};
    for (size_t i = 0; i < sizeof lasts / sizeof *lasts; i++) {
        struct ulid_source source;
        char id[ULID_LENGTH + 1];
        ulid_source_init(&source, lasts[i]);
        ulid_next(&source, 0, id);
        assert_true(strcmp(lasts[i], id) < 0);
    }
}

static void test_goes_on_after_the_last(void **state)
{
    (void)state;
    static const char last[] = "7ZZZZZZZZZ0000000000000000";
    struct ulid_source source;
    char id[ULID_LENGTH + 1];
    ulid_source_init(&source, last);
    ulid_next(&source, 1000, id);
    assert_string_equal(id, "7ZZZZZZZZZ0000000000000001");
    static const char *const rubbish[] = {"", "short", "7ZZZZZZZZZ000000000000000U",
                                          "8ZZZZZZZZZ0000000000000000"};
    for (size_t i = 0; i < sizeof rubbish / sizeof *rubbish; i++) {
        ulid_source_init(&source, rubbish[i]);
        assert_int_equal(source.time_ms, 0);
    }
    ulid_source_init(&source, NULL);
    assert_int_equal(source.time_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_comes_first),
        cmocka_unit_test(test_never_backwards),
        cmocka_unit_test(test_counts_over_the_end),
        cmocka_unit_test(test_goes_on_after_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
