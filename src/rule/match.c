#include "base/touch.h"
#include "rule/eval.h"
#include "rule/keys.h"

#include <string.h>

#define AT_ONCE 32u /* programs that are brought in together */

struct rule_matcher {
    struct ruleset *set;
    struct item_index *index;
    struct keys *keys;
    struct eval eval;
    uint64_t *scope_items; /* for each scope: the item that scope_holds is of */
    bool *scope_holds;
    GArray *matches;  /* struct rule_match */
    GArray *evidence; /* struct rule_evidence, of all matches */
    GArray *stopped;  /* size_t */
    size_t n_candidates;
};

struct rule_matcher *rule_matcher_new(struct ruleset *set)
{
    struct rule_matcher *matcher = g_new0(struct rule_matcher, 1);
    matcher->set = ruleset_ref(set);
    matcher->index = item_index_new(set);
    matcher->keys = keys_new(set);
    matcher->eval = (struct eval){.set = set,
                                  .index = matcher->index,
                                  .lists = g_new0(struct list_memo, set->lists->len + 1)};
    matcher->scope_items = g_new0(uint64_t, set->scopes->len + 1);
    matcher->scope_holds = g_new0(bool, set->scopes->len + 1);
    matcher->matches = g_array_new(FALSE, FALSE, sizeof(struct rule_match));
    matcher->evidence = g_array_new(FALSE, FALSE, sizeof(struct rule_evidence));
    matcher->stopped = g_array_new(FALSE, FALSE, sizeof(size_t));
    return matcher;
}

void rule_matcher_free(struct rule_matcher *matcher)
{
    if (!matcher)
        return;
    item_index_free(matcher->index);
    keys_free(matcher->keys);
    regex_scratch_free(matcher->eval.leaf.regex);
    g_free(matcher->eval.lists);
    g_free(matcher->scope_items);
    g_free(matcher->scope_holds);
    g_array_unref(matcher->matches);
    g_array_unref(matcher->evidence);
    g_array_unref(matcher->stopped);
    ruleset_unref(matcher->set);
    g_free(matcher);
}

static bool in_scope(struct rule_matcher *matcher, uint32_t scope, const struct rule_item *item)
{
    if (scope == PROGRAM_NONE)
        return true;
    if (matcher->scope_items[scope] != matcher->eval.item) {
        matcher->scope_items[scope] = matcher->eval.item;
        matcher->scope_holds[scope] =
            scope_has(g_ptr_array_index(matcher->set->scopes, scope), item->feed, item->tags);
    }
    return matcher->scope_holds[scope];
}

static bool rule_holds(struct rule_matcher *matcher, uint32_t number,
                       const struct rule_probe *probe, const struct rule_item *item)
{
    bool is_stopped = false, holds;
    if (probe->code != PROGRAM_NONE) {
        holds = eval_program(&matcher->eval, ruleset_code(matcher->set, probe->code), probe->found,
                             probe->fields, &is_stopped);
    } else {
        const struct rule_entry *rule =
            &g_array_index(matcher->set->rules, struct rule_entry, number);
        if (!in_scope(matcher, rule->scope, item))
            return false;
        holds = eval_rule(&matcher->eval, rule, &is_stopped);
    }
    if (is_stopped) {
        size_t index = number;
        g_array_append_val(matcher->stopped, index);
    }
    return holds;
}

static void touch_programs(const struct ruleset *set, const struct rule_probe *probes,
                           const uint32_t *candidates, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t code = probes[candidates[i]].code;
        for (uint32_t word = 0; code != PROGRAM_NONE && word < PROGRAM_TOUCHED; word += 16)
            touch(ruleset_code(set, code + word));
    }
}

static void find_matches(struct rule_matcher *matcher, const struct rule_item *item)
{
    const struct ruleset *set = matcher->set;
    const uint32_t *candidates =
        keys_candidates(matcher->keys, matcher->index, &matcher->n_candidates);
    const struct rule_probe *probes = keys_probes(matcher->keys);
    for (size_t from = 0, to; from < matcher->n_candidates; from = to) {
        to = MIN(from + AT_ONCE, matcher->n_candidates);
        touch_programs(set, probes, candidates + from, to - from);
        for (size_t i = from; i < to; i++) {
            struct rule_match match = {.rule = candidates[i]};
            if (rule_holds(matcher, candidates[i], &probes[candidates[i]], item))
                g_array_append_val(matcher->matches, match);
        }
    }
}

/* Pointers into the evidence are set when it grows no more. */
static void find_evidence(struct rule_matcher *matcher)
{
    const struct ruleset *set = matcher->set;
    for (guint i = 0; i < matcher->matches->len; i++) {
        struct rule_match *match = &g_array_index(matcher->matches, struct rule_match, i);
        const struct rule_entry *rule = &g_array_index(set->rules, struct rule_entry, match->rule);
        size_t before = matcher->evidence->len;
        eval_evidence(&matcher->eval, ruleset_code(set, rule->code), rule->fields,
                      set->terms->str + rule->terms, NULL, matcher->evidence);
        match->n_evidence = matcher->evidence->len - before;
    }
    size_t at = 0;
    for (guint i = 0; i < matcher->matches->len; i++) {
        struct rule_match *match = &g_array_index(matcher->matches, struct rule_match, i);
        match->evidence = &g_array_index(matcher->evidence, struct rule_evidence, at);
        at += match->n_evidence;
    }
}

const struct rule_match *rule_match_item(struct rule_matcher *matcher, const struct rule_item *item,
                                         bool with_evidence, size_t *ret_n)
{
    g_array_set_size(matcher->matches, 0);
    g_array_set_size(matcher->evidence, 0);
    g_array_set_size(matcher->stopped, 0);
    matcher->eval.item++;
    item_index_fill(matcher->index, item, keys_uses(matcher->keys));
    find_matches(matcher, item);
    if (with_evidence)
        find_evidence(matcher);
    *ret_n = matcher->matches->len;
    return (const struct rule_match *)(const void *)matcher->matches->data;
}

char *rule_matcher_explain(struct rule_matcher *matcher, const struct rule_item *item, size_t rule,
                           char **ret_clause)
{
    const struct rule_entry *entry = &g_array_index(matcher->set->rules, struct rule_entry, rule);
    bool is_stopped;
    matcher->eval.item++;
    item_index_fill(matcher->index, item, keys_uses(matcher->keys));
    if (!in_scope(matcher, entry->scope, item)) {
        *ret_clause = g_strdup("feeds");
        return g_strdup("the rule does not look at this feed");
    }
    if (eval_rule(&matcher->eval, entry, &is_stopped))
        return NULL;
    return eval_explain(&matcher->eval, entry, ret_clause);
}

size_t rule_matcher_candidates(const struct rule_matcher *matcher)
{
    return matcher->n_candidates;
}

const size_t *rule_matcher_stopped(const struct rule_matcher *matcher, size_t *ret_n)
{
    *ret_n = matcher->stopped->len;
    return (const size_t *)(const void *)matcher->stopped->data;
}

size_t rule_matcher_bytes(const struct rule_matcher *matcher)
{
    return sizeof *matcher + item_index_bytes(matcher->index) + keys_bytes(matcher->keys);
}

void rule_matcher_tokenise(struct rule_matcher *matcher, const struct rule_item *item)
{
    const char *const texts[] = {item->title, item->summary, item->content};
    const struct word *list;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (!texts[i])
            continue;
        words_start(matcher->index->words, texts[i], strlen(texts[i]));
        while (words_next(matcher->index->words, &list) > 0)
            continue;
    }
}

bool ruleset_in_scope(const struct ruleset *set, size_t rule, const char *feed,
                      const char *const *tags)
{
    uint32_t scope = g_array_index(set->rules, struct rule_entry, rule).scope;
    return scope == PROGRAM_NONE || scope_has(g_ptr_array_index(set->scopes, scope), feed, tags);
}
