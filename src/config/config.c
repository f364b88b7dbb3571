#include "config/config.h"
#include "config/load.h"
#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MAX 1000 /* in conf.d */

#ifndef FEEDWATCH_SYSCONFDIR
#define FEEDWATCH_SYSCONFDIR "/etc"
#endif

struct config_private {
    struct config public; /* first: one pointer for both */
    gint n_refs;
    GHashTable *feeds, *sinks; /* ID -> struct, borrowed; made at the end of loading */
};

static struct config_private *private(const struct config *config)
{
    return (struct config_private *)(uintptr_t)config;
}

static void feed_free(gpointer data)
{
    struct config_feed *feed = data;
    settings_clear(SECTION_FEED, feed);
    g_free(feed->path);
    g_strfreev(feed->argv);
    g_free(feed->id);
    g_free(feed);
}

static void rule_free(gpointer data)
{
    struct config_rule *rule = data;
    settings_clear(SECTION_RULE, rule);
    g_free(rule->id);
    g_free(rule->file);
    g_free(rule);
}

static void list_free(gpointer data)
{
    struct rule_list_def *list = data;
    settings_clear(SECTION_LIST, list);
    g_free((char *)(uintptr_t)list->id);
    g_free(list);
}

static void sink_free(gpointer data)
{
    struct config_sink *sink = data;
    settings_clear(SECTION_SINK, sink);
    g_free(sink->id);
    g_free(sink);
}

struct config *config_new(const char *path)
{
    struct config_private *new = g_new0(struct config_private, 1);
    struct config *config = &new->public;
    new->n_refs = 1;
    new->feeds = g_hash_table_new(g_str_hash, g_str_equal);
    new->sinks = g_hash_table_new(g_str_hash, g_str_equal);
    config->path = g_strdup(path);
    config->feeds = g_ptr_array_new_with_free_func(feed_free);
    config->rules = g_ptr_array_new_with_free_func(rule_free);
    config->lists = g_ptr_array_new_with_free_func(list_free);
    config->sinks = g_ptr_array_new_with_free_func(sink_free);
    return config;
}

struct config *config_ref(struct config *config)
{
    g_atomic_int_inc(&private(config)->n_refs);
    return config;
}

void config_unref(struct config *config)
{
    if (!config || !g_atomic_int_dec_and_test(&private(config)->n_refs))
        return;
    g_hash_table_unref(private(config)->feeds);
    g_hash_table_unref(private(config)->sinks);
    if (config->ruleset)
        ruleset_unref(config->ruleset);
    settings_clear(SECTION_FEEDWATCH, config);
    g_ptr_array_unref(config->feeds);
    g_ptr_array_unref(config->rules);
    g_ptr_array_unref(config->lists);
    g_ptr_array_unref(config->sinks);
    g_free(config->path);
    g_free(config);
}

const struct config_feed *config_find_feed(const struct config *config, const char *id)
{
    return g_hash_table_lookup(private(config)->feeds, id);
}

const struct config_sink *config_find_sink(const struct config *config, const char *id)
{
    return g_hash_table_lookup(private(config)->sinks, id);
}

static bool is_file(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

char *config_find(void)
{
    const char *xdg = g_getenv("XDG_CONFIG_HOME");
    g_autofree char *own =
        xdg && g_path_is_absolute(xdg)
            ? g_build_filename(xdg, "feedwatch", "feedwatch.conf", NULL)
            : g_build_filename(g_get_home_dir(), ".config", "feedwatch", "feedwatch.conf", NULL);
    if (is_file(own))
        return g_steal_pointer(&own);
    const char *shared = FEEDWATCH_SYSCONFDIR "/feedwatch/feedwatch.conf";
    return is_file(shared) ? g_strdup(shared) : NULL;
}

/* The files of one configuration, as they are read. */
struct files {
    struct source *source;
    size_t bytes_left;
    GHashTable *seen; /* "device:inode" -> the path under which it was read */
};

/* A file comes in once, however many names it has: a link back to the main file is no loop. */
static bool is_new_file(struct files *files, const char *path, const struct stat *st)
{
    g_autofree char *key = g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT,
                                           (guint64)st->st_dev, (guint64)st->st_ino);
    const char *first = g_hash_table_lookup(files->seen, key);
    if (first) {
        const char *name = report_add_file(files->source->report, path);
        report_error(files->source->report, (struct place){.file = name},
                     "this is the same file as %s", first);
        return false;
    }
    g_hash_table_insert(files->seen, g_steal_pointer(&key), g_strdup(path));
    return true;
}

static void report_file(struct files *files, const char *path, const char *message)
{
    const char *name = report_add_file(files->source->report, path);
    report_error(files->source->report, (struct place){.file = name}, "%s", message);
}

/* False where it cannot be read. only_regular: a FIFO in conf.d would make us wait for ever. */
static bool read_file(struct files *files, const char *path, bool only_regular)
{
    struct stat st;
    size_t size;
    g_autoptr(GError) error = NULL;
    if (stat(path, &st) != 0) {
        report_file(files, path, g_strerror(errno));
        return false;
    }
    if (S_ISDIR(st.st_mode) || (only_regular && !S_ISREG(st.st_mode))) {
        report_file(files, path, "this is not a regular file");
        return false;
    }
    if (!is_new_file(files, path, &st))
        return false;
    g_autofree char *bytes = file_read(path, files->bytes_left, &size, &error);
    if (!bytes) {
        report_file(files, path, error->message);
        return false;
    }
    files->bytes_left -= size;
    source_read(files->source, path, bytes, size, (st.st_mode & 077) != 0);
    return true;
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "conf.d" beside the main file. */
static char *conf_d(const char *main_path)
{
    g_autofree char *folder = g_path_get_dirname(main_path);
    return strchr(main_path, '/') ? g_build_filename(folder, "conf.d", NULL) : g_strdup("conf.d");
}

static void read_conf_d(struct files *files, const char *main_path)
{
    g_autofree char *path = conf_d(main_path);
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
    if (!dir && g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return;
    if (!dir) {
        report_file(files, path, error->message);
        return;
    }
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir))
        if (g_str_has_suffix(name, ".conf") && name[0] != '.')
            g_ptr_array_add(names, g_build_filename(path, name, NULL));
    if (names->len > FILES_MAX) {
        report_file(files, path, "there are more than " G_STRINGIFY(FILES_MAX) " files in it");
        return;
    }
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len; i++)
        read_file(files, g_ptr_array_index(names, i), true);
}

static void index_by_id(struct config *config)
{
    for (guint i = 0; i < config->feeds->len; i++) {
        struct config_feed *feed = g_ptr_array_index(config->feeds, i);
        g_hash_table_insert(private(config)->feeds, feed->id, feed);
    }
    for (guint i = 0; i < config->sinks->len; i++) {
        struct config_sink *sink = g_ptr_array_index(config->sinks, i);
        g_hash_table_insert(private(config)->sinks, sink->id, sink);
    }
}

/* What was read becomes a configuration, where nothing is wrong with it. Frees source. */
static struct config *finish(const char *path, struct source *source, bool checks_files,
                             GPtrArray **ret_problems)
{
    struct report *report = source->report;
    struct config *config = config_new(path);
    build_config(config, source, checks_files);
    source_free(source);
    bool is_bad = report_has_error(report);
    *ret_problems = report_finish(report);
    if (is_bad) {
        config_unref(config);
        return NULL;
    }
    index_by_id(config);
    return config;
}

struct config *config_load(const char *path, GPtrArray **ret_problems)
{
    struct files files = {
        .source = source_new(report_new()),
        .bytes_left = CONFIG_FILE_BYTES_MAX,
        .seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
    };
    bool has_main = read_file(&files, path, false);
    if (has_main)
        read_conf_d(&files, path);
    g_hash_table_unref(files.seen);
    if (has_main)
        return finish(path, files.source, true, ret_problems);
    *ret_problems = report_finish(files.source->report);
    source_free(files.source);
    return NULL;
}

struct config *config_load_bytes(const char *name, const char *bytes, size_t size,
                                 GPtrArray **ret_problems)
{
    struct source *source = source_new(report_new());
    source_read(source, name, bytes, size, false);
    return finish(name, source, false, ret_problems);
}
