#include "feed_dump.h"

static void test_whole_feed(void **state)
{
    (void)state;
    expect_at(
        NULL,
        "{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"F & "
        "G\",\"home_page_url\":\"http://x/\","
        "\"feed_url\":\"http://x/"
        "f.json\",\"language\":\"de\",\"authors\":[{\"name\":\"Ann\",\"url\":\"/ann\"}],\"items\":["
        "{\"id\":\"1\",\"url\":\"/1\",\"title\":\"<b> & c\",\"content_html\":\"<p>One &amp; "
        "two</p>\",\"summary\":\"S\","
        "\"date_published\":\"2024-01-02T00:00:00Z\",\"date_modified\":\"2024-01-03T00:00:00Z\","
        "\"tags\":[\"a\",\"b\",\"a\",\" \"],"
        "\"attachments\":[{\"url\":\"/a.mp3\",\"mime_type\":\"audio/mpeg\",\"size_in_bytes\":5}]},"
        "{\"id\":2,\"external_url\":\"http://y/\",\"content_text\":\"a "
        "<b>\\n\\nc\",\"author\":{\"name\":\"Bob\"},\"language\":\"fr\"}]}",
        "json title=F & G link=http://x/ id=http://x/f.json lang=de updated=1704240000 "
        "[ id=1 title=<b> & c link=http://x/1 summary=S content=One & two lang=de "
        "published=1704153600 updated=1704240000 "
        "by=Ann,,http://x/ann cat=a cat=b file=http://x/a.mp3,audio/mpeg,5 ]"
        "[ id=2 link=http://y/ content=a <b>\n\nc lang=fr by=Bob,, ]");
}

static void test_odd_ones(void **state)
{
    (void)state;
    expect_at(NULL, "\xEF\xBB\xBF \n{\"items\":[]}", "json ");
    expect_at(NULL, "{\"version\":\"https://jsonfeed.org/version/1\"}", "json ");
    expect_at(NULL, "{\"items\":[null,1,\"x\",[],{}]}", "json [ ]");
    expect_at(NULL,
              "{\"items\":[{\"id\":null,\"title\":5,\"url\":[],\"tags\":\"x\",\"authors\":{},"
              "\"author\":\"Ann\"}]}",
              "json [ by=Ann,, cat=x ]");
    expect_at(NULL, "{\"items\":[{\"title\":\"a \\ud83d b\"}]}", "json [ title=a \xEF\xBF\xBD b ]");
    expect_at(NULL, "{\"items\":[{\"title\":\"a \\u202eb\\u001b[31m\"}]}",
              "json [ title=a b[31m ]");
    expect_at(NULL, "{\"items\":[{\"id\":12345678901234567890123}]}",
              "json [ id=12345678901234567890123 ]");
    expect_at(NULL, "{\"items\":[{\"id\":1.5}]}", "json [ id=1.5 ]");
    expect_at(NULL, "{\"items\":[{\"date_published\":\"Tomorrow\"}]}", "json [ ]");
}

/* A list of one without its brackets, a number for a text and the reverse. */
static void test_loose_types(void **state)
{
    (void)state;
    expect_at(NULL,
              "{\"items\":[{\"id\":1,\"author\":[{\"name\":\"Ann\"}],\"tags\":\"a, b\","
              "\"date_published\":1704153600,"
              "\"attachments\":{\"url\":\"http://x/a\",\"size_in_bytes\":\"7\"}}]}",
              "json updated=1704153600 [ id=1 published=1704153600 by=Ann,, "
              "cat=a cat=b file=http://x/a,,7 ]");
    expect_at(NULL, "{\"items\":[{\"id\":1,\"authors\":{\"name\":\"Ann\"},\"tags\":[\"a, b\"]}]}",
              "json [ id=1 by=Ann,, cat=a, b ]");
}

static void test_truncated(void **state)
{
    (void)state;
    expect_at(NULL, "{\"items\":[{\"id\":\"1\",\"title\":\"a\"},{\"id\":\"2\",\"title\":\"b",
              "json truncated [ id=1 title=a ][ id=2 ]");
    /* What would tell it from others has not come. */
    expect_at(NULL, "{\"items\":[{\"id\":\"1\",\"title\":\"a\"},{\"title\":\"b\",\"id\":\"2",
              "json truncated [ id=1 title=a ]");
}

static void test_no_feed(void **state)
{
    (void)state;
    expect_at(NULL, "{}", "error: this JSON is no JSON Feed");
    expect_at(NULL, "{\"version\":\"2\"}", "error: this JSON is no JSON Feed");
    expect_at(NULL, "{\"items\":{}}", "error: this JSON is no JSON Feed");
    g_autofree char *bad = dump_bytes("{\"a\" 1 2}", 9, NULL);
    assert_true(g_str_has_prefix(bad, "error: this is no JSON: "));
    expect_at(NULL, "[1]", "error: this is no feed: neither RSS, Atom nor JSON Feed");
}

static void test_items_are_counted(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new("{\"items\":[{}");
    for (int i = 0; i < FEED_ITEMS_MAX + 4; i++)
        g_string_append(text, ",{\"id\":\"x\"}");
    g_string_append(text, "]}");
    struct feed_doc *doc = feed_parse(text->str, text->len, NULL, NULL);
    assert_int_equal(doc->n_items, FEED_ITEMS_MAX);
    assert_int_equal(doc->n_items_dropped, 5);
    assert_string_equal(doc->warnings[0], "items beyond the first 20000 were left out");
    feed_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_feed),  cmocka_unit_test(test_odd_ones),
        cmocka_unit_test(test_loose_types), cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_no_feed),     cmocka_unit_test(test_items_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
