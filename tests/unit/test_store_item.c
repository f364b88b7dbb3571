/* Which items are new, which changed: tables of two or three documents and the verdicts on each. */
#include "tests/unit/store_fixture.h"

#define DOCS_MAX  4
#define ITEMS_MAX 8

struct step {
    struct test_item items[ITEMS_MAX];
    const char *verdicts; /* one letter an item: N new, K known, C changed; ~ in front: churn */
};

struct story {
    const char *name;
    struct step steps[DOCS_MAX];
};

#define OLD_S (START_S - 30 * DAY_S)
#define NEW_S (START_S - DAY_S / 2)

static const struct story stories[] = {
    {"reordered",
     {{{{"1", "https://e/1", "one", "a", 0}, {"2", "https://e/2", "two", "b", 0}}, "NN"},
      {{{"2", "https://e/2", "two", "b", 0}, {"1", "https://e/1", "one", "a", 0}}, "KK"}}},
    {"an item is added in front",
     {{{{"1", "https://e/1", "one", "a", 0}}, "N"},
      {{{"2", "https://e/2", "two", "b", 0}, {"1", "https://e/1", "one", "a", 0}}, "NK"}}},
    {"edited, edited back, left alone",
     {{{{"1", "https://e/1", "one", "a", 0}}, "N"},
      {{{"1", "https://e/1", "one", "b", 0}}, "C"},
      {{{"1", "https://e/1", "one", "a", 0}}, "C"},
      {{{"1", "https://e/1", "one", "a", 0}}, "K"}}},
    {"dates bumped",
     {{{{"1", "https://e/1", "one", "a", OLD_S}}, "N"},
      {{{"1", "https://e/1", "one", "a", NEW_S}}, "K"}}},
    {"the guid changes, the link stays",
     {{{{"1", "https://e/1", "one", "a", 0}, {"2", "https://e/2", "two", "b", 0}}, "NN"},
      {{{"x1", "https://e/1", "one", "a", 0}, {"2", "https://e/2", "two", "b", 0}}, "KK"}}},
    {"the guid changes, then the link: the new guid was learned",
     {{{{"1", "https://e/1", "one", "a", 0}}, "N"},
      {{{"x1", "https://e/1", "one", "a", 0}}, "K"},
      {{{"x1", "https://e/new", "one", "a", 0}}, "K"},
      {{{"y1", "https://e/new", "one", "a", 0}}, "K"}}},
    {"http to https",
     {{{{"http://e/1", "http://e/1", "one", "a", 0}}, "N"},
      {{{"https://e/1", "https://e/1", "one", "a", 0}}, "K"}}},
    {"the site moves to another host",
     {{{{"http://e/1", NULL, "one", "a", 0}}, "N"},
      {{{"https://new.example/1", NULL, "one", "a", 0}}, "K"}}},
    {"leaves and comes back",
     {{{{"1", "https://e/1", "one", "a", 0}, {"2", "https://e/2", "two", "b", 0}}, "NN"},
      {{{"2", "https://e/2", "two", "b", 0}}, "K"},
      {{{"2", "https://e/2", "two", "b", 0}, {"1", "https://e/1", "one", "a", 0}}, "KK"}}},
    {"one guid for all",
     {{{{"g", "https://e/1", "one", "a", 0}, {"g", "https://e/2", "two", "b", 0}}, "NN"},
      {{{"g", "https://e/3", "three", "c", 0}, {"g", "https://e/1", "one", "a", 0}}, "NK"}}},
    {"one link for all: it tells nothing apart",
     {{{{"1", "https://e/", "one", "a", 0}, {"2", "https://e/", "two", "b", 0}}, "NN"},
      {{{"3", "https://e/", "three", "c", 0}, {"1", "https://e/", "one", "a", 0}}, "NK"},
      {{{"2", "https://e/", "two", "b", 0}, {"3", "https://e/", "three", "c", 0}}, "KK"}}},
    {"the same item twice in one document: the first wins",
     {{{{NULL, "https://e/1", "one", "a", 0}, {NULL, "https://e/1", "one", "b", 0}}, "NK"},
      {{{NULL, "https://e/1", "one", "a", 0}, {NULL, "https://e/1", "one", "b", 0}}, "KK"}}},
    {"guid of one, link of another: the guid says which it is",
     {{{{"1", "https://e/1", "one", "a", 0}, {"2", "https://e/2", "two", "b", 0}}, "NN"},
      {{{"1", "https://e/2", "one", "a", 0}}, "K"}}},
    {"a new item takes over a link: known, but no edit of the old one",
     {{{{"1", "https://e/1", "one", "a", 0}}, "N"},
      {{{"1", "https://e/9", "one", "a", 0}, {"2", "https://e/1", "two", "b", 0}}, "KK"},
      {{{"1", "https://e/9", "one", "a", 0}}, "K"}}},
    {"neither guid nor link: the title",
     {{{{NULL, NULL, "one", "a", 0}, {NULL, NULL, "two", "b", 0}}, "NN"},
      {{{NULL, NULL, "three", "c", 0}, {NULL, NULL, "one", "a", 0}}, "NK"}}},
    {"nothing but a text",
     {{{{NULL, NULL, NULL, "a", 0}, {NULL, NULL, NULL, "b", 0}, {NULL, NULL, NULL, "a", 0}}, "NNK"},
      {{{NULL, NULL, NULL, "c", 0}, {NULL, NULL, NULL, "b", 0}}, "NK"}}},
    {"guids churn at every poll, links stay",
     {{{{"a1", "https://e/1", "one", "a", 0}, {"a2", "https://e/2", "two", "b", 0}}, "NN"},
      {{{"b1", "https://e/1", "one", "a", 0}, {"b2", "https://e/2", "two", "b", 0}}, "KK"},
      {{{"c1", "https://e/1", "one", "a", 0}, {"c2", "https://e/2", "two", "x", 0}}, "KC"}}},
    {"all ids and links change at once: adopted by title and date",
     {{{{"1", "https://e/1", "one", "a", OLD_S},
        {"2", "https://e/2", "two", "b", OLD_S},
        {"3", "https://e/3", "three", "c", OLD_S}},
       "NNN"},
      {{{"n9", "https://n/9", "nine", "z", NEW_S},
        {"n1", "https://n/1", "one", "a, with new markup", OLD_S},
        {"n2", "https://n/2", "two", "b", OLD_S},
        {"n3", "https://n/3", "three", "c", OLD_S}},
       "~NKKK"},
      {{{"n9", "https://n/9", "nine", "z", NEW_S},
        {"n1", "https://n/1", "one", "a, with new markup", OLD_S}},
       "KK"}}},
    {"all ids change, no dates: adopted where the texts are the same",
     {{{{"1", NULL, "one", "a", 0}, {"2", NULL, "two", "b", 0}, {"3", NULL, "three", "c", 0}},
       "NNN"},
      {{{"n1", NULL, "one", "a", 0}, {"n2", NULL, "two", "b", 0}, {"n3", NULL, "three", "c", 0}},
       "~KKK"}}},
    {"two items, the very same but for their ids",
     {{{{"1", NULL, "one", "a", OLD_S}, {"2", NULL, "two", "b", OLD_S}}, "NN"},
      {{{"n1", NULL, "one", "a", OLD_S}, {"n2", NULL, "two", "b", OLD_S}}, "~KK"}}},
    {"a title that every item has is no evidence",
     {{{{"1", NULL, "Weather", "a", 0}, {"2", NULL, "Weather", "a", 0}}, "NN"},
      {{{"3", NULL, "Weather", "a", 0}, {"4", NULL, "Weather", "a", 0}}, "NN"}}},
    {"a series whose titles come again a week later",
     {{{{"1", NULL, "Monday", "a", OLD_S},
        {"2", NULL, "Tuesday", "b", OLD_S + DAY_S},
        {"3", NULL, "Friday", "c", OLD_S + 4 * DAY_S}},
       "NNN"},
      {{{"4", NULL, "Monday", "d", OLD_S + 7 * DAY_S},
        {"5", NULL, "Tuesday", "e", OLD_S + 8 * DAY_S},
        {"6", NULL, "Friday", "f", OLD_S + 11 * DAY_S}},
       "NNN"}}},
    {"the window rolled over",
     {{{{"1", NULL, "one", "a", OLD_S}, {"2", NULL, "two", "b", OLD_S}}, "NN"},
      {{{"3", NULL, "three", "c", NEW_S}, {"4", NULL, "four", "d", NEW_S}}, "NN"}}},
};

static size_t n_items(const struct step *step)
{
    size_t n = 0;
    while (n < ITEMS_MAX && (step->items[n].guid || step->items[n].link || step->items[n].title ||
                             step->items[n].text))
        n++;
    return n;
}

static void test_stories(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(stories); i++) {
        const struct story *story = &stories[i];
        for (size_t k = 0; k < DOCS_MAX && story->steps[k].verdicts; k++) {
            const struct step *step = &story->steps[k];
            g_autofree char *got = take_in(fixture, story->name, step->items, n_items(step));
            if (strcmp(got, step->verdicts) != 0)
                print_error("%s, document %zu: %s, not %s\n", story->name, k + 1, got,
                            step->verdicts);
            assert_string_equal(got, step->verdicts);
        }
    }
}

/* The same again, with the store opened anew before each document. */
static void test_stories_over_restarts(void **state)
{
    struct fixture *fixture = *state;
    for (size_t k = 0; k < DOCS_MAX; k++) {
        for (size_t i = 0; i < G_N_ELEMENTS(stories); i++) {
            const struct step *step = &stories[i].steps[k];
            if (!step->verdicts)
                continue;
            g_autofree char *got = take_in(fixture, stories[i].name, step->items, n_items(step));
            assert_string_equal(got, step->verdicts);
        }
        fixture_reopen(fixture);
    }
}

static void test_feeds_do_not_know_each_other(void **state)
{
    struct fixture *fixture = *state;
    const struct test_item items[] = {{.guid = "1", .title = "one"}};
    g_autofree char *first = take_in(fixture, "a", ITEMS(items));
    g_autofree char *second = take_in(fixture, "b", ITEMS(items));
    assert_string_equal(first, "N");
    assert_string_equal(second, "N");
}

/* A crash between classifying and committing must leave news new. */
static void test_classifying_alone_makes_nothing_known(void **state)
{
    struct fixture *fixture = *state;
    const struct test_item old[] = {{.guid = "1", .title = "one", .text = "a"}};
    const struct test_item new[] = {{.guid = "1", .title = "one", .text = "b"},
                                    {.guid = "2", .title = "two"}};
    g_autofree char *first = take_in(fixture, "feed", ITEMS(old));
    for (int i = 0; i < 2; i++) {
        struct test_doc doc = make_doc(ITEMS(new));
        struct store_verdicts *verdicts = classify(fixture, "feed", &doc);
        assert_int_equal(verdicts->items[0].news, STORE_CHANGED);
        assert_int_equal(verdicts->items[1].news, STORE_NEW);
        assert_int_equal(verdicts->n_known, 1);
        store_verdicts_free(verdicts);
        doc_clear(&doc);
        fixture_reopen(fixture);
    }
}

/* A feed that gives an item a new guid at every poll must not grow its row without end, nor lose
 * what it was known by last. */
static void test_keys_of_an_item_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 100; i++) {
        g_autofree char *guid = g_strdup_printf("guid-%d", i);
        const struct test_item items[] = {{guid, "https://e/1", "one", "a", 0}};
        g_autofree char *got = take_in(fixture, "feed", ITEMS(items));
        assert_string_equal(got, i == 0 ? "N" : "K");
    }
    const struct test_item items[] = {{"guid-99", "https://e/other", "one", "a", 0}};
    g_autofree char *got = take_in(fixture, "feed", ITEMS(items));
    assert_string_equal(got, "K");
}

static void test_archived_text_comes_back_whole(void **state)
{
    struct fixture *fixture = *state;
    static const struct feed_author authors[] = {{"Ana", "ana@example.org", NULL},
                                                 {NULL, NULL, "https://e/bob"}};
    static const char *const categories[] = {"cuba", "world news", NULL};
    struct feed_item item = {
        .id = "1",
        .title = "one",
        .link = "https://e/1",
        .summary = "short",
        .content = "long\nlonger",
        .language = "es",
        .published_s = OLD_S,
        .updated_s = FEED_TIME_NONE,
        .authors = authors,
        .n_authors = 2,
        .categories = categories,
    };
    struct identity_keys keys = {.key = {77}, .n = 1};
    struct test_doc doc = {{.items = &item, .n_items = 1}, &keys};
    struct store_verdicts *verdicts = classify(fixture, "feed", &doc);
    commit_alerts(fixture, "feed", &doc, verdicts, NULL, 0);
    store_verdicts_free(verdicts);
    item.summary = "edited";
    verdicts = classify(fixture, "feed", &doc);
    const struct feed_item *before = verdicts->items[0].before;
    assert_non_null(before);
    assert_string_equal(before->id, "1");
    assert_string_equal(before->title, "one");
    assert_string_equal(before->link, "https://e/1");
    assert_string_equal(before->summary, "short");
    assert_string_equal(before->content, "long\nlonger");
    assert_string_equal(before->language, "es");
    assert_int_equal(before->published_s, OLD_S);
    assert_true(before->updated_s == FEED_TIME_NONE);
    assert_int_equal(before->n_authors, 2);
    assert_string_equal(before->authors[0].name, "Ana");
    assert_string_equal(before->authors[0].email, "ana@example.org");
    assert_null(before->authors[0].url);
    assert_null(before->authors[1].name);
    assert_string_equal(before->authors[1].url, "https://e/bob");
    assert_string_equal(before->categories[1], "world news");
    assert_null(before->categories[2]);
    store_verdicts_free(verdicts);
}

/* S20: whatever the values are, they are values. */
static void test_values_are_only_values(void **state)
{
    struct fixture *fixture = *state;
    const struct test_item items[] = {
        {"'); DROP TABLE item; --", "https://e/'\"", "Robert'); DELETE FROM feed; --", "%s%n?1",
         INT64_MAX},
        {"\"", "https://e/2", "\\", "--", INT64_MIN + 1},
    };
    const char *feed = "x'; DROP TABLE feed; --";
    g_autofree char *first = take_in(fixture, feed, ITEMS(items));
    assert_string_equal(first, "NN");
    fixture_reopen(fixture);
    g_autofree char *second = take_in(fixture, feed, ITEMS(items));
    assert_string_equal(second, "KK");
}

static void test_large_document(void **state)
{
    struct fixture *fixture = *state;
    const size_t n = FEED_ITEMS_MAX;
    g_autofree struct test_item *items = g_new0(struct test_item, n);
    g_autoptr(GStringChunk) texts = g_string_chunk_new(1 << 20);
    for (size_t i = 0; i < n; i++) {
        g_autofree char *guid = g_strdup_printf("guid-%zu", i);
        items[i].title = items[i].link = g_string_chunk_insert(texts, guid);
    }
    g_autofree char *first = take_in(fixture, "feed", items, n);
    g_autofree char *second = take_in(fixture, "feed", items, n);
    assert_int_equal(strspn(first, "N"), n);
    assert_int_equal(strspn(second, "K"), n);
}

int main(void)
{
#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, setup_store, teardown_store)
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_stories),
        STORE_TEST(test_stories_over_restarts),
        STORE_TEST(test_feeds_do_not_know_each_other),
        STORE_TEST(test_classifying_alone_makes_nothing_known),
        STORE_TEST(test_keys_of_an_item_are_bounded),
        STORE_TEST(test_archived_text_comes_back_whole),
        STORE_TEST(test_values_are_only_values),
        STORE_TEST(test_large_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
