/* config/config: what config_print() writes is read back as the same configuration. */
#include "config_help.h"

/* Reads what was printed, and prints it again: the same, and no more warnings than before. */
static void check_round_trip(const struct config *config)
{
    g_autofree char *first = printed(config);
    g_autofree char *lines = NULL;
    struct config *again = load_text(first, &lines);
    if (!again)
        fail_msg("%s\n%s", lines, first);
    g_autofree char *second = printed(again);
    assert_string_equal(first, second);
    assert_int_equal(again->feeds->len, config->feeds->len);
    assert_int_equal(again->rules->len, config->rules->len);
    assert_int_equal(again->lists->len, config->lists->len);
    assert_int_equal(again->sinks->len, config->sinks->len);
    config_unref(again);
}

static void test_everything(void **state)
{
    (void)state;
    static const char text[] =
        "[feedwatch]\nstate_dir = /s%%t ; x\nuser_agent_contact = me@example.com\n"
        "retention = 30d\nproxy = http://p:1\nhost_spacing = 1s500ms\nmax_connections = 7\n"
        "offline = ignore\nstories = off\n"
        "[defaults]\ninterval = 15m\ntags = d\n"
        "[feed a]\nurl = https://a/;x?y=%20#z\ntags = p, q\ninterval = 1h30m\ninitial = last 7\n"
        "timeout = 90s\nmax_size = 1536K\nallow_private = yes\n"
        "headers = A: b, \"C: d, e\", \"F: g ; h\"\nuser_agent = \" blank at the ends \"\n"
        "proxy =\ncache_max = 0\nlanguage = pt-BR\nenabled = no\n"
        "[feed b]\nurl = exec:/bin/x \"a ; b\"\ninterval =\n"
        "[feed c]\nurl = file:///c\ninitial = all\n[feed d]\nurl = http://d\ninitial = 36h\n"
        "[list l]\nany = a, \"b ;c\",\n  #f,\n  #g\n"
        "[rule r]\nmatch = @l AND\n  \"x\n   ;y\" /d ; e/ ; comment\nexclude =;z\nin = title\n"
        "feeds = a, tag:p\nlanguage = ru\nalert = x, log\nurgency = critical\nstories = on\n"
        "min_interval = 1h\nquiet = 22:00-07:00\nrepeat = 1d\nsurge = 20 in 1h\n"
        "[sink x]\ntype = command\nargv = '/bin/a b' -c \"$HOME \\\" ; c\" '' # ~\ntimeout = 5s\n"
        "[sink w]\ntype = webhook\nurl = https://h/\nheaders = A: b\n"
        "template = {\"t\": \"{title} ; \\\"\"}\n"
        "[sink m]\ntype = mail\nto = a@b, c@d\nfrom = e@f\nserver = h:25\n"
        "[sink q]\ntype = mqtt\nurl = mqtt://h\ntopic = \"a/b ; c\"\n"
        "[sink f]\ntype = feed\npath = ~/f.xml\nentries = 9\n"
        "[sink log]\nformat = logfmt\nenabled = no\n";
    g_autofree char *lines = NULL;
    struct config *config = load_text(text, &lines);
    if (!config)
        fail_msg("%s", lines);
    assert_null(strstr(lines, "error"));
    assert_string_equal(config->state_dir, "/s%t");
    const struct config_feed *a = config_find_feed(config, "a");
    assert_string_equal(a->user_agent, " blank at the ends ");
    assert_string_equal(a->headers[1], "C: d, e");
    assert_string_equal(a->headers[2], "F: g ; h");
    const struct config_rule *rule = g_ptr_array_index(config->rules, 0);
    assert_string_equal(rule->match, "@l AND \"x ;y\" /d ; e/");
    assert_string_equal(rule->exclude, ";z");
    const struct config_sink *command = config_find_sink(config, "x");
    g_autofree char *argv = g_strjoinv("|", command->argv);
    assert_string_equal(argv, "/bin/a b|-c|$HOME \" ; c||#|~");
    assert_string_equal(config_find_sink(config, "q")->topic, "a/b ; c");
    check_round_trip(config);
    config_unref(config);
}

/* What is printed may be shown to others. */
static void test_secrets_are_masked(void **state)
{
    (void)state;
    static const char text[] =
        "[feed a]\nurl = https://me:s3cret@h/@name\nproxy = socks5://me:s3cret@p:1\n"
        "headers = Authorization: s3cret, \"X-Api-Key: s3cret, too\", Accept-Language: es\n"
        "[feed b]\nurl = https://h/@name\n"
        "[rule r]\nmatch = \"ftp://me:you@h\"\nalert = w\n"
        "[sink w]\ntype = webhook\nurl = https://me:s3cret@h/x\nheaders = cookie: s3cret\n"
        "[sink q]\ntype = mqtt\nurl = mqtt://me:s3cret@h\ntopic = t\n";
    static const char *const lines[] = {
        "url = https://***@h/@name",
        "proxy = socks5://***@p:1",
        "headers = Authorization: ***, X-Api-Key: ***, Accept-Language: es",
        "url = https://h/@name",
        "match = \"ftp://me:you@h\"",
        "url = https://***@h/x",
        "headers = cookie: ***",
        "url = mqtt://***@h"};
    g_autofree char *warnings = NULL;
    struct config *config = load_text(text, &warnings);
    assert_non_null(config);
    g_autofree char *print = printed(config);
    assert_null(strstr(print, "s3cret"));
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *line = g_strdup_printf("\n%s\n", lines[i]);
        if (!strstr(print, line))
            fail_msg("no '%s' in\n%s", lines[i], print);
    }
    check_round_trip(config);
    config_unref(config);
}

/* A configuration without any special thing is printed without a warning's cause. */
static void test_no_new_warnings(void **state)
{
    (void)state;
    struct config *config = load_good(FEED_AND_RULE);
    g_autofree char *text = printed(config);
    struct config *again = load_good(text);
    assert_non_null(strstr(text, "\nretention = 90d\n"));
    assert_non_null(strstr(text, "\n; stories = on\n"));
    config_unref(again);
    config_unref(config);
}

/* Random text without control characters; what is not a character is not drawn. */
static void append_random(GString *out, GRand *random, const char *const *parts, size_t n_parts)
{
    int n = g_rand_int_range(random, 1, 20);
    for (int i = 0; i < n; i++) {
        if (g_rand_int_range(random, 0, 3) > 0) {
            g_string_append(out, parts[(guint)g_rand_int_range(random, 0, (gint32)n_parts)]);
            continue;
        }
        gunichar c = (gunichar)g_rand_int_range(random, 0x20, 0x3000);
        if (g_unichar_validate(c) && !g_unichar_iscntrl(c) && c != 0x2028 && c != 0x2029)
            g_string_append_unichar(out, c);
    }
}

static void append_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
}

static const char *const text_parts[] = {
    " ",       "  ", ";",  " ; ",   "#", " # ", "\"", "'",    "\\",     "\\\"",
    "%",       "%S", "%%", "%41",   ",", ", ",  "=",  "[x]",  "]",      "/",
    "/a ; b/", "{",  "}",  "$(id)", "`", "~/",  "*",  "Word", "Гавана", "🚀",
};

/* Free text in every setting that takes some; written in quotes here, printed as it may. */
static void test_random_texts(void **state)
{
    (void)state;
    GRand *random = g_rand_new_with_seed(3);
    for (int i = 0; i < 4000; i++) {
        g_autoptr(GString) value = g_string_new(NULL);
        g_autoptr(GString) text = g_string_new(FEED_AND_RULE);
        append_random(value, random, text_parts, G_N_ELEMENTS(text_parts));
        if (value->len == 0)
            continue;
        g_autoptr(GString) quoted = g_string_new(NULL);
        append_quoted(quoted, value->str);
        g_auto(GStrv) at_parts = g_strsplit(quoted->str, "%", -1);
        g_autofree char *path = g_strjoinv("%%", at_parts);
        g_string_append_printf(
            text,
            "[feed b]\nurl = http://b/\nuser_agent = %s\nheaders = \"X: y\", "
            "\"Accept:%s\n[sink w]\ntype = webhook\nurl = http://w/\ntemplate = %s\n"
            "[sink l]\ntype = log\npath = \"/%s\n"
            "[sink c]\ntype = command\nargv = /bin/c \"-%s\n",
            quoted->str, quoted->str + 1, quoted->str, path + 1, quoted->str + 1);
        g_autofree char *lines = NULL;
        struct config *config = load_text(text->str, &lines);
        if (!config)
            fail_msg("%s%s", lines, text->str);
        const struct config_feed *feed = config_find_feed(config, "b");
        assert_string_equal(feed->user_agent, value->str);
        assert_string_equal(feed->headers[1] + strlen("Accept:"), value->str);
        assert_null(feed->headers[2]);
        assert_string_equal(config_find_sink(config, "w")->template_text, value->str);
        assert_string_equal(config_find_sink(config, "l")->path + 1, value->str);
        assert_string_equal(config_find_sink(config, "c")->argv[1] + 1, value->str);
        check_round_trip(config);
        g_autofree char *print = printed(config);
        g_autofree char *more_lines = NULL;
        struct config *again = load_text(print, &more_lines);
        assert_string_equal(config_find_feed(again, "b")->user_agent, value->str);
        assert_string_equal(config_find_feed(again, "b")->headers[1] + strlen("Accept:"),
                            value->str);
        assert_string_equal(config_find_sink(again, "w")->template_text, value->str);
        assert_string_equal(config_find_sink(again, "l")->path + 1, value->str);
        assert_string_equal(config_find_sink(again, "c")->argv[1] + 1, value->str);
        config_unref(again);
        config_unref(config);
    }
    g_rand_free(random);
}

/* Queries as they are written: terms, phrases and regexes, with whatever may stand in them. What a
 * rule excludes shares no word with what it looks for: that would be an error. */
struct vocabulary {
    const char *word;
    const char *const *terms;
    size_t n_terms;
};

static void append_term(GString *out, const struct vocabulary *from, GRand *random)
{
    static const char *const in_phrase[] = {" ;x",  ";",         " #x", "#",  "%41",
                                            "%",    " Гавана",   "俄",  "=x", ",",
                                            " to=", " [rule b]", "  x", "'"};
    static const char *const in_regex[] = {" ; ",  ";",   " # ", "#",       "%41",   "Гавана",
                                           "[; ]", "\\/", "=",   ",",       "to = ", "  ",
                                           "'",    "x+",  "\"",  "(a|b ;c)"};
    int kind = g_rand_int_range(random, 0, 4);
    if (kind < 2) {
        g_string_append(out,
                        from->terms[(guint)g_rand_int_range(random, 0, (gint32)from->n_terms)]);
        return;
    }
    g_string_append_printf(out, "%c%s", kind == 2 ? '"' : '/', from->word);
    int n = g_rand_int_range(random, 0, 5);
    for (int i = 0; i < n; i++)
        g_string_append(out, kind == 2
                                 ? in_phrase[g_rand_int_range(random, 0, G_N_ELEMENTS(in_phrase))]
                                 : in_regex[g_rand_int_range(random, 0, G_N_ELEMENTS(in_regex))]);
    g_string_append_printf(out, "%s%c", from->word, kind == 2 ? '"' : '/');
}

static void append_query(GString *out, const struct vocabulary *from, GRand *random,
                         const char *separator)
{
    int n = g_rand_int_range(random, 1, 8);
    for (int i = 0; i < n; i++) {
        if (i > 0)
            g_string_append(out, separator);
        append_term(out, from, random);
    }
}

static void test_random_queries(void **state)
{
    (void)state;
    static const char *const wanted[] = {"cuba", "Куба~",   "=US",   "cub*",           "F-35",
                                         "@l",   "a/b",     "C++",   "title:b",        "x;y",
                                         "100%", "🚀launch", "#hash", "author:\"c d\"", "O'Brien"};
    static const char *const unwanted[] = {"sport", "=\"AT&T\"", "лёд", "ice*", "q/r", "(e OR f)"};
    const struct vocabulary match_words = {"word", wanted, G_N_ELEMENTS(wanted)};
    const struct vocabulary exclude_words = {"text", unwanted, G_N_ELEMENTS(unwanted)};
    GRand *random = g_rand_new_with_seed(4);
    for (int i = 0; i < 2000; i++) {
        g_autoptr(GString) match = g_string_new("must AND ");
        g_autoptr(GString) exclude = g_string_new(NULL);
        append_query(match, &match_words, random, " AND ");
        append_query(exclude, &exclude_words, random, " OR ");
        g_autofree char *text =
            g_strdup_printf("[feed a]\nurl = http://a/\n[list l]\nany = fish, \"fish ;chips\"\n"
                            "[rule r]\nmatch = %s ; comment\nexclude = %s\n",
                            match->str, exclude->str);
        g_autofree char *lines = NULL;
        struct config *config = load_text(text, &lines);
        if (!config)
            fail_msg("%s%s", lines, text);
        const struct config_rule *rule = g_ptr_array_index(config->rules, 0);
        assert_string_equal(rule->match, match->str);
        assert_string_equal(rule->exclude, exclude->str);
        check_round_trip(config);
        config_unref(config);
    }
    g_rand_free(random);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),      cmocka_unit_test(test_secrets_are_masked),
        cmocka_unit_test(test_no_new_warnings), cmocka_unit_test(test_random_texts),
        cmocka_unit_test(test_random_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
