#include "alert/mail_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define TIME_MS INT64_C(1795435200123) /* Monday 2026-11-23 12:00:00 UTC */

static char *text(const char *literal)
{
    return (char *)(uintptr_t)literal;
}

static struct store_alert sample(const char *id, const char *title)
{
    return (struct store_alert){
        .id = text(id),
        .kind = text("alert"),
        .rule = text("russia-cuba"),
        .urgency = text("normal"),
        .feed_title = text("Granma"),
        .title = text(title),
        .link = text("https://example.org/a"),
        .summary = text("The text."),
        .matched_text = text("cuba: Havana"),
        .time_ms = TIME_MS,
    };
}

static char *message_of(struct store_alert *alerts, guint n)
{
    static const char *const to[] = {"ann@x.org", NULL};
    const struct mail_envelope envelope = {{NULL, text("bot@x.org")}, to};
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(list, &alerts[i]);
    return g_string_free(mail_message(&envelope, list, 0, n), FALSE);
}

static void test_one(void **state)
{
    (void)state;
    struct store_alert alert = sample("01A", "Minister in Havana");
    g_autofree char *got = message_of(&alert, 1);
    assert_string_equal(got, "Date: Mon, 23 Nov 2026 12:00:00 +0000\r\n"
                             "From: feedwatch <bot@x.org>\r\n"
                             "To: ann@x.org\r\n"
                             "Subject: [russia-cuba] Minister in Havana\r\n"
                             "Message-ID: <01A@x.org>\r\n"
                             "Importance: normal\r\n"
                             "Auto-Submitted: auto-generated\r\n"
                             "X-Feedwatch-Rule: russia-cuba\r\n"
                             "MIME-Version: 1.0\r\n"
                             "Content-Type: text/plain; charset=utf-8\r\n"
                             "Content-Transfer-Encoding: quoted-printable\r\n"
                             "\r\n"
                             "Minister in Havana\r\n"
                             "https://example.org/a\r\n"
                             "\r\n"
                             "Feed:    Granma\r\n"
                             "Rule:    russia-cuba\r\n"
                             "Matched: cuba: Havana\r\n"
                             "Time:    2026-11-23T12:00:00+00:00\r\n"
                             "Alert:   01A\r\n"
                             "\r\n"
                             "The text.\r\n");
}

static void test_digest(void **state)
{
    (void)state;
    struct store_alert alerts[] = {sample("01A", "First"), sample("01B", "Second"),
                                   sample("01C", "Third")};
    alerts[1].urgency = text("critical");
    g_autofree char *got = message_of(alerts, 3);
    assert_non_null(strstr(got, "\r\nSubject: 3 alerts: First, ...\r\n"));
    assert_non_null(strstr(got, "\r\nMessage-ID: <01A.01C.3@x.org>\r\n"));
    assert_non_null(strstr(got, "\r\nImportance: high\r\n"));
    const char *first = strstr(got, "Alert:   01A"), *second = strstr(got, "Alert:   01B");
    assert_true(first && second && first < second && strstr(second, "Alert:   01C"));
}

/* No value of an alert makes a header, or ends the headers. */
static void test_no_injection(void **state)
{
    (void)state;
    static const char evil[] = "x\r\nBcc: evil@x.org\r\n\r\n.\r\nMAIL FROM:<e@x.org>\r\n";
    struct store_alert alert = sample("01A", evil);
    alert.summary = alert.link = alert.matched_text = alert.feed_title = alert.title;
    alert.rule = text(evil);
    alert.kind = text(evil);
    g_autofree char *got = message_of(&alert, 1);
    assert_null(strstr(got, "\nBcc:"));
    assert_null(strstr(got, "\nMAIL"));
    assert_null(strstr(got, "\n."));
    char *body = strstr(got, "\r\n\r\n");
    *body = '\0';
    g_auto(GStrv) lines = g_strsplit(got, "\r\n", -1);
    guint headers = 0;
    for (char **line = lines; *line; line++)
        headers += **line != ' ';
    assert_int_equal(headers, 11);
}

static void test_missing_values(void **state)
{
    (void)state;
    struct store_alert alert = {.id = text("01A"),
                                .kind = text("health"),
                                .time_ms = TIME_MS,
                                .title = text("Granma cannot be read")};
    g_autofree char *got = message_of(&alert, 1);
    assert_non_null(strstr(got, "\r\nSubject: [health] Granma cannot be read\r\n"));
    assert_null(strstr(got, "Feed:"));
    assert_null(strstr(got, "(null)"));
}

static int set_zone(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_no_injection),
        cmocka_unit_test(test_missing_values),
    };
    return cmocka_run_group_tests(tests, set_zone, NULL);
}
