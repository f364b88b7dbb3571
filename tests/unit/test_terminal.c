#include "alert/terminal.h"

#include "store/alert_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static char *text(const char *literal)
{
    return (char *)(uintptr_t)literal;
}

static struct store_alert sample(void)
{
    return (struct store_alert){
        .id = text("01KB3M7ZQ8W9T5V2X4Y6N8P0RA"),
        .kind = text("alert"),
        .rule = text("russia-cuba"),
        .urgency = text("normal"),
        .feed = text("granma"),
        .feed_title = text("Granma"),
        .title = text("Moscow calls Havana | twice"),
        .link = text("https://example.org/a?b=1"),
        .matched_json = text("[{\"field\":\"title\",\"start\":13,\"end\":19,\"text\":\"Havana\"},"
                             "{\"field\":\"title\",\"start\":0,\"end\":6,\"text\":\"Moscow\"},"
                             "{\"field\":\"content\",\"start\":7,\"end\":12,\"text\":\"calls\"}]"),
        .matched_text = text("russia: Moscow; cuba: Havana"),
        .time_ms = INT64_C(1795435200123),
        .published_s = FEED_TIME_NONE,
    };
}

/* Without SGR and OSC 8; fails on any other escape, and on one that is not closed. */
static char *without_escapes(const char *line)
{
    GString *out = g_string_new(NULL);
    bool is_coloured = false, is_linked = false;
    for (const char *p = line; *p; p++) {
        if (*p != '\033') {
            assert_true((unsigned char)*p >= 0x20 || (*p == '\n' && !p[1]));
            g_string_append_c(out, *p);
        } else if (p[1] == '[') {
            size_t size = strspn(p + 2, "0123456789;");
            assert_int_equal(p[2 + size], 'm');
            is_coloured = strncmp(p, "\033[0m", 4) != 0;
            p += 2 + size;
        } else {
            assert_true(g_str_has_prefix(p, "\033]8;"));
            const char *end = strstr(p, "\033\\");
            assert_non_null(end);
            for (const char *q = p + 1; q < end; q++)
                assert_true(g_ascii_isgraph(*q));
            is_linked = strncmp(p, "\033]8;;\033", 6) != 0;
            p = end + 1;
        }
    }
    assert_false(is_coloured || is_linked);
    return g_string_free(out, FALSE);
}

static void expect_log_line(const struct store_alert *alert)
{
    g_autofree char *coloured = terminal_line(alert);
    g_autofree char *plain = without_escapes(coloured);
    g_autofree char *line = alert_line_render(alert, STORE_LOG_TEXT);
    assert_string_equal(plain, line);
}

static void test_words_and_link(void **state)
{
    (void)state;
    struct store_alert alert = sample();
    g_autofree char *line = terminal_line(&alert);
    assert_non_null(strstr(line,
                           "\033]8;id=01KB3M7ZQ8W9T5V2X4Y6N8P0RA;https://example.org/a?b=1\033\\"
                           "\033[1;33mMoscow\033[0m calls \033[1;33mHavana\033[0m \xC2\xA6 "
                           "twice\033]8;;\033\\"));
    assert_non_null(strstr(line, "\033[1;36m[russia-cuba]"));
    expect_log_line(&alert);
    alert.urgency = text("critical");
    g_autofree char *critical = terminal_line(&alert);
    assert_non_null(strstr(critical, "\033[1;31m[russia-cuba]"));
}

static void test_kinds(void **state)
{
    (void)state;
    static const char *const kinds[] = {"health", "gap", "test", "story", "alert"};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        struct store_alert alert = sample();
        alert.kind = text(kinds[i]);
        expect_log_line(&alert);
        alert.rule = alert.link = alert.title = alert.feed_title = alert.matched_text = NULL;
        expect_log_line(&alert);
    }
}

/* Whatever a feed says, the only escapes are ours. */
static void test_hostile_values(void **state)
{
    (void)state;
    static const char *const values[] = {
        "\033[31mred",
        "\033]8;;https://evil.example/\033\\x\033]8;;\033\\",
        "\033]52;c;eA==\007",
        "\xc2\x9b"
        "31m \xc2\x9d"
        "8;;x\xc2\x9c",
        "a\nb\rc\x7f",
        "| a | b |",
        "\xe2\x80\xae"
        "abc",
        "https://h/\033\\x\007 y\xc2\x9c|",
        "javascript:alert(1)",
        "https://u:p@h/",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        struct store_alert alert = sample();
        alert.title = alert.link = alert.feed_title = alert.matched_text = text(values[i]);
        expect_log_line(&alert);
    }
}

/* Places that do not fit the title are ignored. */
static void test_odd_places(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "",
        "{}",
        "[1,null,[]]",
        "[{\"field\":\"title\",\"start\":-1,\"end\":6,\"text\":\"Moscow\"}]",
        "[{\"field\":\"title\",\"start\":0,\"end\":600,\"text\":\"Moscow\"}]",
        "[{\"field\":\"title\",\"start\":3,\"end\":9,\"text\":\"Moscow\"}]",
        "[{\"field\":\"title\",\"start\":6,\"end\":0,\"text\":\"Moscow\"}]",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        struct store_alert alert = sample();
        alert.matched_json = text(lists[i]);
        g_autofree char *line = terminal_line(&alert);
        assert_null(strstr(line, "\033[1;33m"));
        expect_log_line(&alert);
    }
    struct store_alert alert = sample();
    alert.matched_json =
        text("[{\"field\":\"title\",\"start\":0,\"end\":12,\"text\":\"Moscow calls\"},"
             "{\"field\":\"title\",\"start\":7,\"end\":12,\"text\":\"calls\"},"
             "{\"field\":\"title\",\"start\":7,\"end\":19,\"text\":\"calls Havana\"}]");
    g_autofree char *line = terminal_line(&alert);
    assert_non_null(
        strstr(line, "\033[1;33mMoscow calls\033[0m\033[1;33m Havana\033[0m \xC2\xA6 twice"));
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
        cmocka_unit_test(test_words_and_link),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_hostile_values),
        cmocka_unit_test(test_odd_places),
    };
    return cmocka_run_group_tests(tests, set_zone, NULL);
}
