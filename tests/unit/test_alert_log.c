/* Which files are refused as a log (S19), and what happens to one that is rotated. */
#include "store/alert_log.h"

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

struct place {
    char *dir, *path, *other;
    struct alert_log *log;
};

static int set_up(void **state)
{
    struct place *place = g_new0(struct place, 1);
    place->dir = g_dir_make_tmp("feedwatch-log-XXXXXX", NULL);
    place->path = g_build_filename(place->dir, "alerts.log", NULL);
    place->other = g_build_filename(place->dir, "other", NULL);
    place->log = alert_log_new(place->path);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    alert_log_free(place->log);
    g_remove(place->path);
    g_remove(place->other);
    g_remove(place->dir);
    g_free(place->dir);
    g_free(place->path);
    g_free(place->other);
    g_free(place);
    return 0;
}

static void write_line(struct alert_log *log, const char *line)
{
    struct log_place end;
    bool is_deleted = true;
    assert_true(alert_log_open(log, &end, NULL));
    assert_true(alert_log_append(log, line, strlen(line), NULL));
    assert_true(alert_log_sync(log, &is_deleted, NULL));
    assert_false(is_deleted);
}

static void assert_text(const char *path, const char *wanted)
{
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, wanted);
}

static void assert_refused(struct alert_log *log, const char *why)
{
    g_autoptr(GError) error = NULL;
    struct log_place end;
    assert_false(alert_log_open(log, &end, &error));
    assert_true(g_error_matches(error, STORE_ERROR, STORE_ERROR_LOG));
    if (!strstr(error->message, why))
        print_error("%s\n", error->message);
    assert_non_null(strstr(error->message, why));
    assert_non_null(strstr(error->message, alert_log_path(log)));
}

static void test_symlink(void **state)
{
    struct place *place = *state;
    assert_true(g_file_set_contents(place->other, "", 0, NULL));
    assert_int_equal(symlink(place->other, place->path), 0);
    assert_refused(place->log, "symbolic link");
}

static void test_dangling_symlink(void **state)
{
    struct place *place = *state;
    assert_int_equal(symlink(place->other, place->path), 0);
    assert_refused(place->log, "symbolic link");
    assert_int_not_equal(access(place->other, F_OK), 0);
}

static void test_fifo(void **state)
{
    struct place *place = *state;
    assert_int_equal(mkfifo(place->path, 0600), 0);
    assert_refused(place->log, "not a regular file");
}

static void test_directory(void **state)
{
    struct place *place = *state;
    assert_int_equal(mkdir(place->path, 0700), 0);
    assert_refused(place->log, "directory");
}

static void test_device(void **state)
{
    (void)state;
    struct alert_log *log = alert_log_new("/dev/null");
    assert_refused(log, "not a regular file");
    alert_log_free(log);
}

static void test_hard_link(void **state)
{
    struct place *place = *state;
    assert_true(g_file_set_contents(place->other, "", 0, NULL));
    assert_int_equal(link(place->other, place->path), 0);
    assert_refused(place->log, "hard links");
    assert_int_equal(unlink(place->other), 0);
    write_line(place->log, "one\n");
}

static void test_hard_link_made_later(void **state)
{
    struct place *place = *state;
    write_line(place->log, "one\n");
    assert_int_equal(link(place->path, place->other), 0);
    assert_refused(place->log, "hard links");
}

static void test_another_users(void **state)
{
    struct place *place = *state;
    assert_true(g_file_set_contents(place->path, "", 0, NULL));
    if (chown(place->path, 65534, 65534) != 0)
        skip();
    assert_refused(place->log, "another user");
}

static void test_parents_are_made_private(void **state)
{
    struct place *place = *state;
    g_autofree char *dir = g_build_filename(place->dir, "deep", NULL);
    g_autofree char *path = g_build_filename(dir, "er", "alerts.log", NULL);
    struct alert_log *log = alert_log_new(path);
    write_line(log, "one\n");
    struct stat st;
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    alert_log_free(log);
    g_autofree char *inner = g_path_get_dirname(path);
    g_remove(path);
    g_remove(inner);
    g_remove(dir);
}

static void test_renamed(void **state)
{
    struct place *place = *state;
    write_line(place->log, "one\n");
    assert_int_equal(rename(place->path, place->other), 0);
    write_line(place->log, "two\n");
    assert_text(place->other, "one\n");
    assert_text(place->path, "two\n");
}

static void test_deleted(void **state)
{
    struct place *place = *state;
    write_line(place->log, "one\n");
    assert_int_equal(unlink(place->path), 0);
    write_line(place->log, "two\n");
    assert_text(place->path, "two\n");
}

/* Deleted between the look at the path and the flush: the caller is told, and writes once more. */
static void test_deleted_under_way(void **state)
{
    struct place *place = *state;
    struct log_place end;
    bool is_deleted = false;
    assert_true(alert_log_open(place->log, &end, NULL));
    assert_int_equal(unlink(place->path), 0);
    assert_true(alert_log_append(place->log, "one\n", 4, NULL));
    assert_true(alert_log_sync(place->log, &is_deleted, NULL));
    assert_true(is_deleted);
}

static void test_swapped_for_a_symlink(void **state)
{
    struct place *place = *state;
    write_line(place->log, "one\n");
    assert_int_equal(rename(place->path, place->other), 0);
    assert_int_equal(symlink(place->other, place->path), 0);
    assert_refused(place->log, "symbolic link");
    assert_text(place->other, "one\n");
}

static void test_torn_end_gets_a_newline(void **state)
{
    struct place *place = *state;
    assert_true(g_file_set_contents(place->path, "torn", 4, NULL));
    write_line(place->log, "one\n");
    write_line(place->log, "two\n");
    assert_text(place->path, "torn\none\ntwo\n");
}

static void test_place_is_the_end(void **state)
{
    struct place *place = *state;
    struct log_place end;
    struct stat st;
    write_line(place->log, "one\n");
    assert_true(alert_log_open(place->log, &end, NULL));
    assert_int_equal(stat(place->path, &st), 0);
    assert_int_equal(end.size_bytes, 4);
    assert_true(end.inode == st.st_ino && end.dev == st.st_dev);
}

int main(void)
{
#define LOG_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_symlink),
        LOG_TEST(test_dangling_symlink),
        LOG_TEST(test_fifo),
        LOG_TEST(test_directory),
        LOG_TEST(test_device),
        LOG_TEST(test_hard_link),
        LOG_TEST(test_hard_link_made_later),
        LOG_TEST(test_another_users),
        LOG_TEST(test_parents_are_made_private),
        LOG_TEST(test_renamed),
        LOG_TEST(test_deleted),
        LOG_TEST(test_deleted_under_way),
        LOG_TEST(test_swapped_for_a_symlink),
        LOG_TEST(test_torn_end_gets_a_newline),
        LOG_TEST(test_place_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
