#include "monitor/judge.h"

#include "base/clock.h"
#include "monitor/subject.h"
#include "rule/evidence.h"

#include <string.h>

struct judge_rules {
    grefcount refs;
    struct config *config;
    struct rule_matcher *matcher;
    char ***sinks; /* one list a rule, made when it is first needed; the IDs belong to config */
};

struct judge {
    struct judge_input in;
    bool *wanted;   /* one an item: is it matched at all */
    size_t next;    /* item */
    GArray *alerts; /* struct store_new_alert */
    GStringChunk *texts;
};

struct judge_rules *judge_rules_new(struct config *config)
{
    struct judge_rules *rules = g_new0(struct judge_rules, 1);
    g_ref_count_init(&rules->refs);
    rules->config = config_ref(config);
    rules->matcher = rule_matcher_new(config->ruleset);
    rules->sinks = g_new0(char **, config->rules->len + 1);
    return rules;
}

struct judge_rules *judge_rules_ref(struct judge_rules *rules)
{
    g_ref_count_inc(&rules->refs);
    return rules;
}

void judge_rules_unref(struct judge_rules *rules)
{
    if (!rules || !g_ref_count_dec(&rules->refs))
        return;
    for (guint i = 0; i < rules->config->rules->len; i++)
        g_free(rules->sinks[i]);
    g_free(rules->sinks);
    rule_matcher_free(rules->matcher);
    config_unref(rules->config);
    g_free(rules);
}

static int64_t item_time(const struct feed_item *item)
{
    return item->published_s != FEED_TIME_NONE ? item->published_s : item->updated_s;
}

/* `initial = last N`: the newest by date; where nothing is dated, the first of the document. */
struct ranked {
    size_t index;
    int64_t time_s;
};

static int by_time(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->time_s != y->time_s)
        return x->time_s > y->time_s ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static void want_last(struct judge *judge, size_t count)
{
    size_t n = judge->in.doc->n_items;
    g_autofree struct ranked *ranks = g_new(struct ranked, n + 1);
    for (size_t i = 0; i < n; i++)
        ranks[i] = (struct ranked){i, item_time(&judge->in.doc->items[i])};
    qsort(ranks, n, sizeof *ranks, by_time);
    for (size_t i = 0; i < n && i < count; i++)
        judge->wanted[ranks[i].index] = true;
}

static void want_initial(struct judge *judge)
{
    const struct config_feed *settings = judge->in.settings;
    switch (settings->initial) {
    case CONFIG_INITIAL_NONE:
        return;
    case CONFIG_INITIAL_ALL:
        want_last(judge, SIZE_MAX);
        return;
    case CONFIG_INITIAL_LAST:
        want_last(judge, (size_t)settings->initial_value);
        return;
    case CONFIG_INITIAL_SINCE:
        for (size_t i = 0; i < judge->in.doc->n_items; i++) {
            int64_t time_s = item_time(&judge->in.doc->items[i]);
            judge->wanted[i] =
                time_s != FEED_TIME_NONE && time_s >= judge->in.now_s - settings->initial_value;
        }
        return;
    }
}

struct judge *judge_new(const struct judge_input *input)
{
    struct judge *judge = g_new0(struct judge, 1);
    judge->in = *input;
    judge_rules_ref(input->rules);
    judge->wanted = g_new0(bool, input->doc->n_items + 1);
    judge->alerts = g_array_new(FALSE, TRUE, sizeof(struct store_new_alert));
    judge->texts = g_string_chunk_new(4096);
    if (input->is_baselined)
        memset(judge->wanted, 1, input->doc->n_items * sizeof *judge->wanted);
    else if (!input->is_silent)
        want_initial(judge);
    return judge;
}

void judge_free(struct judge *judge)
{
    if (!judge)
        return;
    g_free(judge->wanted);
    g_array_unref(judge->alerts);
    g_string_chunk_free(judge->texts);
    judge_rules_unref(judge->in.rules);
    g_free(judge);
}

/* The sinks of a rule that are there and enabled. */
static const char *const *sinks_of(struct judge_rules *rules, size_t rule)
{
    if (!rules->sinks[rule]) {
        const struct config_rule *settings = g_ptr_array_index(rules->config->rules, rule);
        size_t n = 0;
        char **sinks = g_new0(char *, g_strv_length(settings->alert) + 1);
        for (char **id = settings->alert; *id; id++) {
            const struct config_sink *sink = config_find_sink(rules->config, *id);
            if (sink && sink->is_enabled)
                sinks[n++] = sink->id;
        }
        rules->sinks[rule] = sinks;
    }
    return (const char *const *)rules->sinks[rule];
}

static const char *urgency_name(enum config_urgency urgency)
{
    static const char *const names[] = {"low", "normal", "critical"};
    return names[urgency];
}

static void subject_of(const struct judge *judge, const struct feed_item *item, struct subject *ret)
{
    const struct config_feed *settings = judge->in.settings;
    subject_init(ret, item, settings->id, settings, judge->in.doc->language);
}

/* gained: of an edited item, else NULL. */
static void add_alert(struct judge *judge, size_t item, const struct rule_match *match,
                      const struct gained *gained)
{
    const struct config_rule *rule = g_ptr_array_index(judge->in.rules->config->rules, match->rule);
    g_autofree char *text = rule_evidence_line(match, gained);
    g_autofree char *json = rule_evidence_json(match, gained);
    struct store_new_alert alert = {
        .item = item,
        .kind = "alert",
        .rule = rule->id,
        .urgency = urgency_name(rule->urgency),
        .matched_json = g_string_chunk_insert(judge->texts, json),
        .matched_text = g_string_chunk_insert(judge->texts, text),
        .sinks = sinks_of(judge->in.rules, match->rule),
    };
    g_array_append_val(judge->alerts, alert);
}

/* Whether an edited item alerts for this rule: only where neither the text before nor an alert had
 * it. */
static bool is_gained(const struct store_verdict *verdict, const struct ruleset *rules, size_t rule,
                      const bool *held_before)
{
    if (held_before[rule])
        return false;
    const char *id = ruleset_id(rules, rule);
    return !verdict->alerted_rules ||
           !g_strv_contains((const char *const *)verdict->alerted_rules, id);
}

/* Which rules the text of before held for. */
static bool *rules_before(struct judge *judge, const struct feed_item *before)
{
    bool *held = g_new0(bool, ruleset_size(judge->in.rules->config->ruleset) + 1);
    if (!before)
        return held;
    struct subject subject;
    subject_of(judge, before, &subject);
    size_t n = 0;
    const struct rule_match *matches =
        rule_match_item(judge->in.rules->matcher, &subject.item, false, &n);
    for (size_t i = 0; i < n; i++)
        held[matches[i].rule] = true;
    subject_clear(&subject);
    return held;
}

static struct gained *gained_since(const struct judge *judge, const struct feed_item *before)
{
    if (!before)
        return gained_new(NULL);
    struct subject subject;
    subject_of(judge, before, &subject);
    struct gained *gained = gained_new(&subject.item);
    subject_clear(&subject);
    return gained;
}

static void judge_item(struct judge *judge, size_t index)
{
    const struct store_verdict *verdict = &judge->in.verdicts->items[index];
    if (!judge->wanted[index] || verdict->news == STORE_KNOWN)
        return;
    const struct feed_item *item = &judge->in.doc->items[index];
    bool is_edit = verdict->news == STORE_CHANGED;
    g_autofree bool *before = is_edit ? rules_before(judge, verdict->before) : NULL;
    struct subject subject;
    subject_of(judge, item, &subject);
    size_t n = 0;
    const struct rule_match *matches =
        rule_match_item(judge->in.rules->matcher, &subject.item, true, &n);
    struct gained *gained = is_edit && n > 0 ? gained_since(judge, verdict->before) : NULL;
    for (size_t i = 0; i < n; i++)
        if (!is_edit ||
            is_gained(verdict, judge->in.rules->config->ruleset, matches[i].rule, before))
            add_alert(judge, index, &matches[i], gained);
    gained_free(gained);
    subject_clear(&subject);
}

bool judge_step(struct judge *judge)
{
    int64_t end_ms = clock_real_boot_ms() + JUDGE_SLICE_MS;
    while (judge->next < judge->in.doc->n_items) {
        judge_item(judge, judge->next++);
        if (clock_real_boot_ms() >= end_ms)
            break;
    }
    return judge->next >= judge->in.doc->n_items;
}

const struct store_new_alert *judge_alerts(const struct judge *judge, size_t *ret_n)
{
    *ret_n = judge->alerts->len;
    return (const struct store_new_alert *)(const void *)judge->alerts->data;
}
