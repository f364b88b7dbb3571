/* The way from a commit into the log, with everything that can stand in it. */
#include "tests/unit/store_fixture.h"

#include <sqlite3.h>

static char *line_of(struct fixture *fixture, const char *path, const char *title)
{
    (void)fixture;
    g_autofree char *text = get_file(path);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (strstr(*line, title))
            return g_strdup(*line);
    return NULL;
}

static void assert_titles(const char *path, const char *const *titles)
{
    g_autofree char *text = get_file(path);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    size_t n = g_strv_length((char **)(uintptr_t)titles);
    if (g_strv_length(lines) != n + 1)
        print_error("%s", text);
    assert_int_equal(g_strv_length(lines), n + 1);
    for (size_t i = 0; i < n; i++) {
        g_autofree char *part = g_strdup_printf("] %s | ", titles[i]);
        assert_non_null(strstr(lines[i], part));
    }
}

/* Waits until the log has n lines; the storage thread retries by itself. */
static void wait_for_lines(const char *path, size_t n)
{
    int64_t end_us = g_get_monotonic_time() + WAIT_US;
    while (count_lines(path) < n && g_get_monotonic_time() < end_us)
        g_usleep(10000);
    assert_int_equal(count_lines(path), n);
}

static void wait_for_trouble(struct fixture *fixture, guint n)
{
    int64_t end_us = g_get_monotonic_time() + WAIT_US;
    while (fixture->troubles->len < n && g_get_monotonic_time() < end_us)
        settle(fixture);
    assert_int_equal(fixture->troubles->len, n);
}

static void test_rotation(void **state)
{
    struct fixture *fixture = *state;
    set_log(fixture, STORE_LOG_TEXT);
    g_autofree char *rotated = path_in(fixture, "alerts.log.1");
    alert_once(fixture, "1", "one", to_log);
    assert_int_equal(rename(fixture->log_path, rotated), 0);
    alert_once(fixture, "2", "two", to_log);
    store_reopen_logs(fixture->store);
    alert_once(fixture, "3", "three", to_log);
    assert_titles(rotated, (const char *const[]){"one", NULL});
    assert_titles(fixture->log_path, (const char *const[]){"two", "three", NULL});
    assert_int_equal(unlink(fixture->log_path), 0);
    alert_once(fixture, "4", "four", to_log);
    assert_titles(fixture->log_path, (const char *const[]){"four", NULL});
    assert_int_equal(fixture->troubles->len, 0);
}

static void test_formats_side_by_side(void **state)
{
    struct fixture *fixture = *state;
    static const char *const all[] = {"text", "fmt", "json", NULL};
    g_autofree char *text = path_in(fixture, "a.log"), *fmt = path_in(fixture, "a.log.fmt"),
                    *json = path_in(fixture, "a.log.json");
    const struct store_log logs[] = {{"text", text, STORE_LOG_TEXT},
                                     {"fmt", fmt, STORE_LOG_LOGFMT},
                                     {"json", json, STORE_LOG_JSON}};
    store_set_logs(fixture->store, logs, 3);
    alert_once(fixture, "1", "one", all);
    alert_once(fixture, "2", "two", all);
    g_autofree char *a = line_of(fixture, text, "two"), *b = line_of(fixture, fmt, "two"),
                    *c = line_of(fixture, json, "two");
    assert_non_null(strstr(a, "[rule] two | The Feed | "));
    assert_non_null(strstr(b, "title=\"two\""));
    assert_non_null(strstr(c, "\"title\":\"two\""));
    assert_int_equal(count_lines(text) + count_lines(fmt) + count_lines(json), 6);
}

static void test_refused_path_waits(void **state)
{
    struct fixture *fixture = *state;
    g_autofree char *target = path_in(fixture, "target");
    put_file(target, "", 0);
    assert_int_equal(symlink(target, fixture->log_path), 0);
    set_log(fixture, STORE_LOG_TEXT);
    alert_once(fixture, "1", "one", to_log);
    alert_once(fixture, "2", "two", to_log);
    wait_for_trouble(fixture, 1);
    assert_non_null(strstr(g_ptr_array_index(fixture->troubles, 0), "symbolic link"));
    assert_int_equal(count_lines(target), 0);
    g_autoptr(GPtrArray) waiting = pending(fixture, "log", 10);
    assert_int_equal(waiting->len, 2);
    assert_int_equal(unlink(fixture->log_path), 0);
    wait_for_lines(fixture->log_path, 2);
    alert_once(fixture, "3", "three", to_log);
    assert_titles(fixture->log_path, (const char *const[]){"one", "two", "three", NULL});
    assert_int_equal(count_lines(target), 0);
    assert_int_equal(fixture->troubles->len, 1);
}

static void test_two_sinks_one_file(void **state)
{
    struct fixture *fixture = *state;
    static const char *const both[] = {"a", "b", NULL};
    g_autofree char *same = g_strdup_printf("%s/./alerts.log", fixture->dir);
    const struct store_log logs[] = {{"a", fixture->log_path, STORE_LOG_TEXT},
                                     {"b", same, STORE_LOG_TEXT}};
    store_set_logs(fixture->store, logs, 2);
    alert_once(fixture, "1", "one", both);
    wait_for_trouble(fixture, 1);
    assert_non_null(strstr(g_ptr_array_index(fixture->troubles, 0), "write to one file"));
    assert_int_equal(count_lines(fixture->log_path), 1);
}

/* A sink that is taken away and comes back finds its deliveries waiting. */
static void test_sink_comes_back(void **state)
{
    struct fixture *fixture = *state;
    alert_once(fixture, "1", "one", to_log);
    assert_int_not_equal(access(fixture->log_path, F_OK), 0);
    set_log(fixture, STORE_LOG_TEXT);
    assert_titles(fixture->log_path, (const char *const[]){"one", NULL});
    store_set_logs(fixture->store, NULL, 0);
    alert_once(fixture, "2", "two", to_log);
    set_log(fixture, STORE_LOG_JSON);
    g_autofree char *line = line_of(fixture, fixture->log_path, "two");
    assert_true(g_str_has_prefix(line, "{"));
    assert_int_equal(count_lines(fixture->log_path), 2);
}

/* ---- after a crash ---- */

/* As a crash before the mark leaves it: everything that was logged waits again. */
static void unmark(struct fixture *fixture, const char *line)
{
    g_autofree char *path = path_in(fixture, "feedwatch.db");
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "UPDATE delivery SET state = 0, line = ?1", -1, &statement, NULL),
        SQLITE_OK);
    sqlite3_bind_text(statement, 1, line, -1, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void test_marks_lost(void **state)
{
    struct fixture *fixture = *state;
    set_log(fixture, STORE_LOG_TEXT);
    alert_once(fixture, "1", "one", to_log);
    g_autofree char *before = get_file(fixture->log_path);
    fixture_close(fixture);
    unmark(fixture, before);
    g_autofree char *rotated = path_in(fixture, "alerts.log-20261123");
    for (int i = 0; i < 2; i++) {
        fixture_open(fixture);
        set_log(fixture, STORE_LOG_TEXT);
        g_autofree char *after = get_file(i == 0 ? fixture->log_path : rotated);
        assert_string_equal(after, before);
        fixture_close(fixture);
        unmark(fixture, before);
        assert_int_equal(rename(fixture->log_path, rotated), 0);
    }
    fixture_open(fixture);
}

static void test_line_lost(void **state)
{
    struct fixture *fixture = *state;
    set_log(fixture, STORE_LOG_TEXT);
    alert_once(fixture, "1", "one", to_log);
    g_autofree char *before = get_file(fixture->log_path);
    fixture_close(fixture);
    unmark(fixture, before);
    assert_int_equal(truncate(fixture->log_path, 30), 0);
    fixture_open(fixture);
    set_log(fixture, STORE_LOG_TEXT);
    g_autofree char *after = get_file(fixture->log_path);
    assert_string_equal(after, before);
    g_autoptr(GPtrArray) waiting = pending(fixture, "log", 10);
    assert_int_equal(waiting->len, 0);
}

static void test_many_wait(void **state)
{
    struct fixture *fixture = *state;
    const size_t n = 2500;
    g_autofree struct test_item *items = g_new0(struct test_item, n);
    g_autofree struct store_new_alert *alerts = g_new0(struct store_new_alert, n);
    g_autoptr(GStringChunk) texts = g_string_chunk_new(1 << 16);
    for (size_t i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("item %zu.", i);
        items[i].guid = items[i].title = g_string_chunk_insert(texts, name);
        alerts[i] = (struct store_new_alert){
            .item = i, .kind = "alert", .rule = "r", .urgency = "low", .sinks = to_log};
    }
    struct test_doc doc = make_doc(items, n);
    struct store_verdicts *verdicts = classify(fixture, "feed", &doc);
    commit_alerts(fixture, "feed", &doc, verdicts, alerts, n);
    store_verdicts_free(verdicts);
    doc_clear(&doc);
    set_log(fixture, STORE_LOG_TEXT);
    assert_int_equal(count_lines(fixture->log_path), n);
    g_autofree char *first = line_of(fixture, fixture->log_path, "item 0.");
    g_autofree char *last = line_of(fixture, fixture->log_path, "item 2499.");
    assert_true(first && last);
}

int main(void)
{
#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, setup_store, teardown_store)
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_rotation),           STORE_TEST(test_formats_side_by_side),
        STORE_TEST(test_refused_path_waits), STORE_TEST(test_two_sinks_one_file),
        STORE_TEST(test_sink_comes_back),    STORE_TEST(test_marks_lost),
        STORE_TEST(test_line_lost),          STORE_TEST(test_many_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
