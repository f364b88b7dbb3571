/* Forgetting what is old: texts after retention, keys later, alerts never while something needs
 * them. Rounds are run here, not awaited. */
#include "tests/unit/store_fixture.h"

#include "store/storage.h"
#include "store/store_purge.h"

#include <sqlite3.h>

#define STEPS_MAX 1000

/* One whole round over what the closed store has written, and the store open again. */
static void purge(struct fixture *fixture)
{
    fixture_close(fixture);
    g_autofree char *notice = NULL;
    struct db *db = db_open(fixture->dir, &notice, NULL);
    assert_non_null(db);
    struct storage *storage = storage_new(db, fixture->clock, RETENTION_S);
    int steps = 0;
    do {
        assert_true(purge_step(storage));
        assert_true(++steps < STEPS_MAX);
    } while (storage->purge);
    storage_free(storage);
    fixture_open(fixture);
}

static char *rows(const struct fixture *fixture, const char *sql)
{
    g_autofree char *path = path_in(fixture, "feedwatch.db");
    sqlite3 *sqlite = NULL;
    sqlite3_stmt *statement = NULL;
    GString *out = g_string_new(NULL);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        g_string_append_printf(out, "%s ", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(sqlite);
    return g_string_free(out, FALSE);
}

static void assert_rows(const struct fixture *fixture, const char *sql, const char *expected)
{
    g_autofree char *found = rows(fixture, sql);
    assert_string_equal(found, expected);
}

static void assert_taken_in(struct fixture *fixture, const struct test_item *items, size_t n,
                            const char *expected)
{
    g_autofree char *letters = take_in(fixture, "feed", items, n);
    assert_string_equal(letters, expected);
}

static void pass_days(struct fixture *fixture, int64_t days)
{
    clock_advance(fixture->clock, days * DAY_S * 1000);
}

#define TEXTS "SELECT guid FROM item_text ORDER BY id"
#define KEYS  "SELECT id FROM item ORDER BY id"

static const struct test_item six[] = {
    {.guid = "1", .title = "one"},  {.guid = "2", .title = "two"},  {.guid = "3", .title = "three"},
    {.guid = "4", .title = "four"}, {.guid = "5", .title = "five"}, {.guid = "6", .title = "six"},
};
static const struct test_item last[] = {{.guid = "7", .title = "seven"}};

static void test_nothing_goes_before_its_time(void **state)
{
    struct fixture *fixture = *state;
    assert_taken_in(fixture, ITEMS(six), "NNNNNN");
    pass_days(fixture, 89);
    purge(fixture);
    assert_rows(fixture, TEXTS, "1 2 3 4 5 6 ");
    assert_taken_in(fixture, ITEMS(six), "KKKKKK");
}

/* The feed's last document had one item: three times that many keys stay. The newest text stays, so
 * that no id is given twice. */
static void test_old_texts_go_and_some_keys_stay(void **state)
{
    struct fixture *fixture = *state;
    assert_taken_in(fixture, ITEMS(six), "NNNNNN");
    assert_taken_in(fixture, ITEMS(last), "N");
    pass_days(fixture, 100);
    purge(fixture);
    assert_rows(fixture, TEXTS, "7 ");
    assert_rows(fixture, KEYS, "5 6 7 ");
    assert_taken_in(fixture, six + 4, 2, "KK");
    assert_taken_in(fixture, six, 1, "N");
}

static void test_what_is_still_shown_stays(void **state)
{
    struct fixture *fixture = *state;
    assert_taken_in(fixture, ITEMS(six), "NNNNNN");
    pass_days(fixture, 80);
    assert_taken_in(fixture, six, 2, "KK"); /* seen again */
    pass_days(fixture, 20);
    purge(fixture);
    assert_rows(fixture, TEXTS, "1 2 6 ");
}

/* a and b are forgotten, but b's delivery still waits; the items of the others are remembered. */
static void test_alerts_stay_as_long_as_they_are_needed(void **state)
{
    struct fixture *fixture = *state;
    static const char *const titles[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < G_N_ELEMENTS(titles); i++) {
        alert_once(fixture, titles[i], titles[i], to_desktop);
        g_autoptr(GPtrArray) alerts = pending(fixture, "desktop", 9);
        const struct store_alert *alert = g_ptr_array_index(alerts, alerts->len - 1);
        const char *const ids[] = {alert->id, NULL};
        bool done = false;
        if (i == 1)
            continue;
        store_mark(fixture->store, "desktop", ids, STORE_DELIVERY_DONE, 0, on_flag, &done);
        wait_for(fixture, &done);
    }
    pass_days(fixture, 100);
    assert_rows(fixture, "UPDATE alert SET time_ms = 1 RETURNING title", "a b c d e ");
    purge(fixture);
    assert_rows(fixture, "SELECT title FROM alert ORDER BY seq", "b c d e ");
    assert_rows(fixture, "SELECT count(*) FROM delivery", "4 ");
}

static void test_one_round_a_day(void **state)
{
    struct fixture *fixture = *state;
    assert_taken_in(fixture, ITEMS(six), "NNNNNN");
    pass_days(fixture, 89);
    purge(fixture);
    clock_advance(fixture->clock, (DAY_S - 60) * 1000);
    assert_taken_in(fixture, last, 1, "N");
    purge(fixture);
    g_autofree char *before = rows(fixture, "SELECT value FROM meta WHERE key = 'purged_s'");
    clock_advance(fixture->clock, 120 * 1000);
    purge(fixture);
    g_autofree char *after = rows(fixture, "SELECT value FROM meta WHERE key = 'purged_s'");
    assert_int_equal(g_ascii_strtoll(after, NULL, 10) - g_ascii_strtoll(before, NULL, 10),
                     DAY_S + 60);
}

/* A minute of the store's clock after the start, not of ours. */
static void test_the_first_round_comes_by_the_clock(void **state)
{
    struct fixture *fixture = *state;
    fixture_close(fixture);
    g_autofree char *notice = NULL;
    struct clock *clock = clock_new_scaled(clock_real_wall_ms() / 1000, 1000);
    struct storage *storage = storage_new(db_open(fixture->dir, &notice, NULL), clock, RETENTION_S);
    assert_true(storage->next_purge_ms <= clock_real_boot_ms() + 60);
    storage_free(storage);
    clock_free(clock);
    fixture_open(fixture);
}

int main(void)
{
#define PURGE_TEST(test) cmocka_unit_test_setup_teardown(test, setup_store, teardown_store)
    const struct CMUnitTest tests[] = {
        PURGE_TEST(test_nothing_goes_before_its_time),
        PURGE_TEST(test_old_texts_go_and_some_keys_stay),
        PURGE_TEST(test_what_is_still_shown_stays),
        PURGE_TEST(test_alerts_stay_as_long_as_they_are_needed),
        PURGE_TEST(test_one_round_a_day),
        PURGE_TEST(test_the_first_round_comes_by_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
