#include "feed/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void expect(const char *base, const char *reference, const char *wanted)
{
    struct arena arena = {0};
    const char *got = link_resolve(&arena, base, (struct slice){reference, strlen(reference)});
    if (!wanted)
        assert_null(got);
    else if (!got || strcmp(got, wanted) != 0)
        fail_msg("%s at %s is \"%s\", wanted \"%s\"", reference, base, got ? got : "NULL", wanted);
    arena_release(&arena);
}

/* RFC 3986, 5.4: its own examples. */
static void test_rfc3986(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y#s"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g#s/../x", "http://a/b/c/g#s/../x"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        expect("http://a/b/c/d;p?q", cases[i][0], cases[i][1]);
}

static void test_as_publishers_write(void **state)
{
    (void)state;
    expect(NULL, "http://example.com/1", "http://example.com/1");
    expect(NULL, "  http://example.com/a b\n", "http://example.com/a%20b");
    expect(NULL, "http://exam\nple.com/\t1", "http://example.com/1");
    expect(NULL, "http://example.com/caf\xC3\xA9?q=\xC3\xBC",
           "http://example.com/caf%C3%A9?q=%C3%BC");
    expect(NULL, "http://example.com/%C3%A9%20x", "http://example.com/%C3%A9%20x");
    expect(NULL, "http://example.com/<\"{|}\\^`>",
           "http://example.com/%3C%22%7B%7C%7D%5C%5E%60%3E");
    expect(NULL, "HTTP://Example.com/../x", "HTTP://Example.com/../x");
    expect(NULL, "/relative", "/relative");
    expect("not absolute", "/relative", "/relative");
    expect("http://example.com", "a", "http://example.com/a");
    expect("http://example.com?q", "a", "http://example.com/a");
    expect("http://example.com/feed.xml", "", NULL);
    expect(NULL, " \n", NULL);
    expect(NULL, "\x01", NULL);
    expect("https://example.com/f", "//cdn.example.com/x", "https://cdn.example.com/x");
    expect("http://example.com/", "mailto:ann@example.com", "mailto:ann@example.com");
    expect("http://example.com/", "javascript:alert(1)", "javascript:alert(1)");
    expect("http://example.com/x", "\x1B[31m\x7F", "http://example.com/[31m");
}

static void test_limit(void **state)
{
    (void)state;
    struct arena arena = {0};
    g_autofree char *path = g_strnfill(LINK_BYTES_MAX, 'x');
    assert_non_null(link_resolve(&arena, NULL, (struct slice){path, LINK_BYTES_MAX}));
    g_autofree char *longer = g_strnfill(LINK_BYTES_MAX + 1, 'x');
    assert_null(link_resolve(&arena, NULL, (struct slice){longer, LINK_BYTES_MAX + 1}));
    arena_release(&arena);
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *link;
        bool is_absolute, is_web;
    } cases[] = {
        {"http://example.com", true, true},
        {"HTTPS://x", true, true},
        {"http://", true, false},
        {"http:///x", true, false},
        {"http://?x", true, false},
        {"ftp://x/", true, false},
        {"urn:uuid:1", true, false},
        {"tag:x,2026:1", true, false},
        {"/x", false, false},
        {"x", false, false},
        {"", false, false},
        {":x", false, false},
        {"1a:b", false, false},
        {"a b:c", false, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct slice link = {cases[i].link, strlen(cases[i].link)};
        assert_int_equal(link_is_absolute(link), cases[i].is_absolute);
        assert_int_equal(link_is_web(link), cases[i].is_web);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc3986),
        cmocka_unit_test(test_as_publishers_write),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
