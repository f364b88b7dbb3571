/* http/date: the three forms of RFC 9110, near misses, and what is no date. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "http/date.h"

#include <glib.h>

static void test_dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_date;
        int64_t seconds;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", true, 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", true, 784111777},
        {"Sun Nov  6 08:49:37 1994", true, 784111777},
        {"Thu, 1 Jan 2026 0:00:00 +0000", true, 1767225600},
        {"Thu, 01 Jan 2026 02:00:00 +0200", true, 1767225600},
        {"Thu, 01 Jan 1970 00:00:00 GMT", true, 0},
        {"Fri, 31 Dec 9999 23:59:59 GMT", true, 253402300799},
        {"0", false, 0},
        {"-1", false, 0},
        {"", false, 0},
        {"soon", false, 0},
        {"tomorrow", false, 0},
        {"5 minutes", false, 0},
        {"Sun, 99 Nov 1994 08:49:37 GMT", false, 0},
        {"Sun, 06 Nov 1994 08:49:37 GMT                                        x", false, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t seconds = 42;
        bool is_date = http_date_parse(cases[i].text, &seconds);
        if (is_date != cases[i].is_date || seconds != (is_date ? cases[i].seconds : 42))
            fail_msg("%s: %d, %ld", cases[i].text, is_date, (long)seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
