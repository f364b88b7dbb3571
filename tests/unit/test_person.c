#include "feed/person.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void test_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name, *email;
    } cases[] = {
        {"Ann Lee", "Ann Lee", NULL},
        {"ann@example.com (Ann Lee)", "Ann Lee", "ann@example.com"},
        {"Ann Lee <ann@example.com>", "Ann Lee", "ann@example.com"},
        {"Ann Lee (ann@example.com)", "Ann Lee", "ann@example.com"},
        {"\"Ann Lee\" <ann@example.com>", "Ann Lee", "ann@example.com"},
        {"ann@example.com", NULL, "ann@example.com"},
        {"ann@example.com Ann Lee", "Ann Lee", "ann@example.com"},
        {"<ann@example.com>", NULL, "ann@example.com"},
        {"mailto:ann@example.com", NULL, "ann@example.com"},
        {"Ann Lee mailto:ann@example.com", "Ann Lee", "ann@example.com"},
        {"ann.b+c@mail.example.co.uk (Ann)", "Ann", "ann.b+c@mail.example.co.uk"},
        {"ann@example.com.", NULL, "ann@example.com"},
        {"@annlee", "@annlee", NULL},
        {"Ann @ Lee", "Ann @ Lee", NULL},
        {"ann@localhost", "ann@localhost", NULL},
        {"Reporters, Inc.", "Reporters, Inc.", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct arena arena = {0};
        struct feed_author got = person_parse(&arena, cases[i].text);
        if (g_strcmp0(got.name, cases[i].name) != 0 || g_strcmp0(got.email, cases[i].email) != 0)
            fail_msg("%s: name \"%s\", address \"%s\"", cases[i].text, got.name ? got.name : "NULL",
                     got.email ? got.email : "NULL");
        assert_null(got.url);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
