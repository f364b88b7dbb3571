/* config/source, config/reader, config/scan: from the text of a file to values, none of it lost. */
#include "config_help.h"

#include "text/utf8.h"

static struct source *read_text(const char *text, size_t size, char **ret_lines)
{
    struct report *report = report_new();
    struct source *source = source_new(report);
    source_read(source, "f", text, size, false);
    g_autoptr(GPtrArray) found = report_finish(report);
    source->report = NULL;
    *ret_lines = problem_lines(found);
    return source;
}

static const struct source_setting *setting_of(const struct source *source, const char *key)
{
    for (guint i = 0; i < source->sections->len; i++) {
        const struct source_setting *setting =
            source_find(g_ptr_array_index(source->sections, i), key);
        if (setting)
            return setting;
    }
    fail_msg("there is no setting %s", key);
    abort();
}

/* What stands after `match =` must give this value. */
static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *written, *value;
    } cases[] = {
        {" a", "a"},
        {"a", "a"},
        {"", ""},
        {"   ", ""},
        {"a=b", "a=b"},
        {"\ta\t \t", "a"},
        {" a ; comment", "a"},
        {" a;b", "a;b"},
        {" a; b", "a; b"},
        {" ; comment", ""},
        {";a", ";a"},
        {" \"a ; b\" ; c", "\"a ; b\""},
        {" /a ; b/ ; c", "/a ; b/"},
        {" title:/a ; b/ ; c", "title:/a ; b/"},
        {" (/a \\/ ; b/) ; c", "(/a \\/ ; b/)"},
        {" a/b ; c/d", "a/b"},
        {" a NEAR/5 b ; c/d", "a NEAR/5 b"},
        {" \"a\\\" ; b", "\"a\\\""}, /* no escape inside the quotes of a query */
        {" a / b ; c/d", "a / b"},   /* a lone slash opens nothing */
        {" a /\n b ; c/", "a / b"},
        {" /a\n ; b/ ; c", "/a ; b/"},
        {" a # b", "a # b"},
        {" a\n b", "a b"},
        {" a\n\tb\n   c", "a b c"},
        {"\n a\n b", "a b"},
        {" a\n\n b", "a b"},
        {" a\n; comment\n b", "a b"},
        {" a\n# comment\n b", "a b"},
        {" a\n ; comment\n b", "a b"},
        {" a ; one\n b ; two", "a b"},
        {" a\n #b", "a #b"},
        {" a\n #b\n\t# c", "a #b # c"},
        {" a\n ;b", "a"},
        {" \"a\n ; b\" ; c", "\"a ; b\""},
        {" a\n [b]", "a [b]"},
        {" a\n [abc] b", "a [abc] b"},
        {" a\n [list of things", "a [list of things"},
        {" a\r\n b\r", "a b"},
        {" a\n b = c", "a b = c"},
        {" a\n \"to = c\"", "a \"to = c\""},
        {" 100%", "100%"},
        {" %41%zz", "%41%zz"},
        {" Гавана 俄罗斯 🚀", "Гавана 俄罗斯 🚀"},
        {" a\xC2\xA0", "a\xC2\xA0"},
        {" [x] : y", "[x] : y"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            g_strdup_printf("[rule r]\nmatch =%s\nlanguage = en\n", cases[i].written);
        g_autofree char *lines = NULL;
        struct source *source = read_text(text, strlen(text), &lines);
        assert_string_equal(lines, "");
        assert_string_equal(setting_of(source, "match")->value->str, cases[i].value);
        assert_string_equal(setting_of(source, "language")->value->str, "en");
        source_free(source);
    }
}

/* Where quotes have escapes, and where a slash is a slash. */
static void test_modes(void **state)
{
    (void)state;
    static const struct {
        const char *written, *key, *value;
    } cases[] = {
        {"[sink x]\ntemplate = {\"a\": \"b \\\" ; c\"} ; d", "template", "{\"a\": \"b \\\" ; c\"}"},
        {"[sink x]\npath = /a ; see b/c", "path", "/a"},
        {"[sink x]\nargv = a 'b \" ; c' d\\ ;e \"f \\\" ; g\" ; h", "argv",
         "a 'b \" ; c' d\\ ;e \"f \\\" ; g\""},
        {"[feed x]\nurl = https://x/a;b ; c", "url", "https://x/a;b"},
        {"[feed x]\nurl = file:/a ; see b/c", "url", "file:/a"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *lines = NULL;
        struct source *source = read_text(cases[i].written, strlen(cases[i].written), &lines);
        assert_string_equal(lines, "");
        assert_string_equal(setting_of(source, cases[i].key)->value->str, cases[i].value);
        source_free(source);
    }
}

static void test_long_values(void **state)
{
    (void)state;
    GString *one = g_string_new("[rule a]\nmatch = "), *many = g_string_new("[rule b]\nmatch =\n");
    GString *value = g_string_new(NULL);
    for (int i = 0; value->len < 4000; i++) {
        g_string_append_printf(value, "%sžword%d", i ? " " : "", i);
        g_string_append_printf(many, "  žword%d\n", i);
    }
    g_string_append_printf(one, "%s\n", value->str);
    GString *const texts[] = {one, many};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *lines = NULL;
        struct source *source = read_text(texts[i]->str, texts[i]->len, &lines);
        const struct source_setting *setting = setting_of(source, "match");
        assert_string_equal(lines, "");
        assert_string_equal(setting->value->str, value->str);
        size_t offset = (size_t)(strstr(value->str, "word300") - value->str);
        struct place place = source_place(setting, offset);
        assert_int_equal(place.line, i == 0 ? 2 : 303);
        assert_int_equal(place.column, i == 0 ? 9 + g_utf8_strlen(value->str, (gssize)offset) : 4);
        source_free(source);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_string_free(texts[i], TRUE);
    g_string_free(value, TRUE);
}

static void test_line_ends_and_bom(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[feed a]\nurl = http://a/\ntags = b,\n  C",
        "[feed a]\r\nurl = http://a/\r\ntags = b,\r\n  C\r\n",
        "\xEF\xBB\xBF[feed a]\nurl = http://a/\ntags = b,\n  C\n",
        "\xEF\xBB\xBF[feed a]\r\nurl = http://a/ \r\ntags = b, ; x\r\n  C ; y\r\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *lines = NULL;
        struct source *source = read_text(texts[i], strlen(texts[i]), &lines);
        assert_string_equal(lines, "");
        assert_string_equal(setting_of(source, "url")->value->str, "http://a/");
        const struct source_setting *tags = setting_of(source, "tags");
        assert_string_equal(tags->value->str, "b, C");
        assert_int_equal(tags->place.line, 3);
        assert_int_equal(tags->place.column, 1);
        assert_int_equal(source_place(tags, 3).line, 4);
        assert_int_equal(source_place(tags, 3).column, 3);
        source_free(source);
    }
}

/* A BOM is one at the beginning of the file only, and it has no column. */
static void test_bom_column(void **state)
{
    (void)state;
    g_autofree char *lines = NULL;
    source_free(read_text("\xEF\xBB\xBF[fede a]\n\xEF\xBB\xBF[feed b]\n", 21, &lines));
    assert_non_null(g_strrstr(lines, "1:2: error: there is no section 'fede'"));
}

static void test_empty_section(void **state)
{
    (void)state;
    g_autofree char *lines = NULL;
    struct source *source = read_text("[sink log]\n[defaults]\n[feed a]", 30, &lines);
    assert_string_equal(lines, "");
    assert_int_equal(source->sections->len, 3);
    const struct source_section *last = g_ptr_array_index(source->sections, 2);
    assert_string_equal(last->id, "a");
    assert_int_equal(last->place.line, 3);
    source_free(source);
}

/* Random text that a person could mean: words, blanks, marks, quotes in pairs, regexes, unicode. */
static void append_random(GString *out, GRand *random)
{
    static const char *const parts[] = {
        "a",         "word",     " ", "  ",    "\t",    ";",       " ;",
        "#",         " #",       "%", "%41",   "=",     "[",       "]",
        "(",         ")",        ",", ":",     "\\",    "'",       "ž",
        "Гавана",    "俄",       "🚀", "\"",    "\"",    "/x ; y/", " /a\\/ ;b/ ",
        "\"q ; r\"", "-",        "*", "~5",    "//",    "/",       "\xC2\xA0",
        "to = ",     "[rule b]", "{", "$(id)", "&amp;", ".",       "http://x/;y",
    };
    int n = g_rand_int_range(random, 1, 30);
    for (int i = 0; i < n; i++)
        g_string_append(out, parts[g_rand_int_range(random, 0, G_N_ELEMENTS(parts))]);
}

/* The value as a person might write it: broken at blanks outside nothing in particular, with
 * comments where the scan says that they are some. */
static void append_written(GString *out, const char *value, enum scan_mode mode, GRand *random)
{
    struct scan scan;
    scan_init(&scan, mode);
    for (const char *p = value; *p; p++) {
        scan_step(&scan, *p);
        bool breaks = *p == ' ' && !scan_is_blank(p[1]) && p > value && !scan_is_blank(p[-1]) &&
                      p[-1] != '\\' && !g_str_has_prefix(p + 1, "to =") &&
                      !g_str_has_prefix(p + 1, "[rule b]") && p[1] != ';' && g_rand_boolean(random);
        if (!breaks) {
            g_string_append_c(out, *p);
            continue;
        }
        if (!scan.inside && !scan.is_escaped && g_rand_boolean(random))
            g_string_append(out, " ; a \"comment");
        g_string_append(out, g_rand_boolean(random) ? "\n    " : "\r\n\t");
        if (!scan.inside && !scan.is_escaped && g_rand_boolean(random))
            g_string_append(out, "; another /comment\n  ");
    }
}

static void test_random_values(void **state)
{
    (void)state;
    static const struct {
        const char *section, *key;
        enum scan_mode mode;
    } kinds[] = {{"[rule r]", "match", SCAN_QUERY},
                 {"[sink s]", "template", SCAN_TEXT},
                 {"[sink s]", "argv", SCAN_ARGV}};
    GRand *random = g_rand_new_with_seed(1);
    size_t n_tried = 0;
    while (n_tried < 30000) {
        g_autoptr(GString) value = g_string_new(NULL);
        g_autoptr(GString) text = g_string_new(NULL);
        guint kind = (guint)g_rand_int_range(random, 0, G_N_ELEMENTS(kinds));
        append_random(value, random);
        if (!scan_survives(kinds[kind].mode, value->str))
            continue;
        n_tried++;
        g_string_printf(text, "%s\n%s =%s", kinds[kind].section, kinds[kind].key,
                        value->str[0] == ';' ? "" : " ");
        if (n_tried % 2)
            g_string_append(text, value->str);
        else
            append_written(text, value->str, kinds[kind].mode, random);
        g_string_append(text, n_tried % 3 ? "\n" : " ; the end\n");
        g_autofree char *lines = NULL;
        struct source *source = read_text(text->str, text->len, &lines);
        assert_string_equal(lines, "");
        assert_string_equal(setting_of(source, kinds[kind].key)->value->str, value->str);
        source_free(source);
    }
    g_rand_free(random);
}

/* Every byte of a value is found again in the file, at the line and column that are said. */
static void test_random_places(void **state)
{
    (void)state;
    GRand *random = g_rand_new_with_seed(2);
    for (int i = 0; i < 3000;) {
        g_autoptr(GString) value = g_string_new(NULL);
        g_autoptr(GString) text = g_string_new("[rule r]\nmatch = ");
        append_random(value, random);
        if (!scan_survives(SCAN_QUERY, value->str) || value->str[0] == ';')
            continue;
        i++;
        append_written(text, value->str, SCAN_QUERY, random);
        g_autofree char *lines = NULL;
        struct source *source = read_text(text->str, text->len, &lines);
        const struct source_setting *setting = setting_of(source, "match");
        g_auto(GStrv) split = g_strsplit(text->str, "\n", -1);
        for (size_t at = 0, next = 0; at < value->len; at = next) {
            uint32_t c = utf8_next(value->str, value->len, &next);
            struct place place = source_place(setting, at);
            const char *there =
                g_utf8_offset_to_pointer(split[place.line - 1], (glong)place.column - 1);
            if (c != ' ') /* which may stand for the end of a line */
                assert_int_equal(g_utf8_get_char(there), c);
        }
        source_free(source);
    }
    g_rand_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_long_values),   cmocka_unit_test(test_line_ends_and_bom),
        cmocka_unit_test(test_bom_column),    cmocka_unit_test(test_empty_section),
        cmocka_unit_test(test_random_values), cmocka_unit_test(test_random_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
