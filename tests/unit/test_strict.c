#include "feed/encoding.h"
#include "feed/reader.h"
#include "feed/strict.h"
#include "tests/unit/feed_dump.h"

/* A text that is long enough to go around libxml2. */
#define LONG "a text that goes on for some time, "

static void append_token(GString *out, struct xml *x, enum xml_event event)
{
    if (event == XML_TEXT)
        assert_true(xml_append_decoded(x, out, x->text));
    else if (event == XML_CDATA)
        g_string_append_len(out, x->text.at, (gssize)x->text.size);
    else
        xml_append_tag(x, out, event == XML_END);
}

/* The document as its tokens would have it; "malformed" where libxml2 says so. */
static char *tokens_of(const char *text, size_t size, size_t piece_bytes)
{
    struct xml *x = g_new(struct xml, 1);
    GString *out = g_string_new(NULL);
    xml_init(x, text, size);
    xml_use_strict(x, strict_new(text, size, piece_bytes));
    enum xml_event event;
    while ((event = xml_next(x)) != XML_END_OF_DOCUMENT && event != XML_REFUSED)
        append_token(out, x, event);
    if (event == XML_REFUSED)
        g_string_assign(out, x->is_malformed && !x->error ? "malformed" : "?");
    xml_clear(x);
    g_free(x);
    return g_string_free(out, FALSE);
}

struct pair {
    const char *in, *out;
};

static void check(const struct pair *cases, size_t n)
{
    static const size_t pieces[] = {1, 7, STRICT_PIECE_BYTES};
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(pieces); k++) {
            g_autofree char *got = tokens_of(cases[i].in, strlen(cases[i].in), pieces[k]);
            if (strcmp(got, cases[i].out) != 0)
                fail_msg("%s\n  in pieces of %zu gives %s\n wanted %s", cases[i].in, pieces[k], got,
                         cases[i].out);
        }
    }
}

static void test_well_formed(void **state)
{
    (void)state;
    static const struct pair cases[] = {
        {"<a/>", "<a/>"},
        {"<a></a>", "<a></a>"},
        {"<?xml version='1.0' encoding='koi8-r'?>\n<!-- <x> --><a x='1'\ny=\"&#x43f;&amp;\"/>",
         "<a x=\"1\" y=\"п&amp;\"/>"},
        {"<p:a xmlns:p='u'>t<b/><c/></p:a >\n", "<p:a xmlns:p=\"u\">t<b/><c/></p:a>"},
        {"<p:a>no declaration</p:a>", "<p:a>no declaration</p:a>"},
        {"<a>x &lt;&#1055;&gt;\r\ny</a>", "<a>x <П>\ny</a>"},
        {"<a>1<![CDATA[<b>&amp;]]]>2<![CDATA[]]></a>", "<a>1<b>&amp;]2</a>"},
        {"<a b='x>y'>c</a>", "<a b=\"x>y\">c</a>"},
        {"<a><!-- ]]> <b> --><?pi <b> ?>c</a>", "<a>c</a>"},
        {"<a>" LONG "&lt;&#1055;&gt;&amp;lt;&quot;&apos;&#x41;&#xe9;&#x10FFFF; end</a>",
         "<a>" LONG "<П>&lt;\"'Aé\xF4\x8F\xBF\xBF end</a>"},
        {"<a>\n\t" LONG "] ]] > \xEF\xBF\xBD</a>", "<a>\n\t" LONG "] ]] > \xEF\xBF\xBD</a>"},
        {"<a>" LONG "\r\ny&#13;</a>", "<a>" LONG "\ny\r</a>"},
        {"<a>" LONG "<b>" LONG "</b><![CDATA[<" LONG "]]>" LONG "<!-- " LONG "-->" LONG "</a>",
         "<a>" LONG "<b>" LONG "</b><" LONG LONG LONG "</a>"},
        {"<?xml version='1.0'?>                                        <a/>\n                    ",
         "<a/>"},
    };
    check(cases, G_N_ELEMENTS(cases));
}

/* Long text is handed on where it stands; libxml2 never saw it. */
static void test_long_text_is_not_copied(void **state)
{
    (void)state;
    static const char text[] = "<a>" LONG "&amp; &#65;</a>";
    struct xml *x = g_new(struct xml, 1);
    xml_init(x, text, strlen(text));
    xml_use_strict(x, strict_new(text, strlen(text), STRICT_PIECE_BYTES));
    assert_int_equal(xml_next(x), XML_START);
    assert_int_equal(xml_next(x), XML_TEXT);
    assert_true(x->is_piece);
    assert_ptr_equal(x->text.at, text + 3);
    assert_int_equal(x->text.size, strlen(LONG "&amp; &#65;"));
    xml_clear(x);
    g_free(x);
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "no XML",
        "<a>",
        "<a></b>",
        "<a><b></a>",
        "<a x='1' x='2'/>",
        "<a x=1/>",
        "<a x='<'/>",
        "<a x='1/>",
        "<a>Tom & Co</a>",
        "<a>" LONG "Tom & Co</a>",
        "<a>" LONG "&nbsp;</a>",
        "<a>" LONG "&LT;</a>",
        "<a>" LONG "&lt</a>",
        "<a>" LONG "&#;</a>",
        "<a>" LONG "&#x;</a>",
        "<a>" LONG "&#12x;</a>",
        "<a>" LONG "&#1;</a>",
        "<a>" LONG "&#150;</a>",
        "<a>" LONG "&#xD800;</a>",
        "<a>" LONG "&#xFFFF;</a>",
        "<a>" LONG "&#x110000;</a>",
        "<a>" LONG "&#18446744073709551681;</a>",
        "<a>" LONG "]]></a>",
        "<a>" LONG "\x01</a>",
        "<a>" LONG "\xEF\xBF\xBE</a>",
        LONG "<a/>",
        "<a/>" LONG,
        "<a><!-- " LONG "-- --></a>",
        "<a>&nbsp;</a>",
        "<a>\x01</a>",
        "<a>&#146;</a>",
        "<a x='&#146;'/>",
        "<a><![CDATA[never ends</a>",
        "<a><!-- never ends</a>",
        "<a/><b/>",
        "<a/>text",
        "text<a/>",
        " <?xml version='1.0'?><a/>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct pair pair = {cases[i], "malformed"};
        check(&pair, 1);
    }
}

static void check_is_refused(GString *text)
{
    g_autofree char *got = tokens_of(text->str, text->len, STRICT_PIECE_BYTES);
    assert_string_equal(got, "malformed");
    g_string_free(text, TRUE);
}

static void test_limits(void **state)
{
    (void)state;
    GString *text = g_string_new("<a");
    for (int i = 0; i <= FEED_ATTRIBUTES_MAX; i++)
        g_string_append_printf(text, " x%d='>'", i);
    check_is_refused(g_string_append(text, "/>"));

    text = g_string_new("<a x='");
    for (int i = 0; i < FEED_TAG_BYTES_MAX; i++)
        g_string_append_c(text, 'x');
    check_is_refused(g_string_append(text, "'/>"));

    text = g_string_new("<a>");
    for (int i = 0; i <= STRICT_NAMES_MAX; i++)
        g_string_append_printf(text, "<x%d/>", i);
    check_is_refused(g_string_append(text, "</a>"));
}

/* NULL where libxml2 does not take the document. */
static char *read_as(const struct encoding_text *text, size_t piece_bytes)
{
    struct strict *strict = piece_bytes ? strict_new(text->at, text->size, piece_bytes) : NULL;
    struct document *document = g_new0(struct document, 1);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    bool is_malformed;
    document_reset(document);
    bool ok = reader_parse_once(strict, text->at, text->size, NULL, warnings, document,
                                &is_malformed, &error);
    char *dump = is_malformed ? NULL : ok ? dump_doc(&document->doc) : g_strdup(error->message);
    feed_doc_free(&document->doc);
    return dump;
}

/* True where libxml2 took the document. */
static bool check_agreement(const char *path)
{
    g_autofree char *bytes = NULL;
    gsize size;
    struct encoding_text text = {0};
    assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    if (!encoding_decode(bytes, size, NULL, &text, NULL))
        return false;
    g_autofree char *forgiving = read_as(&text, 0);
    static const size_t pieces[] = {5, STRICT_PIECE_BYTES};
    bool is_well_formed = false;
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autofree char *strict = read_as(&text, pieces[i]);
        if (strict && strcmp(strict, forgiving) != 0)
            fail_msg("%s\nlibxml2:   %s\nforgiving: %s", path, strict, forgiving);
        is_well_formed = strict != NULL;
    }
    encoding_clear(&text);
    return is_well_formed;
}

/* What libxml2 takes for well-formed, both ways of reading take for the same. */
static void test_both_ways_agree(void **state)
{
    (void)state;
    static const char *const folders[] = {"tests/fuzz/corpus/feed", "tests/fixtures/demo"};
    int n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
        GDir *dir = g_dir_open(folders[i], 0, NULL);
        assert_non_null(dir);
        for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir)) {
            g_autofree char *path = g_build_filename(folders[i], name, NULL);
            if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
                n += check_agreement(path);
        }
        g_dir_close(dir);
    }
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_well_formed),     cmocka_unit_test(test_long_text_is_not_copied),
        cmocka_unit_test(test_malformed),       cmocka_unit_test(test_limits),
        cmocka_unit_test(test_both_ways_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
