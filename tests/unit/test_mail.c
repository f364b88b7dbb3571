#include "text/mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name, *address;
    } cases[] = {
        {"ann@example.org", NULL, "ann@example.org"},
        {"root@localhost", NULL, "root@localhost"},
        {" Ann Lee <ann.lee+news@mail.example.org> ", "Ann Lee", "ann.lee+news@mail.example.org"},
        {"\"Lee, Ann\" <ann@x.org>", "Lee, Ann", "ann@x.org"},
        {"Анна <anna@x.org>", "Анна", "anna@x.org"},
        {"<ann@x.org>", NULL, "ann@x.org"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct mail_address got;
        if (!mail_address_parse(cases[i].text, &got))
            fail_msg("refused: %s", cases[i].text);
        assert_string_equal(got.address, cases[i].address);
        assert_int_equal(g_strcmp0(got.name, cases[i].name), 0);
        mail_address_clear(&got);
    }
}

/* What could become a second command or header, or is no address. */
static void test_refused_addresses(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "ann",
        "@x.org",
        "ann@",
        "ann@x..org",
        "ann.@x.org",
        "a@b@c",
        "ann@x.org\r\nRCPT TO:<b@x.org>",
        "ann@x.org> SIZE=1",
        "a b@x.org",
        "<ann@x.org",
        "Ann <ann@x.org> x",
        "Ann\r\nBcc: <ann@x.org>",
        "A<b>c <ann@x.org>",
        "анна@x.org",
        "ann@-x.org",
        "\"a b\"@x.org",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@x.org",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct mail_address got = {NULL, NULL};
        if (mail_address_parse(texts[i], &got))
            fail_msg("accepted: %s", texts[i]);
        assert_null(got.address);
    }
}

static void test_servers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host;
        unsigned port;
        enum mail_security security;
    } cases[] = {
        {"mail.example.org", "mail.example.org", 587, MAIL_STARTTLS},
        {"mail.example.org:25", "mail.example.org", 25, MAIL_STARTTLS},
        {"smtp://mail.example.org", "mail.example.org", 587, MAIL_STARTTLS},
        {"SMTPS://mail.example.org", "mail.example.org", 465, MAIL_TLS},
        {"smtps://[2001:db8::1]:4650", "2001:db8::1", 4650, MAIL_TLS},
        {"localhost", "localhost", 25, MAIL_PLAIN},
        {"127.0.0.1:2525", "127.0.0.1", 2525, MAIL_PLAIN},
        {"[::1]", "::1", 25, MAIL_PLAIN},
        {"smtp://localhost", "localhost", 587, MAIL_STARTTLS},
        {"127.example.org", "127.example.org", 587, MAIL_STARTTLS},
        {"localhost.example.org", "localhost.example.org", 587, MAIL_STARTTLS},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct mail_server got;
        if (!mail_server_parse(cases[i].text, &got))
            fail_msg("refused: %s", cases[i].text);
        assert_string_equal(got.host, cases[i].host);
        assert_int_equal(got.port, cases[i].port);
        assert_int_equal(got.security, cases[i].security);
        mail_server_clear(&got);
    }
    static const char *const refused[] = {"",         "h:0",   "h:65536", "h:",      "h:25x",
                                          "imap://h", "u:p@h", "h/path",  "smtp://", "[::1",
                                          "[h]",      "a b",   "h\r\n",   "::1",     "http://h"};
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        struct mail_server got = {0};
        if (mail_server_parse(refused[i], &got))
            fail_msg("accepted: %s", refused[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_refused_addresses),
        cmocka_unit_test(test_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
