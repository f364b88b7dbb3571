/* config/load, the step that compiles rules and lists, and says where in the files a problem is. */
#include "base/clock.h"
#include "config/load.h"

static const char *part_key(enum rule_part part)
{
    switch (part) {
    case RULE_PART_MATCH:
        return "match";
    case RULE_PART_EXCLUDE:
        return "exclude";
    case RULE_PART_IN:
        return "in";
    case RULE_PART_FEEDS:
        return "feeds";
    case RULE_PART_LANGUAGE:
        return "language";
    case RULE_PART_LIST:
        return "any";
    }
    return "";
}

static void report_one(const struct rule_problem *found, const struct rule_sources *sources,
                       struct report *report)
{
    const GPtrArray *owners = found->part == RULE_PART_LIST ? sources->lists : sources->rules;
    const struct source_section *section = g_ptr_array_index(owners, found->owner);
    const struct source_setting *setting = source_find(section, part_key(found->part));
    struct place place = setting ? source_place(setting, found->offset) : section->place;
    if (found->is_error)
        report_error(report, place, "%s", found->message);
    else
        report_warning(report, place, "%s", found->message);
}

static void add_rules(const struct config *config, const struct rule_sources *sources, GArray *defs,
                      struct rule_sources *owners)
{
    for (guint i = 0; i < config->rules->len; i++) {
        const struct config_rule *rule = g_ptr_array_index(config->rules, i);
        const struct rule_def def = {rule->id, rule->match, rule->exclude,
                                     rule->in, rule->feeds, rule->language};
        if (!rule->match)
            continue;
        g_array_append_val(defs, def);
        g_ptr_array_add(owners->rules, g_ptr_array_index(sources->rules, i));
    }
}

static void add_lists(const struct config *config, const struct rule_sources *sources, GArray *defs,
                      struct rule_sources *owners)
{
    for (guint i = 0; i < config->lists->len; i++) {
        const struct rule_list_def *list = g_ptr_array_index(config->lists, i);
        if (!list->any)
            continue;
        g_array_append_val(defs, *list);
        g_ptr_array_add(owners->lists, g_ptr_array_index(sources->lists, i));
    }
}

static void add_feeds(const struct config *config, GArray *defs)
{
    for (guint i = 0; i < config->feeds->len; i++) {
        const struct config_feed *feed = g_ptr_array_index(config->feeds, i);
        const struct rule_feed_def def = {feed->id, (const char *const *)feed->tags,
                                          feed->language};
        g_array_append_val(defs, def);
    }
}

/* Rules and lists that lack their query are left out: that is an error which was told. */
void rules_compile(struct config *config, const struct rule_sources *sources, struct report *report)
{
    g_autoptr(GArray) rules = g_array_new(FALSE, FALSE, sizeof(struct rule_def));
    g_autoptr(GArray) lists = g_array_new(FALSE, FALSE, sizeof(struct rule_list_def));
    g_autoptr(GArray) feeds = g_array_new(FALSE, FALSE, sizeof(struct rule_feed_def));
    g_autoptr(GPtrArray) rule_owners = g_ptr_array_new();
    g_autoptr(GPtrArray) list_owners = g_ptr_array_new();
    g_autoptr(GArray) found = NULL;
    struct rule_sources owners = {rule_owners, list_owners};
    add_rules(config, sources, rules, &owners);
    add_lists(config, sources, lists, &owners);
    add_feeds(config, feeds);
    double start_s = clock_cpu_s();
    config->ruleset =
        ruleset_compile((const struct rule_def *)(gpointer)rules->data, rules->len,
                        (const struct rule_list_def *)(gpointer)lists->data, lists->len,
                        (const struct rule_feed_def *)(gpointer)feeds->data, feeds->len, &found);
    config->compile_cpu_s = clock_cpu_s() - start_s;
    for (guint i = 0; i < found->len; i++)
        report_one(&g_array_index(found, struct rule_problem, i), &owners, report);
    if (!config->ruleset && !report_has_error(report))
        report_error(report, (struct place){.file = config->path},
                     "the rules do not compile, and the compiler does not say why");
}
