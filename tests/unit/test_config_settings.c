/* config/settings: the table itself, and every row's range. */
#include "config_help.h"

/* A value for each type that nothing accepts; for ranges see below. */
static const char *const wrong[SETTING_TYPES] = {
    [SETTING_BOOL] = "perhaps",
    [SETTING_SWITCH] = "half",
    [SETTING_CHOICE] = "zebra",
    [SETTING_COUNT] = "1.5",
    [SETTING_SECONDS] = "5 fortnights",
    [SETTING_MILLISECONDS] = "soon",
    [SETTING_SIZE] = "big",
    [SETTING_INITIAL] = "some",
    [SETTING_TEMPLATE] = "{titel}",
    [SETTING_TEXT] = "\"never closed",
    [SETTING_HEADER_TEXT] = "a\tb",
    [SETTING_PATH] = "relative/path",
    [SETTING_SECRET] = "relative/path",
    [SETTING_FEED_URL] = "gopher://x/",
    [SETTING_WEB_URL] = "file:///x",
    [SETTING_MQTT_URL] = "http://x/",
    [SETTING_PROXY] = "http://x/path",
    [SETTING_LANGUAGE] = "klingon",
    [SETTING_QUIET] = "25:00-26:00",
    [SETTING_SURGE] = "often",
    [SETTING_NAMES] = "Not An ID",
    [SETTING_HEADERS] = "no colon",
    [SETTING_ARGV] = "'never closed",
    [SETTING_TOPIC] = "a/#",
    [SETTING_ADDRESSES] = "a@b, ann",
    [SETTING_ADDRESS] = "ann@",
    [SETTING_SERVER] = "imap://h",
    [SETTING_QUERY] = NULL, /* rule/ says */
};

/* The first type of sink that has the setting. */
static size_t sink_type_of(const struct setting *row)
{
    size_t type = 0;
    while (row->sinks && !(row->sinks & (1u << type)))
        type++;
    return type;
}

static const char *required_value(const struct setting *row)
{
    static const char *const values[][2] = {{"any", "cuba"},       {"match", "cuba"},
                                            {"argv", "/bin/true"}, {"to", "a@b"},
                                            {"topic", "t"},        {"alert", "log"}};
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        if (strcmp(values[i][0], row->key) == 0)
            return values[i][1];
    return row->type == SETTING_MQTT_URL ? "mqtt://x" : "http://x/";
}

/* A configuration in which this one setting has this value, and everything required is there. */
static char *text_with(const struct setting *row, enum section_kind kind, const char *value)
{
    GString *text = g_string_new(FEED_AND_RULE);
    size_t n, type = sink_type_of(row);
    const struct setting *rows = settings_table(&n);
    g_string_append_printf(text, section_has_id(kind) ? "[%s x]\n" : "[%s]\n", section_name(kind));
    if (kind == SECTION_SINK && strcmp(row->key, "type") != 0)
        g_string_append_printf(text, "type = %s\n", settings_sink_types[type]);
    if (kind == SECTION_SINK && type == CONFIG_SINK_LOG && strcmp(row->key, "path") != 0)
        g_string_append(text, "path = /x.log\n");
    for (size_t i = 0; i < n; i++)
        if (rows[i].is_required && setting_is_in(&rows[i], kind) &&
            (!rows[i].sinks || (rows[i].sinks & (1u << type))) && &rows[i] != row)
            g_string_append_printf(text, "%s = %s\n", rows[i].key, required_value(&rows[i]));
    g_string_append_printf(text, "%s = %s\n", row->key, value);
    return g_string_free(text, FALSE);
}

/* Whether this value is good; if not, the error stands in its line, and not before it. */
static void check_value(const struct setting *row, enum section_kind kind, const char *value,
                        bool is_good)
{
    g_autofree char *text = text_with(row, kind, value);
    g_autofree char *lines = NULL;
    struct config *config = load_text(text, &lines);
    if ((config != NULL) != is_good)
        fail_msg("%s\nin\n%s\n%s", lines, text, is_good ? "is good" : "is wrong");
    if (is_good) {
        config_unref(config);
        return;
    }
    guint n_lines = 0;
    for (const char *p = text; *p; p++)
        n_lines += *p == '\n';
    g_autofree char *place = g_strdup_printf("\n%u:", n_lines);
    g_autofree char *all = g_strconcat("\n", lines, NULL);
    const char *found = strstr(all, place);
    size_t column = *value ? strlen(row->key) + 4 : 1;
    if (!found || strtoul(found + strlen(place), NULL, 10) < column)
        fail_msg("no error behind%s%zu in\n%s%s", place, column, text, lines);
}

static void each_row(void (*check)(const struct setting *row, enum section_kind kind))
{
    size_t n;
    const struct setting *rows = settings_table(&n);
    for (size_t i = 0; i < n; i++)
        for (enum section_kind kind = 0; kind < SECTION_KINDS; kind++)
            if (setting_is_in(&rows[i], kind))
                check(&rows[i], kind);
}

static void row_is_sane(const struct setting *row, enum section_kind kind)
{
    (void)kind;
    struct parse_fault fault = {0};
    struct config_rule object[4] = {0}; /* larger than any struct of a section */
    struct settings_context context = {.state_dir = "/s"};
    assert_true(row->offset + row->size <= sizeof(object));
    assert_true(strlen(row->key) < 40);
    assert_true(strlen(row->help) > 5);
    assert_true(row->min <= row->max);
    assert_true((row->type == SETTING_CHOICE) == (row->choices != NULL));
    /* The default is one of the values it may have, and prints as itself once more. */
    if (row->fallback) {
        assert_true(setting_read(row, row->fallback, &context, object, &fault));
        g_autoptr(GString) first = g_string_new(NULL);
        setting_print(row, object, first);
        assert_true(setting_read(row, first->str, &context, object, &fault));
        g_autoptr(GString) second = g_string_new(NULL);
        setting_print(row, object, second);
        assert_string_equal(first->str, second->str);
        settings_clear(row->section, object);
    }
}

static void test_table(void **state)
{
    (void)state;
    each_row(row_is_sane);
}

static void row_refuses_wrong(const struct setting *row, enum section_kind kind)
{
    if (wrong[row->type])
        check_value(row, kind, wrong[row->type], false);
    else
        assert_int_equal(row->type, SETTING_QUERY);
}

static void test_wrong_values(void **state)
{
    (void)state;
    each_row(row_refuses_wrong);
}

static void format_number(const struct setting *row, int64_t number, GString *out)
{
    if (row->type == SETTING_COUNT)
        g_string_append_printf(out, "%ld", (long)number);
    else if (row->type == SETTING_SIZE)
        format_size(out, number);
    else
        format_duration(out, number);
}

static void check_limit(const struct setting *row, enum section_kind kind, int64_t number,
                        bool is_good)
{
    g_autoptr(GString) value = g_string_new(row->type == SETTING_SURGE ? "20 in " : NULL);
    format_number(row, number, value);
    g_autofree char *text = text_with(row, kind, value->str);
    g_autofree char *lines = NULL;
    struct config *config = load_text(text, &lines);
    if ((config != NULL) != is_good)
        fail_msg("%s%s: %s", text, lines, is_good ? "in range" : "out of range");
    if (!is_good)
        assert_non_null(strstr(lines, row->type == SETTING_COUNT ? " is not a whole number from "
                                                                 : " is out of range: "));
    config_unref(config);
}

/* The limits themselves are in range; one step beyond is not. */
static void row_has_its_range(const struct setting *row, enum section_kind kind)
{
    if (row->max == 0)
        return;
    bool in_seconds = row->type == SETTING_SECONDS || row->type == SETTING_INITIAL;
    int64_t step = in_seconds ? 1000 : 1;
    check_limit(row, kind, row->min, true);
    check_limit(row, kind, row->max, true);
    check_limit(row, kind, row->max + step, false);
    if (row->min > 0)
        check_limit(row, kind, row->min - step, false);
}

static void test_ranges(void **state)
{
    (void)state;
    each_row(row_has_its_range);
}

static void row_allows_empty(const struct setting *row, enum section_kind kind)
{
    check_value(row, kind, "", setting_allows_none(row));
}

static void test_empty_values(void **state)
{
    (void)state;
    each_row(row_allows_empty);
}

static void test_further_values(void **state)
{
    (void)state;
    static const struct {
        enum section_kind kind;
        const char *key, *value;
        bool is_good;
    } cases[] = {
        {SECTION_FEED, "initial", "none", true},
        {SECTION_FEED, "initial", "all", true},
        {SECTION_FEED, "initial", "last 1", true},
        {SECTION_FEED, "initial", "last  20000", true},
        {SECTION_FEED, "initial", "24h", true},
        {SECTION_FEED, "interval", "90s500ms", false},
        {SECTION_FEED, "tags", "a, b.c_d-e", true},
        {SECTION_FEED, "tags", "a, a", false},
        {SECTION_FEED, "headers", "A: b, \"C: d, e\"", true},
        {SECTION_FEED, "headers", "A: b, A: b", true},
        {SECTION_FEED, "url", "exec:/bin/cat \"/a b\"", true},
        {SECTION_FEEDWATCH, "state_dir", "%S/x", false},
        {SECTION_FEEDWATCH, "state_dir", "%h/x", true},
        {SECTION_FEEDWATCH, "state_dir", "~/x", true},
        {SECTION_FEEDWATCH, "state_dir", "/a%%b", true},
        {SECTION_FEEDWATCH, "state_dir", "/a%b", false},
        {SECTION_FEEDWATCH, "state_dir", "/a%", false},
        {SECTION_FEEDWATCH, "host_spacing", "200ms", true},
        {SECTION_RULE, "surge", "20 in 1h", true},
        {SECTION_RULE, "surge", "1 in 1h", false},
        {SECTION_RULE, "alert", "log", true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct setting *row = settings_find(cases[i].kind, cases[i].key, 0);
        assert_non_null(row);
        g_autofree char *text = text_with(row, cases[i].kind, cases[i].value);
        g_autofree char *lines = NULL;
        struct config *config = load_text(text, &lines);
        if ((config != NULL) != cases[i].is_good)
            fail_msg("%s%s", text, lines);
        config_unref(config);
    }
}

/* [defaults] goes into every feed, a feed's own setting wins, and an empty one takes it back. */
static void test_defaults(void **state)
{
    (void)state;
    struct config *config = load_good("[feed a]\nurl = http://a/\n"
                                      "[feedwatch]\nproxy = socks5h://p:1\n"
                                      "[defaults]\ninterval = 20m\ntags = x, y\ninitial = last 3\n"
                                      "timeout = 5s\nheaders = A: b\nlanguage = ru\nenabled = no\n"
                                      "[feed b]\nurl = http://b/\ninterval =\ntags = z\n"
                                      "initial = all\nproxy =\nlanguage =\nenabled = yes\n"
                                      "[feed c]\nurl = http://c/\nproxy = http://own:1\n"
                                      "[rule r]\nmatch = x\n");
    const struct config_feed *a = config_find_feed(config, "a");
    const struct config_feed *b = config_find_feed(config, "b");
    assert_int_equal(a->interval_s, 1200);
    assert_int_equal(g_strv_length(a->tags), 2);
    assert_int_equal(a->initial, CONFIG_INITIAL_LAST);
    assert_int_equal(a->initial_value, 3);
    assert_int_equal(a->timeout_ms, 5000);
    assert_string_equal(a->headers[0], "A: b");
    assert_string_equal(a->proxy, "socks5h://p:1");
    assert_string_equal(a->language, "ru");
    assert_false(a->is_enabled);
    assert_int_equal(b->interval_s, 0);
    assert_string_equal(b->tags[0], "z");
    assert_null(b->tags[1]);
    assert_int_equal(b->initial, CONFIG_INITIAL_ALL);
    assert_null(b->proxy);
    assert_null(b->language);
    assert_true(b->is_enabled);
    assert_string_equal(config_find_feed(config, "c")->proxy, "http://own:1");
    assert_null(config_find_feed(config, "d"));
    config_unref(config);
}

static void test_sink_defaults(void **state)
{
    (void)state;
    struct config *config = load_good(FEED_AND_RULE "[sink log]\npath = ~/a%%.log\nformat = json\n"
                                                    "[sink second]\ntype = log\npath = %S/b\n"
                                                    "[feedwatch]\nstate_dir = /s\n");
    g_autofree char *path = g_strconcat(g_get_home_dir(), "/a%.log", NULL);
    assert_int_equal(config->sinks->len, 3);
    assert_string_equal(config_find_sink(config, "log")->path, path);
    assert_int_equal(config_find_sink(config, "log")->format, CONFIG_LOG_JSON);
    assert_string_equal(config_find_sink(config, "second")->path, "/s/b");
    assert_int_equal(config_find_sink(config, "second")->format, CONFIG_LOG_TEXT);
    assert_int_equal(config_find_sink(config, "desktop")->type, CONFIG_SINK_DESKTOP);
    assert_true(config_find_sink(config, "desktop")->is_enabled);
    assert_null(config_find_sink(config, "third"));
    struct config *same = config_ref(config);
    config_unref(config);
    assert_string_equal(same->state_dir, "/s");
    config_unref(same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),          cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_ranges),         cmocka_unit_test(test_empty_values),
        cmocka_unit_test(test_further_values), cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_sink_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
