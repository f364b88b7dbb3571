/* src/base. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/number.h"
#include "base/pack.h"
#include "base/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>
#include <glib/gstdio.h>

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        int64_t number; /* -1: it is none */
    } cases[] = {
        {"0", 0, 0},
        {"00017", 17, 17},
        {"65535", 65535, 65535},
        {"65536", 65535, -1},
        {"", 10, -1},
        {"-1", 10, -1},
        {"+1", 10, -1},
        {" 1", 10, -1},
        {"1 ", 10, -1},
        {"1a", 10, -1},
        {"0x1", 10, -1},
        {"9", 8, -1},
        {"9223372036854775807", INT64_MAX, INT64_MAX},
        {"9223372036854775808", INT64_MAX, -1},
        {"18446744073709551616", UINT64_MAX, -1},
        {"99999999999999999999999", UINT64_MAX, -1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t number = 77;
        bool fine = number_parse(cases[i].text, cases[i].max, &number);
        assert_int_equal(fine, cases[i].number >= 0);
        assert_int_equal(number, fine ? (uint64_t)cases[i].number : 77);
    }
}

static void test_virtual_clock(void **state)
{
    (void)state;
    struct clock *clock = clock_new_virtual(1000);
    int64_t boot_ms = clock_boot_ms(clock);
    clock_advance(clock, 2500);
    assert_int_equal(clock_wall_s(clock), 1002);
    assert_int_equal(clock_boot_ms(clock) - boot_ms, 2500);
    clock_free(clock);
}

static void test_scaled_clock(void **state)
{
    (void)state;
    int64_t now_s = clock_real_wall_ms() / 1000;
    /* Origin an hour ago, 100 times as fast: a hundred hours have passed. */
    struct clock *clock = clock_new_scaled(now_s - 3600, 100);
    int64_t ahead_s = clock_wall_s(clock) - (now_s - 3600);
    assert_in_range(ahead_s, 360000, 360000 + 1000);
    assert_int_equal(clock_real_delay_ms(clock, 50000), 500);
    assert_int_equal(clock_real_delay_ms(clock, 10), 1);
    assert_int_equal(clock_real_delay_ms(clock, -5), 0);
    clock_set_origin(clock, now_s);
    assert_in_range(clock_wall_s(clock) - now_s, 0, 1000);
    clock_free(clock);
}

static void test_expand(void **state)
{
    (void)state;
    const char *home = g_get_home_dir();
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"%S/alerts.log", "/state/alerts.log"},
        {"/plain", "/plain"},
        {"100%%", "100%"},
        {"%x", "%x"},
        {"a~/b", "a~/b"},
        {"%", "%"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *got = file_expand(cases[i].in, "/state");
        assert_string_equal(got, cases[i].out);
    }
    g_autofree char *tilde = file_expand("~/x", NULL);
    g_autofree char *percent = file_expand("%h/x", NULL);
    g_autofree char *want = g_strdup_printf("%s/x", home);
    assert_string_equal(tilde, want);
    assert_string_equal(percent, want);
}

static void expect_file(const char *path, const char *text, unsigned mode)
{
    g_autofree char *got = NULL;
    struct stat st;
    assert_true(g_file_get_contents(path, &got, NULL, NULL));
    assert_string_equal(got, text);
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, mode);
}

static void test_replace(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("feedwatch-XXXXXX", NULL);
    g_autofree char *inner = g_build_filename(dir, "in", NULL);
    g_autofree char *path = g_build_filename(inner, "f", NULL);
    g_autofree char *beside = g_build_filename(inner, ".f.new", NULL);
    g_autofree char *link = g_build_filename(inner, "link", NULL);
    struct stat before, after;
    assert_true(file_replace(path, "one", 3, &error));
    expect_file(path, "one", 0600);
    assert_int_equal(chmod(path, 0640), 0);
    assert_true(g_file_set_contents(beside, "left by a crash", -1, NULL));
    assert_true(file_replace(path, "two", 3, &error));
    expect_file(path, "two", 0640);
    assert_int_equal(access(beside, F_OK), -1);
    /* The same again is no change. */
    assert_int_equal(stat(path, &before), 0);
    assert_true(file_replace(path, "two", 3, &error));
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_true(file_replace(path, "tw", 2, &error));
    expect_file(path, "tw", 0640);
    /* What is no file of ours is left alone. */
    assert_int_equal(symlink(path, link), 0);
    assert_false(file_replace(link, "x", 1, &error));
    assert_non_null(strstr(error->message, "will not replace"));
    expect_file(path, "tw", 0640);
    g_clear_error(&error);
    assert_false(file_replace(inner, "x", 1, &error));
    g_clear_error(&error);
    assert_false(file_replace("/dev/full", "x", 1, &error));
    g_unlink(link);
    g_unlink(path);
    g_rmdir(inner);
    g_rmdir(dir);
}

static void test_files(void **state)
{
    (void)state;
    g_autofree char *dir = g_dir_make_tmp("feedwatch-XXXXXX", NULL);
    g_autofree char *deep = g_build_filename(dir, "a", "b", NULL);
    g_autofree char *path = g_build_filename(deep, "f", NULL);
    g_autoptr(GError) error = NULL;
    assert_true(file_make_dir(deep, &error));
    struct stat st;
    assert_int_equal(stat(deep, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_true(g_file_set_contents(path, "hello", 5, NULL));
    size_t size = 0;
    g_autofree char *bytes = file_read(path, 5, &size, &error);
    assert_int_equal(size, 5);
    assert_string_equal(bytes, "hello");
    assert_null(file_read(path, 4, &size, &error));
    assert_non_null(strstr(error->message, path));
    g_clear_error(&error);
    assert_null(file_read("/nonexistent/x", 4, &size, &error));
    assert_non_null(strstr(error->message, "/nonexistent/x"));
    assert_false(file_make_dir("/proc/nothing/here", NULL));
    g_unlink(path);
    g_rmdir(deep);
    g_autofree char *parent = g_build_filename(dir, "a", NULL);
    g_rmdir(parent);
    g_rmdir(dir);
}

static void test_lock(void **state)
{
    (void)state;
    g_autofree char *dir = g_dir_make_tmp("feedwatch-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "lock", NULL);
    bool held = true;
    assert_false(file_is_locked(path));
    int first = file_lock(path, &held, NULL);
    assert_true(first >= 0 && !held);
    assert_true(file_is_locked(path));
    g_autoptr(GError) error = NULL;
    assert_int_equal(file_lock(path, &held, &error), -1);
    assert_true(held);
    close(first);
    assert_false(file_is_locked(path));
    g_unlink(path);
    g_rmdir(dir);
}

static void test_json(void **state)
{
    (void)state;
    json_t *object = json_object();
    const char *const texts[] = {"a", "\xC0", NULL};
    json_set_text(object, "text", "\xE2\x80\x94 \xFF");
    json_set_text(object, "none", NULL);
    json_set_time(object, "when", 5, 5);
    json_set_int(object, "n", INT64_MAX);
    json_set_texts(object, "list", texts);
    json_set_texts(object, "empty", NULL);
    g_autofree char *line = json_to_text(object);
    json_decref(object);
    assert_string_equal(
        line, "{\"text\":\"\xE2\x80\x94 \xEF\xBF\xBD\",\"none\":null,\"when\":null,"
              "\"n\":9223372036854775807,\"list\":[\"a\",\"\xEF\xBF\xBD\"],\"empty\":[]}");
}

/* A block is kept, whatever was put into the arena besides, and what comes out of it is zero. */
static void test_arena_reset(void **state)
{
    (void)state;
    struct arena arena = {0};
    arena_reset(&arena);
    char *first = arena_text(&arena, "text", 4);
    for (int round = 0; round < 3; round++) {
        memset(arena_alloc(&arena, 100 * 1024), 'x', 100 * 1024); /* a block of its own */
        memset(arena_alloc(&arena, 1024), 'x', 1024);
        arena_reset(&arena);
        char *again = arena_alloc(&arena, 2048);
        assert_ptr_equal(again, first);
        for (size_t i = 0; i < 2048; i++)
            assert_int_equal(again[i], 0);
    }
    for (int i = 0; i < 100; i++)
        arena_alloc(&arena, 1024); /* the kept block is another one now */
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 1));
    arena_release(&arena);
    memset(arena_alloc(&arena, 100 * 1024), 'x', 100 * 1024); /* and nothing else */
    arena_reset(&arena);
    assert_null(arena.blocks);
}

struct parcel {
    int number;
    char *first, *none, *last;
    bool flag;
};

/* What it was made of may go, and one g_free() is enough. */
static void test_pack(void **state)
{
    (void)state;
    static const size_t texts[] = {offsetof(struct parcel, first), offsetof(struct parcel, none),
                                   offsetof(struct parcel, last)};
    char first[] = "first", last[] = "";
    const struct parcel from = {7, first, NULL, last, true};
    struct parcel *copy = pack_new(&from, sizeof from, texts, G_N_ELEMENTS(texts));
    memset(first, 'x', sizeof first);
    memset(last, 'x', sizeof last);
    assert_int_equal(copy->number, 7);
    assert_string_equal(copy->first, "first");
    assert_null(copy->none);
    assert_string_equal(copy->last, "");
    assert_true(copy->flag);
    g_free(copy);
}

/* A message cannot forge a second line. */
static void test_log(void **state)
{
    (void)state;
    g_autofree char *path = g_strdup("/tmp/feedwatch-log-XXXXXX");
    int fd = g_mkstemp(path);
    int saved = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    log_init("prog", LOG_LEVEL_INFO);
    log_warning("one\ntwo %s", "\x1B[3m");
    log_debug("never");
    dup2(saved, STDERR_FILENO);
    g_autofree char *text = NULL;
    g_file_get_contents(path, &text, NULL, NULL);
    close(fd);
    close(saved);
    g_unlink(path);
    assert_string_equal(text, "prog: warning: one two  [3m\n");
}

static gboolean on_time(gpointer user)
{
    return ++*(int *)user < 3 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void test_source(void **state)
{
    (void)state;
    g_autoptr(GMainContext) context = g_main_context_new();
    int soon = 0, never = 0, late = 0;
    const int64_t start_us = g_get_monotonic_time();
    GSource *first = source_after(context, 20, on_time, &soon);
    GSource *second = source_after(context, 0, on_time, &never);
    GSource *third = source_after(context, INT64_MAX, on_time, &late); /* not at once, wrapped */
    GSource *fourth = NULL;
    source_end(&second);
    assert_null(second);
    source_end(&fourth);
    while (soon < 3)
        g_main_context_iteration(context, TRUE);
    assert_true(g_get_monotonic_time() - start_us >= 3 * 20000);
    g_main_context_iteration(context, FALSE);
    assert_int_equal(soon, 3);
    assert_int_equal(never + late, 0);
    source_end(&first);
    source_end(&third);
    int at_once = 0;
    GSource *past = source_after(context, -5, on_time, &at_once);
    g_main_context_iteration(context, FALSE);
    assert_int_equal(at_once, 1);
    source_end(&past);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),      cmocka_unit_test(test_virtual_clock),
        cmocka_unit_test(test_scaled_clock), cmocka_unit_test(test_expand),
        cmocka_unit_test(test_files),        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_lock),         cmocka_unit_test(test_json),
        cmocka_unit_test(test_arena_reset),  cmocka_unit_test(test_pack),
        cmocka_unit_test(test_log),          cmocka_unit_test(test_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
