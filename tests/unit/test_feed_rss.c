#include "feed_dump.h"

#define RSS(items) \
    "<rss version='2.0'><channel><title>F</title><link>http://x/</link>" items "</channel></rss>"
#define RDF(channel, items)                                                                \
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "                    \
    "xmlns='http://purl.org/rss/1.0/' "                                                    \
    "xmlns:dc='http://purl.org/dc/elements/1.1/'><channel rdf:about='http://x/f'>" channel \
    "</channel>" items "</rdf:RDF>"

static void check(const struct feed_case *cases, size_t n)
{
    check_items("<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/' "
                "xmlns:dcterms='http://purl.org/dc/terms/' "
                "xmlns:content='http://purl.org/rss/1.0/modules/content/' "
                "xmlns:media='http://search.yahoo.com/mrss/' "
                "xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' "
                "xmlns:atom='http://www.w3.org/2005/Atom' "
                "xmlns:feedburner='http://rssnamespace.org/feedburner/ext/1.0'><channel><title>F</"
                "title><item>",
                "</item></channel></rss>", cases, n);
}

static void test_formats(void **state)
{
    (void)state;
    expect_at(NULL, RSS(""), "rss20 title=F link=http://x/ ");
    expect_at(NULL, "<rss version='0.91'><channel/></rss>", "rss09 ");
    expect_at(NULL, "<rss version='0.94'><channel></channel></rss>", "rss09 ");
    expect_at(NULL, "<rss><channel/></rss>", "rss20 ");
    expect_at(
        NULL,
        "<RSS VERSION='2.0'><CHANNEL><TITLE>F</TITLE><ITEM><TITLE>I</TITLE></ITEM></CHANNEL></RSS>",
        "rss20 title=F [ title=I ]");
    expect_at(NULL,
              RDF("<title>F</title><link>http://x/</link>",
                  "<item rdf:about='http://x/1'><title>I</title></item>"),
              "rss10 title=F link=http://x/ [ id=http://x/1 title=I link=http://x/1 ]");
    expect_at(NULL,
              "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
              "xmlns='http://my.netscape.com/rdf/simple/0.9/'>"
              "<channel><title>F</title></channel><item><title>I</title><link>http://x/1</link></"
              "item></r:RDF>",
              "rss09 title=F [ title=I link=http://x/1 ]");
    expect_at(NULL,
              "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
              "xmlns='HTTP://MY.NETSCAPE.COM/RDF/SIMPLE/0.9/'>"
              "<channel><title>F</title></channel><item><title>I</title></item></r:RDF>",
              "rss09 title=F [ title=I ]");
    expect_at(NULL, "<channel><title>F</title><item><title>I</title></item></channel>",
              "rss20 title=F [ title=I ]");
    expect_at(NULL, "<rss><item><title>I</title></item></rss>", "rss20 [ title=I ]");
}

static void test_channel(void **state)
{
    (void)state;
    expect_at(
        NULL,
        RSS("<description>D</description><image><title>No</title><link>http://no/</link></image>"
            "<textInput><title>No</title><link>http://no/</link></textInput><language>de-AT</"
            "language>"
            "<pubDate>Mon, 01 Jan 2024 00:00:00 GMT</pubDate><lastBuildDate>Tue, 02 Jan 2024 "
            "00:00:00 GMT</lastBuildDate>"
            "<item><title>I</title></item>"),
        "rss20 title=F link=http://x/ lang=de-AT updated=1704153600 [ title=I lang=de-AT ]");
    expect_at(NULL,
              "<rss xmlns:atom='http://www.w3.org/2005/Atom'><channel><atom:link rel='self' "
              "href='http://x/feed'/>"
              "<atom:link rel='hub' "
              "href='http://hub/'/><link>http://x/</link><title>F</title></channel></rss>",
              "rss20 title=F link=http://x/ ");
    expect_at(
        NULL,
        RDF("<dc:title>D</dc:title><dc:language>fr</dc:language><dc:date>2024-01-02</dc:date>", ""),
        "rss10 title=D lang=fr updated=1704153600 ");
}

static void test_text(void **state)
{
    (void)state;
    static const struct feed_case cases[] = {
        {"<title>Q&amp;A</title>", "[ title=Q&A ]"},
        {"<title>Q&amp;amp;A</title>", "[ title=Q&A ]"},
        {"<title>AT&T</title>", "[ title=AT&T ]"},
        {"<title>a &lt; b</title>", "[ title=a < b ]"},
        {"<title>&lt;b&gt;Bold&lt;/b&gt; news</title>", "[ title=Bold news ]"},
        {"<title>&amp;lt;b&amp;gt; is bold</title>", "[ title=<b> is bold ]"},
        {"<title><![CDATA[It&#8217;s <i>here</i>]]></title>", "[ title=It\xE2\x80\x99s here ]"},
        {"<title>two\n  lines<br/>three</title>", "[ title=two lines three ]"},
        {"<title>one <![CDATA[& two]]> three</title>", "[ title=one & two three ]"},
        {"<title><b>naked</b> markup</title>", "[ title=naked markup ]"},
        {"<title>a&nbsp;b&eacute;</title>", "[ title=a b\xC3\xA9 ]"},
        {"<title></title>", "[ ]"},
        {"<description>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;</description>",
         "[ summary=One\ntwo ]"},
        {"<description><p>One</p><p>two</p></description>", "[ summary=One\ntwo ]"},
        {"<description><unknown>x</unknown> y</description>", "[ summary=x y ]"},
        {"<content:encoded><![CDATA[<p>All</p>]]></content:encoded><description>Some</description>",
         "[ summary=Some content=All ]"},
        {"<description>a &lt;script&gt;x&lt;/script&gt; b</description>", "[ summary=a b ]"},
    };
    check(cases, G_N_ELEMENTS(cases));
}

static void test_links_and_ids(void **state)
{
    (void)state;
    static const struct feed_case cases[] = {
        {"<link> http://x/1 </link>", "[ link=http://x/1 ]"},
        {"<link>http://x/?a=1&amp;b=2</link>", "[ link=http://x/?a=1&b=2 ]"},
        {"<link>http://x/?a=1&b=2&copy=3</link>", "[ link=http://x/?a=1&b=2&copy=3 ]"},
        {"<link>http://x/?a=1&amp;amp;b=2</link>", "[ link=http://x/?a=1&b=2 ]"},
        {"<link><![CDATA[http://x/?a=1&b=2]]></link>", "[ link=http://x/?a=1&b=2 ]"},
        {"<link href='http://x/1'/>", "[ link=http://x/1 ]"},
        {"<guid>http://x/g</guid>", "[ id=http://x/g link=http://x/g ]"},
        {"<guid isPermaLink='true'>http://x/g</guid>", "[ id=http://x/g link=http://x/g ]"},
        {"<guid isPermaLink='false'>http://x/g</guid>", "[ id=http://x/g ]"},
        {"<guid isPermaLink='False'>http://x/g</guid>", "[ id=http://x/g ]"},
        {"<guid>tag:1</guid>", "[ id=tag:1 ]"},
        {"<guid>http://x/g</guid><link>http://x/1</link>", "[ id=http://x/g link=http://x/1 ]"},
        {"<link>http://feedproxy/1</link><feedburner:origLink>http://x/1</feedburner:origLink>",
         "[ link=http://x/1 ]"},
        {"<atom:link rel='self' href='http://x/self'/><atom:link href='http://x/1'/>",
         "[ link=http://x/1 ]"},
        {"<atom:link href='http://x/2'/><link>http://x/1</link>", "[ link=http://x/1 ]"},
        {"<enclosure url='http://x/a.mp3' type='audio/mpeg' length='12'/>",
         "[ link=http://x/a.mp3 file=http://x/a.mp3,audio/mpeg,12 ]"},
        {"<enclosure url='http://x/a?b=1&amp;c=2' length='?'/><link>http://x/1</link>",
         "[ link=http://x/1 file=http://x/a?b=1&c=2,,-1 ]"},
        {"<atom:id>urn:1</atom:id>", "[ id=urn:1 ]"},
        {"<dc:identifier>urn:2</dc:identifier><guid isPermaLink='false'>g</guid>", "[ id=g ]"},
    };
    check(cases, G_N_ELEMENTS(cases));
}

static void test_dates(void **state)
{
    (void)state;
    static const struct feed_case cases[] = {
        {"<pubDate>Tue, 02 Jan 2024 00:00:00 GMT</pubDate>", "[ published=1704153600 ]"},
        {"<dc:date>2024-01-02</dc:date>", "[ published=1704153600 ]"},
        {"<published>2024-01-02</published>", "[ published=1704153600 ]"},
        {"<issued>2024-01-02</issued>", "[ published=1704153600 ]"},
        {"<created>2024-01-01</created><issued>2024-01-02</issued>", "[ published=1704153600 ]"},
        {"<updated>2024-01-02</updated>", "[ updated=1704153600 ]"},
        {"<modified>2024-01-02</modified>", "[ updated=1704153600 ]"},
        {"<dc:date>2024-01-01</dc:date><pubDate>02 Jan 2024</pubDate>", "[ published=1704153600 ]"},
        {"<pubDate>nonsense</pubDate><dc:date>2024-01-02</dc:date>", "[ published=1704153600 ]"},
        {"<pubDate>9999-12-31</pubDate>", "[ ]"},
        {"<atom:updated>2024-01-02</atom:updated>", "[ updated=1704153600 ]"},
        {"<dcterms:modified>2024-01-02</dcterms:modified><dcterms:created>2024-01-02</"
         "dcterms:created>",
         "[ published=1704153600 updated=1704153600 ]"},
    };
    check(cases, G_N_ELEMENTS(cases));
}

static void test_people_and_categories(void **state)
{
    (void)state;
    static const struct feed_case cases[] = {
        {"<author>ann@x.org (Ann Lee)</author>", "[ by=Ann Lee,ann@x.org, ]"},
        {"<dc:creator>Ann</dc:creator><dc:creator>Bob</dc:creator>", "[ by=Ann,, by=Bob,, ]"},
        {"<author>ann@x.org (Ann)</author><dc:creator>Ann</dc:creator>", "[ by=Ann,ann@x.org, ]"},
        {"<atom:author><name>Ann</name><email>a@x.org</email><uri>http://x/a</uri></atom:author>",
         "[ by=Ann,a@x.org,http://x/a ]"},
        {"<atom:author><atom:name>Ann</atom:name></atom:author>", "[ by=Ann,, ]"},
        {"<atom:author>Ann</atom:author>", "[ by=Ann,, ]"},
        {"<itunes:author>Ann &amp;amp; Bob</itunes:author>", "[ by=Ann & Bob,, ]"},
        {"<author> </author>", "[ ]"},
        {"<author>Ann &lt;&gt;</author>", "[ by=Ann,, ]"},
        {"<author><name>Ann</name><email>a@x.org</email></author>", "[ by=Ann,a@x.org, ]"},
        {"<dc:creator><a href='http://x/a'>Ann</a></dc:creator>", "[ by=Ann,, ]"},
        {"<category>One</category><category domain='d'>Two</category><category>One</category>",
         "[ cat=One cat=Two ]"},
        {"<dc:subject>One</dc:subject><atom:category term='t' label='Two'/><atom:category "
         "term='Three'/>",
         "[ cat=One cat=Two cat=Three ]"},
        {"<itunes:category text='Tech'><itunes:category text='Gadgets'/></itunes:category>",
         "[ cat=Tech cat=Gadgets ]"},
        {"<itunes:keywords>a, b ,,c</itunes:keywords>", "[ cat=a cat=b cat=c ]"},
    };
    check(cases, G_N_ELEMENTS(cases));
}

static void test_other_vocabularies(void **state)
{
    (void)state;
    static const struct feed_case cases[] = {
        {"<media:title>M</media:title><title>T</title>", "[ title=T ]"},
        {"<itunes:title>I</itunes:title>", "[ title=I ]"},
        {"<media:description>M</media:description><description>D</description>", "[ summary=D ]"},
        {"<media:group><media:title>M</media:title><media:content url='http://x/v' "
         "type='video/mp4' fileSize='9'>"
         "<media:description>D</media:description></media:content></media:group>",
         "[ title=M link=http://x/v summary=D file=http://x/v,video/mp4,9 ]"},
        {"<itunes:summary>S</itunes:summary><itunes:subtitle>U</itunes:subtitle>", "[ summary=S ]"},
        {"<source url='http://y/'>Other</source><title>T</title>", "[ title=T ]"},
        {"<x:title xmlns:x='http://other/'>No</x:title>", "[ ]"},
        {"<image><title>No</title><link>http://no/</link></image><title>T</title>", "[ title=T ]"},
        {"<body xmlns='http://www.w3.org/1999/xhtml'><p>One</p><p>two</p></body>",
         "[ content=One\ntwo ]"},
    };
    check(cases, G_N_ELEMENTS(cases));
}

static void test_namespaces(void **state)
{
    (void)state;
    expect_at(NULL,
              "<rss xmlns='http://www.w3.org/1999/xhtml'><channel><title>F</title>"
              "<item><title>I</title></item></channel></rss>",
              "rss20 title=F [ title=I ]");
    expect_at(NULL,
              "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
              "xmlns='http://purl.org/rss/1.0/' xmlns:e='http://purl.oclc.org/net/rss_2.0/enc#'>"
              "<item r:about='http://x/1'><title>I</title><e:enclosure r:resource='http://x/a' "
              "e:type='audio/ogg' e:length='3'/></item></r:RDF>",
              "rss10 [ id=http://x/1 title=I link=http://x/1 file=http://x/a,audio/ogg,3 ]");
    expect_at(NULL,
              "<rss "
              "xmlns:x='HTTPS://PURL.org/dc/elements/1.1'><channel><item><x:creator>A</x:creator></"
              "item></channel></rss>",
              "rss20 [ by=A,, ]");
    expect_at(NULL,
              "<rss><channel><item><dc:creator>A</dc:creator><content:encoded>C</content:encoded></"
              "item></channel></rss>",
              "rss20 [ content=C by=A,, ]");
    expect_at(
        NULL,
        "<rss "
        "xmlns:dc='http://other/'><channel><item><dc:creator>A</dc:creator></item></channel></rss>",
        "rss20 [ ]");
    expect_at(NULL,
              "<rss "
              "xmlns='http://backend.userland.com/rss2'><channel><item><title>T</title></item></"
              "channel></rss>",
              "rss20 [ title=T ]");
    expect_at(
        NULL,
        "<rss xmlns='http://nobody.knows/'><channel><item><title>T</title></item></channel></rss>",
        "rss20 [ title=T ]");
    /* Bound for one element only. */
    expect_at(NULL,
              "<rss><channel><item><x:date "
              "xmlns:x='http://purl.org/dc/elements/1.1/'>2024-01-02</x:date></item>"
              "<item><x:date>2024-01-02</x:date></item></channel></rss>",
              "rss20 [ published=1704153600 ][ ]");
    expect_at(NULL, "<rss><channel><item xml:lang='fr'><title>T</title></item></channel></rss>",
              "rss20 [ title=T lang=fr ]");
}

static void test_bases(void **state)
{
    (void)state;
    static const char item[] =
        "<rss><channel><link>http://home/</link><item><link>/1</link></item></channel></rss>";
    expect_at("http://x/y/feed.xml", item, "rss20 link=http://home/ [ link=http://x/1 ]");
    expect_at(NULL, item, "rss20 link=http://home/ [ link=http://home/1 ]");
    expect_at(NULL,
              "<rss xml:base='http://x/a/'><channel><item "
              "xml:base='b/'><link>c</link></item><item><link>c</link></item></channel></rss>",
              "rss20 [ link=http://x/a/b/c ][ link=http://x/a/c ]");
    expect_at(
        NULL,
        "<rss xmlns:atom='http://www.w3.org/2005/Atom'><channel><item><enclosure url='/e'/></item>"
        "<atom:link rel='self' href='http://self/feed'/></channel></rss>",
        "rss20 [ link=http://self/e file=http://self/e,,-1 ]");
}

static void test_hints(void **state)
{
    (void)state;
    static const char text[] =
        "<rss xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'><channel><ttl> 180 "
        "</ttl><skipHours><hour>0</hour><hour>23</hour>"
        "<hour>24</hour><hour>99</hour></skipHours><skipDays><day>Sunday</day><day>sat</"
        "day><day>x</day></skipDays>"
        "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency></"
        "channel></rss>";
    struct feed_doc *doc = feed_parse(text, strlen(text), NULL, NULL);
    assert_int_equal(doc->ttl_s, 180 * 60);
    assert_int_equal(doc->skip_hours, 1 | 1 << 23);
    assert_int_equal(doc->skip_days, 1 | 1 << 6);
    assert_int_equal(doc->update_period_s, 6 * 3600);
    feed_doc_free(doc);
    static const char bad[] = "<rss><channel><ttl>-5</ttl><ttl>99999999999999999999</"
                              "ttl><sy:updateFrequency>4</sy:updateFrequency></channel></rss>";
    doc = feed_parse(bad, strlen(bad), NULL, NULL);
    assert_int_equal(doc->ttl_s, 0);
    assert_int_equal(doc->update_period_s, 0);
    feed_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_channel),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_links_and_ids),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_people_and_categories),
        cmocka_unit_test(test_other_vocabularies),
        cmocka_unit_test(test_namespaces),
        cmocka_unit_test(test_bases),
        cmocka_unit_test(test_hints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
