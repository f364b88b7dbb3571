/* The rows of hostile input that a parser alone decides: S01-S05, S13-S16, S22, S26. */
#include "feed_dump.h"

#include "text/clean.h"

#include <time.h>

/* The sanitizers cost several times what is measured here. */
#ifdef __SANITIZE_ADDRESS__
#define CPU_MS_MAX  60000
#define LARGE_BYTES (2 << 20)
#else
#define CPU_MS_MAX  5000
#define LARGE_BYTES (16 << 20)
#endif

static int64_t cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The error's message, or NULL where the document is read. */
static char *refusal(const GString *text)
{
    g_autoptr(GError) error = NULL;
    int64_t start_ms = cpu_ms();
    struct feed_doc *doc = feed_parse(text->str, text->len, NULL, &error);
    assert_true(cpu_ms() - start_ms < CPU_MS_MAX);
    feed_doc_free(doc);
    if (!doc)
        assert_true(g_error_matches(error, FEED_ERROR, FEED_ERROR_REFUSED));
    return doc ? NULL : g_strdup(error->message);
}

static GString *repeat(const char *before, const char *piece, size_t n, const char *behind)
{
    GString *text = g_string_new(before);
    for (size_t i = 0; i < n; i++)
        g_string_append(text, piece);
    g_string_append(text, behind);
    return text;
}

static void test_s01_external_entities(void **state)
{
    (void)state;
    static const char *const declarations[] = {
        "<!ENTITY x SYSTEM 'file:///etc/passwd'>",
        "<!ENTITY x PUBLIC 'a' 'http://127.0.0.1:1/'>",
        "<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;",
        "<!ENTITY % p '<!ENTITY x SYSTEM \"file:///etc/passwd\">'> %p;",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(declarations); i++) {
        g_autofree char *text =
            g_strdup_printf("<!DOCTYPE rss SYSTEM 'http://127.0.0.1:1/x.dtd' [%s]>"
                            "<rss><channel><item><title>&x;</title></item></channel></rss>",
                            declarations[i]);
        expect_at(NULL, text, "rss20 [ title=&x; ]");
    }
    expect_at(NULL,
              "<rss xmlns:xi='http://www.w3.org/2001/XInclude'><channel><item><title>a<xi:include "
              "href='/etc/passwd' parse='text'/></title>"
              "<xi:include href='/etc/passwd'/></item></channel></rss>",
              "rss20 [ title=a ]");
}

static void test_s02_entities(void **state)
{
    (void)state;
    static const char *const places[] = {"<item><title>&l9;</title></item>",
                                         "<description>&l9;</description>",
                                         "&l9;",
                                         "<item><link>&l9;</link></item>",
                                         "<item><enclosure url='&l9;'/></item>",
                                         "<x><y>&l9;</y></x>"};
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autoptr(GString) text = g_string_new("<!DOCTYPE rss [<!ENTITY l0 'lol'>");
        for (int level = 1; level < 10; level++) {
            g_string_append_printf(text, "<!ENTITY l%d '", level);
            for (int k = 0; k < 10; k++)
                g_string_append_printf(text, "&l%d;", level - 1);
            g_string_append(text, "'>");
        }
        g_string_append_printf(text, "]><rss><channel>%s</channel></rss>", places[i]);
        g_autofree char *message = refusal(text);
        assert_non_null(message);
        assert_true(g_str_has_prefix(message, "the document's entities"));
    }
}

static void test_s03_nesting(void **state)
{
    (void)state;
    static const char *const places[] = {"<rss><channel>",
                                         "<rss><channel><item><title>",
                                         "<rss><channel><item><description>",
                                         "<feed><entry><content type='xhtml'>",
                                         "<feed><entry>",
                                         "<rss><channel><skipHours>"};
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autoptr(GString) deep = repeat(places[i], "<a>", 100000, "");
        g_autofree char *message = refusal(deep);
        assert_string_equal(message, "elements of the document are nested more than 256 deep");
        g_autoptr(GString) fine = repeat(places[i], "<a>", 200, "");
        assert_null(refusal(fine));
    }
    /* Items that nobody closes do not nest. */
    g_autoptr(GString) items = repeat("<rss><channel>", "<item><title>a<br>b</title>", 1000, "");
    assert_null(refusal(items));
    g_autoptr(GString) breaks =
        repeat("<rss><channel><item><description>", "a<br>b<p>c<li>d<img>", 1000, "</description>");
    assert_null(refusal(breaks));
    g_autoptr(GString) json = repeat("{\"items\":", "[", 100000, "");
    g_autofree char *message = refusal(json);
    assert_non_null(message);
}

static void test_s04_attributes(void **state)
{
    (void)state;
    g_autoptr(GString) many = g_string_new("<rss><channel><item ");
    for (int i = 0; i < 200000; i++)
        g_string_append_printf(many, "a%d='x' ", i);
    g_string_append(many, "/></channel></rss>");
    g_autofree char *message = refusal(many);
    assert_string_equal(message, "a tag of the document has more than 256 attributes");
    g_autoptr(GString) large =
        repeat("<rss><channel><item a='", "0123456789", 110000, "'/></channel></rss>");
    g_autofree char *large_message = refusal(large);
    assert_string_equal(large_message, "a tag of the document is longer than 1 MiB");
    /* The scan is of the decoded document: in UTF-16 it is the same. */
    gsize size = 0;
    g_autofree char *wide =
        g_convert(many->str, (gssize)many->len, "UTF-16", "UTF-8", NULL, &size, NULL);
    g_autoptr(GString) wide_text = g_string_new_len(wide, (gssize)size);
    g_autofree char *wide_message = refusal(wide_text);
    assert_non_null(wide_message);
    /* What stands in CDATA, in comments or in text is no tag. */
    g_string_prepend(many, "<rss><channel><item><title>x</title><description><![CDATA[");
    g_string_append(many, "]]></description><!-- ");
    g_string_append_len(many, many->str, 1200000);
    g_string_append(many, " --></item></channel></rss>");
    char *start = strstr(many->str + 100, "<![CDATA[");
    while (start) {
        memcpy(start, "         ", 9);
        start = strstr(start, "<![CDATA[");
    }
    assert_null(refusal(many));
}

static void test_s05_elements(void **state)
{
    (void)state;
    g_autoptr(GString) names = g_string_new("<rss><channel>");
    for (int i = 0; i < 600000; i++)
        g_string_append_printf(names, "<e%d/>", i);
    g_string_append(names, "<item><title>x</title></item></channel></rss>");
    assert_null(refusal(names));
    g_autoptr(GString) empty =
        repeat("<rss><channel><item><title>x</title></item>", "<a/>", 2000000, "</channel></rss>");
    int64_t start_ms = cpu_ms();
    struct feed_doc *doc = feed_parse(empty->str, empty->len, NULL, NULL);
    assert_true(cpu_ms() - start_ms < CPU_MS_MAX);
    assert_int_equal(doc->n_items, 1);
    assert_true(doc->is_truncated);
    feed_doc_free(doc);
    g_autoptr(GString) items = repeat("<rss><channel>", "<item><guid>x</guid></item>",
                                      FEED_ITEMS_MAX + 3, "</channel></rss>");
    doc = feed_parse(items->str, items->len, NULL, NULL);
    assert_int_equal(doc->n_items, FEED_ITEMS_MAX);
    assert_int_equal(doc->n_items_dropped, 3);
    assert_true(g_strv_contains(doc->warnings, "items beyond the first 20000 were left out"));
    feed_doc_free(doc);
    /* Lists of one item are capped too. */
    g_autoptr(GString) lists = repeat("<rss><channel><item>", "<category>c</category>", 10, "");
    for (int i = 0; i < 1000; i++)
        g_string_append_printf(
            lists, "<category>%d</category><author>a%d</author><enclosure url='http://x/%d'/>", i,
            i, i);
    g_string_append(lists, "</item></channel></rss>");
    doc = feed_parse(lists->str, lists->len, NULL, NULL);
    assert_true(doc->items[0].n_authors <= 128 && doc->items[0].n_enclosures <= 128);
    assert_true(g_strv_length((char **)(uintptr_t)doc->items[0].categories) <= 128);
    feed_doc_free(doc);
}

static void assert_clean(const char *text)
{
    if (!text)
        return;
    g_autofree char *again = clean_line(text);
    assert_string_equal(text, again);
}

/* S13-S15: nothing that steers a terminal, forges a line or hides a word is left in any field. */
static void test_s13_to_s15_control(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "\x1B[31m",
        "\x1B]8;;http://x\x07",
        "\x1B]52;c;eA==\x07",
        "\x1BP",
        "\xC2\x9B"
        "31m",
        "\x9B"
        "31m",
        "\x08",
        "\r",
        "\x7F",
        "&#27;[31m",
        "&#x9B;31m",
        "&#155;",
        "&#8;",
        "&#127;",
        "\n",
        "\r\n",
        "\xC2\x85",
        "\xE2\x80\xA8",
        "\xE2\x80\xA9",
        "\x0B",
        "\x0C",
        "&#133;",
        "&#x2028;",
        "\xE2\x80\xAE",
        "&#x202E;",
        "\xE2\x80\x8B",
        "&#8203;",
        "\xEF\xBB\xBF",
        "\xF3\xA0\x81\x81",
        "&#xE0041;",
        "\xED\xA0\x80",
        "\xC0\x80",
        "&#xD800;",
        "&zwnj;",
        "&rlm;",
        "\xEF\xBF\xBE",
        "&#xFFFF;",
        "&amp;#27;",
        "&amp;#x202E;",
        "<![CDATA[\x1B[0m]]>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autofree char *text = g_strdup_printf(
            "<rss><channel><title>a%sb</title><language>a%sb</language><link>http://x/%s</link>"
            "<item><title>a%sb</title><guid>a%sb</guid><link>http://x/%s</link><author>a%sb</"
            "author>"
            "<category>a%sb</category><description>a%sb</description><enclosure url='u%s' "
            "type='t%s'/>"
            "<pubDate>x%sy</pubDate></item></channel></rss>",
            pieces[i], pieces[i], pieces[i], pieces[i], pieces[i], pieces[i], pieces[i], pieces[i],
            pieces[i], pieces[i], pieces[i], pieces[i]);
        struct feed_doc *doc = feed_parse(text, strlen(text), NULL, NULL);
        const struct feed_item *item = &doc->items[0];
        const char *const fields[] = {doc->title,
                                      doc->language,
                                      doc->link,
                                      item->title,
                                      item->id,
                                      item->link,
                                      item->authors[0].name,
                                      item->categories[0],
                                      item->enclosures[0].url,
                                      item->enclosures[0].type};
        for (size_t k = 0; k < G_N_ELEMENTS(fields); k++)
            assert_clean(fields[k]);
        g_autofree char *summary = g_strdup(item->summary);
        assert_clean(g_strdelimit(summary, "\n", ' '));
        for (size_t k = 0; doc->warnings[k]; k++)
            assert_clean(doc->warnings[k]);
        feed_doc_free(doc);
    }
    g_autoptr(GString) marks = repeat("<rss><channel><item><title>a", "\xCC\x81", 5000000,
                                      "</title></item></channel></rss>");
    struct feed_doc *doc = feed_parse(marks->str, marks->len, NULL, NULL);
    assert_int_equal(strlen(doc->items[0].title), 1 + 2 * CLEAN_MARKS_MAX);
    feed_doc_free(doc);
}

static void test_s16_markup(void **state)
{
    (void)state;
    static const struct feed_case rss[] = {
        {"<title>&lt;b&gt;x&lt;/b&gt;</title>", "[ title=x ]"},
        {"<title>&amp;lt;b&amp;gt;x</title>", "[ title=<b>x ]"},
        {"<title>&lt;a href=\"file:///etc/passwd\"&gt;x&lt;/a&gt;</title>", "[ title=x ]"},
        {"<title>&lt;img src=http://127.0.0.1/&gt;x</title>", "[ title=x ]"},
    };
    check_items("<rss><channel><item>", "</item></channel></rss>", rss, G_N_ELEMENTS(rss));
    static const struct feed_case atom[] = {
        {"<title>&lt;b&gt;x&lt;/b&gt; &amp;amp;</title>", "[ title=<b>x</b> &amp; ]"},
        {"<title type='html'>&lt;b&gt;x&lt;/b&gt; &amp;amp;</title>", "[ title=x & ]"},
    };
    check_items("<feed><entry>", "</entry></feed>", atom, G_N_ELEMENTS(atom));
}

static void test_s22_encodings(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "<?xml version='1.0' encoding='utf-7'?><rss><channel><title>+ADw-</title></channel></rss>",
        "<?xml version='1.0' "
        "encoding='x-unknown'?><rss><channel><title>\xFF</title></channel></rss>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(parse_exactly(texts[i], strlen(texts[i]), NULL, &error));
        assert_true(g_error_matches(error, FEED_ERROR, FEED_ERROR_ENCODING));
    }
    /* The header and the document disagree, and both are wrong. */
    struct feed_options options = {.content_type = "text/xml; charset=utf-16"};
    static const char lie[] =
        "<?xml version='1.0' "
        "encoding='koi8-r'?><rss><channel><title>\xC3\xA9</title></channel></rss>";
    g_autofree char *got = dump_bytes(lie, strlen(lie), &options);
    assert_string_equal(got, "rss20 title=\xC3\xA9 ");
}

static void test_s26_dates(void **state)
{
    (void)state;
    static const char *const dates[] = {
        "0000-01-01T00:00:00Z",          "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",          "292277026596-12-04T15:30:08Z",
        "-292277022657-01-01T00:00:00Z", "Tue, 02 Jan 2024 03:04:05 -9999",
        "9223372036854775807",           "99999999999999999999999"};
    for (size_t i = 0; i < G_N_ELEMENTS(dates); i++) {
        g_autofree char *text = g_strdup_printf(
            "<rss><channel><item><pubDate>%s</pubDate></item></channel></rss>", dates[i]);
        struct feed_doc *doc = feed_parse(text, strlen(text), NULL, NULL);
        assert_true(doc->items[0].published_s == FEED_TIME_NONE);
        assert_non_null(strstr(doc->warnings[0], "is no date"));
        feed_doc_free(doc);
    }
}

/* What one feed of 16 MiB may cost, whatever it is made of. */
static void test_large_documents(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "&lt;p&gt;",     "<p>",   "x ",       "&amp;amp;", "\xC3\xA9\x01",
        "<![CDATA[x]]>", "<br/>", "&#x202E;", "\xD0\x96",  "  "};
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(GString) text =
            repeat("<rss><channel><item><description>", pieces[i], LARGE_BYTES / strlen(pieces[i]),
                   "</description></item></channel></rss>");
        g_autofree char *message = refusal(text);
        assert_true(!message || strstr(message, "nested"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s01_external_entities),
        cmocka_unit_test(test_s02_entities),
        cmocka_unit_test(test_s03_nesting),
        cmocka_unit_test(test_s04_attributes),
        cmocka_unit_test(test_s05_elements),
        cmocka_unit_test(test_s13_to_s15_control),
        cmocka_unit_test(test_s16_markup),
        cmocka_unit_test(test_s22_encodings),
        cmocka_unit_test(test_s26_dates),
        cmocka_unit_test(test_large_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
