#include "feed/encoding.h"
#include "text/utf8.h"

#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DECLARED(name) "<?xml version=\"1.0\" encoding=\"" name "\"?><t>"

/* The text behind "<t>" of a document. */
static char *decode(const char *bytes, size_t size, const char *content_type,
                    const char **ret_warning)
{
    struct encoding_text text;
    g_autoptr(GError) error = NULL;
    char *exact = malloc(size ? size : 1);
    memcpy(exact, bytes, size);
    if (!encoding_decode(exact, size, content_type, &text, &error)) {
        free(exact);
        return g_strdup_printf("error: %s", error->message);
    }
    assert_true(utf8_is_valid(text.at, text.size));
    const char *behind = g_strstr_len(text.at, (gssize)text.size, "<t>");
    char *got = behind ? g_strndup(behind + 3, text.size - (size_t)(behind + 3 - text.at))
                       : g_strndup(text.at, text.size);
    if (ret_warning)
        *ret_warning = text.warning;
    encoding_clear(&text);
    free(exact);
    return got;
}

static void expect(const char *bytes, const char *content_type, const char *wanted)
{
    g_autofree char *got = decode(bytes, strlen(bytes), content_type, NULL);
    if (strcmp(got, wanted) != 0)
        fail_msg("\"%s\" gives \"%s\", wanted \"%s\"", bytes, got, wanted);
}

static void test_declared(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *wanted;
    } cases[] = {
        {DECLARED("utf-8") "caf\xC3\xA9", "café"},
        {DECLARED("ISO-8859-1") "caf\xE9 \x93q\x94", "café “q”"},
        {DECLARED("us-ascii") "caf\xE9", "café"},
        {DECLARED("windows-1252") "\x80", "€"},
        {DECLARED("windows-1251") "\xC3\xE0\xE2\xE0\xED\xE0", "Гавана"},
        {DECLARED("koi8-r") "\xE7\xC1\xD7\xC1\xCE\xC1", "Гавана"},
        {DECLARED("iso-8859-15") "\xA4", "€"},
        {DECLARED("iso-8859-9") "\xFD", "ı"},
        {DECLARED("gb2312") "\xD6\xEC\xE9\x46", "朱镕"}, /* the second only in GBK */
        {DECLARED("gb18030") "\x95\x32\x82\x36", "𠀀"},
        {DECLARED("big5") "\xC1\x63\xC5\xE9", "繁體"},
        {DECLARED("euc-jp") "\xC6\xFC\xCB\xDC", "日本"},
        {DECLARED("Shift_JIS") "\x93\xFA\x96\x7B\x87\x40", "日本①"},
        {DECLARED("euc-kr") "\xC7\xD1\xB1\xDB\x8C\x63", "한글똠"}, /* the last only in CP949 */
        {DECLARED("iso-2022-jp") "\x1B$BF|K\\\x1B(B", "日本"},
        {DECLARED("iso-2022-kr") "\x1B$)C\x0EGQ1[\x0F!", "한글!"},
        {DECLARED("euc_jis_2004") "\xC6\xFC\xCB\xDC", "日本"},
        {DECLARED("viscii") "\xE4", "ả"},
        {DECLARED("kz_1048") "\xA2", "ұ"},
        {DECLARED("iso-ir-226") "\xAA", "Ș"},
        {DECLARED("gb2312-1980") "\xD6\xEC", "朱"},
        {DECLARED("cp_is") "\x80", "Ç"},
        {DECLARED("") "caf\xC3\xA9", "café"},
        {"<?xml version='1.0' encoding = 'windows-1251' ?><t>\xC3", "Г"},
        {"<meta http-equiv=x content=\"text/html; charset=koi8-r\"><t>\xE7", "Г"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        expect(cases[i].bytes, NULL, cases[i].wanted);
}

static void test_http(void **state)
{
    (void)state;
    expect("<t>\xC3", "text/xml; charset=windows-1251", "Г");
    expect("<t>\xC3", "text/xml;charset=\"windows-1251\"; x=y", "Г");
    expect(DECLARED("koi8-r") "\xC3", "text/xml; CHARSET=windows-1251", "Г");
    expect(DECLARED("windows-1251") "\xC3", "text/xml", "Г");
    expect(DECLARED("windows-1251") "\xC3", "text/xml; charset=utf-8", "Г");
    expect(DECLARED("windows-1251") "\xC3", "text/xml; charset=bogus", "Г");
}

static void test_utf8_wins(void **state)
{
    (void)state;
    const char *warning = NULL;
    const char lie[] = DECLARED("windows-1251") "\xD0\x93\xD0\xB0";
    g_autofree char *got = decode(lie, strlen(lie), "text/xml; charset=koi8-r", &warning);
    assert_string_equal(got, "Га");
    assert_non_null(warning);
    expect(DECLARED("no-such-thing") "caf\xC3\xA9", NULL, "café");
    expect(DECLARED("utf-16") "caf\xC3\xA9", NULL, "café");
    expect("\xEF\xBB\xBF" DECLARED("koi8-r") "\xC3\xA9", NULL, "é");
    expect("\xEF\xBB\xBF\xEF\xBB\xBF<t>\xC3\xA9", NULL, "é");
}

static void test_guesses(void **state)
{
    (void)state;
    /* Nothing declared, or UTF-8 that is none: the one encoding that most of these are. */
    expect("<t>caf\xE9", NULL, "café");
    expect(DECLARED("utf-8") "caf\xE9", NULL, "café");
    /* Some of it is UTF-8: the rest is damage. */
    expect("<t>caf\xC3\xA9 \xFF \xE2\x82", NULL, "café \xEF\xBF\xBD \xEF\xBF\xBD");
    expect("<t>\xC0\x80 \xC3\xA9 \xED\xA0\x80", NULL,
           "\xEF\xBF\xBD\xEF\xBF\xBD é \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    /* What means nothing in the declared encoding. */
    expect(DECLARED("windows-1252") "a\x81z", NULL, "a\xEF\xBF\xBDz");
    expect(DECLARED("euc-jp") "a\xFFz", NULL, "a\xEF\xBF\xBDz");
    expect(DECLARED("gb18030") "a\x81", NULL, "a\xEF\xBF\xBD");
}

static void test_wide(void **state)
{
    (void)state;
    static const char *const names[] = {"UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"};
    static const char *const texts[] = {
        "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-16\"?><t>é 中 😀",
        "<?xml version=\"1.0\"?><t>é 中 😀"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(texts); k++) {
            gsize size = 0;
            g_autofree char *bytes = g_convert(texts[k], -1, names[i], "UTF-8", NULL, &size, NULL);
            assert_non_null(bytes);
            g_autofree char *got = decode(bytes, size, "text/xml; charset=utf-8", NULL);
            assert_string_equal(got, "é 中 😀");
            /* Cut in the middle of a character. */
            g_autofree char *cut = decode(bytes, size - 1, NULL, NULL);
            assert_string_equal(cut, "é 中 \xEF\xBF\xBD");
        }
    }
    const char lone[] = "<\0t\0>\0\0\xD8x\0";
    g_autofree char *got = decode(lone, sizeof lone - 1, NULL, NULL);
    assert_string_equal(got, "\xEF\xBF\xBDx");
}

static void test_ebcdic(void **state)
{
    (void)state;
    gsize size = 0;
    g_autofree char *bytes =
        g_convert(DECLARED("ebcdic-cp-us") "news", -1, "IBM037", "UTF-8", NULL, &size, NULL);
    g_autofree char *got = decode(bytes, size, NULL, NULL);
    assert_string_equal(got, "news");
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const documents[] = {
        DECLARED("utf-7") "+ADw-script+AD4-",   DECLARED("hz-gb-2312") "~{<:~}",
        DECLARED("HZ_GB_2312") "~{<:~}",        DECLARED("bogus") "caf\xE9",
        DECLARED("../../etc/passwd") "caf\xE9",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++) {
        struct encoding_text text;
        g_autoptr(GError) error = NULL;
        assert_false(encoding_decode(documents[i], strlen(documents[i]), NULL, &text, &error));
        assert_true(g_error_matches(error, FEED_ERROR, FEED_ERROR_ENCODING));
    }
}

/* What is on the list must be something that the system can open. */
static void test_list(void **state)
{
    (void)state;
    static const char *const labels[] = {
        "UTF-8",        "utf8",           "latin1",       "ISO_8859-1:1987",
        "cp1252",       "windows_1252",   "x-cp1251",     "KOI8-R",
        "koi8-u",       "iso-8859-2",     "ISO8859-5",    "iso-8859-16",
        "windows-1258", "TIS-620",        "GB2312",       "GBK",
        "cp936",        "gb18030",        "Big5",         "big5-hkscs",
        "cp950",        "x-sjis",         "Windows-31J",  "EUC-JP",
        "ISO-2022-JP",  "ks_c_5601-1987", "cp949",        "johab",
        "macintosh",    "mac-cyrillic",   "ibm437",       "850",
        "csIBM864",     "cp-gr",          "EBCDIC-CP-BE", "IBM1047",
        "cp1140",       "viscii",         "KOI8-T",       "ptcp154",
        "hp-roman8",    "cp737",          "ISO-8859-8-I", "windows-1250",
        "windows-1253", "windows-1254",   "windows-1255", "windows-1256",
        "windows-1257", "iso-8859-3",     "iso-8859-4",   "iso-8859-6",
        "iso-8859-7",   "iso-8859-10",    "iso-8859-13",  "iso-8859-14",
        "cp775",        "cp852",          "cp855",        "cp856",
        "cp857",        "cp858",          "cp860",        "cp861",
        "cp862",        "cp863",          "cp865",        "cp866",
        "cp869",        "cp1125",         "ibm273",       "ibm277",
        "ibm278",       "ibm280",         "ibm284",       "ibm285",
        "ibm297",       "ibm424",         "ibm500",       "ibm871",
        "ibm875",       "ibm1026",        "maclatin2",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++) {
        const char *name = encoding_iconv_name(labels[i], strlen(labels[i]));
        if (!name)
            fail_msg("%s is not on the list", labels[i]);
        iconv_t converter = iconv_open("UTF-8", name);
        if (converter == (iconv_t)-1)
            fail_msg("%s: the system has no %s", labels[i], name);
        iconv_close(converter);
    }
    static const char *const others[] = {
        "", "utf-7", "x", "cp", "iso", "utf-8x", "a very long name that no encoding has at all"};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        assert_null(encoding_iconv_name(others[i], strlen(others[i])));
}

static void test_tiny(void **state)
{
    (void)state;
    static const char bytes[] = "\xFF\xFE\0\0\xEF\xBB\xBF<\0?";
    for (size_t from = 0; from < sizeof bytes; from++) {
        for (size_t n = 0; from + n < sizeof bytes; n++) {
            g_autofree char *got = decode(bytes + from, n, NULL, NULL);
            assert_non_null(got);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_declared),  cmocka_unit_test(test_http),
        cmocka_unit_test(test_utf8_wins), cmocka_unit_test(test_guesses),
        cmocka_unit_test(test_wide),      cmocka_unit_test(test_ebcdic),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_list),
        cmocka_unit_test(test_tiny),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
