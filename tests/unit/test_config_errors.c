/* config/: what is refused, with the very line, column and words. */
#include "config_help.h"

struct error_case {
    const char *text, *lines; /* %s-free */
};

/* Each text is followed by a feed and a rule that are right. */
static void check_cases(const struct error_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_autofree char *text = g_strconcat(cases[i].text, "\n" FEED_AND_RULE, NULL);
        g_autofree char *lines = NULL;
        struct config *config = load_text(text, &lines);
        check_problems(lines, cases[i].lines);
        assert_int_equal(config != NULL, strstr(lines, "error:") == NULL);
        config_unref(config);
    }
}

#define ID40 "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd"

static void test_sections(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        {"[fede x]\nurl = http://x/\n  more",
         "1:2: error: there is no section 'fede'; did you mean 'feed'?\n"},
        {"[zebra]",
         "1:2: error: there is no section 'zebra': sections are [feedwatch], [defaults], "
         "[feed ID], [list ID], [rule ID] and [sink ID]\n"},
        {"[]", "1:2: error: there is no section '': sections are [feedwatch], [defaults], "
               "[feed ID], [list ID], [rule ID] and [sink ID]\n"},
        {"[feed]\nurl = http://x/", "1:6: error: [feed] needs an ID: [feed ID]\n"},
        {"[defaults x]", "1:11: error: [defaults] has no ID; write [defaults]\n"},
        {"[feed Großer]\nurl = http://x/",
         "1:7: error: 'G' cannot stand in an ID: 1 to 40 of a-z 0-9 . _ - (in 'Großer')\n"},
        {"[feed gro\xC3\x9F"
         "er]\nurl = http://x/",
         "1:10: error: 'ß' cannot stand in an ID: 1 to 40 of a-z 0-9 . _ - (in 'großer')\n"},
        {"[feed " ID40 "]\nurl = http://x/", ""},
        {"[feed " ID40 "e]\nurl = http://x/",
         "1:47: error: the ID '" ID40 "e' has 41 characters; at most 40 are allowed\n"},
        {"[feed " ID40 "eeeeeeeeeeffffffffff]\nurl = http://x/",
         "1:47: error: the ID '" ID40
         "eeeeeeeeeeffffffffff' has 60 characters; at most 40 are allowed\n"},
        {"  [ feed   b ] ; ok",
         "1:3: error: the section header is indented: it must begin in column "
         "1\n1:3: error: [feed b] has no 'url': where the feed is\n"},
        {"[feed b]\nurl = http://b/\n\t[rule b]\nmatch = cuba",
         "3:2: error: the section header is indented: it must begin in column 1\n"},
        {"[feed b\nurl = http://b/", "1:8: error: the section header does not end with ]\n"},
        {"[feed b] url = http://b/\nurl = http://b/",
         "1:10: error: there is text behind the section header\n"},
        {"[feed b]\nurl = http://b/\n[list b]\nany = x\n[feed b]\nurl = http://c/",
         "5:1: error: [feed b] is there twice; the first is in line 1\n"},
        {"[feedwatch]\n[feedwatch]",
         "2:1: error: [feedwatch] is there twice; the first is in line 1\n"},
        {"[feed b]", "1:1: error: [feed b] has no 'url': where the feed is\n"},
        {"[list b]\n\n[rule b]\n",
         "1:1: error: [list b] has no 'any': terms and phrases, one of which must be there\n"
         "3:1: error: [rule b] has no 'match': the query\n"},
        {"[sink log]\n[feedwatch]\n[defaults]", ""},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void test_settings(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        {"url = x\ntags = y", "1:1: error: a setting stands before the first [section]\n"},
        {"[feed b]\nurl = http://b/\nintervall = 5m",
         "3:1: error: [feed b] has no setting 'intervall'; did you mean 'interval'?\n"},
        {"[feed b]\nUrl = http://b/",
         "1:1: error: [feed b] has no 'url': where the feed is\n"
         "2:1: error: [feed b] has no setting 'Url'; did you mean 'url'?\n"},
        {"[feedwatch]\nurgency = low",
         "2:1: error: [feedwatch] has no setting 'urgency'; it belongs in a section [rule ID]\n"},
        {"[defaults]\nurl = http://b/",
         "2:1: error: [defaults] has no setting 'url'; it belongs in a section [feed ID]\n"},
        {"[feed b]\nurl = http://b/\ncolour = red",
         "3:1: error: [feed b] has no setting 'colour'\n"},
        {"[feed b]\nurl = http://b/\ntags: x=y\n[list b]\nany = a,\n\"b\", =c\n",
         "3:1: error: expected 'setting = value', a [section] or a comment; a value goes on over "
         "lines that are indented\n6:1: error: expected 'setting = value', a [section] or a "
         "comment; a value goes on over lines that are indented\n"},
        {"[feed b]\nurl = http://b/\n\xC3\xBCrl",
         "3:1: error: expected 'setting = value', a [section] or a comment; a value goes on over "
         "lines that are indented\n"},
        {"[feed b]\nurl = http://b/\ntags = x\ntags = y",
         "4:1: error: 'tags' is set twice; the first is in line 3\n"},
        {"[feed b]\n  http://b/\nurl = http://b/",
         "2:3: error: an indented line continues a value, but there is none above\n"},
        {"[feed b]\nurl = http://b/\n  tags = x",
         "3:3: error: 'tags =' is indented, so that it would continue the value above: a setting "
         "begins in column 1\n"},
        {"[rule b]\nmatch = cuba\n\texclude\t=rum", "3:2: error: 'exclude =' is indented, so that "
                                                    "it would continue the value above: a setting "
                                                    "begins in column 1\n"},
        {"[feed b]\nurl =\n", "2:1: error: 'url' has no value\n"},
        {"[feed b]\nurl = ; nothing\n", "2:1: error: 'url' has no value\n"},
        {"[feed b]\nurl = http://b/\ntimeout =", "3:1: error: 'timeout' has no value\n"},
        {"[rule b]\nmatch = cuba\nalert = ", "3:1: error: 'alert' has no value\n"},
        {"[rule b]\nmatch = cuba\nalert = log,\n  desktp, mail",
         "4:3: error: there is no sink 'desktp'; did you mean 'desktop'?\n"
         "4:11: error: there is no sink 'mail': no section [sink mail]\n"},
        {"[rule b]\nmatch = cuba\nalert = log, log",
         "3:14: error: 'log' stands twice in the list\n"},
        {"[sink x]\n", "1:1: error: [sink x] has no 'type': one of log, desktop, journal, command, "
                       "webhook, mail, mqtt, feed\n"},
        {"[sink x]\ntype = dekstop",
         "2:8: error: 'dekstop' is none of: log, desktop, journal, command, webhook, mail, mqtt, "
         "feed; did you mean 'desktop'?\n"},
        {"[sink desktop]\npath = /x",
         "2:1: error: a sink of the type desktop has no setting 'path'\n"},
        {"[sink x]\ntype = log\n", "1:1: error: the sinks 'x' and 'log' write to the same file\n"},
        {"[sink x]\ntype = log\npath = %S/x.log\n", ""},
        {"[sink x]\ntype = log\n[sink log]\nenabled = no\n[rule b]\nmatch = cuba\nalert = log",
         "7:9: warning: the sink 'log' is not enabled\n"},
        {"[sink command]",
         "1:1: error: [sink command] has no 'argv': the program and its arguments; no shell reads "
         "them\n"},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void test_unbuilt(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        {"[feedwatch]\noffline = ignore\nstories = off",
         "3:1: warning: 'stories' is accepted, but not built yet\n"},
        {"[rule b]\nmatch = cuba\nstories = on\nmin_interval = 1h\nquiet = 22:00-07:00\nrepeat = "
         "1d\nsurge = 20 in 1h",
         "3:1: warning: 'stories' is accepted, but not built yet\n"
         "4:1: warning: 'min_interval' is accepted, but not built yet\n"
         "5:1: warning: 'quiet' is accepted, but not built yet\n"
         "6:1: warning: 'repeat' is accepted, but not built yet\n"
         "7:1: warning: 'surge' is accepted, but not built yet\n"},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

static void test_columns(void **state)
{
    (void)state;
    static const struct error_case cases[] = {
        /* Columns are characters: й and ž are one each, and so is a tab. */
        {"[list b]\nany = Гавана, žluť\n\tй,  ; комментарий\n    ž, @nowhere",
         "4:8: error: *@nowhere*\n"},
        {"[rule b]\nmatch = й NEER/5 b\nexclude =\n  x\n\ty NEER/5 z",
         "2:11: error: *NEER/5*\n5:4: error: *NEER/5*\n"},
        {"[feed b]\nurl = http://b/\ntags = good, \n   Bad, good",
         "4:4: error: 'B' cannot stand in an ID: 1 to 40 of a-z 0-9 . _ - (in 'Bad')\n"},
        {"[feed b]\nurl = http://b/\ntags = good, \"b d\"",
         "3:16: error: a blank or control character cannot stand in an ID: 1 to 40 of a-z 0-9 . _ "
         "- (in 'b d')\n"},
        {"[feed b]\nurl = http://b/ c", "2:16: error: a URL has no blanks; write %20\n"},
        {"[feed b]\nurl = http://b/\n  c", "2:16: error: a URL has no blanks; write %20\n"},
        {"[feed b]\nurl = http://b/\nheaders = X-Ž: ž,\n  X: ok, Host: x",
         "3:13: error: 'X-Ž' is not a header such as 'Accept-Language: es'\n"},
        {"[feed b]\nurl = http://b/\nheaders = X-A: ž,\n  X: ok, Host: x",
         "4:10: error: the header Host is not yours to set\n"},
        {"[feed b]\nurl = http://b/\x07\n",
         "2:16: error: the control character U+0007 cannot stand in a value\n"},
        {"[feed b]\nurl = http://b/\xC2\x85", "2:16: error: the control character U+0085 cannot "
                                              "stand in a value\n"},
        {"[feed b]\nurl = http://b/ž\xFF", "2:17: error: the byte 0xFF is not valid UTF-8\n"},
        {"[feed b]\nurl = http://b/\nuser_agent = a\rb",
         "3:15: error: the control character U+000D cannot stand in a value\n"},
    };
    check_cases(cases, G_N_ELEMENTS(cases));
}

/* A control character is told, and the value is then not there: no second error follows. */
static void test_nul(void **state)
{
    (void)state;
    static const char text[] = "[feed a]\nurl = http://a/\0b\n[rule r]\nmatch = c\0d\nlang\0 = x\n";
    g_autofree char *lines = NULL;
    assert_null(load_sized(text, sizeof(text) - 1, &lines));
    assert_string_equal(lines,
                        "2:16: error: the control character U+0000 cannot stand in a value\n"
                        "4:10: error: the control character U+0000 cannot stand in a value\n"
                        "5:1: error: expected 'setting = value', a [section] or a comment; a value "
                        "goes on over lines that are indented\n");
}

static void test_many_at_once(void **state)
{
    (void)state;
    g_autofree char *lines = NULL;
    assert_null(load_text("[feedwatch]\nretention = 1h\n\n[feed a]\nurl = ftp://x/\n"
                          "[rule r]\nmatch = a NEER/5 b\nalert = lgo\n",
                          &lines));
    check_problems(lines,
                   "2:13: error: '1h' is out of range: a duration from 1d to 3650d\n"
                   "5:7: error: 'ftp://x/' is not a URL that begins with https:, http:, file:, "
                   "exec:; did you mean 'http:'?\n"
                   "7:11: error: *NEER/5*\n"
                   "8:9: error: there is no sink 'lgo'; did you mean 'log'?\n");
}

static void test_flood(void **state)
{
    (void)state;
    GString *text = g_string_new(NULL);
    for (int i = 0; i < 20000; i++)
        g_string_append(text, "rubbish\n[x\n");
    g_autofree char *lines = NULL;
    assert_null(load_text(text->str, &lines));
    g_string_free(text, TRUE);
    g_auto(GStrv) split = g_strsplit(lines, "\n", -1);
    assert_int_equal(g_strv_length(split), REPORT_PROBLEMS_MAX + 2);
    assert_non_null(strstr(lines, "there are more problems than are shown here\n"));
}

static void test_nothing(void **state)
{
    (void)state;
    g_autofree char *lines = NULL;
    struct config *config = load_text("", &lines);
    assert_non_null(config);
    config_unref(config);
    assert_string_equal(lines, " warning: there is no [feed ID]: nothing is polled\n"
                               " warning: there is no [rule ID]: nothing is matched\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections), cmocka_unit_test(test_settings),
        cmocka_unit_test(test_unbuilt),  cmocka_unit_test(test_columns),
        cmocka_unit_test(test_nul),      cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_flood),    cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
