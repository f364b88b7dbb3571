/* store_fixture - a store in a directory of its own, with calls that wait, for the tests of store/.
 *
 * Documents are made of literals; their keys are made here, by the same plan as feed/identity's but
 * simpler, so that these tests say what the store does with keys, not how keys are made. */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "base/file.h"
#include "store/store.h"
#include "store/store_read.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#pragma GCC diagnostic ignored "-Wunused-function"

#define DAY_S        86400
#define START_S      1795435200
#define WAIT_US      (20 * G_USEC_PER_SEC)
#define RETENTION_S  (90 * DAY_S)
#define ITEMS(array) (array), G_N_ELEMENTS(array)

struct fixture {
    char *dir, *log_path;
    struct clock *clock;
    GMainContext *context;
    struct store *store;
    GPtrArray *troubles; /* char * */
    guint deliveries;    /* calls of on_deliveries */
};

struct test_item {
    const char *guid, *link, *title, *text;
    int64_t published_s; /* 0: none */
};

struct test_doc {
    struct feed_doc doc;
    struct identity_keys *keys;
};

/* ---- directories ---- */

static void remove_tree(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        remove_tree(inner);
    }
    if (dir)
        g_dir_close(dir);
    (void)g_remove(path);
}

static char *path_in(const struct fixture *fixture, const char *name)
{
    return g_build_filename(fixture->dir, name, NULL);
}

static void put_file(const char *path, const char *text, gssize size)
{
    assert_true(g_file_set_contents(path, text, size, NULL));
}

static char *get_file(const char *path)
{
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

/* ---- the store ---- */

static void on_trouble(const char *message, void *user)
{
    struct fixture *fixture = user;
    g_ptr_array_add(fixture->troubles, g_strdup(message));
}

static void on_deliveries(void *user)
{
    ((struct fixture *)user)->deliveries++;
}

static bool fixture_try_open(struct fixture *fixture, GError **error)
{
    const struct store_hooks hooks = {on_trouble, on_deliveries, fixture};
    fixture->store =
        store_open(fixture->dir, fixture->clock, RETENTION_S, &hooks, fixture->context, error);
    return fixture->store != NULL;
}

static void fixture_open(struct fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    bool fine = fixture_try_open(fixture, &error);
    if (!fine)
        print_error("%s\n", error->message);
    assert_true(fine);
}

static bool fixture_close(struct fixture *fixture)
{
    bool wrote_all = store_close(fixture->store, 10000);
    fixture->store = NULL;
    return wrote_all;
}

static void fixture_reopen(struct fixture *fixture)
{
    fixture_close(fixture);
    fixture_open(fixture);
}

/* A directory, a virtual clock and no store yet. */
static void fixture_init(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->dir = g_dir_make_tmp("feedwatch-store-XXXXXX", NULL);
    assert_non_null(fixture->dir);
    fixture->log_path = path_in(fixture, "alerts.log");
    fixture->clock = clock_new_virtual(START_S);
    fixture->context = g_main_context_new();
    fixture->troubles = g_ptr_array_new_with_free_func(g_free);
}

static void fixture_clear(struct fixture *fixture)
{
    if (fixture->store)
        fixture_close(fixture);
    remove_tree(fixture->dir);
    g_free(fixture->dir);
    g_free(fixture->log_path);
    clock_free(fixture->clock);
    g_main_context_unref(fixture->context);
    g_ptr_array_unref(fixture->troubles);
}

static int setup_store(void **state)
{
    struct fixture *fixture = g_new0(struct fixture, 1);
    fixture_init(fixture);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static int setup_directory(void **state)
{
    struct fixture *fixture = g_new0(struct fixture, 1);
    fixture_init(fixture);
    *state = fixture;
    return 0;
}

static int teardown_store(void **state)
{
    fixture_clear(*state);
    g_free(*state);
    return 0;
}

/* ---- waiting ---- */

static gboolean on_late(gpointer user)
{
    *(bool *)user = true;
    return G_SOURCE_REMOVE;
}

/* Iterates the context until *flag is set. */
static void wait_for(struct fixture *fixture, const bool *flag)
{
    bool is_late = false;
    GSource *timer = g_timeout_source_new(WAIT_US / 1000);
    g_source_set_callback(timer, on_late, &is_late, NULL);
    g_source_attach(timer, fixture->context);
    while (!*flag && !is_late)
        g_main_context_iteration(fixture->context, TRUE);
    g_source_destroy(timer);
    g_source_unref(timer);
    assert_false(is_late);
}

static void on_flag(void *user)
{
    *(bool *)user = true;
}

/* Everything that was called before has run. */
static void settle(struct fixture *fixture)
{
    static const char *const none[] = {NULL};
    bool done = false;
    store_mark(fixture->store, "none", none, STORE_DELIVERY_DONE, 0, on_flag, &done);
    wait_for(fixture, &done);
}

/* ---- documents ---- */

static uint64_t hash_key(char kind, const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ (unsigned char)kind;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

static const char *without_scheme(const char *url)
{
    const char *after = strstr(url, "://");
    return after ? after + 3 : url;
}

static bool is_guid_shared(const struct test_item *items, size_t n, size_t item)
{
    for (size_t i = 0; i < n; i++)
        if (i != item && items[i].guid && strcmp(items[i].guid, items[item].guid) == 0)
            return true;
    return false;
}

static void add_key(struct identity_keys *keys, uint64_t key)
{
    keys->key[keys->n++] = key;
}

static struct identity_keys keys_of(const struct test_item *items, size_t n, size_t item)
{
    struct identity_keys keys = {.n = 0};
    const char *guid = items[item].guid, *link = items[item].link;
    if (guid && !is_guid_shared(items, n, item)) {
        add_key(&keys, hash_key('g', guid));
        const char *path = strchr(without_scheme(guid), '/');
        if (path && strstr(guid, "://"))
            add_key(&keys, hash_key('p', path));
    }
    if (link)
        add_key(&keys, hash_key('l', without_scheme(link)));
    if (keys.n == 0 && items[item].title)
        add_key(&keys, hash_key('t', items[item].title));
    return keys;
}

static struct test_doc make_doc(const struct test_item *items, size_t n)
{
    struct test_doc made = {.keys = g_new0(struct identity_keys, n + 1)};
    made.doc.items = g_new0(struct feed_item, n + 1);
    made.doc.n_items = n;
    for (size_t i = 0; i < n; i++) {
        made.doc.items[i] = (struct feed_item){
            .id = items[i].guid,
            .link = items[i].link,
            .title = items[i].title,
            .summary = items[i].text,
            .published_s = items[i].published_s ? items[i].published_s : FEED_TIME_NONE,
            .updated_s = FEED_TIME_NONE,
        };
        made.keys[i] = keys_of(items, n, i);
    }
    return made;
}

static void doc_clear(struct test_doc *doc)
{
    g_free(doc->doc.items);
    g_free(doc->keys);
}

/* ---- calls that wait ---- */

struct classified {
    bool done;
    struct store_verdicts *verdicts;
};

static void on_classified(struct store_verdicts *verdicts, void *user)
{
    struct classified *answer = user;
    answer->verdicts = verdicts;
    answer->done = true;
}

static struct store_verdicts *classify(struct fixture *fixture, const char *feed,
                                       const struct test_doc *doc)
{
    struct classified answer = {false, NULL};
    store_classify(fixture->store, feed, &doc->doc, doc->keys, on_classified, &answer);
    wait_for(fixture, &answer.done);
    assert_non_null(answer.verdicts);
    assert_int_equal(answer.verdicts->n_items, doc->doc.n_items);
    return answer.verdicts;
}

static void commit_alerts(struct fixture *fixture, const char *feed, const struct test_doc *doc,
                          const struct store_verdicts *verdicts,
                          const struct store_new_alert *alerts, size_t n_alerts)
{
    struct store_feed state = {
        .id = (char *)(uintptr_t)feed,
        .url = (char *)(uintptr_t) "https://feeds.example/",
        .is_baselined = true,
        .n_items_last = doc ? (uint32_t)doc->doc.n_items : 0,
    };
    char title[] = "The Feed"; /* it may change as soon as the call returns */
    const struct store_commit commit = {
        .feed = &state,
        .feed_title = title,
        .doc = doc ? &doc->doc : NULL,
        .keys = doc ? doc->keys : NULL,
        .verdicts = verdicts,
        .alerts = alerts,
        .n_alerts = n_alerts,
    };
    bool done = false;
    store_commit(fixture->store, &commit, on_flag, &done);
    memset(title, '?', sizeof title - 1);
    wait_for(fixture, &done);
}

/* What a poll does: classifies, and commits without alerts. Returns the verdicts as letters: K N C;
 * "~" in front: churn. */
static char *take_in(struct fixture *fixture, const char *feed, const struct test_item *items,
                     size_t n)
{
    struct test_doc doc = make_doc(items, n);
    struct store_verdicts *verdicts = classify(fixture, feed, &doc);
    GString *letters = g_string_new(verdicts->is_churn ? "~" : "");
    for (size_t i = 0; i < n; i++)
        g_string_append_c(letters, "KNC"[verdicts->items[i].news]);
    commit_alerts(fixture, feed, &doc, verdicts, NULL, 0);
    store_verdicts_free(verdicts);
    doc_clear(&doc);
    return g_string_free(letters, FALSE);
}

struct pending_answer {
    bool done;
    GPtrArray *alerts;
};

static void on_pending(GPtrArray *alerts, void *user)
{
    struct pending_answer *answer = user;
    answer->alerts = alerts;
    answer->done = true;
}

static GPtrArray *pending(struct fixture *fixture, const char *sink, guint limit)
{
    struct pending_answer answer = {false, NULL};
    store_pending(fixture->store, sink, limit, on_pending, &answer);
    wait_for(fixture, &answer.done);
    return answer.alerts;
}

static void set_log(struct fixture *fixture, enum store_log_format format)
{
    const struct store_log log = {"log", fixture->log_path, format};
    store_set_logs(fixture->store, &log, 1);
    settle(fixture);
}

/* One new item that alerts for one rule to the sinks. */
static void alert_once(struct fixture *fixture, const char *guid, const char *title,
                       const char *const *sinks)
{
    const struct test_item items[] = {{.guid = guid, .title = title}};
    const struct store_new_alert alert = {
        .item = 0,
        .kind = "alert",
        .rule = "rule",
        .urgency = "normal",
        .matched_json = "[]",
        .matched_text = "word",
        .sinks = sinks,
    };
    struct test_doc doc = make_doc(ITEMS(items));
    struct store_verdicts *verdicts = classify(fixture, "feed", &doc);
    commit_alerts(fixture, "feed", &doc, verdicts, &alert, 1);
    store_verdicts_free(verdicts);
    doc_clear(&doc);
}

static size_t count_lines(const char *path)
{
    g_autofree char *text = get_file(path);
    size_t n = 0;
    for (const char *p = text; *p; p++)
        n += *p == '\n';
    return n;
}

static const char *const to_log[] = {"log", NULL};
static const char *const to_desktop[] = {"desktop", NULL};
static const char *const to_both[] = {"desktop", "log", NULL};

#endif
