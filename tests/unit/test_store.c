/* The store as its users see it: feeds, commits, deliveries, locking, and what survives a restart.
 */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <sqlite3.h>

static struct store_feed full_feed(void)
{
    return (struct store_feed){
        .id = (char *)(uintptr_t) "granma",
        .url = (char *)(uintptr_t) "https://en.granma.cu/feed",
        .moved_url = (char *)(uintptr_t) "https://granma.example/feed",
        .candidate_url = (char *)(uintptr_t) "https://other.example/feed",
        .candidate_since_s = START_S,
        .candidate_seen = 2,
        .etag = (char *)(uintptr_t) "W/\"a b-gzip\"",
        .last_modified = (char *)(uintptr_t) "Thu, 1 Jan 2026 0:00:00 +0000",
        .body_hash = UINT64_C(0xFEDCBA9876543210),
        .schedule = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, true, true},
        .message = (char *)(uintptr_t) "the server said 503",
        .title = (char *)(uintptr_t) "Granma",
        .is_baselined = true,
        .uses_title_key = true,
        .n_items_last = 20,
        .text_bytes = INT64_C(1) << 40,
        .text_items = 77,
        .health_told_s = 78,
        .gap_told_s = 79,
        .window_told_s = 80,
    };
}

static void assert_same_schedule(const struct schedule_state *a, const struct schedule_state *b)
{
    assert_int_equal(a->due_s, b->due_s);
    assert_int_equal(a->asked_s, b->asked_s);
    assert_int_equal(a->looked_s, b->looked_s);
    assert_int_equal(a->new_item_s, b->new_item_s);
    assert_int_equal(a->failing_since_s, b->failing_since_s);
    assert_int_equal(a->allowed_s, b->allowed_s);
    assert_int_equal(a->rhythm_s, b->rhythm_s);
    assert_int_equal(a->pause_s, b->pause_s);
    assert_int_equal(a->unmodified_since_s, b->unmodified_since_s);
    assert_int_equal(a->unconditional_s, b->unconditional_s);
    assert_int_equal(a->failures, b->failures);
    assert_int_equal(a->throttles, b->throttles);
    assert_int_equal(a->has_validator, b->has_validator);
    assert_int_equal(a->is_gone, b->is_gone);
    assert_int_equal(a->publisher_s, b->publisher_s);
    assert_int_equal(a->skip_hours, b->skip_hours);
    assert_int_equal(a->skip_days, b->skip_days);
}

static void assert_same_feed(const struct store_feed *a, const struct store_feed *b)
{
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->url, b->url);
    assert_string_equal(a->moved_url, b->moved_url);
    assert_string_equal(a->candidate_url, b->candidate_url);
    assert_int_equal(a->candidate_since_s, b->candidate_since_s);
    assert_int_equal(a->candidate_seen, b->candidate_seen);
    assert_string_equal(a->etag, b->etag);
    assert_string_equal(a->last_modified, b->last_modified);
    assert_true(a->body_hash == b->body_hash);
    assert_string_equal(a->message, b->message);
    assert_string_equal(a->title, b->title);
    assert_int_equal(a->is_baselined, b->is_baselined);
    assert_int_equal(a->uses_title_key, b->uses_title_key);
    assert_int_equal(a->n_items_last, b->n_items_last);
    assert_int_equal(a->text_bytes, b->text_bytes);
    assert_int_equal(a->text_items, b->text_items);
    assert_int_equal(a->health_told_s, b->health_told_s);
    assert_int_equal(a->gap_told_s, b->gap_told_s);
    assert_int_equal(a->window_told_s, b->window_told_s);
    assert_same_schedule(&a->schedule, &b->schedule);
}

static void test_feed_comes_back(void **state)
{
    struct fixture *fixture = *state;
    const struct store_feed feed = full_feed();
    const struct store_feed bare = {.id = (char *)(uintptr_t) "bare"};
    store_save_feed(fixture->store, &bare, NULL, NULL);
    store_save_feed(fixture->store, &feed, NULL, NULL);
    store_save_feed(fixture->store, &feed, NULL, NULL);
    fixture_reopen(fixture);
    g_autoptr(GPtrArray) feeds = store_load_feeds(fixture->store);
    assert_int_equal(feeds->len, 2);
    for (guint i = 0; i < feeds->len; i++) {
        const struct store_feed *loaded = g_ptr_array_index(feeds, i);
        assert_int_not_equal(loaded->row, 0);
        if (strcmp(loaded->id, "granma") == 0)
            assert_same_feed(loaded, &feed);
        else
            assert_null(loaded->etag);
    }
}

static struct store_feed named_feed(const char *id, int64_t due_s)
{
    struct store_feed feed = full_feed();
    feed.id = (char *)(uintptr_t)id;
    feed.schedule.due_s = due_s;
    return feed;
}

static const struct store_feed *find_feed(const GPtrArray *feeds, const char *id)
{
    for (guint i = 0; i < feeds->len; i++)
        if (strcmp(((const struct store_feed *)g_ptr_array_index(feeds, i))->id, id) == 0)
            return g_ptr_array_index(feeds, i);
    return NULL;
}

/* Whatever their order; what else is stored of them stays. Done once all are stored, and also where
 * there is none. */
static void test_schedules_of_many(void **state)
{
    struct fixture *fixture = *state;
    bool saved = false;
    const struct store_feed stored[] = {named_feed("b", 1), named_feed("a", 2)};
    const struct store_feed later[] = {
        {.id = (char *)(uintptr_t) "none", .schedule = {.due_s = 3}},
        {.id = (char *)(uintptr_t) "a", .schedule = {.due_s = 4, .is_gone = true}},
        {.id = (char *)(uintptr_t) "b", .schedule = {.due_s = 5, .failures = 7}},
    };
    const struct store_feed *changes[] = {&later[0], &later[1], &later[2]};
    for (size_t i = 0; i < G_N_ELEMENTS(stored); i++)
        store_save_feed(fixture->store, &stored[i], NULL, NULL);
    store_save_schedules(fixture->store, changes, G_N_ELEMENTS(changes), on_flag, &saved);
    wait_for(fixture, &saved);
    saved = false;
    store_save_schedules(fixture->store, NULL, 0, on_flag, &saved);
    wait_for(fixture, &saved);
    fixture_reopen(fixture);
    g_autoptr(GPtrArray) feeds = store_load_feeds(fixture->store);
    assert_int_equal(feeds->len, G_N_ELEMENTS(stored));
    for (size_t i = 0; i < G_N_ELEMENTS(stored); i++) {
        struct store_feed wanted = stored[i];
        wanted.schedule = later[2 - i].schedule;
        assert_same_feed(find_feed(feeds, wanted.id), &wanted);
    }
}

static int64_t due_of(const GPtrArray *feeds, const char *id)
{
    const struct store_feed *feed = find_feed(feeds, id);
    return feed ? feed->schedule.due_s : -1;
}

/* The others are attempts, for which somebody is asked next. */
static void test_refused_schedule(void **state)
{
    struct fixture *fixture = *state;
    bool saved = false;
    const struct store_feed stored[] = {named_feed("a", 1), named_feed("b", 2), named_feed("c", 3)};
    const struct store_feed later[] = {named_feed("a", 4), named_feed("b", 5), named_feed("c", 6)};
    const struct store_feed *changes[] = {&later[0], &later[1], &later[2]};
    for (size_t i = 0; i < G_N_ELEMENTS(stored); i++)
        store_save_feed(fixture->store, &stored[i], i == 2 ? on_flag : NULL, &saved);
    wait_for(fixture, &saved);
    g_autofree char *path = path_in(fixture, "feedwatch.db");
    sqlite3 *other;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other,
                                  "CREATE TRIGGER no BEFORE INSERT ON schedule WHEN NEW.due_s = 5 "
                                  "BEGIN SELECT RAISE(ABORT, 'no'); END",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(other);
    saved = false;
    store_save_schedules(fixture->store, changes, G_N_ELEMENTS(changes), on_flag, &saved);
    wait_for(fixture, &saved);
    assert_int_equal(fixture->troubles->len, 1);
    assert_non_null(strstr(g_ptr_array_index(fixture->troubles, 0), "refused a change"));
    fixture_reopen(fixture);
    g_autoptr(GPtrArray) feeds = store_load_feeds(fixture->store);
    assert_int_equal(due_of(feeds, "a"), 4);
    assert_int_equal(due_of(feeds, "b"), 2);
    assert_int_equal(due_of(feeds, "c"), 6);
}

static void test_rename(void **state)
{
    struct fixture *fixture = *state;
    const struct test_item items[] = {{.guid = "1", .title = "one"}};
    g_autofree char *first = take_in(fixture, "old", ITEMS(items));
    assert_string_equal(first, "N");
    store_rename_feed(fixture->store, "old", "new");
    store_rename_feed(fixture->store, "absent", "newer");
    g_autofree char *second = take_in(fixture, "new", ITEMS(items));
    assert_string_equal(second, "K");
    /* The ID is taken: nothing happens. */
    g_autofree char *other = take_in(fixture, "other", ITEMS(items));
    store_rename_feed(fixture->store, "other", "new");
    g_autoptr(GPtrArray) feeds = store_load_feeds(fixture->store);
    assert_int_equal(feeds->len, 2);
}

static void test_time_origin_is_kept(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(store_time_origin(fixture->store, 1000), 1000);
    assert_int_equal(store_time_origin(fixture->store, 2000), 1000);
    fixture_reopen(fixture);
    assert_int_equal(store_time_origin(fixture->store, 3000), 1000);
}

static void test_second_opener_is_refused(void **state)
{
    struct fixture *fixture = *state;
    g_autoptr(GError) error = NULL;
    struct store *second =
        store_open(fixture->dir, fixture->clock, RETENTION_S, NULL, fixture->context, &error);
    assert_null(second);
    assert_true(g_error_matches(error, STORE_ERROR, STORE_ERROR_BUSY));
    assert_true(store_is_running(fixture->dir));
    fixture_close(fixture);
    assert_false(store_is_running(fixture->dir));
    fixture_open(fixture);
}

static mode_t mode_of(const char *dir, const char *name)
{
    struct stat st;
    g_autofree char *path = g_build_filename(dir, name, NULL);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void test_files_are_private(void **state)
{
    struct fixture *fixture = *state;
    set_log(fixture, STORE_LOG_TEXT);
    alert_once(fixture, "1", "one", to_log);
    static const char *const names[] = {"feedwatch.db", "feedwatch.db-wal", "feedwatch.db-shm",
                                        "lock", "alerts.log"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        assert_int_equal(mode_of(fixture->dir, names[i]), 0600);
    fixture_close(fixture);
    g_autofree char *db = path_in(fixture, "feedwatch.db");
    assert_int_equal(chmod(db, 0644), 0);
    assert_int_equal(chmod(fixture->dir, 0755), 0);
    fixture_open(fixture);
    assert_int_equal(mode_of(fixture->dir, "feedwatch.db"), 0600);
    assert_int_equal(mode_of(fixture->dir, "."), 0700);
}

/* ---- deliveries ---- */

static void test_alert_reaches_log_and_sink(void **state)
{
    struct fixture *fixture = *state;
    set_log(fixture, STORE_LOG_TEXT);
    alert_once(fixture, "1", "Minister received", to_both);
    g_autofree char *text = get_file(fixture->log_path);
    assert_non_null(strstr(text, " [rule] Minister received | The Feed | - | word | id="));
    assert_int_equal(count_lines(fixture->log_path), 1);
    settle(fixture);
    assert_int_equal(fixture->deliveries, 1);
    g_autoptr(GPtrArray) alerts = pending(fixture, "desktop", 10);
    assert_int_equal(alerts->len, 1);
    const struct store_alert *alert = g_ptr_array_index(alerts, 0);
    assert_string_equal(alert->title, "Minister received");
    assert_string_equal(alert->feed, "feed");
    assert_string_equal(alert->rule, "rule");
    assert_int_equal(alert->first_seen_s, START_S);
    assert_int_equal(alert->attempts, 0);
    assert_non_null(strstr(text, alert->id));
    g_autoptr(GPtrArray) logged = pending(fixture, "log", 10);
    assert_int_equal(logged->len, 0);
}

static void mark(struct fixture *fixture, const struct store_alert *alert,
                 enum store_delivery_state delivery, int64_t next_try_s)
{
    const char *ids[] = {alert->id, NULL};
    bool done = false;
    store_mark(fixture->store, "desktop", ids, delivery, next_try_s, on_flag, &done);
    wait_for(fixture, &done);
}

static void test_marks(void **state)
{
    struct fixture *fixture = *state;
    static const char *const guids[] = {"1", "2", "3", "4"};
    for (size_t i = 0; i < G_N_ELEMENTS(guids); i++)
        alert_once(fixture, guids[i], guids[i], to_desktop);
    g_autoptr(GPtrArray) all = pending(fixture, "desktop", 10);
    assert_int_equal(all->len, 4);
    for (guint i = 0; i + 1 < all->len; i++) {
        const struct store_alert *a = g_ptr_array_index(all, i), *b = g_ptr_array_index(all, i + 1);
        assert_true(strcmp(a->id, b->id) < 0);
    }
    mark(fixture, g_ptr_array_index(all, 0), STORE_DELIVERY_DONE, 0);
    mark(fixture, g_ptr_array_index(all, 1), STORE_DELIVERY_WAITING, START_S + 60);
    mark(fixture, g_ptr_array_index(all, 2), STORE_DELIVERY_EXPIRED, 0);
    fixture_reopen(fixture);
    g_autoptr(GPtrArray) left = pending(fixture, "desktop", 10);
    assert_int_equal(left->len, 2);
    assert_string_equal(((struct store_alert *)g_ptr_array_index(left, 0))->title, "4");
    const struct store_alert *retried = g_ptr_array_index(left, 1);
    assert_string_equal(retried->title, "2");
    assert_int_equal(retried->attempts, 1);
    assert_int_equal(retried->next_try_s, START_S + 60);
    g_autoptr(GPtrArray) one = pending(fixture, "desktop", 1);
    assert_int_equal(one->len, 1);
    assert_string_equal(((struct store_alert *)g_ptr_array_index(one, 0))->title, "4");
    clock_advance(fixture->clock, 60000);
    g_autoptr(GPtrArray) due = pending(fixture, "desktop", 10);
    assert_int_equal(due->len, 2);
    assert_string_equal(((struct store_alert *)g_ptr_array_index(due, 0))->title, "2");
}

static void test_recent(void **state)
{
    struct fixture *fixture = *state;
    static const char *const guids[] = {"1", "2", "3", "4"};
    set_log(fixture, STORE_LOG_TEXT);
    for (size_t i = 0; i < G_N_ELEMENTS(guids); i++)
        alert_once(fixture, guids[i], guids[i], i == 2 ? to_log : to_desktop);
    g_autoptr(GPtrArray) waiting = pending(fixture, "desktop", 10);
    mark(fixture, g_ptr_array_index(waiting, 0), STORE_DELIVERY_FAILED, 0);
    mark(fixture, g_ptr_array_index(waiting, 2), STORE_DELIVERY_DONE, 0);
    g_autoptr(GPtrArray) all = store_recent(fixture->store, "desktop", 10);
    assert_int_equal(all->len, 3);
    static const char *const titles[] = {"4", "2", "1"};
    for (guint i = 0; i < all->len; i++)
        assert_string_equal(((struct store_alert *)g_ptr_array_index(all, i))->title, titles[i]);
    g_autoptr(GPtrArray) two = store_recent(fixture->store, "desktop", 2);
    assert_int_equal(two->len, 2);
    g_autoptr(GPtrArray) none = store_recent(fixture->store, "nobody", 2);
    assert_int_equal(none->len, 0);
}

static gsize ask_database(const struct fixture *fixture, const char *sql)
{
    sqlite3 *database;
    sqlite3_stmt *query;
    g_autofree char *path = path_in(fixture, "feedwatch.db");
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &query, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    gsize number = (gsize)sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(database);
    return number;
}

/* The first record in the index of what waits gets a head that is longer than it ("Record Format"
 * of SQLite's file format): a quick check does not look there. */
static void spoil_waiting(const struct fixture *fixture, const char *sink)
{
    gsize page = ask_database(fixture, "SELECT rootpage - 1 FROM sqlite_schema"
                                       " WHERE name = 'delivery_waiting'");
    gsize page_size = ask_database(fixture, "PRAGMA page_size"), size;
    g_autofree char *path = path_in(fixture, "feedwatch.db"), *bytes = NULL;
    assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    assert_true((page + 1) * page_size <= size);
    char *text = memmem(bytes + page * page_size, page_size, sink, strlen(sink));
    assert_non_null(text);
    assert_int_equal(text[-3], 3);
    text[-3] = 0x7F;
    put_file(path, bytes, (gssize)size);
}

/* Who asks and waits goes on without an answer, and the user is told. */
static void test_damage_found_by_a_question(void **state)
{
    struct fixture *fixture = *state;
    set_log(fixture, STORE_LOG_TEXT);
    alert_once(fixture, "1", "one", to_desktop);
    assert_true(fixture_close(fixture));
    spoil_waiting(fixture, "desktop");
    fixture_open(fixture);
    const struct store_log desktop = {"desktop", fixture->log_path, STORE_LOG_TEXT};
    store_set_logs(fixture->store, &desktop, 1);
    settle(fixture); /* it has read what waits for it */
    g_autoptr(GPtrArray) feeds = store_load_feeds(fixture->store);
    assert_int_equal(feeds->len, 0);
    while (fixture->troubles->len < 2)
        g_main_context_iteration(fixture->context, TRUE);
    assert_non_null(
        strstr(g_ptr_array_index(fixture->troubles, 0), "cannot be read from the database"));
    assert_non_null(strstr(g_ptr_array_index(fixture->troubles, 1), "the database is damaged"));
    assert_null(store_recent(fixture->store, "desktop", 10)); /* and not "none" */
    assert_false(fixture_close(fixture));
    fixture_open(fixture);
    assert_true(store_was_reset(fixture->store));
}

/* Without the mark that says so, a later start would take every item for new. */
static void test_damage_that_cannot_be_set_aside(void **state)
{
    struct fixture *fixture = *state;
    assert_true(fixture_close(fixture));
    g_autofree char *path = path_in(fixture, "feedwatch.db");
    g_autofree char *mark = path_in(fixture, "feedwatch.db.reset");
    put_file(path,
             "this is no database, and longer than the head of one, which has a hundred bytes\n"
             "this is no database, and longer than the head of one, which has a hundred bytes",
             -1);
    assert_int_equal(g_mkdir(mark, 0700), 0);
    g_autoptr(GError) error = NULL;
    assert_false(fixture_try_open(fixture, &error));
    assert_non_null(strstr(error->message, "is damaged and cannot be set aside: Is a directory"));
    g_autofree char *text = get_file(path);
    assert_true(g_str_has_prefix(text, "this is no database"));
    assert_int_equal(g_rmdir(mark), 0);
    fixture_open(fixture);
    assert_true(store_was_reset(fixture->store));
}

/* The end of the file's name that SQLite may not open for writing, once. */
static const char *refused;

static int open_refusing(const char *path, int flags, int mode)
{
    if (refused && g_str_has_suffix(path, refused) && (flags & O_ACCMODE) == O_RDWR) {
        refused = NULL;
        errno = EACCES;
        return -1;
    }
    return open(path, flags, mode);
}

/* SQLite would go on with reading alone, and nothing could be stored until the next start. */
static void test_a_file_that_opens_for_reading_alone(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"feedwatch.db", "feedwatch.db-wal", "feedwatch.db-shm"};
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    vfs->xSetSystemCall(vfs, "open", (sqlite3_syscall_ptr)(void (*)(void))open_refusing);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        assert_true(fixture_close(fixture));
        g_autofree char *path = path_in(fixture, names[i]);
        if (i > 0) /* as a crash leaves it */
            put_file(path, "", 0);
        refused = names[i];
        g_autoptr(GError) error = NULL;
        assert_false(fixture_try_open(fixture, &error));
        assert_null(refused);
        assert_non_null(strstr(error->message, "cannot open the database"));
        fixture_open(fixture);
        assert_false(store_was_reset(fixture->store));
        alert_once(fixture, "1", "one", to_desktop);
    }
    vfs->xSetSystemCall(vfs, "open", NULL);
}

static void test_alert_without_item(void **state)
{
    struct fixture *fixture = *state;
    set_log(fixture, STORE_LOG_TEXT);
    const struct store_new_alert alert = {
        .item = SIZE_MAX,
        .kind = "health",
        .urgency = "normal",
        .title = "Granma cannot be read for 12 hours",
        .sinks = to_log,
    };
    commit_alerts(fixture, "feed", NULL, NULL, &alert, 1);
    commit_alerts(fixture, "feed", NULL, NULL, &alert, 1);
    g_autofree char *text = get_file(fixture->log_path);
    assert_non_null(strstr(text, " [!health] Granma cannot be read for 12 hours | The Feed | "));
    assert_int_equal(count_lines(fixture->log_path), 2);
}

/* However often a commit comes, an item alerts once for a rule. */
static void test_item_alerts_once_for_a_rule(void **state)
{
    struct fixture *fixture = *state;
    const struct test_item items[] = {{.guid = "1", .title = "one", .text = "a"}};
    const struct test_item edited[] = {{.guid = "1", .title = "one", .text = "b"}};
    const struct store_new_alert alerts[] = {
        {.item = 0, .kind = "alert", .rule = "first", .urgency = "low", .sinks = to_desktop},
        {.item = 0, .kind = "alert", .rule = "second", .urgency = "low", .sinks = to_desktop},
    };
    struct test_doc doc = make_doc(ITEMS(items));
    struct store_verdicts *verdicts = classify(fixture, "feed", &doc);
    commit_alerts(fixture, "feed", &doc, verdicts, alerts, 1);
    store_verdicts_free(verdicts);
    doc_clear(&doc);
    doc = make_doc(ITEMS(edited));
    verdicts = classify(fixture, "feed", &doc);
    assert_int_equal(verdicts->items[0].news, STORE_CHANGED);
    assert_string_equal(verdicts->items[0].before->summary, "a");
    assert_string_equal(verdicts->items[0].alerted_rules[0], "first");
    assert_null(verdicts->items[0].alerted_rules[1]);
    commit_alerts(fixture, "feed", &doc, verdicts, alerts, 2);
    store_verdicts_free(verdicts);
    doc_clear(&doc);
    g_autoptr(GPtrArray) waiting = pending(fixture, "desktop", 10);
    assert_int_equal(waiting->len, 2);
}

/* ---- order and closing ---- */

struct order {
    int next;
    bool is_last_done;
};

static struct order order;

static void on_ordered(void *user)
{
    assert_int_equal(GPOINTER_TO_INT(user), order.next);
    order.next++;
    order.is_last_done = order.next == 300;
}

static void test_completions_keep_their_order(void **state)
{
    struct fixture *fixture = *state;
    const struct store_feed feed = full_feed();
    order = (struct order){0, false};
    for (int i = 0; i < 300; i++)
        store_save_feed(fixture->store, &feed, on_ordered, GINT_TO_POINTER(i));
    assert_int_equal(order.next, 0);
    wait_for(fixture, &order.is_last_done);
    assert_int_equal(store_backlog(fixture->store), 0);
}

/* Another program holds the database, as a full disk would: a change waits, a ping does not. */
static void test_ping_overtakes_what_is_stuck(void **state)
{
    struct fixture *fixture = *state;
    const struct store_feed feed = full_feed();
    bool saved = false, answered = false;
    g_autofree char *path = path_in(fixture, "feedwatch.db");
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    store_save_feed(fixture->store, &feed, on_flag, &saved);
    for (int i = 0; i < 2; i++) {
        answered = false;
        store_ping(fixture->store, on_flag, &answered);
        wait_for(fixture, &answered);
    }
    assert_false(saved);
    assert_true(store_is_stuck(fixture->store));
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    wait_for(fixture, &saved);
    assert_false(store_is_stuck(fixture->store));
}

/* The feed's state may be gone, with its title, before its last commit is stored. */
static void test_commit_outlives_its_feed(void **state)
{
    struct fixture *fixture = *state;
    set_log(fixture, STORE_LOG_TEXT);
    settle(fixture);
    g_autofree char *path = path_in(fixture, "feedwatch.db");
    sqlite3 *other = NULL;
    bool done = false;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    char id[] = "feed", url[] = "https://feeds.example/", title[] = "The Feed";
    struct store_feed feed = {.id = id, .url = url};
    const struct store_new_alert alert = {
        .item = SIZE_MAX, .kind = "health", .title = "Gone", .sinks = to_both};
    const struct store_commit commit = {
        .feed = &feed, .feed_title = title, .alerts = &alert, .n_alerts = 1};
    store_commit(fixture->store, &commit, on_flag, &done);
    memset(id, 'x', strlen(id));
    memset(url, 'x', strlen(url));
    memset(title, 'x', strlen(title));
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    wait_for(fixture, &done);
    g_autofree char *text = get_file(fixture->log_path);
    assert_non_null(strstr(text, " [!health] Gone | The Feed | "));
}

/* Also what is only asked about: what has been learnt of known items is written with it. */
static void test_question_is_stuck_with_the_disk(void **state)
{
    struct fixture *fixture = *state;
    const struct test_item item = {.guid = "g", .title = "A title"};
    g_autofree char *letters = take_in(fixture, "feed", &item, 1);
    g_autofree char *path = path_in(fixture, "feedwatch.db");
    struct test_doc doc = make_doc(&item, 1);
    struct classified answer = {false, NULL};
    sqlite3 *other = NULL;
    bool answered = false;
    assert_false(store_is_stuck(fixture->store));
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    store_classify(fixture->store, "feed", &doc.doc, doc.keys, on_classified, &answer);
    for (int i = 0; i < 2; i++) { /* the second one is answered from within the first retry */
        answered = false;
        store_ping(fixture->store, on_flag, &answered);
        wait_for(fixture, &answered);
    }
    assert_true(store_is_stuck(fixture->store));
    assert_int_equal(store_backlog(fixture->store), 0);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    wait_for(fixture, &answer.done);
    assert_false(store_is_stuck(fixture->store));
    store_verdicts_free(answer.verdicts);
    doc_clear(&doc);
}

static off_t size_in(const struct fixture *fixture, const char *name)
{
    g_autofree char *path = path_in(fixture, name);
    struct stat st;
    return stat(path, &st) == 0 ? st.st_size : 0;
}

/* The write-ahead log goes over into the database, while the store is open and at its end. */
static void test_journal_is_bounded(void **state)
{
    struct fixture *fixture = *state;
    fixture_reopen(fixture); /* with what a start reads from a database that was there */
    g_autofree char *text = g_strnfill(1 << 20, 'x');
    for (int i = 0; i < 60; i++) {
        g_autofree char *guid = g_strdup_printf("guid-%d", i);
        const struct test_item item = {.guid = guid, .title = "A title", .text = text};
        g_autofree char *letters = take_in(fixture, "feed", &item, 1);
        assert_string_equal(letters, "N");
    }
    assert_true(size_in(fixture, "feedwatch.db") > 30 << 20);
    assert_true(size_in(fixture, "feedwatch.db-wal") < 33 << 20);
    fixture_close(fixture);
    assert_int_equal(size_in(fixture, "feedwatch.db-wal"), 0);
}

static void test_close_finishes_and_delivers(void **state)
{
    struct fixture *fixture = *state;
    const struct store_feed feed = full_feed();
    bool done = false;
    store_save_feed(fixture->store, &feed, on_flag, &done);
    assert_true(fixture_close(fixture));
    assert_true(done);
    fixture_open(fixture);
    g_autoptr(GPtrArray) feeds = store_load_feeds(fixture->store);
    assert_int_equal(feeds->len, 1);
}

int main(void)
{
#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, setup_store, teardown_store)
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_feed_comes_back),
        STORE_TEST(test_schedules_of_many),
        STORE_TEST(test_refused_schedule),
        STORE_TEST(test_rename),
        STORE_TEST(test_time_origin_is_kept),
        STORE_TEST(test_second_opener_is_refused),
        STORE_TEST(test_files_are_private),
        STORE_TEST(test_alert_reaches_log_and_sink),
        STORE_TEST(test_marks),
        STORE_TEST(test_recent),
        STORE_TEST(test_damage_found_by_a_question),
        STORE_TEST(test_damage_that_cannot_be_set_aside),
        STORE_TEST(test_a_file_that_opens_for_reading_alone),
        STORE_TEST(test_alert_without_item),
        STORE_TEST(test_item_alerts_once_for_a_rule),
        STORE_TEST(test_completions_keep_their_order),
        STORE_TEST(test_ping_overtakes_what_is_stuck),
        STORE_TEST(test_question_is_stuck_with_the_disk),
        STORE_TEST(test_commit_outlives_its_feed),
        STORE_TEST(test_journal_is_bounded),
        STORE_TEST(test_close_finishes_and_delivers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
