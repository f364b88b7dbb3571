#include "feed_dump.h"

#define ATOM(inner) "<feed xmlns='http://www.w3.org/2005/Atom'>" inner "</feed>"

static void check(const struct feed_case *cases, size_t n)
{
    check_items("<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title><entry>",
                "</entry></feed>", cases, n);
}

static void test_feed(void **state)
{
    (void)state;
    expect_at(NULL,
              ATOM("<id>urn:f</id><title type='html'>F &amp;amp; "
                   "G</title><updated>2024-01-02T00:00:00Z</updated>"
                   "<link rel='self' href='http://x/feed'/><link href='http://x/'/>"),
              "atom10 title=F & G link=http://x/ id=urn:f updated=1704153600 ");
    expect_at(NULL,
              "<feed xmlns='http://www.w3.org/2005/Atom/' "
              "xml:lang='en'><entry><title>T</title></entry></feed>",
              "atom10 lang=en [ title=T lang=en ]");
    expect_at(NULL, "<feed><entry><title>T</title></entry></feed>", "atom10 [ title=T ]");
    expect_at(
        NULL,
        "<a:feed "
        "xmlns:a='http://www.w3.org/2005/Atom'><a:entry><a:title>T</a:title></a:entry></a:feed>",
        "atom10 [ title=T ]");
    expect_at(
        NULL,
        "<feed version='0.3' "
        "xmlns='http://purl.org/atom/ns#'><tagline>No</tagline><modified>2024-01-02</"
        "modified><entry>"
        "<title mode='escaped' "
        "type='text/html'>&lt;b&gt;T&lt;/b&gt;</title><issued>2024-01-02</issued></entry></feed>",
        "atom03 updated=1704153600 [ title=T published=1704153600 ]");
}

static void test_constructs(void **state)
{
    (void)state;
    static const struct feed_case cases[] = {
        {"<title>a &lt;b&gt; &amp;amp;</title>", "[ title=a <b> &amp; ]"},
        {"<title type='text'>a &lt;b&gt;</title>", "[ title=a <b> ]"},
        {"<title type='html'>a &lt;b&gt;c&lt;/b&gt;</title>", "[ title=a c ]"},
        {"<title type='html'><![CDATA[a &amp; <i>b</i>]]></title>", "[ title=a & b ]"},
        {"<title type='text/html'>&lt;b&gt;c&lt;/b&gt;</title>", "[ title=c ]"},
        {"<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>a <b>c</b> "
         "&lt;d&gt;</div></title>",
         "[ title=a c <d> ]"},
        {"<content type='xhtml'><div><p>One</p><p>two &amp; <![CDATA[<3>]]></p></div></content>",
         "[ content=One\ntwo & <3> ]"},
        {"<content type='xhtml'><x:div "
         "xmlns:x='http://www.w3.org/1999/xhtml'><x:p>One</x:p></x:div></content>",
         "[ content=One ]"},
        {"<content type='image/svg+xml'><svg><text>a</text></svg></content>", "[ content=a ]"},
        {"<content type='text/plain'>a\n\nb</content>", "[ content=a\n\nb ]"},
        {"<content type='application/octet-stream'>aGVsbG8=</content>", "[ content=hello ]"},
        {"<content type='html' src='http://x/c'/>", "[ link=http://x/c ]"},
        {"<summary>S</summary><content>C</content>", "[ summary=S content=C ]"},
        {"<content "
         "type='application/xml'><entry><title>inner</title></entry></content><title>T</title>",
         "[ title=T content=inner ]"},
        {"<title/>", "[ ]"},
    };
    check(cases, G_N_ELEMENTS(cases));
}

static void test_links(void **state)
{
    (void)state;
    static const struct feed_case cases[] = {
        {"<link href='http://x/1'/>", "[ link=http://x/1 ]"},
        {"<link rel='alternate' type='application/json' href='http://x/j'/><link rel='alternate' "
         "type='text/html' href='http://x/1'/>",
         "[ link=http://x/1 ]"},
        {"<link rel='http://www.iana.org/assignments/relation/alternate' href='http://x/1'/>",
         "[ link=http://x/1 ]"},
        {"<link rel='self' href='http://x/s'/><link rel='replies' href='http://x/r'/>", "[ ]"},
        {"<link rel='related' href='http://x/r'/>", "[ link=http://x/r ]"},
        {"<link rel='related' href='http://x/r'/><link rel='alternate' href='http://x/1'/>",
         "[ link=http://x/1 ]"},
        {"<link rel='enclosure' href='http://x/e' type='audio/mpeg' length='3'/><link "
         "href='http://x/1'/>",
         "[ link=http://x/1 file=http://x/e,audio/mpeg,3 ]"},
        {"<link>http://x/1</link>", "[ link=http://x/1 ]"},
        {"<link href='http://x/?a&amp;b'/>", "[ link=http://x/?a&b ]"},
        {"<link href='http://x/?a&b=1'/>", "[ link=http://x/?a&b=1 ]"},
        {"<id>http://x/id</id>", "[ id=http://x/id ]"},
    };
    check(cases, G_N_ELEMENTS(cases));
}

static void test_authors(void **state)
{
    (void)state;
    expect_at(NULL,
              ATOM("<author><name>F</name></author><entry><title>a</title></entry><entry><title>b</"
                   "title><author><name>B</name>"
                   "<email>b@x.org</email></author></entry><entry><title>c</"
                   "title><source><title>No</title><author><name>S</name>"
                   "</author></source></entry><entry><title>d</title><author><uri>http://x/</uri></"
                   "author></entry>"
                   "<author><name>G</name></author>"),
              "atom10 [ title=a by=F,, by=G,, ][ title=b by=B,b@x.org, ][ title=c by=S,, ][ "
              "title=d by=F,, by=G,, ]");
    expect_at(NULL,
              ATOM("<entry><title>a</title><contributor><name>C</name></contributor></entry>"),
              "atom10 [ title=a ]");
    /* Text without an element around it, long enough to go around libxml2. */
    expect_at(NULL,
              ATOM("<entry><title>a</title><author>Editorial &amp; Research Department of "
                   "&#x41;thens &lt;b&gt;</author></entry>"),
              "atom10 [ title=a by=Editorial & Research Department of Athens <b>,, ]");
}

static void test_bases(void **state)
{
    (void)state;
    expect_at("http://x/feeds/1",
              "<feed xml:base='../a/'><entry xml:base='b/'><link href='c'/></entry><entry><link "
              "href='c' xml:base='http://y/'/></entry></feed>",
              "atom10 [ link=http://x/a/b/c ][ link=http://y/c ]");
    expect_at(NULL,
              "<feed><link rel='self' href='http://x/f/1'/><entry><link href='c'/></entry></feed>",
              "atom10 [ link=http://x/f/c ]");
}

static void test_entities_of_the_document(void **state)
{
    (void)state;
    expect_at(NULL,
              "<!DOCTYPE feed [<!ENTITY co 'A &amp; B'>]><feed><title>&co;</title><entry><title "
              "type='xhtml'><div>&co;!</div></title>"
              "<link href='http://x/?&co;'/></entry></feed>",
              "atom10 title=A & B [ title=A & B! link=http://x/?A%20&%20B ]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feed),  cmocka_unit_test(test_constructs),
        cmocka_unit_test(test_links), cmocka_unit_test(test_authors),
        cmocka_unit_test(test_bases), cmocka_unit_test(test_entities_of_the_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
