/* The portable way; the one with SSE2 is behind every other test of text. */
#undef __SSE2__
#include "text/sixteen.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <cmocka.h>

static void test_against_a_loop(void **state)
{
    (void)state;
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    for (int round = 0; round < 100000; round++) {
        char bytes[SIXTEEN];
        unsigned char low = (unsigned char)g_rand_int(random),
                      high = (unsigned char)g_rand_int(random);
        unsigned between = 0, equal = 0;
        for (unsigned i = 0; i < SIXTEEN; i++) {
            bytes[i] = (char)(g_rand_int(random) % 4 ? g_rand_int(random) : low);
            unsigned char c = (unsigned char)bytes[i];
            between |= (unsigned)(low <= high && c >= low && c <= high) << i;
            equal |= (unsigned)(c == low) << i;
        }
        sixteen_bytes v = sixteen_load(bytes);
        assert_int_equal(sixteen_bits(sixteen_equal(v, low)), equal);
        if (low <= high)
            assert_int_equal(sixteen_bits(sixteen_between(v, low, high)), between);
        for (unsigned i = 0; i < sixteen_first(equal); i++)
            assert_true((unsigned char)bytes[i] != low);
    }
    assert_int_equal(sixteen_first(0), SIXTEEN);
}

static void test_double_blanks(void **state)
{
    (void)state;
    assert_int_equal(sixteen_double(0x5, false), 0);
    assert_int_equal(sixteen_double(0x5, true), 0x1);
    assert_int_equal(sixteen_double(0xE, false), 0xC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_loop),
        cmocka_unit_test(test_double_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
