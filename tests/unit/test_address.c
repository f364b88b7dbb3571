/* http/address: every form of an address that no publisher may send us to (S09). */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "http/address.h"

#include <glib.h>
#include <netinet/in.h>

static const struct {
    const char *literal;
    bool is_private;
} cases[] = {
    {"0.0.0.0", true},
    {"0.255.255.255", true},
    {"1.0.0.0", false},
    {"9.255.255.255", false},
    {"10.0.0.0", true},
    {"10.255.255.255", true},
    {"11.0.0.0", false},
    {"100.63.255.255", false},
    {"100.64.0.0", true},
    {"100.127.255.255", true},
    {"100.128.0.0", false},
    {"126.255.255.255", false},
    {"127.0.0.1", true},
    {"127.255.255.255", true},
    {"128.0.0.0", false},
    {"169.253.255.255", false},
    {"169.254.169.254", true},
    {"169.255.0.0", false},
    {"172.15.255.255", false},
    {"172.16.0.0", true},
    {"172.31.255.255", true},
    {"172.32.0.0", false},
    {"192.0.0.8", true},
    {"192.0.1.0", false},
    {"192.167.255.255", false},
    {"192.168.0.0", true},
    {"192.169.0.0", false},
    {"198.18.0.1", true},
    {"198.19.255.255", true},
    {"198.20.0.0", false},
    {"223.255.255.255", false},
    {"224.0.0.1", true},
    {"255.255.255.255", true},
    {"::", true},
    {"::1", true},
    {"::2", true}, /* carries 0.0.0.2 */
    {"::127.0.0.1", true},
    {"::ffff:127.0.0.1", true},
    {"::ffff:10.1.2.3", true},
    {"::ffff:93.184.216.34", false},
    {"::ffff:0:192.168.0.1", true},
    {"64:ff9b::10.0.0.1", true},
    {"64:ff9b::93.184.216.34", false},
    {"64:ff9b:1::1", true},
    {"100::1", true},
    {"2001:0:1:2:3:4:8080:fefe", true}, /* Teredo for 127.127.1.1 */
    {"2001:0:1:2:3:4:a247:27dd", false},
    {"2001:db8::1", true},
    {"2001:4860:4860::8888", false},
    {"2002:7f00:1::1", true},
    {"2002:5db8:d822::1", false},
    {"2606:4700::1111", false},
    {"fbff::1", false},
    {"fc00::1", true},
    {"fdff:ffff::1", true},
    {"fe00::1", false},
    {"fe80::1", true},
    {"febf::1", true},
    {"fec0::1", true},
    {"ff02::1", true},
    {"rubbish", true},
    {"", true},
};

static void test_literals(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        if (address_text_is_private(cases[i].literal) != cases[i].is_private)
            fail_msg("%s", cases[i].literal);
}

static void test_sockaddr(void **state)
{
    (void)state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr other = {.sa_family = AF_UNIX};
    assert_true(address_is_private((const struct sockaddr *)&in));
    assert_true(address_is_private((const struct sockaddr *)&in6));
    assert_true(address_is_private(&other));
    in.sin_addr.s_addr = htonl(0x08080808);
    assert_false(address_is_private((const struct sockaddr *)&in));
}

static void test_hosts(void **state)
{
    (void)state;
    static const char *const private[] = {
        "localhost", "LocalHost.", "feed.localhost", "127.0.0.1", "[::1]",          "::1",
        "0x7f.1",    "2130706433", "0177.1",         "10.1",      "[fe80::1%eth0]", "192.168.1.1",
        "0xa9fea9fe"};
    static const char *const public[] = {"example.org",
                                         "localhost.example.org",
                                         "notlocalhost",
                                         "93.184.216.34",
                                         "[2606:4700::1111]",
                                         "10.example",
                                         "",
                                         "1572395042"};
    for (size_t i = 0; i < G_N_ELEMENTS(private); i++)
        if (!address_host_is_private(private[i]))
            fail_msg("%s", private[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(public); i++)
        if (address_host_is_private(public[i]))
            fail_msg("%s", public[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literals),
        cmocka_unit_test(test_sockaddr),
        cmocka_unit_test(test_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
