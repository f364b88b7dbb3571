/* fetch/hash: values are stored, so they are pinned here; and every byte counts. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "fetch/hash.h"

#include <string.h>

static void test_pinned(void **state)
{
    (void)state;
    assert_true(fetch_hash("", 0) == UINT64_C(0x1d3aff164de738d2));
    assert_true(fetch_hash("feed", 4) == UINT64_C(0x2d6ea45a97b35cff));
    assert_true(fetch_hash("<rss>feedwatch</rss>", 20) == UINT64_C(0xd45267cb9d115cb2));
}

static void test_every_byte_counts(void **state)
{
    (void)state;
    unsigned char bytes[67] = {0};
    uint64_t seen[sizeof bytes * 9 + 1];
    size_t n = 0;
    for (size_t size = 0; size <= sizeof bytes; size++)
        seen[n++] = fetch_hash(bytes, size);
    for (size_t i = 0; i < sizeof bytes; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] = (unsigned char)(1U << bit);
            seen[n++] = fetch_hash(bytes, sizeof bytes);
        }
        bytes[i] = 0;
    }
    assert_true(n <= sizeof seen / sizeof *seen);
    for (size_t i = 0; i < n; i++) {
        assert_true(seen[i] != 0);
        for (size_t k = 0; k < i; k++)
            assert_true(seen[i] != seen[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pinned),
        cmocka_unit_test(test_every_byte_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
