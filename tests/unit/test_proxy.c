/* http/proxy: the standard variables. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "http/proxy.h"

#include <glib.h>

static void test_choice(void **state)
{
    (void)state;
    char http[] = "http://p:1", https[] = "http://p:2";
    char list[] = "example.org, .sub.example.net 10.0.0.0/8,fe80::/10,192.0.2.1";
    const struct proxy_environment environment = {.http = http, .https = https, .none = list};
    static const struct {
        const char *host;
        bool is_https;
        const char *proxy;
    } cases[] = {
        {"example.com", false, "http://p:1"},
        {"example.com", true, "http://p:2"},
        {"example.org", true, NULL},
        {"WWW.Example.ORG", false, NULL},
        {"notexample.org", false, "http://p:1"},
        {"sub.example.net", false, NULL},
        {"a.sub.example.net", false, NULL},
        {"example.net", false, "http://p:1"},
        {"10.1.2.3", false, NULL},
        {"11.1.2.3", false, "http://p:1"},
        {"192.0.2.1", false, NULL},
        {"fe80::1", false, NULL},
        {"fe00::1", false, "http://p:1"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *proxy = proxy_for(&environment, cases[i].is_https, cases[i].host);
        if (g_strcmp0(proxy, cases[i].proxy) != 0)
            fail_msg("%s: %s", cases[i].host, proxy);
    }
}

static void test_all_exempt(void **state)
{
    (void)state;
    char http[] = "http://p:1", list[] = "*";
    const struct proxy_environment environment = {.http = http, .none = list};
    assert_null(proxy_for(&environment, false, "example.com"));
    const struct proxy_environment open = {.http = http};
    assert_string_equal(proxy_for(&open, false, "example.com"), http);
    assert_null(proxy_for(&open, true, "example.com"));
}

/* HTTP_PROXY is what a CGI program gets for the request header "Proxy:". */
static void test_variables(void **state)
{
    (void)state;
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy",
                                        "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_unsetenv(names[i]);
    g_setenv("HTTP_PROXY", "http://evil", TRUE);
    g_setenv("HTTPS_PROXY", "http://s", TRUE);
    g_setenv("NO_PROXY", "n", TRUE);
    struct proxy_environment environment;
    proxy_environment_read(&environment);
    assert_null(environment.http);
    assert_string_equal(environment.https, "http://s");
    assert_string_equal(environment.none, "n");
    proxy_environment_clear(&environment);
    g_setenv("all_proxy", "socks5h://t", TRUE);
    proxy_environment_read(&environment);
    assert_string_equal(environment.http, "socks5h://t");
    proxy_environment_clear(&environment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_all_exempt),
        cmocka_unit_test(test_variables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
