/* alert/atom, read back with our own reader of feeds. */
#include "alert/atom.h"

#include "feed/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define TIME_MS INT64_C(1795435200123) /* 2026-11-23T12:00:00.123Z */

static char *text(const char *literal)
{
    return (char *)(uintptr_t)literal;
}

static struct store_alert sample(const char *id)
{
    return (struct store_alert){
        .id = text(id),
        .kind = text("alert"),
        .rule = text("russia-cuba"),
        .feed_title = text("Granma & more"),
        .title = text("A <b>bold</b> & \"quoted\" title"),
        .link = text("https://example.org/a?b=1&c=\"2\""),
        .summary = text("Fuel ]]> <script>"),
        .matched_text = text("cuba: Havana"),
        .time_ms = TIME_MS,
        .published_s = TIME_MS / 1000 - 60,
    };
}

static struct feed_doc *read_back(struct store_alert *alerts, guint n, const char *name)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(list, &alerts[i]);
    GString *atom = atom_render(name, "The <title>", list);
    g_autoptr(GError) error = NULL;
    struct feed_doc *doc = feed_parse(atom->str, atom->len, NULL, &error);
    if (!doc)
        fail_msg("%s:\n%s", error->message, atom->str);
    assert_null(strstr(atom->str, "<script>"));
    g_string_free(atom, TRUE);
    return doc;
}

static void test_values_come_back(void **state)
{
    (void)state;
    struct store_alert alert = sample("01KB3M7ZQ8W9T5V2X4Y6N8P0RA");
    struct feed_doc *doc = read_back(&alert, 1, "here");
    assert_int_equal(doc->n_items, 1);
    assert_string_equal(feed_format_name(doc->format), "atom10");
    assert_string_equal(doc->title, "The <title>");
    assert_null(doc->warnings[0]);
    const struct feed_item *item = &doc->items[0];
    assert_string_equal(item->title, alert.title);
    assert_string_equal(item->link, "https://example.org/a?b=1&c=%222%22");
    assert_string_equal(item->content, "cuba: Havana\n\nFuel ]]> <script>");
    assert_string_equal(item->authors[0].name, "Granma & more");
    assert_string_equal(item->categories[0], "russia-cuba");
    assert_int_equal(item->updated_s, TIME_MS / 1000);
    assert_int_equal(item->published_s, TIME_MS / 1000 - 60);
    assert_true(g_str_has_prefix(item->id, "urn:uuid:"));
    assert_int_equal(strlen(item->id), 9 + 36);
    feed_doc_free(doc);
}

static void test_ids_are_stable_and_differ(void **state)
{
    (void)state;
    struct store_alert alerts[] = {sample("a"), sample("b")};
    struct feed_doc *one = read_back(alerts, 2, "here");
    struct feed_doc *again = read_back(alerts + 1, 1, "here");
    struct feed_doc *other = read_back(alerts, 2, "there");
    assert_string_not_equal(one->items[0].id, one->items[1].id);
    assert_string_equal(one->items[1].id, again->items[0].id);
    assert_string_equal(one->items[1].id, other->items[1].id);
    assert_string_equal(one->id, again->id);
    assert_string_not_equal(one->id, other->id);
    /* For ever: readers hold it. */
    assert_string_equal(one->items[0].id, "urn:uuid:909369b7-689d-5dda-8864-12b4c5d0d31e");
    feed_doc_free(one);
    feed_doc_free(again);
    feed_doc_free(other);
}

/* Hostile values: no link but http(s), no control character, and an entry is whole all the same. */
static void test_hostile_and_missing_values(void **state)
{
    (void)state;
    static const char *const links[] = {
        "javascript:alert(1)", "data:text/html,x", "file:///etc", "https://good@evil/", "-x", NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(links); i++) {
        struct store_alert alert = sample("a");
        alert.link = text(links[i]);
        alert.title = text("\x1b]8;;x\x07 a\nb\xe2\x80\xae");
        alert.summary = alert.matched_text = alert.feed_title = alert.rule = NULL;
        alert.published_s = FEED_TIME_NONE;
        struct feed_doc *doc = read_back(&alert, 1, "here");
        assert_null(doc->items[0].link);
        assert_string_equal(doc->items[0].title, "]8;;x a b");
        assert_string_equal(doc->items[0].content, "-");
        feed_doc_free(doc);
    }
}

static void test_nothing_yet(void **state)
{
    (void)state;
    struct feed_doc *doc = read_back(NULL, 0, "here");
    assert_int_equal(doc->n_items, 0);
    assert_null(doc->warnings[0]);
    feed_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_come_back),
        cmocka_unit_test(test_ids_are_stable_and_differ),
        cmocka_unit_test(test_hostile_and_missing_values),
        cmocka_unit_test(test_nothing_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
