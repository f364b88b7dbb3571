/* fetch/url: what is sent, to whom it belongs, where a redirect leads. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "fetch/fetch.h"
#include "fetch/url.h"

#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 400
#define RACERS   4

static gpointer parse_one(gpointer data)
{
    gint *waiting = data;
    struct fetch_url url = {0};
    g_atomic_int_add(waiting, -1);
    while (g_atomic_int_get(waiting) > 0)
        ;
    bool fine = fetch_url_parse("http://127.0.1.1:8080/x", &url, NULL);
    fetch_url_clear(&url);
    return GINT_TO_POINTER(fine);
}

/* What a C library sets up at first use is set up anew in each child, by whoever comes first. */
static void test_first_numbers_at_once(void **state)
{
    (void)state;
    int wrong = 0;
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            GThread *threads[RACERS];
            gint waiting = RACERS, n_fine = 0;
            for (int k = 0; k < RACERS; k++)
                threads[k] = g_thread_new("racer", parse_one, &waiting);
            for (int k = 0; k < RACERS; k++)
                n_fine += GPOINTER_TO_INT(g_thread_join(threads[k]));
            _exit(n_fine != RACERS);
        }
        int status = 0;
        waitpid(child, &status, 0);
        wrong += status != 0;
    }
    assert_int_equal(wrong, 0);
}

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *given, *text, *origin, *host, *userinfo;
    } cases[] = {
        {"http://example.org/feed", "http://example.org/feed", "http://example.org:80",
         "example.org", NULL},
        {"HTTPS://Example.ORG:443/a%7eb?q=%C3%a9#f", "https://example.org/a%7eb?q=%C3%a9",
         "https://example.org:443", "example.org", NULL},
        {"https://h:8443", "https://h:8443/", "https://h:8443", "h", NULL},
        {"https://h:/x", "https://h/x", "https://h:443", "h", NULL},
        {"http://h?a=b", "http://h/?a=b", "http://h:80", "h", NULL},
        {"http://h/a/../b//c?d[]=e|f&g='h'", "http://h/a/../b//c?d[]=e|f&g='h'", "http://h:80", "h",
         NULL},
        {"http://us%40er:p%3ass@h/x", "http://h/x", "http://h:80", "h", "us@er:p:ss"},
        {"http://good.example@evil.example/", "http://evil.example/", "http://evil.example:80",
         "evil.example", "good.example"},
        {"http://a@b@h/x@y", "http://h/x@y", "http://h:80", "h", "a@b"},
        {"http://[::1]:8080/x", "http://[::1]:8080/x", "http://[::1]:8080", "::1", NULL},
        {"http://[2001:DB8::1]/", "http://[2001:db8::1]/", "http://[2001:db8::1]:80", "2001:db8::1",
         NULL},
        {"https://m\xc3\xbcnchen.example/\xc3\xb1 x", "https://xn--mnchen-3ya.example/%C3%B1%20x",
         "https://xn--mnchen-3ya.example:443", "xn--mnchen-3ya.example", NULL},
        {"http://my_host.example/", "http://my_host.example/", "http://my_host.example:80",
         "my_host.example", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct fetch_url url = {0};
        assert_true(fetch_url_parse(cases[i].given, &url, NULL));
        assert_string_equal(url.text, cases[i].text);
        assert_string_equal(url.origin, cases[i].origin);
        assert_string_equal(url.host, cases[i].host);
        if (g_strcmp0(url.userinfo, cases[i].userinfo) != 0)
            fail_msg("%s: %s", cases[i].given, url.userinfo);
        fetch_url_clear(&url);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "/feed",
                                      "ftp://h/",
                                      "file:///etc/passwd",
                                      "javascript:x",
                                      "http:/h/x",
                                      "http://",
                                      "http:///x",
                                      "http://h:99999/",
                                      "http://h:0/",
                                      "http://h:x/",
                                      "http://[::1/",
                                      "http://[::1%eth0]/",
                                      "http://a b/",
                                      "http://h\\@evil/",
                                      "http://h/\r\nX: y",
                                      "http://h/\x01",
                                      "http://%zz@h/",
                                      "http://h\xff/",
                                      "http://h;x/"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct fetch_url url = {0};
        g_autoptr(GError) error = NULL;
        if (fetch_url_parse(bad[i], &url, &error))
            fail_msg("%s", bad[i]);
        assert_true(g_error_matches(error, FETCH_ERROR, FETCH_ERROR_URL));
    }
    g_autofree char *tail = g_strnfill(9000, 'x');
    g_autofree char *longest = g_strconcat("http://h/", tail, NULL);
    struct fetch_url url = {0};
    assert_false(fetch_url_parse(longest, &url, NULL));
}

static void test_resolve(void **state)
{
    (void)state;
    static const struct {
        const char *location, *text; /* NULL: refused */
    } cases[] = {
        {"https://other.example/feed", "https://other.example/feed"},
        {"//other.example/feed", "https://other.example/feed"},
        {"/new?x=y", "https://h:444/new?x=y"},
        {"new", "https://h:444/a/new"},
        {"../new", "https://h:444/new"},
        {"?x", "https://h:444/a/b?x"},
        {"/with blank", "https://h:444/with%20blank"},
        {"http://us:pw@h/x", "http://h/x"},
        {"ftp://h/", NULL},
        {"file:///etc/passwd", NULL},
        {"gopher://h/", NULL},
        {"dict://h/", NULL},
        {"smb://h/", NULL},
        {"javascript:alert(1)", NULL},
        {"data:text/xml,<rss/>", NULL},
        {"http://", NULL},
    };
    struct fetch_url base = {0};
    assert_true(fetch_url_parse("https://us:pw@h:444/a/b?c#d", &base, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct fetch_url url = {0};
        bool is_resolved = fetch_url_resolve(&base, cases[i].location, &url, NULL);
        if (g_strcmp0(is_resolved ? url.text : NULL, cases[i].text) != 0)
            fail_msg("%s: %s", cases[i].location, url.text);
        assert_null(url.userinfo);
        fetch_url_clear(&url);
    }
    fetch_url_clear(&base);
}

static void test_same_site(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        bool is_same;
    } cases[] = {
        {"http://h/a", "http://h/b", true},        {"http://h/a", "https://h/a", true},
        {"https://h/a", "http://h/a", false},      {"http://h/a", "http://i/a", false},
        {"http://h/a", "http://h:8080/a", false},  {"http://h:81/a", "https://h/a", false},
        {"http://h/a", "https://h:8443/a", false}, {"http://H/a", "http://h:80/a", true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct fetch_url from = {0}, to = {0};
        assert_true(fetch_url_parse(cases[i].from, &from, NULL));
        assert_true(fetch_url_parse(cases[i].to, &to, NULL));
        assert_int_equal(fetch_url_is_same_site(&from, &to), cases[i].is_same);
        fetch_url_clear(&from);
        fetch_url_clear(&to);
    }
}

static void test_shown(void **state)
{
    (void)state;
    static const struct {
        const char *url, *shown;
    } cases[] = {
        {"https://user:secret@h/x", "https://***@h/x"},
        {"https://h/x@y", "https://h/x@y"},
        {"https://a@b:secret@h?q", "https://***@h?q"},
        {"user:secret@h/x", "***@h/x"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *shown = fetch_url_shown(cases[i].url);
        assert_string_equal(shown, cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_numbers_at_once),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_resolve),
        cmocka_unit_test(test_same_site),
        cmocka_unit_test(test_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
