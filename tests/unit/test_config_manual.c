/* config/settings against feedwatch.conf(5): every setting is there, with its type, default, range
 * and state, and nothing is there that is no setting; and the examples in etc/conf.d. */
#include "config_help.h"

#define MANUAL "etc/feedwatch.conf.5"

static const char *const headings[SECTION_KINDS] = {
    [SECTION_FEEDWATCH] = "\n.Ss [feedwatch]",
    [SECTION_DEFAULTS] = "\n.Ss [defaults], [feed ID]",
    [SECTION_FEED] = "\n.Ss [defaults], [feed ID]",
    [SECTION_LIST] = "\n.Ss [list ID]",
    [SECTION_RULE] = "\n.Ss [rule ID]",
    [SECTION_SINK] = "\n.Ss [sink ID]",
};

static char *manual;

static int read_manual(void **state)
{
    (void)state;
    return g_file_get_contents(MANUAL, &manual, NULL, NULL) ? 0 : -1;
}

static int drop_manual(void **state)
{
    (void)state;
    g_free(manual);
    return 0;
}

static char *up_to(const char *text, const char *end)
{
    const char *found = strstr(text, end);
    return found ? g_strndup(text, (size_t)(found - text)) : g_strdup(text);
}

static char *section_text(enum section_kind kind)
{
    const char *found = strstr(manual, headings[kind]);
    if (!found)
        fail_msg("%s has no heading%s", MANUAL, headings[kind]);
    g_autofree char *with_more = up_to(found + 1, "\n.Ss ");
    return up_to(with_more, "\n.Sh ");
}

/* What the manual says of a setting, on one line, without the macros that only mark words. */
static char *entry_text(const struct setting *row)
{
    g_autofree char *section = section_text(row->section);
    g_autofree char *item = g_strdup_printf("\n.It Ic %s No = Ar ", row->key);
    const char *found = strstr(section, item);
    if (!found)
        fail_msg("%s does not have '%s'", MANUAL, item + 1);
    g_autofree char *entry = up_to(found + 1, "\n.It ");
    g_auto(GStrv) lines = g_strsplit(entry, "\n", -1);
    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, ".Cm ") || g_str_has_prefix(*line, ".Pa "))
            memmove(*line, *line + 4, strlen(*line + 4) + 1);
    return g_strjoinv(" ", lines);
}

static void must_say(const struct setting *row, const char *entry, const char *what)
{
    if (!strstr(entry, what))
        fail_msg("%s: '%s' in [%s] does not say '%s':\n%s", MANUAL, row->key,
                 section_name(row->section), what, entry);
}

static void check_default(const struct setting *row, const char *entry)
{
    g_autofree char *text = g_strdup_printf("Default: %s", !row->fallback   ? ""
                                                           : *row->fallback ? row->fallback
                                                                            : "none");
    bool says_required = strstr(entry, "Required.") || strstr(entry, "required.");
    if (row->fallback)
        must_say(row, entry, text);
    else if (row->is_required)
        assert_true(says_required);
    else
        assert_true(strstr(entry, "Default: ") || strstr(entry, "is the default"));
}

static void check_row(const struct setting *row)
{
    g_autofree char *entry = entry_text(row);
    g_autofree char *type = g_strdup_printf(" No = Ar %s ", setting_type_name(row));
    g_autoptr(GString) range = g_string_new(NULL);
    must_say(row, entry, type);
    check_default(row, entry);
    setting_print_range(row, range);
    if (!row->choices && range->len > 0)
        must_say(row, entry, range->str);
    for (size_t i = 0; row->choices && row->choices[i]; i++)
        must_say(row, entry, row->choices[i]);
    for (size_t i = 0; settings_sink_types[i]; i++)
        if (row->sinks & (1u << i))
            must_say(row, entry, settings_sink_types[i]);
    if (row->is_unbuilt != (strstr(entry, "Not built yet.") != NULL))
        fail_msg("%s: whether '%s' is built", MANUAL, row->key);
}

static void test_table_is_in_the_manual(void **state)
{
    (void)state;
    size_t n;
    const struct setting *rows = settings_table(&n);
    for (size_t i = 0; i < n; i++)
        check_row(&rows[i]);
}

static void test_manual_is_in_the_table(void **state)
{
    (void)state;
    for (enum section_kind kind = 0; kind < SECTION_KINDS; kind++) {
        if (kind == SECTION_DEFAULTS)
            continue; /* told with [feed ID] */
        g_autofree char *section = section_text(kind);
        g_auto(GStrv) lines = g_strsplit(section, "\n", -1);
        for (char **line = lines; *line; line++) {
            if (!g_str_has_prefix(*line, ".It Ic "))
                continue;
            g_autofree char *key = g_strndup(*line + 7, strcspn(*line + 7, " "));
            if (!settings_find(kind, key, 0))
                fail_msg("%s: there is no setting '%s' in [%s]", MANUAL, key, section_name(kind));
        }
    }
}

static void test_example_is_right(void **state)
{
    (void)state;
    g_auto(GStrv) parts = g_strsplit(manual, ".Bd -literal -offset indent\n", -1);
    assert_true(g_strv_length(parts) > 3);
    for (size_t i = 1; parts[i]; i++) {
        g_autofree char *example = up_to(parts[i], ".Ed\n");
        g_autoptr(GString) text = g_string_new(example);
        g_string_append(text, "[feed reuters-x]\nurl = http://a/\ntags = wire\n"
                              "[rule any]\nmatch = cuba\n");
        struct config *config = load_good(text->str);
        config_unref(config);
    }
}

/* The files that are there to be copied, each beside nothing but itself. */
static void test_examples_in_conf_d(void **state)
{
    (void)state;
    g_autoptr(GDir) dir = g_dir_open("etc/conf.d", 0, NULL);
    assert_non_null(dir);
    guint n = 0;
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir), n++) {
        g_autofree char *path = g_build_filename("etc/conf.d", name, NULL);
        g_autofree char *example = NULL;
        assert_true(g_file_get_contents(path, &example, NULL, NULL));
        g_autofree char *text =
            g_strconcat(example, "\n[feed own]\nurl = http://a/\n[rule own]\nmatch = cuba\n", NULL);
        struct config *config = load_good(text);
        config_unref(config);
    }
    assert_true(n > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_in_the_manual),
        cmocka_unit_test(test_manual_is_in_the_table),
        cmocka_unit_test(test_example_is_right),
        cmocka_unit_test(test_examples_in_conf_d),
    };
    return cmocka_run_group_tests(tests, read_manual, drop_manual);
}
