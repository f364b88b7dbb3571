/* feedwatch match - items in, one a line as JSON; the rules that hold for them out. */
#include "daemon/commands.h"

#include "base/clock.h"
#include "base/json.h"
#include "rule/evidence.h"
#include "rule/rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BATCH          256u       /* items that are measured together with --stats */
#define LINE_BYTES_MAX (64 << 20) /* as much as `parse` reads of a file */

struct options {
    char **queries;
    gboolean ids_only;
    gboolean stats;
};

/* One line: the item borrows its texts from the JSON value. */
struct entry {
    json_t *json;
    struct rule_item item;
    GPtrArray *authors, *categories, *tags; /* borrowed texts, NULL at the end */
};

struct stats {
    int64_t items, bytes, candidates, matches;
    double compile_s, tokenise_cpu_s, match_cpu_s;
};

struct session {
    const struct options *options;
    struct config *config; /* NULL with -q */
    struct ruleset *set;
    struct rule_matcher *matcher;
    bool *was_reported; /* rules that ran into a limit */
    struct entry batch[BATCH];
    size_t n_batch;
    struct stats stats;
};

/* "q1:LINE:COL: error: text", the column in characters. */
static void print_problem(char *const *queries, const struct rule_problem *problem)
{
    const char *line = queries[problem->owner], *at = line + problem->offset;
    unsigned number = 1;
    for (const char *next; (next = memchr(line, '\n', (size_t)(at - line))) != NULL;
         line = next + 1)
        number++;
    g_autofree char *before = g_utf8_make_valid(line, at - line);
    fprintf(stderr, "q%zu:%u:%ld: %s: %s\n", problem->owner + 1, number,
            g_utf8_strlen(before, -1) + 1, problem->is_error ? "error" : "warning",
            problem->message);
}

static struct ruleset *compile_queries(char *const *queries)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) defs = g_array_new(FALSE, TRUE, sizeof(struct rule_def));
    g_autoptr(GArray) problems = NULL;
    for (size_t i = 0; queries[i]; i++) {
        g_ptr_array_add(ids, g_strdup_printf("q%zu", i + 1));
        struct rule_def def = {.id = g_ptr_array_index(ids, i), .match = queries[i]};
        g_array_append_val(defs, def);
    }
    struct ruleset *set = ruleset_compile((const struct rule_def *)(const void *)defs->data,
                                          defs->len, NULL, 0, NULL, 0, &problems);
    for (guint i = 0; i < problems->len; i++)
        print_problem(queries, &g_array_index(problems, struct rule_problem, i));
    return set;
}

static void append_text(GPtrArray *texts, json_t *value)
{
    if (json_is_object(value)) /* an author as `feedwatch parse` prints it */
        value = json_object_get(value, "name");
    if (json_is_string(value))
        g_ptr_array_add(texts, (gpointer)(uintptr_t)json_string_value(value));
}

/* A key's text; false where it is neither text nor null. */
static bool take_text(const json_t *object, const char *key, const char **ret_text)
{
    json_t *value = json_object_get(object, key);
    *ret_text = json_string_value(value);
    return !value || json_is_null(value) || json_is_string(value);
}

static bool take_texts(const json_t *object, const char *key, GPtrArray *texts)
{
    json_t *value = json_object_get(object, key), *element;
    size_t i;
    g_ptr_array_set_size(texts, 0);
    if (json_is_array(value))
        json_array_foreach(value, i, element) append_text(texts, element);
    g_ptr_array_add(texts, NULL);
    return !value || json_is_null(value) || json_is_array(value);
}

/* Where the line does not say it, the configuration knows a feed's tags and language. */
static void complete(const struct config *config, struct entry *entry)
{
    const struct config_feed *feed =
        config && entry->item.feed ? config_find_feed(config, entry->item.feed) : NULL;
    if (!feed)
        return;
    if (!json_object_get(entry->json, "tags"))
        entry->item.tags = (const char *const *)feed->tags;
    if (!entry->item.language)
        entry->item.language = feed->language;
}

static bool read_entry(const struct config *config, const char *line, size_t size,
                       struct entry *entry)
{
    struct rule_item *item = &entry->item;
    const json_t *object = entry->json = json_loadb(line, size, 0, NULL);
    if (!json_is_object(object) || !json_object_get(object, "id"))
        return false;
    bool is_good =
        take_text(object, "title", &item->title) && take_text(object, "summary", &item->summary) &&
        take_text(object, "content", &item->content) && take_text(object, "link", &item->link) &&
        take_text(object, "feed", &item->feed) && take_text(object, "lang", &item->language) &&
        take_texts(object, "authors", entry->authors) &&
        take_texts(object, "categories", entry->categories) &&
        take_texts(object, "tags", entry->tags);
    item->authors = (const char *const *)entry->authors->pdata;
    item->categories = (const char *const *)entry->categories->pdata;
    item->tags = (const char *const *)entry->tags->pdata;
    if (is_good)
        complete(config, entry);
    return is_good;
}

static json_t *match_json(const struct session *session, const struct rule_match *match)
{
    const char *id = ruleset_id(session->set, match->rule);
    if (session->options->ids_only)
        return json_string(id);
    json_t *object = json_object();
    json_set_text(object, "rule", id);
    json_object_set_new(object, "matched", rule_evidence_value(match));
    return object;
}

static void report_stopped(struct session *session, const struct entry *entry)
{
    size_t n;
    const size_t *rules = rule_matcher_stopped(session->matcher, &n);
    for (size_t i = 0; i < n; i++) {
        if (session->was_reported[rules[i]])
            continue;
        session->was_reported[rules[i]] = true;
        g_autofree char *id = json_to_text(json_object_get(entry->json, "id"));
        fprintf(stderr,
                "feedwatch: rule %s was stopped in item %s: its regular expression or NEAR takes "
                "too long on this text\n",
                ruleset_id(session->set, rules[i]), id);
    }
}

static void print_matches(struct session *session, const struct entry *entry)
{
    size_t n;
    const struct rule_match *matches =
        rule_match_item(session->matcher, &entry->item, !session->options->ids_only, &n);
    json_t *line = json_object(), *rules = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rules, match_json(session, &matches[i]));
    json_object_set(line, "id", json_object_get(entry->json, "id"));
    json_object_set_new(line, "rules", rules);
    json_print_line(line, stdout);
    report_stopped(session, entry);
    session->stats.items++;
    session->stats.matches += (int64_t)n;
    session->stats.candidates += (int64_t)rule_matcher_candidates(session->matcher);
}

static size_t text_bytes(const struct rule_item *item)
{
    return (item->title ? strlen(item->title) : 0) + (item->summary ? strlen(item->summary) : 0) +
           (item->content ? strlen(item->content) : 0);
}

/* The batch by itself, before it is matched once more for its output: so nothing else is in the
 * measure, and little of what reading and writing JSON leave in the processor's caches. */
static void measure_batch(struct session *session)
{
    size_t n;
    double start = clock_cpu_s();
    for (size_t i = 0; i < session->n_batch; i++)
        rule_matcher_tokenise(session->matcher, &session->batch[i].item);
    double middle = clock_cpu_s();
    for (size_t i = 0; i < session->n_batch; i++)
        rule_match_item(session->matcher, &session->batch[i].item, !session->options->ids_only, &n);
    session->stats.match_cpu_s += clock_cpu_s() - middle;
    session->stats.tokenise_cpu_s += middle - start;
}

static void flush_batch(struct session *session)
{
    if (session->options->stats)
        measure_batch(session);
    for (size_t i = 0; i < session->n_batch; i++) {
        struct entry *entry = &session->batch[i];
        session->stats.bytes += (int64_t)text_bytes(&entry->item);
        print_matches(session, entry);
        json_decref(entry->json);
        entry->json = NULL;
    }
    session->n_batch = 0;
}

/* With its newline; no more of it than is needed to see that it is too long. False at the end. */
static bool read_line(FILE *in, GString *line)
{
    int c = '\0';
    g_string_truncate(line, 0);
    while (c != '\n' && line->len <= LINE_BYTES_MAX && (c = getc_unlocked(in)) != EOF)
        g_string_append_c(line, (char)c);
    return line->len > 0;
}

/* False after a bad line, whose number was said. */
static bool match_lines(struct session *session, FILE *in)
{
    g_autoptr(GString) line = g_string_new(NULL);
    size_t number = 0, most = session->options->stats ? BATCH : 1;
    bool is_good = true;
    while (is_good && read_line(in, line)) {
        number++;
        if (strspn(line->str, " \t\r\n") == line->len)
            continue;
        struct entry *entry = &session->batch[session->n_batch];
        is_good =
            line->len <= LINE_BYTES_MAX && read_entry(session->config, line->str, line->len, entry);
        if (is_good && ++session->n_batch < most)
            continue;
        if (!is_good)
            g_clear_pointer(&entry->json, json_decref);
        flush_batch(session);
    }
    flush_batch(session);
    if (!is_good && line->len > LINE_BYTES_MAX)
        fprintf(stderr, "feedwatch: line %zu is longer than %d bytes\n", number, LINE_BYTES_MAX);
    else if (!is_good)
        fprintf(stderr, "feedwatch: line %zu is no item: expected a JSON object with an id\n",
                number);
    return is_good && !ferror(in);
}

static void print_stats(const struct session *session)
{
    const struct stats *stats = &session->stats;
    json_t *object = json_object();
    json_set_int(object, "items", stats->items);
    json_set_int(object, "bytes", stats->bytes);
    json_set_int(object, "rules", (int64_t)ruleset_size(session->set));
    json_object_set_new(object, "compile_s", json_real(stats->compile_s));
    json_object_set_new(object, "tokenise_cpu_s", json_real(stats->tokenise_cpu_s));
    json_object_set_new(object, "match_cpu_s", json_real(stats->match_cpu_s));
    json_set_int(object, "candidates", stats->candidates);
    json_set_int(object, "matches", stats->matches);
    json_set_int(object, "rules_bytes",
                 (int64_t)(ruleset_bytes(session->set) + rule_matcher_bytes(session->matcher)));
    json_print_line(object, stderr);
}

static int run_session(struct session *session, const char *path)
{
    FILE *in = !path || strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!in) {
        fprintf(stderr, "feedwatch: cannot read %s: %s\n", path, strerror(errno));
        return EXIT_FAILED;
    }
    session->was_reported = g_new0(bool, ruleset_size(session->set) + 1);
    for (size_t i = 0; i < BATCH; i++) {
        session->batch[i].authors = g_ptr_array_new();
        session->batch[i].categories = g_ptr_array_new();
        session->batch[i].tags = g_ptr_array_new();
    }
    bool is_good = match_lines(session, in);
    is_good = fflush(stdout) == 0 && is_good;
    if (session->options->stats)
        print_stats(session);
    for (size_t i = 0; i < BATCH; i++) {
        g_ptr_array_unref(session->batch[i].authors);
        g_ptr_array_unref(session->batch[i].categories);
        g_ptr_array_unref(session->batch[i].tags);
    }
    if (in != stdin)
        fclose(in);
    g_free(session->was_reported);
    return is_good ? EXIT_OK : EXIT_FAILED;
}

static int match(const struct options *options, const char *config_path, const char *path)
{
    g_autofree struct session *session = g_new0(struct session, 1);
    session->options = options;
    double start_s = clock_cpu_s();
    if (options->queries) {
        session->set = compile_queries(options->queries);
    } else if ((session->config = command_load_config(config_path)) != NULL) {
        session->set = ruleset_ref(session->config->ruleset);
        start_s = clock_cpu_s() - session->config->compile_cpu_s;
    }
    if (!session->set)
        return options->queries ? EXIT_USAGE : EXIT_CONFIG;
    session->matcher = rule_matcher_new(session->set);
    session->stats.compile_s = clock_cpu_s() - start_s;
    int code = run_session(session, path);
    rule_matcher_free(session->matcher);
    ruleset_unref(session->set);
    config_unref(session->config);
    return code;
}

int cmd_match(const char *config_path, int argc, char **argv)
{
    struct options options = {0};
    const GOptionEntry entries[] = {
        {"query", 'q', 0, G_OPTION_ARG_STRING_ARRAY, &options.queries,
         "a rule to use instead of the configuration's; the first is q1", "QUERY"},
        {"ids", 0, 0, G_OPTION_ARG_NONE, &options.ids_only, "print the rules' IDs only", NULL},
        {"stats", 0, 0, G_OPTION_ARG_NONE, &options.stats, "print what it took on stderr", NULL},
        {0}};
    if (!command_options(command_find("match"), entries, &argc, &argv))
        return EXIT_USAGE;
    int code = argc > 2 ? command_usage("match", "too many files")
                        : match(&options, config_path, argc > 1 ? argv[1] : NULL);
    g_strfreev(options.queries);
    return code;
}
