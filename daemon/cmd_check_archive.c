/* feedwatch check, the part that tries the rules on the archive: one that holds for nothing, or for
 * more than a quarter, is hardly what was meant. */
#include "daemon/commands.h"
#include "daemon/progress.h"
#include "monitor/subject.h"
#include "store/store_read.h"

#include <stdio.h>

/* Fewer items say nothing. */
#define ITEMS_MIN  200
#define WIDE_SHARE 4 /* one in so many */

struct trial {
    const struct config *config;
    struct rule_matcher *matcher;
    guint64 *hits;     /* of each rule */
    GHashTable *feeds; /* ID -> guint64 *: its items */
    guint64 seen;
    struct progress progress;
};

static void count_feed(struct trial *trial, const char *feed)
{
    guint64 *n = g_hash_table_lookup(trial->feeds, feed);
    if (!n) {
        n = g_new0(guint64, 1);
        g_hash_table_insert(trial->feeds, g_strdup(feed), n);
    }
    ++*n;
}

static bool on_item(const struct store_item *item, void *user)
{
    struct trial *trial = user;
    struct subject subject;
    size_t n = 0;
    subject_init(&subject, item->item, item->feed, config_find_feed(trial->config, item->feed),
                 NULL);
    const struct rule_match *matches = rule_match_item(trial->matcher, &subject.item, false, &n);
    for (size_t i = 0; i < n; i++)
        trial->hits[matches[i].rule]++;
    subject_clear(&subject);
    count_feed(trial, item->feed);
    progress_step(&trial->progress, ++trial->seen);
    return true;
}

static guint64 items_in_scope(const struct trial *trial, size_t rule)
{
    GHashTableIter iter;
    gpointer key, value;
    guint64 n = 0;
    g_hash_table_iter_init(&iter, trial->feeds);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const struct config_feed *feed = config_find_feed(trial->config, key);
        if (feed && ruleset_in_scope(trial->config->ruleset, rule, feed->id,
                                     (const char *const *)feed->tags))
            n += *(const guint64 *)value;
    }
    return n;
}

static void judge(const struct trial *trial, size_t index)
{
    const struct config_rule *rule = g_ptr_array_index(trial->config->rules, index);
    guint64 items = items_in_scope(trial, index), hits = trial->hits[index];
    if (items < ITEMS_MIN || (hits > 0 && hits <= items / WIDE_SHARE))
        return;
    fprintf(stderr, "%s:%u:%u: warning: ", rule->file, rule->line, rule->column);
    if (hits == 0)
        fprintf(stderr,
                "the rule '%s' holds for none of the %" G_GUINT64_FORMAT
                " items in the archive; `feedwatch why` says what fails for one of them\n",
                rule->id, items);
    else
        fprintf(stderr,
                "the rule '%s' holds for %" G_GUINT64_FORMAT " of the %" G_GUINT64_FORMAT
                " items in the archive, more than a quarter\n",
                rule->id, hits, items);
}

void check_archive(const struct config *config)
{
    struct store_reader *reader = store_reader_open(config->state_dir, NULL);
    if (!reader || config->rules->len == 0) {
        store_reader_free(reader);
        return; /* nothing was polled yet: no archive */
    }
    g_autoptr(GError) error = NULL;
    g_autofree guint64 *hits = g_new0(guint64, config->rules->len);
    struct trial trial = {
        .config = config,
        .matcher = rule_matcher_new(config->ruleset),
        .hits = hits,
        .feeds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
    };
    const struct store_item_filter all = {0};
    progress_init(&trial.progress, "items");
    bool fine = store_read_items(reader, &all, on_item, &trial, &error);
    progress_clear(&trial.progress);
    for (guint i = 0; fine && i < config->rules->len; i++)
        judge(&trial, i);
    if (!fine)
        fprintf(stderr, "feedwatch: the rules were not tried on the archive: %s\n", error->message);
    rule_matcher_free(trial.matcher);
    g_hash_table_unref(trial.feeds);
    store_reader_free(reader);
}
