#include "feed/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct feed_item item(const char *id, const char *link, const char *title)
{
    return (struct feed_item){
        .id = id,
        .link = link,
        .title = title,
        .published_s = FEED_TIME_NONE,
        .updated_s = FEED_TIME_NONE,
    };
}

static struct identity_keys *keys_of(struct feed_item *items, size_t n, bool use_title)
{
    struct feed_doc doc = {.items = items, .n_items = n};
    return identity_keys_of(&doc, use_title);
}

/* Whether a document with the one item would be known after one with the other. */
static bool is_known(struct feed_item before, struct feed_item after)
{
    g_autofree struct identity_keys *a = keys_of(&before, 1, false);
    g_autofree struct identity_keys *b = keys_of(&after, 1, false);
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++)
            if (a->key[i] == b->key[k])
                return true;
    return false;
}

static void test_any_key_makes_it_known(void **state)
{
    (void)state;
    assert_true(is_known(item("1", NULL, "a"), item("1", NULL, "b")));
    assert_true(is_known(item("1", "http://x/p", "a"), item("2", "http://x/p", "b")));
    assert_true(is_known(item("http://x/?p=1", NULL, "a"), item("https://www.x/?p=1", NULL, "b")));
    assert_true(is_known(item(NULL, NULL, "a"), item(NULL, NULL, "a")));
    assert_false(is_known(item("1", NULL, "a"), item("2", NULL, "a")));
    assert_false(is_known(item("1", "http://x/p", "a"), item("2", "http://x/q", "a")));
    assert_false(is_known(item("http://x/", NULL, "a"), item("http://y/", NULL, "b")));
    assert_false(is_known(item(NULL, NULL, "a"), item(NULL, NULL, "b")));
    /* The same text as a guid and as a link are two things. */
    assert_false(is_known(item("urn:x", NULL, "a"), item(NULL, "urn:x", "b")));
}

static void test_title_and_day(void **state)
{
    (void)state;
    struct feed_item monday = item(NULL, NULL, "Weather"), tuesday = monday, evening = monday;
    monday.published_s = 86400 * 100;
    evening.published_s = 86400 * 100 + 80000;
    tuesday.published_s = 86400 * 101;
    assert_true(is_known(monday, evening));
    assert_false(is_known(monday, tuesday));
    struct feed_item with_link = item("1", "http://x/p", "Weather");
    g_autofree struct identity_keys *plain = keys_of(&with_link, 1, false);
    g_autofree struct identity_keys *titled = keys_of(&with_link, 1, true);
    assert_int_equal(plain->n, 2);
    assert_int_equal(titled->n, 3);
    /* Every item has a key, whatever it lacks. */
    struct feed_item empty = item(NULL, NULL, NULL);
    g_autofree struct identity_keys *some = keys_of(&empty, 1, false);
    assert_int_equal(some->n, 1);
}

static void test_shared_guid_is_no_key(void **state)
{
    (void)state;
    struct feed_item items[] = {item("same", "http://x/1", "a"), item("same", "http://x/2", "b"),
                                item("own", NULL, "c")};
    g_autofree struct identity_keys *keys = keys_of(items, 3, false);
    assert_int_equal(keys[0].n, 1);
    assert_int_equal(keys[1].n, 1);
    assert_int_equal(keys[2].n, 1);
    assert_true(keys[0].key[0] != keys[1].key[0]);
}

static void test_at_most_four_keys(void **state)
{
    (void)state;
    struct feed_item full = item("http://x/?p=1", "http://x/p", "a");
    g_autofree struct identity_keys *keys = keys_of(&full, 1, true);
    assert_int_equal(keys->n, IDENTITY_KEYS_MAX);
}

static void test_canonical_link(void **state)
{
    (void)state;
    static const struct {
        const char *link, *wanted;
    } cases[] = {
        {"http://example.com", "https://example.com/"},
        {"https://example.com/", "https://example.com/"},
        {"HTTP://User:pw@EXAMPLE.com:80/A?b=1#c", "https://example.com/A?b=1"},
        {"https://example.com:443/a", "https://example.com/a"},
        {"http://example.com:8080/a", "https://example.com:8080/a"},
        {"http://x/a?utm_source=rss&id=1&utm_medium=x", "https://x/a?id=1"},
        {"http://x/a?fbclid=1&gclid=2", "https://x/a"},
        {"http://x/a?UTM_Source=1&b", "https://x/a?b"},
        {"http://x/a?&&b=1", "https://x/a?b=1"},
        {"http://x/a?utmost=1", "https://x/a?utmost=1"},
        {"http://x/?q#utm_source=1", "https://x/?q"},
        {"http://x/#top", "https://x/"},
        {"ftp://x/", NULL},
        {"urn:x", NULL},
        {"/a", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = identity_canonical_link(cases[i].link);
        if (g_strcmp0(got, cases[i].wanted) != 0)
            fail_msg("%s: \"%s\", wanted \"%s\"", cases[i].link, got ? got : "NULL",
                     cases[i].wanted ? cases[i].wanted : "NULL");
    }
}

static void test_text_hash(void **state)
{
    (void)state;
    struct feed_item a = item("1", "http://x/1", "title");
    a.summary = "summary";
    struct feed_item b = a;
    assert_true(identity_text_hash(&a) == identity_text_hash(&b));
    b.id = "2";
    b.link = "http://x/2";
    b.published_s = 5;
    assert_true(identity_text_hash(&a) == identity_text_hash(&b));
    b.content = "content";
    assert_false(identity_text_hash(&a) == identity_text_hash(&b));
    b = a;
    b.title = "title summary";
    b.summary = NULL;
    assert_false(identity_text_hash(&a) == identity_text_hash(&b));
    const char *const categories[] = {"one", NULL};
    b = a;
    b.categories = categories;
    assert_false(identity_text_hash(&a) == identity_text_hash(&b));
    const struct feed_author authors[] = {{.name = "Ann"}};
    b = a;
    b.authors = authors;
    b.n_authors = 1;
    assert_false(identity_text_hash(&a) == identity_text_hash(&b));
}

static void test_no_items(void **state)
{
    (void)state;
    struct feed_doc doc = {0};
    g_autofree struct identity_keys *keys = identity_keys_of(&doc, true);
    assert_non_null(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_key_makes_it_known),
        cmocka_unit_test(test_title_and_day),
        cmocka_unit_test(test_shared_guid_is_no_key),
        cmocka_unit_test(test_at_most_four_keys),
        cmocka_unit_test(test_canonical_link),
        cmocka_unit_test(test_text_hash),
        cmocka_unit_test(test_no_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
