/* config/config: where the files are found, conf.d, and files that are not what they should be. */
#include "config_help.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char *path, *main;
};

static int make_folder(void **state)
{
    struct folder *folder = g_new0(struct folder, 1);
    folder->path = g_dir_make_tmp("feedwatch-config-XXXXXX", NULL);
    assert_non_null(folder->path);
    folder->main = g_build_filename(folder->path, "feedwatch.conf", NULL);
    *state = folder;
    return 0;
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        if (g_file_test(inner, G_FILE_TEST_IS_DIR) && !g_file_test(inner, G_FILE_TEST_IS_SYMLINK))
            remove_tree(inner);
        else
            g_unlink(inner);
    }
    g_rmdir(path);
}

static int drop_folder(void **state)
{
    struct folder *folder = *state;
    remove_tree(folder->path);
    g_free(folder->path);
    g_free(folder->main);
    g_free(folder);
    return 0;
}

static char *write_file(const struct folder *folder, const char *name, const char *text)
{
    char *path = g_build_filename(folder->path, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    assert_int_equal(g_mkdir_with_parents(parent, 0700), 0);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void put_file(const struct folder *folder, const char *name, const char *text)
{
    g_free(write_file(folder, name, text));
}

/* Problems with the folder's own path taken out. */
static struct config *load(const struct folder *folder, char **ret_lines)
{
    g_autoptr(GPtrArray) problems = NULL;
    struct config *config = config_load(folder->main, &problems);
    g_autofree char *lines = problem_lines(problems);
    g_autofree char *prefix = g_strconcat(folder->path, "/", NULL);
    g_auto(GStrv) parts = g_strsplit(lines, prefix, -1);
    *ret_lines = g_strjoinv("", parts);
    return config;
}

static void check_lines(const struct folder *folder, const char *expected)
{
    g_autofree char *lines = NULL;
    struct config *config = load(folder, &lines);
    check_problems(lines, expected);
    assert_int_equal(config != NULL, strstr(lines, "error:") == NULL);
    config_unref(config);
}

static void test_conf_d_order(void **state)
{
    const struct folder *folder = *state;
    g_autofree char *lines = NULL;
    put_file(folder, "feedwatch.conf", "[feed m]\nurl = http://m/\n");
    put_file(folder, "conf.d/20-z.conf", "[feed z]\nurl = http://z/\n[rule r2]\nmatch = xyz\n");
    put_file(folder, "conf.d/10-b.conf",
             "[feed b]\nurl = http://b/\n[defaults]\ninterval = 9m\n"
             "[feedwatch]\nretention = 9d\n");
    put_file(folder, "conf.d/9-a.conf", "[feed a]\nurl = http://a/\n[rule r1]\nmatch = x\n");
    put_file(folder, "conf.d/.hidden.conf", "rubbish");
    put_file(folder, "conf.d/readme.txt", "rubbish");
    put_file(folder, "conf.d/x.conf.bak", "rubbish");
    struct config *config = load(folder, &lines);
    assert_string_equal(lines, "");
    static const char *const order[] = {"m", "b", "z", "a"};
    for (guint i = 0; i < G_N_ELEMENTS(order); i++) {
        const struct config_feed *feed = g_ptr_array_index(config->feeds, i);
        assert_string_equal(feed->id, order[i]);
        assert_int_equal(feed->interval_s, 540);
    }
    assert_int_equal(config->retention_s, 9 * 86400);
    assert_string_equal(((struct config_rule *)g_ptr_array_index(config->rules, 0))->id, "r2");
    config_unref(config);
}

static void test_problems_name_their_file(void **state)
{
    const struct folder *folder = *state;
    put_file(folder, "feedwatch.conf",
             "[feedwatch]\nretention = 9d\n[feed m]\nurl = http://m/\n"
             "[rule r]\nmatch = a NEER/5 b\n");
    put_file(folder, "conf.d/a.conf", "[feed m]\nurl = http://m/\n[feedwatch]\nretention = 8d\n");
    put_file(folder, "conf.d/b.conf",
             "# nothing\n\n[rule r]\nmatch = b NEER/5 c\n[defaults]\n"
             "timeout = 1h");
    g_autofree char *main_lines =
        g_strdup_printf("feedwatch.conf:6:11: error: *NEER/5*\n"
                        "conf.d/a.conf:1:1: error: [feed m] is there twice; the first is in "
                        "feedwatch.conf:3\n"
                        "conf.d/a.conf:4:1: error: 'retention' is set twice; the first is in "
                        "feedwatch.conf:2\n"
                        "conf.d/b.conf:3:1: error: [rule r] is there twice; the first is in "
                        "feedwatch.conf:5\n"
                        "conf.d/b.conf:4:11: error: *NEER/5*\n"
                        "conf.d/b.conf:6:11: error: '1h' is out of range: a duration from 1s to "
                        "10m\n");
    check_lines(folder, main_lines);
}

static void test_missing(void **state)
{
    const struct folder *folder = *state;
    check_lines(folder, "feedwatch.conf: error: No such file or directory\n");
    assert_int_equal(g_mkdir(folder->main, 0700), 0);
    check_lines(folder, "feedwatch.conf: error: this is not a regular file\n");
}

/* A link back to the main file or to another one, a FIFO, a folder, a link to nowhere (S24). */
static void test_strange_files(void **state)
{
    const struct folder *folder = *state;
    put_file(folder, "feedwatch.conf", FEED_AND_RULE);
    put_file(folder, "conf.d/b.conf", "[feed b]\nurl = http://b/\n");
    g_autofree char *conf_d = g_build_filename(folder->path, "conf.d", NULL);
    g_autofree char *fifo = g_build_filename(conf_d, "fifo.conf", NULL);
    g_autofree char *main_link = g_build_filename(conf_d, "loop.conf", NULL);
    g_autofree char *hard_link = g_build_filename(conf_d, "hard.conf", NULL);
    g_autofree char *other = g_build_filename(conf_d, "b.conf", NULL);
    g_autofree char *nowhere = g_build_filename(conf_d, "nowhere.conf", NULL);
    g_autofree char *inner = g_build_filename(conf_d, "dir.conf", NULL);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink("../feedwatch.conf", main_link), 0);
    assert_int_equal(link(other, hard_link), 0);
    assert_int_equal(symlink("nowhere.conf", nowhere), 0);
    assert_int_equal(g_mkdir(inner, 0700), 0);
    g_autofree char *expected =
        g_strdup_printf("conf.d/dir.conf: error: this is not a regular file\n"
                        "conf.d/fifo.conf: error: this is not a regular file\n"
                        "conf.d/hard.conf: error: this is the same file as conf.d/b.conf\n"
                        "conf.d/loop.conf: error: this is the same file as feedwatch.conf\n"
                        "conf.d/nowhere.conf: error: Too many levels of symbolic links\n");
    check_lines(folder, expected);
}

static void test_conf_d_is_a_file(void **state)
{
    const struct folder *folder = *state;
    put_file(folder, "feedwatch.conf", FEED_AND_RULE);
    put_file(folder, "conf.d", "");
    g_autofree char *lines = NULL;
    assert_null(load(folder, &lines));
    assert_true(g_str_has_prefix(lines, "conf.d: error: "));
}

static void test_too_large(void **state)
{
    const struct folder *folder = *state;
    put_file(folder, "feedwatch.conf", FEED_AND_RULE);
    g_autofree char *path = write_file(folder, "conf.d/large.conf", "");
    assert_int_equal(truncate(path, CONFIG_FILE_BYTES_MAX), 0);
    g_autofree char *lines = NULL;
    assert_null(load(folder, &lines));
    assert_non_null(strstr(lines, "is larger than "));
}

static void test_credentials(void **state)
{
    const struct folder *folder = *state;
    g_autofree char *secret = write_file(folder, "secret", "me:pw\n");
    g_autofree char *text =
        g_strdup_printf("%s[feed b]\nurl = http://b/\ncredentials = %s\n", FEED_AND_RULE, secret);
    static const struct {
        mode_t mode;
        const char *message;
    } cases[] = {
        {0600, NULL},
        {0400, NULL},
        {0640, "(mode 0640): chmod 600 it"},
        {0604, "(mode 0604): chmod 600 it"},
        {0644, "(mode 0644): chmod 600 it"},
        {0620, "(mode 0620): chmod 600 it"},
    };
    put_file(folder, "feedwatch.conf", text);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(g_chmod(secret, cases[i].mode), 0);
        g_autofree char *lines = NULL;
        struct config *config = load(folder, &lines);
        assert_int_equal(config != NULL, cases[i].message == NULL);
        if (cases[i].message) {
            assert_true(g_str_has_prefix(lines, "feedwatch.conf:7:15: error: others can read "));
            assert_non_null(strstr(lines, cases[i].message));
        } else {
            assert_string_equal(config_find_feed(config, "b")->credentials, secret);
        }
        config_unref(config);
    }
    g_unlink(secret);
    g_autofree char *lines = NULL;
    assert_null(load(folder, &lines));
    assert_non_null(strstr(lines, "feedwatch.conf:7:15: error: cannot read "));
    g_autofree char *more_lines = NULL;
    assert_int_equal(g_mkdir(secret, 0700), 0);
    assert_null(load(folder, &more_lines));
    assert_non_null(strstr(more_lines, "is not a regular file"));
}

/* A password in the configuration itself is allowed, and others who can read it are told of. */
static void test_exposed_secrets(void **state)
{
    const struct folder *folder = *state;
    g_autofree char *more = write_file(
        folder, "conf.d/a.conf",
        "[feed b]\nurl = https://me:pw@b/\nproxy = socks5://b\nheaders = X: y,\n  X-Api-Key: z\n"
        "[feed c]\nurl = https://me@c/a:b@d\nproxy = http://me:pw@p\nheaders = X: y\n");
    put_file(folder, "feedwatch.conf", FEED_AND_RULE);
    assert_int_equal(g_chmod(more, 0600), 0);
    check_lines(folder, "");
    assert_int_equal(g_chmod(more, 0640), 0);
    check_lines(folder, "conf.d/a.conf:2:7: warning: there is a secret in 'url', and others can "
                        "read this file: chmod 600 it\n"
                        "conf.d/a.conf:4:11: warning: there is a secret in 'headers', and others "
                        "can read this file: chmod 600 it\n"
                        "conf.d/a.conf:8:9: warning: there is a secret in 'proxy', and others can "
                        "read this file: chmod 600 it\n");
}

static void test_find(void **state)
{
    const struct folder *folder = *state;
    g_autofree char *expected = g_build_filename(folder->path, "feedwatch/feedwatch.conf", NULL);
    g_setenv("XDG_CONFIG_HOME", folder->path, TRUE);
    g_autofree char *missing = config_find();
    assert_true(!missing || strcmp(missing, FEEDWATCH_SYSCONFDIR "/feedwatch/feedwatch.conf") == 0);
    put_file(folder, "feedwatch/feedwatch.conf", "");
    g_autofree char *found = config_find();
    assert_string_equal(found, expected);
    g_unsetenv("XDG_CONFIG_HOME");
}

static void test_state_dir(void **state)
{
    (void)state;
    static const struct {
        const char *xdg, *expected;
    } cases[] = {{"/x/state", "/x/state/feedwatch"}, {"relative", NULL}, {NULL, NULL}};
    g_autofree char *home = g_build_filename(g_get_home_dir(), ".local/state/feedwatch", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (cases[i].xdg)
            g_setenv("XDG_STATE_HOME", cases[i].xdg, TRUE);
        else
            g_unsetenv("XDG_STATE_HOME");
        struct config *config = load_good(FEED_AND_RULE);
        const char *expected = cases[i].expected ? cases[i].expected : home;
        g_autofree char *log = g_build_filename(expected, "alerts.log", NULL);
        assert_string_equal(config->state_dir, expected);
        assert_string_equal(config_find_sink(config, "log")->path, log);
        config_unref(config);
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_conf_d_order),
        IN_FOLDER(test_problems_name_their_file),
        IN_FOLDER(test_missing),
        IN_FOLDER(test_strange_files),
        IN_FOLDER(test_conf_d_is_a_file),
        IN_FOLDER(test_too_large),
        IN_FOLDER(test_credentials),
        IN_FOLDER(test_exposed_secrets),
        IN_FOLDER(test_find),
        cmocka_unit_test(test_state_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
