/* A rule compiler that finds nothing wrong but NEER/5 and @nowhere, for as long as the library has
 * none: weak, so that the real one takes its place. */
#include "rule/rule.h"

#include <string.h>

struct ruleset {
    int n_refs;
};

static void stub_find(GArray *problems, enum rule_part part, size_t owner, const char *text)
{
    const char *found = text ? strstr(text, "NEER/5") : NULL;
    if (!found && text)
        found = strstr(text, "@nowhere");
    if (!found)
        return;
    struct rule_problem problem = {true, part, owner, (size_t)(found - text), g_strdup(found)};
    g_array_append_val(problems, problem);
}

static void stub_clear(gpointer data)
{
    g_free(((struct rule_problem *)data)->message);
}

__attribute__((weak)) struct ruleset *ruleset_compile(const struct rule_def *rules, size_t n_rules,
                                                      const struct rule_list_def *lists,
                                                      size_t n_lists,
                                                      const struct rule_feed_def *feeds,
                                                      size_t n_feeds, GArray **ret_problems)
{
    GArray *problems = g_array_new(FALSE, FALSE, sizeof(struct rule_problem));
    (void)feeds, (void)n_feeds;
    g_array_set_clear_func(problems, stub_clear);
    for (size_t i = 0; i < n_rules; i++) {
        stub_find(problems, RULE_PART_MATCH, i, rules[i].match);
        stub_find(problems, RULE_PART_EXCLUDE, i, rules[i].exclude);
    }
    for (size_t i = 0; i < n_lists; i++)
        stub_find(problems, RULE_PART_LIST, i, lists[i].any);
    *ret_problems = problems;
    return problems->len ? NULL : g_new0(struct ruleset, 1);
}

__attribute__((weak)) void ruleset_unref(struct ruleset *set)
{
    g_free(set);
}
