/* feedwatch backtest - what a rule would have caught among the items of the archive. */
#include "daemon/commands.h"
#include "base/json.h"
#include "daemon/progress.h"
#include "daemon/since.h"
#include "monitor/subject.h"
#include "rule/evidence.h"
#include "store/store_read.h"

#include <stdio.h>
#include <string.h>

struct backtest_options {
    char *query, *since, *other;
    gboolean json;
};

struct backtest {
    const struct config *config;
    struct rule_matcher *matcher;
    bool is_diff; /* rule 0 of the set against rule 1 */
    bool json;
    guint64 seen, caught, gained, lost;
    struct progress progress;
};

static const struct rule_match *find(const struct rule_match *matches, size_t n, size_t rule)
{
    for (size_t i = 0; i < n; i++)
        if (matches[i].rule == rule)
            return &matches[i];
    return NULL;
}

static void print_text(const char *sign, const struct store_item *item,
                       const struct rule_match *match)
{
    g_autoptr(GDateTime) seen = g_date_time_new_from_unix_local(item->first_seen_s);
    g_autofree char *day = g_date_time_format(seen, "%Y-%m-%d %H:%M");
    g_autofree char *matched = rule_evidence_line(match, NULL);
    printf("%s%s | %s | %s | %s | %s\n", sign, day, item->item->title ? item->item->title : "-",
           item->feed, item->item->link ? item->item->link : "-", matched);
}

static void print_json(const char *change, const struct store_item *item,
                       const struct rule_match *match)
{
    json_t *object = json_object();
    json_set_text(object, "feed", item->feed);
    json_set_text(object, "title", item->item->title);
    json_set_text(object, "link", item->item->link);
    json_set_time(object, "published", item->item->published_s, FEED_TIME_NONE);
    json_set_int(object, "first_seen", item->first_seen_s);
    if (change)
        json_set_text(object, "change", change);
    json_object_set_new(object, "matched", rule_evidence_value(match));
    json_print_line(object, stdout);
}

static void report(struct backtest *test, const struct store_item *item,
                   const struct rule_match *now, const struct rule_match *other)
{
    test->caught += now != NULL;
    if (test->is_diff ? !now == !other : !now)
        return;
    test->gained += test->is_diff && now;
    test->lost += test->is_diff && other;
    progress_clear(&test->progress);
    if (test->json)
        print_json(!test->is_diff ? NULL : now ? "gained" : "lost", item, now ? now : other);
    else
        print_text(!test->is_diff ? "" : now ? "+ " : "- ", item, now ? now : other);
}

static bool on_item(const struct store_item *item, void *user)
{
    struct backtest *test = user;
    struct subject subject;
    size_t n = 0;
    subject_init(&subject, item->item, item->feed, config_find_feed(test->config, item->feed),
                 NULL);
    const struct rule_match *matches = rule_match_item(test->matcher, &subject.item, true, &n);
    report(test, item, find(matches, n, 0), find(matches, n, 1));
    subject_clear(&subject);
    progress_step(&test->progress, ++test->seen);
    return true;
}

/* A rule of the configuration by its ID, else the text as a query. */
static struct rule_def definition(const struct config *config, const char *text, const char *name)
{
    for (guint i = 0; i < config->rules->len; i++) {
        const struct config_rule *rule = g_ptr_array_index(config->rules, i);
        if (strcmp(rule->id, text) == 0)
            return (struct rule_def){rule->id, rule->match, rule->exclude,
                                     rule->in, rule->feeds, rule->language};
    }
    return (struct rule_def){.id = name, .match = text};
}

static struct ruleset *compile(const struct config *config, const struct rule_def *rules,
                               size_t n_rules)
{
    g_autoptr(GArray) problems = NULL;
    g_autofree struct rule_list_def *lists = g_new0(struct rule_list_def, config->lists->len + 1);
    for (guint i = 0; i < config->lists->len; i++)
        lists[i] = *(const struct rule_list_def *)g_ptr_array_index(config->lists, i);
    struct ruleset *set =
        ruleset_compile(rules, n_rules, lists, config->lists->len, NULL, 0, &problems);
    for (guint i = 0; i < problems->len; i++) {
        const struct rule_problem *problem = &g_array_index(problems, struct rule_problem, i);
        if (problem->part != RULE_PART_LIST)
            fprintf(stderr, "%s:%zu: %s: %s\n", rules[problem->owner].id, problem->offset + 1,
                    problem->is_error ? "error" : "warning", problem->message);
    }
    return set;
}

static int summarise(const struct backtest *test)
{
    if (test->is_diff)
        fprintf(stderr,
                "%" G_GUINT64_FORMAT " items: %" G_GUINT64_FORMAT " gained, %" G_GUINT64_FORMAT
                " lost\n",
                test->seen, test->gained, test->lost);
    else
        fprintf(stderr, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " items\n", test->caught,
                test->seen);
    return (test->is_diff ? test->gained + test->lost : test->caught) > 0 ? EXIT_OK : EXIT_FAILED;
}

static int try_on_archive(const struct config *config, const struct backtest_options *options,
                          struct ruleset *set)
{
    g_autoptr(GError) error = NULL;
    int64_t since_ms = 0;
    if (options->since && !since_parse(options->since, &since_ms))
        return command_usage("backtest",
                             "--since wants a duration such as 30d, or a date such as 2026-11-30");
    struct store_reader *reader = store_reader_open(config->state_dir, &error);
    const struct store_item_filter filter = {.since_s = since_ms / 1000};
    struct backtest test = {
        .config = config, .is_diff = options->other != NULL, .json = options->json};
    bool fine = false;
    if (reader) {
        test.matcher = rule_matcher_new(set);
        progress_init(&test.progress, "items");
        fine = store_read_items(reader, &filter, on_item, &test, &error);
        progress_clear(&test.progress);
        rule_matcher_free(test.matcher);
        store_reader_free(reader);
    }
    if (fine)
        return summarise(&test);
    fprintf(stderr, "feedwatch: %s\n", error->message);
    return EXIT_FAILED;
}

/* text: a query where one was given, else the ID of a rule. */
static int run(const char *config_path, const struct backtest_options *options, const char *text)
{
    struct config *config = command_load_config(config_path);
    if (!config)
        return EXIT_CONFIG;
    int code = EXIT_CONFIG;
    const struct rule_def rules[] = {
        definition(config, text, "q1"),
        definition(config, options->other ? options->other : "", "q2")};
    struct ruleset *set = NULL;
    if (!options->query && rules[0].id != NULL && strcmp(rules[0].id, text) != 0)
        code = command_usage("backtest", "there is no rule %s; a query is given with -q", text);
    else
        set = compile(config, rules, options->other ? 2 : 1);
    if (set) {
        code = try_on_archive(config, options, set);
        ruleset_unref(set);
    }
    config_unref(config);
    return code;
}

int cmd_backtest(const char *config_path, int argc, char **argv)
{
    struct backtest_options options = {0};
    const GOptionEntry entries[] = {
        {"query", 'q', 0, G_OPTION_ARG_STRING, &options.query, "a query instead of a rule",
         "QUERY"},
        {"since", 0, 0, G_OPTION_ARG_STRING, &options.since,
         "only what was first seen since: 30d, 2026-11-30", "T"},
        {"diff", 0, 0, G_OPTION_ARG_STRING, &options.other,
         "show only what this rule or query decides otherwise", "OTHER"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "one JSON object a line", NULL},
        G_OPTION_ENTRY_NULL,
    };
    int code = EXIT_USAGE;
    if (command_options(command_find("backtest"), entries, &argc, &argv)) {
        if (argc > 2 || (argc == 2) == (options.query != NULL))
            code = command_usage("backtest", "one rule, or one query with -q, is wanted");
        else
            code = run(config_path, &options, options.query ? options.query : argv[1]);
    }
    g_free(options.query);
    g_free(options.since);
    g_free(options.other);
    return code;
}
