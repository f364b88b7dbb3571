/* One alert is one line: formats, hostile values, and what is shortened when it is too long. */
#include "base/json.h"
#include "store/alert_line.h"
#include "text/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define ID   "01KB3M7ZQ8W9T5V2X4Y6N8P0RA"
#define TIME "2026-11-23T19:40:22+01:00"
#define OPEN \
    "{\"time\":\"" TIME "\",\"kind\":\"alert\",\"rule\":\"r\",\"urgency\":\"low\",\"feed\":"
#define MANY 20000

static char *text(const char *literal)
{
    return (char *)(uintptr_t)literal;
}

static struct store_alert simple(void)
{
    return (struct store_alert){
        .id = text(ID),
        .kind = text("alert"),
        .rule = text("russia-cuba"),
        .urgency = text("critical"),
        .feed = text("granma"),
        .feed_title = text("Granma"),
        .title = text("Minister from Moscow received in Havana"),
        .link = text("https://en.granma.cu/1"),
        .matched_text = text("russia: Moscow; cuba: Havana"),
        .matched_json = text("[{\"term\":\"Moscow\",\"list\":\"russia\",\"start\":14}]"),
        .time_ms = INT64_C(1795459222999),
        .published_s = INT64_C(1795459200),
        .first_seen_s = INT64_C(1795459222),
    };
}

static void test_formats(void **state)
{
    (void)state;
    const struct store_alert alert = simple();
    g_autofree char *plain = alert_line_render(&alert, STORE_LOG_TEXT);
    assert_string_equal(plain, TIME " [russia-cuba] Minister from Moscow received in Havana | "
                                    "Granma | https://en.granma.cu/1 | russia: Moscow; cuba: "
                                    "Havana | id=" ID "\n");
    g_autofree char *logfmt = alert_line_render(&alert, STORE_LOG_LOGFMT);
    assert_string_equal(
        logfmt, "time=" TIME " kind=alert rule=russia-cuba urgency=critical feed=granma "
                "title=\"Minister from Moscow received in Havana\" link=https://en.granma.cu/1 "
                "published=2026-11-23T19:40:00+01:00 matched=\"russia: Moscow; cuba: Havana\" "
                "id=" ID "\n");
    g_autofree char *json = alert_line_render(&alert, STORE_LOG_JSON);
    assert_string_equal(
        json, "{\"time\":\"" TIME "\",\"kind\":\"alert\",\"rule\":\"russia-cuba\","
              "\"urgency\":\"critical\",\"feed\":\"granma\","
              "\"title\":\"Minister from Moscow received in Havana\","
              "\"link\":\"https://en.granma.cu/1\",\"published\":\"2026-11-23T19:40:00+01:00\","
              "\"matched\":[{\"term\":\"Moscow\",\"list\":\"russia\",\"start\":14}],\"id\":\"" ID
              "\"}\n");
}

static void test_missing_values(void **state)
{
    (void)state;
    const struct store_alert alert = {
        .id = text(ID), .time_ms = INT64_C(1795459222000), .published_s = FEED_TIME_NONE};
    g_autofree char *plain = alert_line_render(&alert, STORE_LOG_TEXT);
    assert_string_equal(plain, TIME " [-] - | - | - | - | id=" ID "\n");
    g_autofree char *logfmt = alert_line_render(&alert, STORE_LOG_LOGFMT);
    assert_string_equal(logfmt, "time=" TIME " kind=alert rule=- urgency=- feed=- title=- link=- "
                                "published=- matched=- id=" ID "\n");
    g_autofree char *json = alert_line_render(&alert, STORE_LOG_JSON);
    assert_string_equal(json, "{\"time\":\"" TIME "\",\"kind\":\"alert\",\"rule\":null,"
                              "\"urgency\":null,\"feed\":null,\"title\":null,\"link\":null,"
                              "\"published\":null,\"matched\":[],\"id\":\"" ID "\"}\n");
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *mark;
    } cases[] = {
        {"alert", " [r] t"},      {"health", " [!health] t"}, {"gap", " [!gap] t"},
        {"surge", " [!surge] t"}, {"story", " [=r] t"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct store_alert alert = simple();
        alert.kind = text(cases[i].kind);
        alert.rule = text("r");
        alert.title = text("t");
        g_autofree char *plain = alert_line_render(&alert, STORE_LOG_TEXT);
        assert_non_null(strstr(plain, cases[i].mark));
        g_autofree char *logfmt = alert_line_render(&alert, STORE_LOG_LOGFMT);
        g_autofree char *pair = g_strdup_printf(" kind=%s ", cases[i].kind);
        assert_non_null(strstr(logfmt, pair));
    }
}

/* What a title of a feed becomes, S13 to S15 and the separators of the text format. */
static void test_titles(void **state)
{
    (void)state;
    static const struct {
        const char *title, *shown;
    } cases[] = {
        {"a | b", "a \xC2\xA6 b"},
        {"a | | b", "a \xC2\xA6 \xC2\xA6 b"},
        {"| a |", "\xC2\xA6 a \xC2\xA6"},
        {"a|b", "a|b"},
        {"a |b| c", "a |b| c"},
        {"|", "\xC2\xA6"},
        {"x | id=01KB3M7ZQ8W9T5V2X4Y6N8P0RB", "x \xC2\xA6 id=01KB3M7ZQ8W9T5V2X4Y6N8P0RB"},
        {"a\nb", "a b"},
        {"a\r\n2026-11-23T19:40:22+01:00 [x] forged", "a 2026-11-23T19:40:22+01:00 [x] forged"},
        {"a\xC2\x85"
         "b\xE2\x80\xA8"
         "c\xE2\x80\xA9"
         "d\x0B"
         "e\x0C"
         "f",
         "a b c d e f"},
        {"a\x1B[31mred\x07", "a[31mred"},
        {"a\xC2\x9B"
         "31m\xC2\x9D",
         "a31m"},
        {"a\x1B]8;;https://evil\x1B\\b", "a]8;;https://evil\\b"},
        {"a\x08\x7F"
         "b",
         "ab"},
        {"\xE2\x80\xAE"
         "gpj.exe\xE2\x81\xA6",
         "gpj.exe"},
        {"a\xE2\x80\x8B"
         "b\xEF\xBB\xBF",
         "ab"},
        {"\xF3\xA0\x81\xA1"
         "a",
         "a"},
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {" \t \n", "-"},
        {"%s%n", "%s%n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct store_alert alert = simple();
        alert.title = text(cases[i].title);
        g_autofree char *line = alert_line_render(&alert, STORE_LOG_TEXT);
        g_autofree char *wanted = g_strdup_printf(" [russia-cuba] %s | Granma | ", cases[i].shown);
        if (!strstr(line, wanted))
            print_error("case %zu: %s lacks %s\n", i, line, wanted);
        assert_non_null(strstr(line, wanted));
    }
}

static void test_logfmt_quotes(void **state)
{
    (void)state;
    struct store_alert alert = simple();
    alert.title = text("say \"no\" \\ a=b");
    alert.link = text("https://e/?a=b");
    alert.feed = text("a b");
    g_autofree char *line = alert_line_render(&alert, STORE_LOG_LOGFMT);
    assert_non_null(strstr(line, " title=\"say \\\"no\\\" \\\\ a=b\" "));
    assert_non_null(strstr(line, " link=\"https://e/?a=b\" "));
    assert_non_null(strstr(line, " feed=\"a b\" "));
}

/* ---- too long ---- */

static void assert_is_line(const char *line)
{
    size_t size = strlen(line);
    assert_true(size <= ALERT_LINE_MAX);
    assert_int_equal(line[size - 1], '\n');
    assert_ptr_equal(memchr(line, '\n', size), line + size - 1);
    assert_true(utf8_is_valid(line, size));
    const char *id = alert_line_find_id(line, size - 1);
    assert_non_null(id);
    assert_memory_equal(id, ID, strlen(ID));
}

static char *repeat(const char *piece, size_t size)
{
    GString *out = g_string_new(NULL);
    while (out->len < size)
        g_string_append(out, piece);
    return g_string_free(out, FALSE);
}

static const enum store_log_format formats[] = {STORE_LOG_TEXT, STORE_LOG_LOGFMT, STORE_LOG_JSON};

/* Every field, long by itself and all at once, of pieces that grow when they are escaped. */
static void test_long_values_fit(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a",    "\"\\",     "\xD0\x96", "\xF0\x9F\x9A\x80",
                                         "a | ", "e\xCC\x81"};
    for (size_t p = 0; p < G_N_ELEMENTS(pieces); p++) {
        g_autofree char *value = repeat(pieces[p], MANY);
        for (unsigned fields = 1; fields < 32; fields++) {
            struct store_alert alert = simple();
            alert.title = fields & 1 ? value : alert.title;
            alert.feed = alert.feed_title = fields & 2 ? value : alert.feed;
            alert.link = fields & 4 ? value : alert.link;
            alert.matched_text = fields & 8 ? value : alert.matched_text;
            alert.rule = fields & 16 ? value : alert.rule;
            for (size_t f = 0; f < G_N_ELEMENTS(formats); f++) {
                g_autofree char *line = alert_line_render(&alert, formats[f]);
                assert_is_line(line);
            }
        }
    }
}

/* matched goes before title, title before feed, feed before link. */
static void test_order_of_shortening(void **state)
{
    (void)state;
    g_autofree char *title = repeat("t", 2000), *matched = repeat("m", 2000),
                    *link = repeat("l", 2000), *feed = repeat("f", 2000);
    struct store_alert alert = simple();
    alert.title = title;
    alert.link = link;
    alert.matched_text = matched;
    g_autofree char *first = alert_line_render(&alert, STORE_LOG_TEXT);
    assert_is_line(first);
    assert_non_null(strstr(first, title));
    assert_non_null(strstr(first, link));
    assert_null(strstr(first, matched));
    assert_non_null(strstr(first, "\xE2\x80\xA6 | id="));
    alert.feed_title = feed;
    g_autofree char *second = alert_line_render(&alert, STORE_LOG_TEXT);
    assert_is_line(second);
    assert_null(strstr(second, title));
    assert_non_null(strstr(second, "ttt\xE2\x80\xA6 | "));
    assert_non_null(strstr(second, link));
    assert_non_null(strstr(second, "| \xE2\x80\xA6 | id="));
    assert_int_equal(strlen(second), ALERT_LINE_MAX);
}

static void test_json_drops_matches_from_the_end(void **state)
{
    (void)state;
    g_autoptr(GString) list = g_string_new("[");
    for (int i = 0; i < 5000; i++)
        g_string_append_printf(list, "%s{\"term\":\"t%d\"}", i ? "," : "", i);
    g_string_append_c(list, ']');
    struct store_alert alert = simple();
    alert.matched_json = list->str;
    g_autofree char *line = alert_line_render(&alert, STORE_LOG_JSON);
    assert_is_line(line);
    assert_true(strlen(line) > ALERT_LINE_MAX - 100);
    json_t *object = json_loads(line, 0, NULL);
    json_t *matched = json_object_get(object, "matched");
    assert_true(json_array_size(matched) > 100);
    assert_string_equal(json_string_value(json_object_get(json_array_get(matched, 99), "term")),
                        "t99");
    assert_string_equal(json_string_value(json_object_get(object, "title")), alert.title);
    json_decref(object);
}

static void test_json_values_are_clean(void **state)
{
    (void)state;
    struct store_alert alert = simple();
    alert.title = text("\xE2\x80\xAE"
                       "a\nb");
    alert.matched_json = text("[{\"text\":\"\xE2\x80\xAE"
                              "a\\u001b[m\xC2\x9B\",\"start\":1},[],3]");
    g_autofree char *line = alert_line_render(&alert, STORE_LOG_JSON);
    assert_is_line(line);
    assert_non_null(strstr(line, "\"title\":\"a b\""));
    assert_non_null(strstr(line, "[{\"text\":\"a[m\",\"start\":1},[],3]"));
    alert.matched_json = text("{\"not\": \"a list");
    g_autofree char *broken = alert_line_render(&alert, STORE_LOG_JSON);
    assert_non_null(strstr(broken, "\"matched\":[],"));
}

static void test_find_id(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool found;
    } cases[] = {
        {"x | id=" ID, true},
        {" id=" ID, true},
        {"{\"id\":\"" ID "\"}", true},
        {"id=" ID, false},
        {"x id=" ID " ", false},
        {"x id=01KB3M7ZQ8W9T5V2X4Y6N8P0R", false},
        {"x id=01KB3M7ZQ8W9T5V2X4Y6N8P0RU", false},
        {"x id=81KB3M7ZQ8W9T5V2X4Y6N8P0RA", false},
        {"{\"id\":\"" ID "\"", false},
        {"", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *id = alert_line_find_id(cases[i].line, strlen(cases[i].line));
        assert_int_equal(id != NULL, cases[i].found);
        if (id)
            assert_memory_equal(id, ID, strlen(ID));
    }
}

int main(void)
{
    setenv("TZ", "CET-1", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_missing_values),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_titles),
        cmocka_unit_test(test_logfmt_quotes),
        cmocka_unit_test(test_long_values_fit),
        cmocka_unit_test(test_order_of_shortening),
        cmocka_unit_test(test_json_drops_matches_from_the_end),
        cmocka_unit_test(test_json_values_are_clean),
        cmocka_unit_test(test_find_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
