#include "monitor/monitor.h"

#include "base/source.h"
#include "monitor/intake.h"
#include "monitor/internal.h"
#include "monitor/network.h"
#include "monitor/notices.h"
#include "monitor/offline.h"

#include <string.h>

/* GLib's time-outs run on CLOCK_MONOTONIC, which stands still in suspend: the loop looks again at
 * least this often. */
#define TICK_MAX_MS 60000
/* And while feeds wait for room, which the end of a poll or of a commit makes. */
#define PENDING_TICK_MS 1000

static struct monitor_feed *monitor_feed_new(struct monitor *monitor, const char *id,
                                             struct store_feed *state)
{
    struct monitor_feed *feed = g_new0(struct monitor_feed, 1);
    feed->monitor = monitor;
    feed->state = state;
    if (!state) {
        feed->state = g_new0(struct store_feed, 1);
        feed->state->id = g_strdup(id);
        feed->is_changed = true;
    }
    return feed;
}

static void monitor_feed_free(gpointer data)
{
    struct monitor_feed *feed = data;
    unsaved_remove(feed);
    pending_remove(feed);
    if (feed->poll)
        poll_cancel(feed->poll);
    if (feed->intake)
        intake_cancel(feed->intake);
    g_clear_pointer(&feed->group, g_ptr_array_unref);
    notices_free(feed->notices);
    store_feed_free(feed->state);
    g_free(feed);
}

/* The feed as the configuration has it now. */
static struct monitor_feed *configure_feed(struct monitor *monitor,
                                           const struct config_feed *settings)
{
    struct monitor_feed *feed = g_hash_table_lookup(monitor->feeds, settings->id);
    if (!feed) {
        feed = monitor_feed_new(monitor, settings->id, NULL);
        g_hash_table_insert(monitor->feeds, feed->state->id, feed);
    }
    feed->settings = settings;
    feed->index = monitor->order->len;
    if (g_strcmp0(feed->state->url, settings->url) == 0)
        return feed;
    if (feed->poll)
        poll_cancel(feed->poll);
    if (feed->state->url)
        monitor_forget_address(feed->state);
    g_free(feed->state->url);
    feed->state->url = g_strdup(settings->url);
    feed->is_changed = true;
    return feed;
}

static gboolean is_unconfigured(gpointer key, gpointer value, gpointer user)
{
    const struct monitor_feed *feed = value;
    (void)key;
    (void)user;
    return feed->settings == NULL;
}

static void take_config(struct monitor *monitor, struct config *config)
{
    struct config *old = monitor->config;
    monitor->config = config_ref(config);
    judge_rules_unref(monitor->rules);
    monitor->rules = judge_rules_new(config);
    g_free(monitor->user_agent);
    monitor->user_agent = http_user_agent(config->user_agent_contact);
    intake_limit_fetching(monitor);
    groups_dissolve(monitor);
    g_ptr_array_set_size(monitor->order, 0);
    for (guint i = 0; i < config->feeds->len; i++) {
        const struct config_feed *settings = g_ptr_array_index(config->feeds, i);
        g_ptr_array_add(monitor->order,
                        settings->is_enabled ? configure_feed(monitor, settings) : NULL);
    }
    g_hash_table_foreach_remove(monitor->feeds, is_unconfigured, monitor);
    groups_form(monitor);
    if (old)
        config_unref(old);
}

/* A configured feed that is not stored, but whose URL a stored feed has that is no longer
 * configured: it was renamed. */
static void adopt_renamed(struct monitor *monitor, const struct config *config)
{
    g_autoptr(GHashTable) by_url = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, monitor->feeds);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct monitor_feed *feed = value;
        if (feed->state->url && !config_find_feed(config, feed->state->id))
            g_hash_table_insert(by_url, feed->state->url, feed);
    }
    for (guint i = 0; i < config->feeds->len && g_hash_table_size(by_url) > 0; i++) {
        const struct config_feed *settings = g_ptr_array_index(config->feeds, i);
        struct monitor_feed *feed = g_hash_table_lookup(by_url, settings->url);
        if (!feed || g_hash_table_contains(monitor->feeds, settings->id))
            continue;
        g_hash_table_remove(by_url, settings->url);
        g_hash_table_steal(monitor->feeds, feed->state->id);
        store_rename_feed(monitor->parts.store, feed->state->id, settings->id);
        g_free(feed->state->id);
        feed->state->id = g_strdup(settings->id);
        g_hash_table_insert(monitor->feeds, feed->state->id, feed);
    }
}

static void load_states(struct monitor *monitor)
{
    g_autoptr(GPtrArray) states = store_load_feeds(monitor->parts.store);
    for (guint i = 0; i < states->len; i++) {
        struct store_feed *state = g_ptr_array_index(states, i);
        g_ptr_array_index(states, i) = NULL;
        if (g_hash_table_contains(monitor->feeds, state->id)) {
            store_feed_free(state);
            continue;
        }
        g_hash_table_insert(monitor->feeds, state->id, monitor_feed_new(monitor, NULL, state));
    }
}

static bool is_idle(const struct monitor *monitor)
{
    return monitor->polls == 0 && !pending_any(monitor);
}

/* Its place in the queue is by its state. */
static void on_poll_over(struct monitor_feed *feed)
{
    struct monitor *monitor = feed->monitor;
    if (monitor->is_stopped)
        return;
    monitor_place_in_queue(feed);
    refreshes_on_poll_over(feed);
    pending_start(monitor);
    if (monitor->is_once && is_idle(monitor) && monitor->hooks.on_finished)
        monitor->hooks.on_finished(monitor->hooks.user);
    else
        monitor_set_timer(monitor);
}

/* What the feeds show after their database was lost was told before, as far as it was to be told.
 */
static void take_as_known(struct monitor *monitor)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, monitor->feeds);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct monitor_feed *feed = value;
        if (feed->state->is_baselined)
            continue;
        feed->state->is_silent = true;
        store_save_feed(monitor->parts.store, feed->state, NULL, NULL);
    }
    store_end_reset(monitor->parts.store);
}

struct monitor *monitor_new(const struct monitor_parts *parts, struct config *config,
                            const struct monitor_hooks *hooks)
{
    struct monitor *monitor = g_new0(struct monitor, 1);
    monitor->parts = *parts;
    monitor->hooks = *hooks;
    monitor->feeds = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, monitor_feed_free);
    monitor->order = g_ptr_array_new();
    monitor->queue = schedule_queue_new();
    monitor->on_poll_over = on_poll_over;
    monitor->refreshes = g_ptr_array_new();
    load_states(monitor);
    adopt_renamed(monitor, config);
    take_config(monitor, config);
    if (store_was_reset(parts->store))
        take_as_known(monitor);
    return monitor;
}

void monitor_reload(struct monitor *monitor, struct config *config)
{
    refreshes_end(monitor);
    unsaved_flush(monitor, NULL, NULL);
    load_states(monitor);
    adopt_renamed(monitor, config);
    take_config(monitor, config);
    offline_apply(monitor);
    monitor_set_timer(monitor);
}

static gboolean on_timer(gpointer user)
{
    struct monitor *monitor = user;
    struct monitor_feed *feed;
    if (!monitor->is_once)
        resume_check(monitor);
    int64_t now_ms = clock_boot_ms(monitor->parts.clock);
    g_clear_pointer(&monitor->timer, g_source_unref);
    while (!monitor->is_once && (feed = schedule_queue_pop_due(monitor->queue, now_ms)) != NULL)
        if (!feed->poll)
            pending_add(feed, false);
    pending_start(monitor);
    monitor_set_timer(monitor);
    return G_SOURCE_REMOVE;
}

/* Until the loop has to look again; -1: not by itself. */
static int64_t timer_wait_ms(const struct monitor *monitor)
{
    const struct clock *clock = monitor->parts.clock;
    int64_t due_ms, wait_ms = pending_any(monitor) ? PENDING_TICK_MS : TICK_MAX_MS;
    if (monitor->is_stopped)
        return -1;
    if (!monitor->is_once && schedule_queue_next(monitor->queue, &due_ms))
        return MIN(clock_real_delay_ms(clock, due_ms - clock_boot_ms(clock)), wait_ms);
    return pending_any(monitor) ? wait_ms : -1;
}

/* With thousands of polls, most find the timer early enough already: then it looks again itself. */
void monitor_set_timer(struct monitor *monitor)
{
    int64_t wait_ms = timer_wait_ms(monitor);
    if (wait_ms < 0) {
        source_end(&monitor->timer);
        return;
    }
    int64_t ready_us = g_get_monotonic_time() + wait_ms * 1000;
    if (monitor->timer && g_source_get_ready_time(monitor->timer) <= ready_us)
        return;
    source_end(&monitor->timer);
    monitor->timer = source_after(monitor->parts.context, wait_ms, on_timer, monitor);
}

/* What --once obeys: 410, Retry-After and the silence after a 429; not due times or freshness. */
static bool may_ask_now(const struct monitor_feed *feed, int64_t now_s)
{
    const struct schedule_state *schedule = &feed->state->schedule;
    return !schedule->is_gone && !schedule_is_silenced(schedule, now_s);
}

static gboolean on_nothing_to_do(gpointer user)
{
    struct monitor *monitor = user;
    if (monitor->hooks.on_finished)
        monitor->hooks.on_finished(monitor->hooks.user);
    return G_SOURCE_REMOVE;
}

static void start_all(struct monitor *monitor)
{
    int64_t now_s = clock_wall_s(monitor->parts.clock);
    for (guint i = 0; i < monitor->order->len; i++) {
        struct monitor_feed *feed = g_ptr_array_index(monitor->order, i);
        if (feed && feed->group && may_ask_now(feed, now_s))
            pending_add(feed, true);
    }
    pending_start(monitor);
    monitor_set_timer(monitor);
    if (is_idle(monitor))
        g_idle_add(on_nothing_to_do, monitor);
}

void monitor_start(struct monitor *monitor, bool once)
{
    monitor->is_once = once;
    if (once) {
        start_all(monitor);
    } else {
        offline_apply(monitor);
        resume_after_start(monitor);
        monitor_set_timer(monitor);
    }
}

void monitor_stop(struct monitor *monitor)
{
    GHashTableIter iter;
    gpointer value;
    monitor->is_stopped = true;
    offline_end(monitor);
    source_end(&monitor->timer);
    g_hash_table_iter_init(&iter, monitor->feeds);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct monitor_feed *feed = value;
        if (feed->poll)
            poll_cancel(feed->poll);
        if (feed->intake)
            intake_cancel(feed->intake);
    }
    unsaved_flush(monitor, NULL, NULL);
}

void monitor_free(struct monitor *monitor)
{
    if (!monitor)
        return;
    monitor_stop(monitor);
    g_hash_table_unref(monitor->feeds);
    g_ptr_array_unref(monitor->order);
    schedule_queue_free(monitor->queue);
    g_ptr_array_unref(monitor->refreshes);
    judge_rules_unref(monitor->rules);
    config_unref(monitor->config);
    g_free(monitor->user_agent);
    g_free(monitor);
}

void monitor_counts(const struct monitor *monitor, struct monitor_count *ret_count)
{
    GHashTableIter iter;
    gpointer value;
    *ret_count = monitor->count;
    ret_count->feeds = g_hash_table_size(monitor->feeds);
    ret_count->failing = 0;
    ret_count->is_offline = monitor->network && network_is_away(monitor->network);
    g_hash_table_iter_init(&iter, monitor->feeds);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        ret_count->failing += ((struct monitor_feed *)value)->state->schedule.failures > 0;
}
