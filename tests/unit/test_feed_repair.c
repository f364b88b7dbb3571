#include "feed_dump.h"

#define ITEM(inner) \
    "<rss><channel><item>" inner "</item><item><title>Next</title></item></channel></rss>"
#define NEXT "[ title=Next ]"

static bool has_warning(const char *text, const char *warning)
{
    struct feed_doc *doc = feed_parse(text, strlen(text), NULL, NULL);
    bool found = g_strv_contains(doc->warnings, warning);
    feed_doc_free(doc);
    return found;
}

static void test_before_and_behind(void **state)
{
    (void)state;
    static const char *const before[] = {
        "\n\n <?xml version='1.0'?>",
        "\xEF\xBB\xBF\xEF\xBB\xBF",
        "Warning: cannot connect <?xml version='1.0'?>",
        "<br />\n<b>Warning</b>: x in <b>/a.php</b><br />\n<?xml version='1.0'?>",
        "<?xml version='1.0'?><?xml-stylesheet href='x'?><?php echo 1; ?><!-- <rss> -->",
        "<!DOCTYPE rss PUBLIC '-//Netscape//DTD RSS 0.91//EN' 'http://127.0.0.1/rss.dtd'>",
        "<?xml version='1.0'?>\n<?xml version='1.0'?>\n",
    };
    static const char *const behind[] = {"", "\nServed in 0.1 s", "<!-- cached -->",
                                         "</div></html>", "<rss><channel><item/></channel></rss>"};
    for (size_t i = 0; i < G_N_ELEMENTS(before); i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(behind); k++) {
            g_autofree char *text = g_strconcat(
                before[i], "<rss><channel><title>F</title></channel></rss>", behind[k], NULL);
            expect_at(NULL, text, "rss20 title=F ");
        }
    }
    assert_true(has_warning("x <rss/>", "there is text before the feed"));
}

static void test_not_xml(void **state)
{
    (void)state;
    static const struct feed_case cases[] = {
        {"<title>salt & pepper</title>", "[ title=salt & pepper ]" NEXT},
        {"<title>I <3 feeds</title>", "[ title=I <3 feeds ]" NEXT},
        {"<title>a <b and c</title>", "[ title=a <b and c ]" NEXT},
        {"<description>one<br>two<p>three & four</description><title>T</title>",
         "[ title=T summary=one\ntwo\nthree & four ]" NEXT},
        {"<description><ul><li>one<li>two</ul><img src=x alt=y></description><title>T</title>",
         "[ title=T summary=one\ntwo ]" NEXT},
        {"<description><input disabled>x</description><title>T</title>",
         "[ title=T summary=x ]" NEXT},
        {"<description><b><i>x</b></i></description><title>T</title>",
         "[ title=T summary=x ]" NEXT},
        {"<description></p>x</b></description><title>T</title>", "[ title=T summary=x ]" NEXT},
        {"<enclosure url=http://x/a length=3 type=audio/mpeg /><link>http://x/</link>",
         "[ link=http://x/ file=http://x/a,audio/mpeg,3 ]" NEXT},
        {"<enclosure url='http://x/a' url='http://x/b'/><link>http://x/</link>",
         "[ link=http://x/ file=http://x/a,,-1 ]" NEXT},
        {"<title>a\x01\x02\x08z</title>", "[ title=az ]" NEXT},
        {"<title>caf&eacute; &ndash; &bogus; x</title>",
         "[ title=caf\xC3\xA9 \xE2\x80\x93 &bogus; x ]" NEXT},
        {"<title>a</TITLE><link>http://x/</Link>", "[ title=a link=http://x/ ]" NEXT},
        {"<Title>a</Title><PubDate>2024-01-02</PubDate>", "[ title=a published=1704153600 ]" NEXT},
        {"</foo></bar><title>a</title>", "[ title=a ]" NEXT},
    };
    check_items("<rss><channel><item>", "</item><item><title>Next</title></item></channel></rss>",
                cases, G_N_ELEMENTS(cases));
}

static void test_missing_end_tags(void **state)
{
    (void)state;
    static const struct feed_case cases[] = {
        {"<item><title>a</title><item><title>b</title></item>", "[ title=a ][ title=b ]"},
        {"<item><title>a<link>http://x/</link></item><item><title>b</title></item>",
         "[ title=a link=http://x/ ][ title=b ]"},
        {"<item><link>http://x/<title>a</title></item><item><title>b</title></item>",
         "[ title=a link=http://x/ ][ title=b ]"},
        {"<item><title>a</title><description>text <b>bold</item><item><title>b</title></item>",
         "[ title=a summary=text bold ][ title=b ]"},
        {"<item><description>text<item><title>b</title></item>", "[ summary=text ][ title=b ]"},
        {"<item><title>a</title></item><foo><bar></foo><item><title>b</title></item>",
         "[ title=a ][ title=b ]"},
        {"<item><author><title>a</title></item><item><title>b</title></item>",
         "[ title=a ][ title=b ]"},
    };
    check_items("<rss><channel>", "</channel></rss>", cases, G_N_ELEMENTS(cases));
    expect_at(NULL, "<rss><channel><item><title>a</title></channel></rss>", "rss20 [ title=a ]");
    expect_at(NULL, "<rss><channel><item><title>a</title></item></rss>", "rss20 [ title=a ]");
    assert_true(has_warning("<rss><channel><item><title>a</title></channel></rss>",
                            "end tags do not match: </channel>"));
}

static void test_truncated(void **state)
{
    (void)state;
#define FIRST "<rss><channel><item><title>a</title><link>http://x/1</link></item>"
    expect_at(NULL, FIRST, "rss20 truncated [ title=a link=http://x/1 ]");
    expect_at(NULL, FIRST "<item><link>http://x/2</link><title>Minister fr",
              "rss20 truncated [ title=a link=http://x/1 ][ title=Minister fr link=http://x/2 ]");
    expect_at(NULL, FIRST "<item><link>http://x/2</link><description><![CDATA[<p>One</p><p>tw",
              "rss20 truncated [ title=a link=http://x/1 ][ link=http://x/2 summary=One\ntw ]");
    /* A cut link, guid or date is none: it would be another item's. */
    expect_at(NULL, FIRST "<item><guid isPermaLink='false'>2</guid><link>http://x/2",
              "rss20 truncated [ title=a link=http://x/1 ][ id=2 ]");
    expect_at(NULL, FIRST "<item><title>b</title><guid>http://x/2",
              "rss20 truncated [ title=a link=http://x/1 ]");
    expect_at(NULL, FIRST "<item><link>http://x/2</link><pubDate>02 Jan 20",
              "rss20 truncated [ title=a link=http://x/1 ][ link=http://x/2 ]");
    expect_at(NULL, FIRST "<item><title>b</title><enclosure url='http://x/2",
              "rss20 truncated [ title=a link=http://x/1 ]");
    assert_true(has_warning(FIRST, "the document ends too early"));
    expect_at(NULL, "<rss version='2.0'>", "rss20 truncated ");
}

static void test_cdata_without_end(void **state)
{
    (void)state;
    expect_at(NULL, ITEM("<title><![CDATA[a <b>c</b></title><link>http://x/</link>"),
              "rss20 [ title=a c link=http://x/ ]" NEXT);
}

/* Cut anywhere, a document is read up to there, and what is whole stays what it was. */
static void test_every_cut(void **state)
{
    (void)state;
    static const char text[] =
        "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY co 'A'>]><rss version='2.0' "
        "xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>"
        "<title>F &co;</title><item><title>a &amp; "
        "b</title><link>http://x/1</link><description><![CDATA[<p>x</p>]]></description></item>"
        "<item><dc:creator>c</dc:creator><guid>http://x/2</guid><title>d<!-- e "
        "--></title></item></channel></rss>";
    size_t whole = (size_t)(strstr(text, "</item>") - text) + strlen("</item>");
    for (size_t n = 0; n < sizeof text; n++) {
        g_autoptr(GError) error = NULL;
        struct feed_doc *doc = parse_exactly(text, n, NULL, &error);
        assert_true(doc || g_error_matches(error, FEED_ERROR, FEED_ERROR_NOT_A_FEED));
        assert_true(doc || n < 130);
        if (n >= whole) {
            assert_true(doc->n_items >= 1);
            assert_string_equal(doc->items[0].title, "a & b");
            assert_string_equal(doc->items[0].summary, "x");
        }
        if (doc && n < sizeof text - 1)
            assert_true(doc->is_truncated);
        feed_doc_free(doc);
    }
}

static void test_not_a_feed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "\n",
        "Not found",
        "<?xml version='1.0'?>",
        "<!DOCTYPE html><html><head><title>404</title></head><body><p>x</p></body></html>",
        "<html><body><rss><channel/></rss></body></html>",
        "<opml version='1.0'><body><outline xmlUrl='http://x/'/></body></opml>",
        "<svg><title>x</title></svg>",
        "\x1F\x8B\x08\x00",
        "%PDF-1.4",
        "<",
        "&",
        "<p>Login</p><form><input></form>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        struct feed_doc *doc = parse_exactly(texts[i], strlen(texts[i]), NULL, &error);
        if (doc)
            fail_msg("%s is taken for a feed", texts[i]);
        assert_true(g_error_matches(error, FEED_ERROR, FEED_ERROR_NOT_A_FEED));
    }
}

static void test_warnings_are_few(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new("<rss><channel>");
    for (int i = 0; i < 100; i++)
        g_string_append(text, "<item><pubDate>soon</pubDate><title>&x; <3</title></foo></item>");
    g_string_append(text, "</channel></rss>");
    struct feed_doc *doc = feed_parse(text->str, text->len, NULL, NULL);
    assert_int_equal(g_strv_length((char **)(uintptr_t)doc->warnings), 3);
    assert_string_equal(doc->warnings[0], "\"soon\" is no date between 1900 and 2999");
    feed_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_and_behind), cmocka_unit_test(test_not_xml),
        cmocka_unit_test(test_missing_end_tags),  cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_cdata_without_end), cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_not_a_feed),        cmocka_unit_test(test_warnings_are_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
