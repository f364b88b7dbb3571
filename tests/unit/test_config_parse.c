/* config/parse: values, and the byte at which they are wrong. */
#include "config_help.h"

#include "config/parse.h"
#include "config/scan.h"

#define NO_LIMIT INT64_MAX

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
        const char *printed;
    } cases[] = {
        {"0", 0, "0s"},
        {"0s", 0, "0s"},
        {"90s", 90000, "1m30s"},
        {"15m", 900000, "15m"},
        {"1h30m", 5400000, "1h30m"},
        {"2d", 172800000, "2d"},
        {"1w", 604800000, "7d"},
        {"200ms", 200, "200ms"},
        {"1h 30m", 5400000, "1h30m"},
        {"1s500ms", 1500, "1s500ms"},
        {"24h", 86400000, "1d"},
        {"", -1, NULL},
        {"5", -1, NULL},
        {"m", -1, NULL},
        {"5x", -1, NULL},
        {"-5m", -1, NULL},
        {"5 m", -1, NULL},
        {"1.5h", -1, NULL},
        {"5m,", -1, NULL},
        {"5min", -1, NULL},
        {"5M", -1, NULL},
        {" 5m", -1, NULL},
        {"0x5m", -1, NULL},
        {"9223372036854775807w", -1, NULL},
        {"99999999999999999999s", -1, NULL},
        {"9223372036854775807ms1ms", -1, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct parse_fault fault = {0};
        int64_t ms = -1;
        bool done = parse_duration(cases[i].text, 0, NO_LIMIT, &ms, &fault);
        assert_int_equal(ms, cases[i].ms);
        assert_int_equal(done, cases[i].ms >= 0);
        assert_int_equal(fault.message != NULL, !done);
        if (done) {
            g_autoptr(GString) out = g_string_new(NULL);
            format_duration(out, ms);
            assert_string_equal(out->str, cases[i].printed);
        }
        parse_fault_clear(&fault);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
        const char *printed;
    } cases[] = {
        {"0", 0, "0"},
        {"512", 512, "512"},
        {"64K", 65536, "64K"},
        {"16M", 16777216, "16M"},
        {"1G", 1073741824, "1G"},
        {"16m", 16777216, "16M"},
        {"1024", 1024, "1K"},
        {"1536K", 1572864, "1536K"},
        {"", -1, NULL},
        {"M", -1, NULL},
        {"16MB", -1, NULL},
        {"16 M", -1, NULL},
        {"-1", -1, NULL},
        {"1T", -1, NULL},
        {"9223372036854775807G", -1, NULL},
        {"99999999999999999999", -1, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct parse_fault fault = {0};
        int64_t bytes = -1;
        bool done = parse_size(cases[i].text, 0, NO_LIMIT, &bytes, &fault);
        assert_int_equal(bytes, cases[i].bytes);
        assert_int_equal(done, cases[i].bytes >= 0);
        if (done) {
            g_autoptr(GString) out = g_string_new(NULL);
            format_size(out, bytes);
            assert_string_equal(out->str, cases[i].printed);
        }
        parse_fault_clear(&fault);
    }
}

static void test_words(void **state)
{
    (void)state;
    static const char *const choices[] = {"low", "normal", "critical", NULL};
    static const char *const bools[] = {"no", "yes", "off", "on", "false", "true"};
    struct parse_fault fault = {0};
    size_t choice = 9;
    for (size_t i = 0; i < G_N_ELEMENTS(bools); i++) {
        bool value = i % 2 == 0;
        assert_true(parse_bool(bools[i], &value, &fault));
        assert_int_equal(value, i % 2);
    }
    bool value = true;
    assert_false(parse_bool("maybe", &value, &fault));
    assert_true(value);
    assert_string_equal(fault.message, "'maybe' is neither yes nor no");
    assert_true(parse_choice("critical", choices, &choice, &fault));
    assert_int_equal(choice, 2);
    assert_false(parse_choice("Normal", choices, &choice, &fault));
    assert_int_equal(choice, 2);
    assert_string_equal(fault.message,
                        "'Normal' is none of: low, normal, critical; did you mean 'normal'?");
    parse_fault_clear(&fault);
}

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value; /* NULL: refused */
        size_t offset;
    } cases[] = {
        {"a b", "a b", 0},
        {"\"a b\"", "a b", 0},
        {"\"a \\\"b\\\" \\\\ \\n\"", "a \"b\" \\ \\n", 0},
        {"\"\"", "", 0},
        {"\"a\" and \"b\"", "\"a\" and \"b\"", 0},
        {"{\"a\": \"\\\"\"}", "{\"a\": \"\\\"\"}", 0},
        {"a\\", "a\\", 0},
        {"a \"b", NULL, 2},
        {"\"a\\\"", NULL, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct parse_fault fault = {0};
        g_autofree char *value = NULL;
        bool done = parse_text(cases[i].text, &value, &fault);
        assert_int_equal(done, cases[i].value != NULL);
        if (done)
            assert_string_equal(value, cases[i].value);
        else
            assert_int_equal(fault.offset, cases[i].offset);
        parse_fault_clear(&fault);
    }
}

static void test_lists(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n, offset; /* n 0: refused at offset */
        const char *items[3];
        size_t offsets[3];
    } cases[] = {
        {"a", 1, 0, {"a"}, {0}},
        {" a ,b,  c d ", 3, 0, {"a", "b", "c d"}, {1, 4, 8}},
        {"\"a, b\", c", 2, 0, {"a, b", "c"}, {1, 8}},
        {"X: \"a, b\", c", 2, 0, {"X: \"a, b\"", "c"}, {0, 11}},
        {"", 0, 0, {NULL}, {0}},
        {"a,", 0, 2, {NULL}, {0}},
        {"a,,b", 0, 2, {NULL}, {0}},
        {",a", 0, 0, {NULL}, {0}},
        {"a, \"\"", 0, 2, {NULL}, {0}},
        {"a, \"b", 0, 3, {NULL}, {0}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct parse_fault fault = {0};
        g_autoptr(GArray) items = parse_list(cases[i].text, &fault);
        assert_int_equal(items ? items->len : 0, cases[i].n);
        assert_int_equal(fault.offset, cases[i].offset);
        for (size_t n = 0; n < cases[i].n; n++) {
            const struct parse_item *item = &g_array_index(items, struct parse_item, n);
            assert_string_equal(item->text, cases[i].items[n]);
            assert_int_equal(item->offset, cases[i].offsets[n]);
        }
        parse_fault_clear(&fault);
    }
}

static void test_printed_lists(void **state)
{
    (void)state;
    static const char *const items[] = {"a",     ";b",    "c;d", "e ; f", "g, h", " i",
                                        "\"j\"", "k \"l", "m\\", "",      NULL};
    struct parse_fault fault = {0};
    g_autoptr(GString) out = g_string_new(NULL);
    format_list(out, items);
    assert_true(scan_survives(SCAN_TEXT, out->str));
    g_string_truncate(out, out->len - strlen(", \"\"")); /* an empty entry is refused */
    g_autoptr(GArray) again = parse_list(out->str, &fault);
    assert_int_equal(again->len, G_N_ELEMENTS(items) - 2);
    for (guint i = 0; i < again->len; i++)
        assert_string_equal(g_array_index(again, struct parse_item, i).text, items[i]);
}

static void test_argv(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words; /* joined by | */
    } cases[] = {
        {"/bin/x", "/bin/x"},
        {"/bin/x  -a b", "/bin/x|-a|b"},
        {"x 'a b' \"c \\\" d\" e\\ f", "x|a b|c \" d|e f"},
        {"x #a b", "x|#a|b"},
        {"x '#a' \"#b\" c#d", "x|#a|#b|c#d"},
        {"x $(id) `id` $HOME *; rm ~", "x|$(id)|`id`|$HOME|*;|rm|~"},
        {"x '' \"\"", "x||"},
        {"x 'a", NULL},
        {"x \"a", NULL},
        {"", NULL},
        {"''", NULL},
        {"x \\", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct parse_fault fault = {0};
        g_auto(GStrv) argv = NULL;
        bool done = parse_argv(cases[i].text, &argv, &fault);
        assert_int_equal(done, cases[i].words != NULL);
        assert_int_equal(done, fault.message == NULL);
        if (done) {
            g_autofree char *joined = g_strjoinv("|", argv);
            assert_string_equal(joined, cases[i].words);
        }
        parse_fault_clear(&fault);
    }
}

static void test_urls(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned schemes;
        bool is_good;
    } cases[] = {
        {"http://a/", PARSE_URL_HTTP, true},
        {"HTTPS://a", PARSE_URL_HTTP, true},
        {"https://user:pw@a:8443/x?y=z&w=%20;#f", PARSE_URL_HTTP, true},
        {"http://[::1]:8080/", PARSE_URL_HTTP, true},
        {"http://127.0.0.1:1/", PARSE_URL_HTTP, true},
        {"https://пример.рф/лента", PARSE_URL_HTTP, true},
        {"http://", PARSE_URL_HTTP, false},
        {"http:///x", PARSE_URL_HTTP, false},
        {"http://a:0/", PARSE_URL_HTTP, false},
        {"http://a:65536/", PARSE_URL_HTTP, false},
        {"http://a:x/", PARSE_URL_HTTP, false},
        {"http://a b/", PARSE_URL_HTTP, false},
        {"http://a/\t", PARSE_URL_HTTP, false},
        {"http://a/\r\nX: y", PARSE_URL_HTTP, false},
        {"http://a/\"x\"", PARSE_URL_HTTP, false},
        {"http://a/<x>", PARSE_URL_HTTP, false},
        {"http:/a", PARSE_URL_HTTP, false},
        {"http", PARSE_URL_HTTP, false},
        {"", PARSE_URL_HTTP, false},
        {"example.com/feed", PARSE_URL_HTTP, false},
        {"ftp://a/", PARSE_URL_HTTP, false},
        {"javascript:alert(1)", PARSE_URL_HTTP | PARSE_URL_LOCAL, false},
        {"file:///a/b", PARSE_URL_HTTP, false},
        {"file:///a/b", PARSE_URL_LOCAL, true},
        {"file:/a/b", PARSE_URL_LOCAL, true},
        {"file://localhost/a", PARSE_URL_LOCAL, true},
        {"file://host/a", PARSE_URL_LOCAL, false},
        {"file:a", PARSE_URL_LOCAL, false},
        {"exec:/bin/x -a 'b c'", PARSE_URL_LOCAL, true},
        {"exec:bin/x", PARSE_URL_LOCAL, false},
        {"exec:", PARSE_URL_LOCAL, false},
        {"exec:/bin/x 'a", PARSE_URL_LOCAL, false},
        {"mqtt://me:x@h:1884/", PARSE_URL_MQTT, true},
        {"mqtts://h:8883", PARSE_URL_MQTT, false},
        {"mqtt://h/topic", PARSE_URL_MQTT, false},
        {"http://h", PARSE_URL_MQTT, false},
        {"socks5h://u:p@h:1080", PARSE_URL_PROXY, true},
        {"http://h:3128/", PARSE_URL_PROXY, true},
        {"http://h:3128/x", PARSE_URL_PROXY, false},
        {"http://h:3128?x", PARSE_URL_PROXY, false},
        {"h:3128", PARSE_URL_PROXY, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct parse_fault fault = {0};
        bool done = parse_url(cases[i].text, cases[i].schemes, &fault);
        if (done != cases[i].is_good)
            fail_msg("%s: %s", cases[i].text, done ? "taken" : fault.message);
        parse_fault_clear(&fault);
    }
    struct parse_fault fault = {0};
    GString *longest = g_string_new("http://a/");
    while (longest->len < PARSE_URL_BYTES_MAX)
        g_string_append_c(longest, 'x');
    assert_true(parse_url(longest->str, PARSE_URL_HTTP, &fault));
    g_string_append_c(longest, 'x');
    assert_false(parse_url(longest->str, PARSE_URL_HTTP, &fault));
    g_string_free(longest, TRUE);
    parse_fault_clear(&fault);
}

/* No message shows a password (S11). */
static void test_masked_urls(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "htp://me:secret@h/",     "http://me:secret@h:0/",     "http://me:secret@h:x/",
        "http://me:secret@/x",    "http://me:sec@secret@h:0/", "ftp://secret@h",
        "http://me:my/secret@h/", "http://me:my#secret@h/",    "http://m@me:my/secret@h:0/"};
    for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
        struct parse_fault fault = {0};
        assert_false(parse_url(urls[i], PARSE_URL_HTTP, &fault));
        assert_null(strstr(fault.message, "secret"));
        assert_non_null(strstr(fault.message, "***"));
        parse_fault_clear(&fault);
    }
}

static void test_headers_and_languages(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool (*parse)(const char *text, struct parse_fault *fault);
        bool is_good;
    } cases[] = {
        {"Accept-Language: es", parse_header, true},
        {"X-Empty:", parse_header, true},
        {"X: ž", parse_header, true},
        {"Authorization: Bearer x", parse_header, true},
        {"X", parse_header, false},
        {": x", parse_header, false},
        {"X Y: z", parse_header, false},
        {"X : z", parse_header, false},
        {"X: a\tb", parse_header, false},
        {"X: a\r\nY: b", parse_header, false},
        {"host: x", parse_header, false},
        {"User-Agent: x", parse_header, false},
        {"Content-Length: 1", parse_header, false},
        {"If-None-Match: x", parse_header, false},
        {"en", parse_language, true},
        {"pt-BR", parse_language, true},
        {"zh-Hant-TW", parse_language, true},
        {"", parse_language, false},
        {"e", parse_language, false},
        {"english", parse_language, false},
        {"en_US", parse_language, false},
        {"en-", parse_language, false},
        {"22:00-07:00", parse_quiet, true},
        {"22-7", parse_quiet, true},
        {"0:00-24:00, 12-13:30", parse_quiet, true},
        {"22:00", parse_quiet, false},
        {"25:00-07:00", parse_quiet, false},
        {"24:01-07:00", parse_quiet, false},
        {"22:60-07:00", parse_quiet, false},
        {"22:0-07:00", parse_quiet, false},
        {"7-7", parse_quiet, false},
        {"22:00-07:00,", parse_quiet, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct parse_fault fault = {0};
        if (cases[i].parse(cases[i].text, &fault) != cases[i].is_good)
            fail_msg("%s: %s", cases[i].text, cases[i].is_good ? fault.message : "taken");
        parse_fault_clear(&fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),   cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_words),       cmocka_unit_test(test_texts),
        cmocka_unit_test(test_lists),       cmocka_unit_test(test_printed_lists),
        cmocka_unit_test(test_argv),        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_masked_urls), cmocka_unit_test(test_headers_and_languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
