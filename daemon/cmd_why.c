/* feedwatch why - what a rule found in an item of the archive, or its first clause that failed. */
#include "daemon/commands.h"
#include "base/json.h"
#include "monitor/subject.h"
#include "rule/evidence.h"
#include "store/store_read.h"
#include "store/ulid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXT_BYTES 60u /* shown on either side of what matched */

struct why {
    const struct config *config;
    struct rule_matcher *matcher;
    gssize rule;  /* index in the set, -1: all */
    int64_t item; /* row, 0: all */
    bool json, has_colour;
    size_t n_items, n_holding;
};

static json_t *why_json(const struct why *why, const struct store_item *item, size_t rule)
{
    json_t *object = json_object();
    json_set_text(object, "rule", ruleset_id(why->config->ruleset, rule));
    json_set_text(object, "feed", item->feed);
    json_set_text(object, "title", item->item->title);
    json_set_text(object, "link", item->item->link);
    return object;
}

/* A place near `at`, towards it, where a character begins. */
static size_t character_at(const char *text, size_t at)
{
    while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

/* "  title: … Minister from [Moscow] received …    russia" */
static void print_evidence(const struct why *why, const struct rule_evidence *e)
{
    const char *value = e->text - e->start;
    size_t size = strlen(value);
    size_t from = e->start > CONTEXT_BYTES ? character_at(value, e->start - CONTEXT_BYTES) : 0;
    size_t to = e->end + CONTEXT_BYTES < size ? character_at(value, e->end + CONTEXT_BYTES) : size;
    g_autofree char *before = g_strndup(value + from, e->start - from);
    g_autofree char *found = g_strndup(e->text, e->end - e->start);
    g_autofree char *behind = g_strndup(value + e->end, to - e->end);
    g_strdelimit(before, "\n", ' ');
    g_strdelimit(behind, "\n", ' ');
    printf("  %s: %s%s%s%s%s%s%s    %s%s%s\n", e->field, from > 0 ? "…" : "", before,
           why->has_colour ? "\033[1;7m" : "[", found, why->has_colour ? "\033[0m" : "]", behind,
           to < size ? "…" : "", e->list ? "@" : "", e->list ? e->list : "",
           e->list ? "" : e->term);
}

static void print_hit(const struct why *why, const struct store_item *item,
                      const struct rule_match *match)
{
    if (why->json) {
        json_t *object = why_json(why, item, match->rule);
        json_object_set_new(object, "holds", json_true());
        json_object_set_new(object, "matched", rule_evidence_value(match));
        json_print_line(object, stdout);
        return;
    }
    printf("%s holds\n", ruleset_id(why->config->ruleset, match->rule));
    for (size_t i = 0; i < match->n_evidence; i++)
        print_evidence(why, &match->evidence[i]);
}

static void print_miss(const struct why *why, const struct store_item *item, size_t rule,
                       const char *clause, const char *reason)
{
    if (why->json) {
        json_t *object = why_json(why, item, rule);
        json_object_set_new(object, "holds", json_false());
        json_set_text(object, "clause", clause);
        json_set_text(object, "reason", reason);
        json_print_line(object, stdout);
        return;
    }
    printf("%s does not hold\n  %s: %s\n", ruleset_id(why->config->ruleset, rule), clause, reason);
}

static void explain_misses(struct why *why, const struct store_item *item,
                           const struct rule_item *subject, const bool *holds)
{
    for (size_t rule = 0; rule < ruleset_size(why->config->ruleset); rule++) {
        g_autofree char *clause = NULL;
        if (holds[rule] || (why->rule >= 0 && (size_t)why->rule != rule))
            continue;
        g_autofree char *reason = rule_matcher_explain(why->matcher, subject, rule, &clause);
        if (reason)
            print_miss(why, item, rule, clause, reason);
    }
}

static bool on_item(const struct store_item *item, void *user)
{
    struct why *why = user;
    struct subject subject;
    size_t n = 0;
    if (why->item != 0 && item->row != why->item)
        return true;
    g_autofree bool *holds = g_new0(bool, ruleset_size(why->config->ruleset) + 1);
    subject_init(&subject, item->item, item->feed, config_find_feed(why->config, item->feed), NULL);
    why->n_items++;
    if (!why->json)
        printf("%s | %s\n", item->feed, item->item->title ? item->item->title : "-");
    const struct rule_match *matches = rule_match_item(why->matcher, &subject.item, true, &n);
    for (size_t i = 0; i < n; i++) {
        holds[matches[i].rule] = true;
        if (why->rule >= 0 && (size_t)why->rule != matches[i].rule)
            continue;
        print_hit(why, item, &matches[i]);
        why->n_holding++;
    }
    explain_misses(why, item, &subject.item, holds);
    subject_clear(&subject);
    return true;
}

struct wanted_alert {
    const char *id;
    char *rule, *feed, *link, *matched;
    int64_t item;
};

static bool on_alert(const struct store_alert *alert, const char *const *deliveries, void *user)
{
    struct wanted_alert *wanted = user;
    (void)deliveries;
    if (strcmp(alert->id, wanted->id) != 0)
        return true;
    wanted->rule = g_strdup(alert->rule);
    wanted->feed = g_strdup(alert->feed);
    wanted->link = g_strdup(alert->link);
    wanted->matched = g_strdup(alert->matched_text);
    wanted->item = alert->item;
    return false;
}

static int explain_link(struct why *why, struct store_reader *reader, const char *feed,
                        const char *link, GError **error)
{
    const struct store_item_filter filter = {.feed = feed, .link = link};
    if (!store_read_items(reader, &filter, on_item, why, error))
        return EXIT_FAILED;
    return why->n_holding > 0 ? EXIT_OK : EXIT_FAILED;
}

/* Of an alert whose item or rule is gone, what it said itself is left. */
static int explain_alert(struct why *why, struct store_reader *reader, const char *id,
                         const char *rule, GError **error)
{
    struct wanted_alert wanted = {.id = id};
    const struct store_filter all = {0};
    int code = EXIT_FAILED;
    if (!store_read_alerts(reader, &all, on_alert, &wanted, error))
        return EXIT_FAILED;
    if (!rule && wanted.rule)
        why->rule = ruleset_find(why->config->ruleset, wanted.rule);
    why->item = wanted.item;
    if (!wanted.rule)
        fprintf(stderr, "feedwatch: there is no alert %s\n", id);
    else if (wanted.item != 0 && (rule || why->rule >= 0))
        code = explain_link(why, reader, wanted.feed, wanted.link, error);
    if (wanted.rule && why->n_items == 0 && !*error) {
        fprintf(stderr, "feedwatch: its item or its rule is gone; the alert said: %s: %s\n",
                wanted.rule, wanted.matched ? wanted.matched : "-");
        code = EXIT_FAILED;
    }
    g_free(wanted.rule);
    g_free(wanted.feed);
    g_free(wanted.link);
    g_free(wanted.matched);
    return code;
}

static bool is_alert_id(const char *text)
{
    return strlen(text) == ULID_LENGTH && !strpbrk(text, ":/.");
}

static int explain(struct why *why, const char *what, const char *rule)
{
    g_autoptr(GError) error = NULL;
    struct store_reader *reader = store_reader_open(why->config->state_dir, &error);
    int code = EXIT_FAILED;
    if (reader && is_alert_id(what)) {
        code = explain_alert(why, reader, what, rule, &error);
    } else if (reader) {
        code = explain_link(why, reader, NULL, what, &error);
        if (why->n_items == 0 && !error)
            fprintf(stderr, "feedwatch: no item of the archive has the link %s\n", what);
    }
    if (error)
        fprintf(stderr, "feedwatch: %s\n", error->message);
    store_reader_free(reader);
    return code;
}

int cmd_why(const char *config_path, int argc, char **argv)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "one JSON object a line", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_options(command_find("why"), entries, &argc, &argv))
        return EXIT_USAGE;
    if (argc < 2 || argc > 3)
        return command_usage("why", "an alert's ID or an item's link is wanted, and then a rule");
    struct config *config = command_load_config(config_path);
    if (!config)
        return EXIT_CONFIG;
    struct why why = {.config = config,
                      .rule = argc == 3 ? ruleset_find(config->ruleset, argv[2]) : -1,
                      .json = json,
                      .has_colour = command_has_colour()};
    int code = EXIT_USAGE;
    if (argc == 3 && why.rule < 0) {
        command_usage("why", "there is no rule %s", argv[2]);
    } else {
        why.matcher = rule_matcher_new(config->ruleset);
        code = explain(&why, argv[1], argc == 3 ? argv[2] : NULL);
        rule_matcher_free(why.matcher);
    }
    config_unref(config);
    return code;
}
