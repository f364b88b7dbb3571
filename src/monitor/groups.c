/* Feeds with one address are one request (E39). */
#include "monitor/internal.h"

/* What makes two feeds one request. */
static char *request_key(const struct config_feed *settings)
{
    g_autofree char *headers = settings->headers ? g_strjoinv("\n", settings->headers) : NULL;
    return g_strdup_printf(
        "%s\n%s\n%s\n%s\n%s\n%d\n%" G_GINT64_FORMAT, settings->url, headers ? headers : "",
        settings->credentials ? settings->credentials : "", settings->proxy ? settings->proxy : "",
        settings->user_agent ? settings->user_agent : "", settings->allow_private,
        settings->max_size_bytes);
}

static bool is_urgent(const struct monitor *monitor, const struct config_feed *settings)
{
    const struct config *config = monitor->config;
    for (guint i = 0; i < config->rules->len; i++) {
        const struct config_rule *rule = g_ptr_array_index(config->rules, i);
        if (rule->urgency == CONFIG_URGENCY_CRITICAL &&
            ruleset_in_scope(config->ruleset, i, settings->id, (const char *const *)settings->tags))
            return true;
    }
    return false;
}

static void join_group(GHashTable *leaders, struct monitor_feed *feed)
{
    g_autofree char *key = request_key(feed->settings);
    struct monitor_feed *leader = g_hash_table_lookup(leaders, key);
    if (!leader) {
        leader = feed;
        leader->group = g_ptr_array_new();
        g_hash_table_insert(leaders, g_steal_pointer(&key), leader);
    }
    g_ptr_array_add(leader->group, feed);
    feed->leader = leader;
    feed->is_urgent = is_urgent(feed->monitor, feed->settings);
    leader->is_urgent = leader->is_urgent || feed->is_urgent;
    int64_t interval_s = feed->settings->interval_s;
    if (interval_s > 0 && (leader->group_interval_s == 0 || interval_s < leader->group_interval_s))
        leader->group_interval_s = interval_s;
}

/* A leader is due when the first of its group is; one that never took in a document is due at once.
 */
static void restore_due(struct monitor_feed *leader)
{
    int64_t now_s = clock_wall_s(leader->monitor->parts.clock);
    int64_t due_s = INT64_MAX;
    for (guint i = 0; i < leader->group->len; i++) {
        struct monitor_feed *feed = g_ptr_array_index(leader->group, i);
        feed->group_interval_s = leader->group_interval_s;
        const struct schedule_settings settings = monitor_schedule_settings(feed);
        due_s = MIN(due_s, schedule_restored_due(&settings, &feed->state->schedule, now_s));
    }
    struct schedule_state *schedule = &leader->state->schedule;
    schedule->due_s = MAX(due_s, schedule->allowed_s);
    if (schedule_is_silenced(schedule, now_s))
        fetcher_hold(leader->monitor->parts.fetcher, leader->settings->url, schedule->allowed_s);
    if (!leader->poll)
        monitor_place_in_queue(leader);
}

void groups_form(struct monitor *monitor)
{
    g_autoptr(GHashTable) leaders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < monitor->order->len; i++) {
        struct monitor_feed *feed = g_ptr_array_index(monitor->order, i);
        if (feed)
            join_group(leaders, feed);
    }
    /* In this order new feeds are polled, and get their rows. */
    for (guint i = 0; i < monitor->order->len; i++) {
        struct monitor_feed *feed = g_ptr_array_index(monitor->order, i);
        if (feed && feed->group)
            restore_due(feed);
    }
}

/* One that was asked for by hand is then due, for whoever leads it. */
static void keep_due(struct monitor_feed *feed)
{
    struct schedule_state *schedule = &feed->state->schedule;
    if (feed->pending_in)
        schedule->due_s = MIN(schedule->due_s, clock_wall_s(feed->monitor->parts.clock));
    pending_remove(feed);
}

void groups_dissolve(struct monitor *monitor)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, monitor->feeds);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct monitor_feed *feed = value;
        feed->settings = NULL;
        feed->group_interval_s = 0;
        feed->leader = NULL;
        g_clear_pointer(&feed->group, g_ptr_array_unref);
        schedule_queue_remove(monitor->queue, feed);
        keep_due(feed);
    }
}

GPtrArray *groups_of(struct monitor_feed *feed)
{
    if (feed->group)
        return g_ptr_array_ref(feed->group);
    GPtrArray *alone = g_ptr_array_new();
    g_ptr_array_add(alone, feed);
    return alone;
}
