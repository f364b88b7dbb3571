/* What is made of a log that a crash left: every prefix of a line, in every place that rotation may
 * have put it. */
#include "store/alert_line.h"
#include "store/alert_recover.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utime.h>
#include <cmocka.h>

#define OLD_LINE "2026-11-23T19:40:20+01:00 [r] old | F | - | - | id=01KB3M7ZQ8W9T5V2X4Y6N8P0R0\n"
#define ID_A     "01KB3M7ZQ8W9T5V2X4Y6N8P0RA"
#define ID_B     "01KB3M7ZQ8W9T5V2X4Y6N8P0RB"
#define TEXT_A \
    "2026-11-23T19:40:22+01:00 [r] \xD0\x9A\xD1\x83\xD0\xB1\xD0\xB0 | F | - | w | id=" ID_A "\n"
#define TEXT_B "2026-11-23T19:40:22+01:00 [r] other | F | - | w | id=" ID_B "\n"
#define JSON_A "{\"time\":\"x\",\"id\":\"" ID_A "\"}\n"

struct place {
    char *dir, *log;
};

static int set_up(void **state)
{
    struct place *place = g_new0(struct place, 1);
    place->dir = g_dir_make_tmp("feedwatch-recover-XXXXXX", NULL);
    place->log = g_build_filename(place->dir, "alerts.log", NULL);
    *state = place;
    return 0;
}

static void empty(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        if (g_file_test(inner, G_FILE_TEST_IS_DIR))
            empty(inner);
        g_remove(inner);
    }
    if (dir)
        g_dir_close(dir);
}

static int tear_down(void **state)
{
    struct place *place = *state;
    empty(place->dir);
    g_remove(place->dir);
    g_free(place->dir);
    g_free(place->log);
    g_free(place);
    return 0;
}

static char *beside(const struct place *place, const char *name)
{
    return g_build_filename(place->dir, name, NULL);
}

static void put(const char *path, const char *head, const char *tail, size_t tail_size)
{
    g_autoptr(GString) text = g_string_new(head);
    g_string_append_len(text, tail, (gssize)tail_size);
    g_autofree char *dir = g_path_get_dirname(path);
    g_mkdir_with_parents(dir, 0700);
    assert_true(g_file_set_contents(path, text->str, (gssize)text->len, NULL));
}

static void compress(const char *from, const char *to)
{
    g_autoptr(GFile) in = g_file_new_for_path(from), out = g_file_new_for_path(to);
    g_autoptr(GFileInputStream) input = g_file_read(in, NULL, NULL);
    g_autoptr(GFileOutputStream) output =
        g_file_replace(out, NULL, FALSE, G_FILE_CREATE_PRIVATE, NULL, NULL);
    g_autoptr(GConverter) gzip =
        G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6));
    g_autoptr(GOutputStream) stream = g_converter_output_stream_new(G_OUTPUT_STREAM(output), gzip);
    const GOutputStreamSpliceFlags flags =
        G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE | G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET;
    assert_true(g_output_stream_splice(stream, G_INPUT_STREAM(input), flags, NULL, NULL) >= 0);
}

static struct log_place place_of(const char *path, size_t size)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return (struct log_place){0, 0, 0};
    return (struct log_place){st.st_dev, st.st_ino, (int64_t)size};
}

/* What the store does: looks, and appends what was not found. Returns the log sinks' whole text. */
static void recover(const struct place *place, struct log_line *lines, size_t n)
{
    static const char *const others[] = {NULL};
    g_autoptr(GError) error = NULL;
    bool fine = alert_recover(place->log, others, lines, n, &error);
    if (!fine)
        print_error("%s\n", error->message);
    assert_true(fine);
    struct alert_log *log = alert_log_new(place->log);
    struct log_place end;
    assert_true(alert_log_open(log, &end, NULL));
    for (size_t i = 0; i < n; i++)
        if (!lines[i].is_written)
            assert_true(alert_log_append(log, lines[i].text, strlen(lines[i].text), NULL));
    alert_log_free(log);
}

static size_t count_in(const char *text, const char *line)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, line)) != NULL; p++)
        n += p == text || p[-1] == '\n';
    return n;
}

static char *get(const char *path)
{
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

/* How often the line stands in the directory, counting whole lines only; gzipped ones as given. */
static size_t count_everywhere(const char *dir_path, const char *line)
{
    size_t n = 0;
    GDir *dir = g_dir_open(dir_path, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(dir_path, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
            n += count_everywhere(path, line);
            continue;
        }
        g_autofree char *text = get(path);
        n += count_in(text, line);
    }
    g_dir_close(dir);
    return n;
}

static struct log_line make_line(const char *id, const char *text, struct log_place place)
{
    return (struct log_line){id, text, place, g_get_real_time() / 1000, false};
}

/* ---- every prefix of a torn line ---- */

enum where { HERE, RENAMED, RENAMED_ODDLY, IN_SUBDIR, N_WHERE };

static const char *const names[N_WHERE] = {NULL, "alerts.log.1", "saved",
                                           "old/alerts.log-20261123"};

static void try_prefix(const struct place *place, enum where where, const char *text, size_t size)
{
    empty(place->dir);
    put(place->log, OLD_LINE, text, size);
    struct log_line lines[] = {
        make_line(ID_A, text, place_of(place->log, strlen(OLD_LINE))),
        make_line(ID_B, TEXT_B, place_of(place->log, strlen(OLD_LINE))),
    };
    if (names[where]) {
        g_autofree char *to = beside(place, names[where]);
        g_autofree char *dir = g_path_get_dirname(to);
        g_mkdir_with_parents(dir, 0700);
        assert_int_equal(g_rename(place->log, to), 0);
    }
    recover(place, lines, 2);
    assert_int_equal(count_everywhere(place->dir, text), 1);
    assert_int_equal(count_everywhere(place->dir, TEXT_B), 1);
    assert_int_equal(count_everywhere(place->dir, OLD_LINE), 1);
    /* No line is left that is none. */
    g_autofree char *old = names[where] ? beside(place, names[where]) : g_strdup(place->log);
    g_autofree char *content = get(old);
    assert_true(g_str_has_suffix(content, "\n"));
    size_t wanted = strlen(OLD_LINE) + (size > 0 || where == HERE ? strlen(text) : 0) +
                    (where == HERE ? strlen(TEXT_B) : 0);
    assert_int_equal(strlen(content), wanted);
}

static void test_every_prefix(void **state)
{
    for (int where = 0; where < N_WHERE; where++)
        for (size_t size = 0; size <= strlen(TEXT_A); size++)
            try_prefix(*state, (enum where)where, TEXT_A, size);
    for (size_t size = 0; size <= strlen(JSON_A); size++)
        try_prefix(*state, HERE, JSON_A, size);
}

/* The file is gone, or was compressed: a line is in it whole, or it is not. */
static void try_gone(const struct place *place, bool is_compressed, size_t size)
{
    empty(place->dir);
    put(place->log, OLD_LINE, TEXT_A, size);
    struct log_line line = make_line(ID_A, TEXT_A, place_of(place->log, strlen(OLD_LINE)));
    g_autofree char *gz = beside(place, "alerts.log-20261123.gz");
    if (is_compressed)
        compress(place->log, gz);
    assert_int_equal(g_remove(place->log), 0);
    recover(place, &line, 1);
    bool is_there = is_compressed && size + 1 >= strlen(TEXT_A);
    g_autofree char *text = get(place->log);
    assert_string_equal(text, is_there ? "" : TEXT_A);
}

static void test_every_prefix_compressed_or_deleted(void **state)
{
    for (size_t size = 0; size <= strlen(TEXT_A); size++) {
        try_gone(*state, true, size);
        try_gone(*state, false, size);
    }
}

/* ---- single cases ---- */

static void test_foreign_tail_is_left_alone(void **state)
{
    struct place *place = *state;
    put(place->log, OLD_LINE, "someone's note", 14);
    struct log_line line = make_line(ID_A, TEXT_A, place_of(place->log, strlen(OLD_LINE)));
    recover(place, &line, 1);
    g_autofree char *text = get(place->log);
    assert_string_equal(text, OLD_LINE "someone's note\n" TEXT_A);
}

/* A power loss can leave zeros where the line was to be, or the rest of it. */
static void test_zeros_at_the_end(void **state)
{
    static const size_t n_zeros[] = {1, 4, 4095, 4096, 4097, 70000};
    struct place *place = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(n_zeros); i++) {
        for (size_t n = 0; n < strlen(TEXT_A); n += 7) {
            g_autoptr(GByteArray) tail = g_byte_array_new();
            g_byte_array_append(tail, (const guint8 *)TEXT_A, (guint)n);
            g_byte_array_set_size(tail, (guint)(n + n_zeros[i]));
            memset(tail->data + n, 0, n_zeros[i]);
            put(place->log, OLD_LINE, (const char *)tail->data, tail->len);
            struct log_line line = make_line(ID_A, TEXT_A, place_of(place->log, strlen(OLD_LINE)));
            recover(place, &line, 1);
            g_autofree char *text = NULL;
            gsize size = 0;
            assert_true(g_file_get_contents(place->log, &text, &size, NULL));
            assert_int_equal(size, strlen(OLD_LINE TEXT_A));
            assert_string_equal(text, OLD_LINE TEXT_A);
        }
    }
}

/* The place is that of a file that is shorter now: it is another one with the same inode. */
static void test_reused_inode(void **state)
{
    struct place *place = *state;
    put(place->log, TEXT_A, "", 0);
    struct log_line line = make_line(ID_A, TEXT_A, place_of(place->log, 100000));
    recover(place, &line, 1);
    assert_int_equal(count_everywhere(place->dir, TEXT_A), 1);
}

/* Written to the second file after the first was rotated away, then that one too. */
static void test_two_rotations(void **state)
{
    struct place *place = *state;
    g_autofree char *first = beside(place, "alerts.log.2");
    g_autofree char *second = beside(place, "alerts.log.1");
    put(first, OLD_LINE, TEXT_B, 20);
    put(second, TEXT_A, "", 0);
    struct log_line lines[] = {
        make_line(ID_A, TEXT_A, place_of(first, strlen(OLD_LINE))),
        make_line(ID_B, TEXT_B, place_of(first, strlen(OLD_LINE))),
    };
    recover(place, lines, 2);
    assert_int_equal(count_everywhere(place->dir, TEXT_A), 1);
    g_autofree char *text = get(first);
    assert_string_equal(text, OLD_LINE TEXT_B);
}

/* Another sink's log is not ours, nor are its rotated files, though they begin with our name and
 * hold the same ids. */
static void test_other_sinks_files(void **state)
{
    struct place *place = *state;
    static const char *const theirs[] = {"alerts.log.json", "alerts.log.json.1"};
    g_autofree char *other = beside(place, theirs[0]);
    const char *const others[] = {other, NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(theirs); i++) {
        g_autofree char *path = beside(place, theirs[i]);
        put(path, JSON_A, "", 0);
    }
    struct log_line line = make_line(ID_A, TEXT_A, place_of(place->log, 0));
    assert_true(alert_recover(place->log, others, &line, 1, NULL));
    assert_false(line.is_written);
    g_autofree char *neighbour = beside(place, "alerts.logic");
    put(neighbour, TEXT_A, "", 0);
    assert_true(alert_recover(place->log, others, &line, 1, NULL));
    assert_false(line.is_written);
}

static void test_old_siblings_are_not_read(void **state)
{
    struct place *place = *state;
    g_autofree char *old = beside(place, "alerts.log.9");
    put(old, TEXT_A, "", 0);
    const struct utimbuf long_ago = {1000000000, 1000000000};
    assert_int_equal(utime(old, &long_ago), 0);
    struct log_line line = make_line(ID_A, TEXT_A, place_of(place->log, 0));
    const char *const others[] = {NULL};
    assert_true(alert_recover(place->log, others, &line, 1, NULL));
    assert_false(line.is_written);
}

/* Neither a FIFO that nobody writes to, nor a loop, nor rubbish keeps the search from its end. */
static void test_strange_siblings(void **state)
{
    struct place *place = *state;
    g_autofree char *fifo = beside(place, "alerts.log.1"), *loop = beside(place, "alerts.log.2"),
                    *rubbish = beside(place, "alerts.log.3.gz"),
                    *good = beside(place, "alerts.log.4");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink("alerts.log.2", loop), 0);
    put(rubbish, "\x1f\x8b not gzip", "", 0);
    put(good, TEXT_A, "", 0);
    struct log_line line = make_line(ID_A, TEXT_A, place_of(place->log, 0));
    recover(place, &line, 1);
    assert_true(line.is_written);
}

static void test_long_lines_of_others(void **state)
{
    struct place *place = *state;
    g_autofree char *noise = g_strnfill(300000, 'x');
    g_autoptr(GString) text = g_string_new(noise);
    g_string_append_printf(text, "\n%s%s", TEXT_A, noise);
    put(place->log, text->str, "", 0);
    struct log_line lines[] = {make_line(ID_A, TEXT_A, place_of(place->log, 0)),
                               make_line(ID_B, TEXT_B, place_of(place->log, 0))};
    recover(place, lines, 2);
    assert_int_equal(count_everywhere(place->dir, TEXT_A), 1);
    assert_int_equal(count_everywhere(place->dir, TEXT_B), 1);
}

/* This one's open(2), which can run out of descriptors for a moment. */
static int failing_open; /* that many-th from now on; 0: none */

int open(const char *path, int flags, ...)
{
    if (failing_open > 0 && --failing_open == 0) {
        errno = EMFILE;
        return -1;
    }
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* A file that could not be opened may hold the line: nothing is assumed. */
static void test_opens_that_fail_for_a_moment(void **state)
{
    struct place *place = *state;
    const char *const others[] = {NULL};
    int n_failed = 0;
    for (int n = 1; n_failed == n - 1; n++) {
        g_autofree char *packed = beside(place, "alerts.log.1.gz");
        put(place->log, TEXT_B, "", 0);
        compress(place->log, packed);
        put(place->log, OLD_LINE, TEXT_A, strlen(TEXT_A) / 2);
        struct log_line lines[] = {make_line(ID_A, TEXT_A, place_of(place->log, strlen(OLD_LINE))),
                                   make_line(ID_B, TEXT_B, place_of(place->log, 0))};
        failing_open = n;
        n_failed += !alert_recover(place->log, others, lines, 2, NULL);
        failing_open = 0;
        recover(place, lines, 2);
        assert_true(lines[1].is_written);
        g_autofree char *text = get(place->log);
        assert_string_equal(text, OLD_LINE TEXT_A);
    }
    assert_int_equal(n_failed, 4); /* for zeros at the end, to read each, to complete the line */
}

static void test_no_descriptor_to_list_with(void **state)
{
    struct place *place = *state;
    const char *const others[] = {NULL};
    g_autoptr(GError) error = NULL;
    put(place->log, TEXT_A, "", 0);
    struct log_line line = make_line(ID_A, TEXT_A, place_of(place->log, 0));
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool fine = alert_recover(place->log, others, &line, 1, &error);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(fine);
    assert_non_null(strstr(error->message, "cannot look for alert logs in"));
    recover(place, &line, 1);
    assert_true(line.is_written);
}

int main(void)
{
#define RECOVER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        RECOVER_TEST(test_every_prefix),
        RECOVER_TEST(test_every_prefix_compressed_or_deleted),
        RECOVER_TEST(test_foreign_tail_is_left_alone),
        RECOVER_TEST(test_zeros_at_the_end),
        RECOVER_TEST(test_reused_inode),
        RECOVER_TEST(test_two_rotations),
        RECOVER_TEST(test_other_sinks_files),
        RECOVER_TEST(test_old_siblings_are_not_read),
        RECOVER_TEST(test_strange_siblings),
        RECOVER_TEST(test_long_lines_of_others),
        RECOVER_TEST(test_opens_that_fail_for_a_moment),
        RECOVER_TEST(test_no_descriptor_to_list_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
