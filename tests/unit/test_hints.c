/* fetch/hints: E11-E14, E16-E18, E20 as headers come. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "fetch/hints.h"
#include "http/headers.h"

#include <string.h>

#define NOW  INT64_C(1790000000)                     /* Mon, 21 Sep 2026 14:13:20 GMT */
#define DATE "Date: Mon, 21 Sep 2026 12:00:00 GMT\n" /* over two hours before our clock */
#define WEEK (7 * 86400)

/* Lines of a head, ended by a newline each. */
static struct http_response response_of(const char *head)
{
    struct http_response response = {.status = 200, .headers = headers_new()};
    g_auto(GStrv) lines = g_strsplit(head, "\n", -1);
    for (char **line = lines; *line; line++)
        headers_add_line(response.headers, *line, strlen(*line));
    return response;
}

static void test_freshness(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        int64_t fresh_for_s;
    } cases[] = {
        {"", 0},
        {"Cache-Control: max-age=7200\nAge: 600\n", 6600}, /* E11 */
        {"Cache-Control: max-age=7200\n", 7200},
        {"cache-control: public, MAX-AGE = 5 , max-age=60\n", 60},
        {"Cache-Control: max-age=\"60\"\n", 60},
        {"Cache-Control: max-age=60, max-age=7200\n", 60},
        {"Cache-Control: private\nCache-Control: max-age=60\n", 60},
        {"Cache-Control: x=\"max-age=9, no-store\", max-age=60\n", 60},
        {"Cache-Control: s-maxage=7200\n", 0},
        {"Cache-Control: max-age=7200, no-cache\n", 0}, /* E14 */
        {"Cache-Control: No-Store, max-age=7200\n", 0},
        {"Cache-Control: max-age=0\n", 0},
        {"Cache-Control: max-age=-7\n", 0},
        {"Cache-Control: max-age=\n", 0},
        {"Cache-Control: max-age=60\nAge: 7200\n", 0},
        {"Cache-Control: max-age=60\nAge: -7200\n", 60},
        {"Cache-Control: max-age=60\nAge: soon\n", 60},
        {DATE "Expires: Mon, 21 Sep 2026 14:00:00 GMT\n", 7200}, /* E13 */
        {DATE "Expires: Monday, 21-Sep-26 14:00:00 GMT\n", 7200},
        {DATE "Expires: Mon Sep 21 14:00:00 2026\n", 7200},
        {"Expires: Mon, 21 Sep 2026 15:13:20 GMT\n", 3600}, /* no Date: our clock */
        {"Date: rubbish\nExpires: Mon, 21 Sep 2026 15:13:20 GMT\n", 3600},
        {DATE "Expires: Mon, 21 Sep 2026 11:00:00 GMT\n", 0},
        {DATE "Expires: 0\n", 0},
        {DATE "Expires: -1\n", 0},
        {DATE "Expires: never\n", 0},
        {DATE "Cache-Control: max-age=60\nExpires: Mon, 21 Sep 2026 14:00:00 GMT\n", 60},
        {DATE "Cache-Control: no-cache\nExpires: Mon, 21 Sep 2026 14:00:00 GMT\n", 0},
        {DATE "Cache-Control: max-age=x\nExpires: Mon, 21 Sep 2026 14:00:00 GMT\n", 7200},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct http_response response = response_of(cases[i].head);
        int64_t fresh_for_s = hints_fresh_for_s(&response, NOW);
        if (fresh_for_s != cases[i].fresh_for_s)
            fail_msg("%s: %ld", cases[i].head, (long)fresh_for_s);
        headers_free(response.headers);
    }
}

static void test_retry_after(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        int64_t least_s, most_s;
    } cases[] = {
        {"", -1, -1},
        {"Retry-After: 5400\n", 5400, 5400},                               /* E16 */
        {DATE "Retry-After: Mon, 21 Sep 2026 13:30:00 GMT\n", 5400, 5400}, /* E17 */
        {"Retry-After: Mon, 21 Sep 2026 15:13:20 GMT\n", 3600, 3600},
        {DATE "Retry-After: Mon, 21 Sep 2026 11:00:00 GMT\n", 0, 0},
        {DATE "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\n", WEEK + 1, INT64_MAX}, /* E20 */
        {"Retry-After: 0\n", 0, 0},
        {"Retry-After: -5\n", 0, 0},
        {"Retry-After: 100000000000000000000\n", WEEK + 1, INT64_MAX},
        {"Retry-After: -100000000000000000000\n", 0, 0},
        {"Retry-After: 10^20\n", -1, -1},
        {"Retry-After: soon\n", -1, -1},
        {"Retry-After:\n", -1, -1},
        {"Retry-After: -\n", -1, -1},
        {"Retry-After: 5 minutes\n", -1, -1},
        {"Retry-After: 1e3\n", -1, -1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct http_response response = response_of(cases[i].head);
        int64_t seconds = hints_retry_after_s(&response, NOW);
        if (seconds < cases[i].least_s || seconds > cases[i].most_s)
            fail_msg("%s: %ld", cases[i].head, (long)seconds);
        headers_free(response.headers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_freshness),
        cmocka_unit_test(test_retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
