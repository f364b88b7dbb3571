#include "monitor/internal.h"
#include "monitor/notices.h"
#include "schedule/health.h"

void monitor_place_in_queue(struct monitor_feed *feed)
{
    struct monitor *monitor = feed->monitor;
    if (monitor->is_once || !feed->group || feed->state->schedule.is_gone || feed->is_by_hand)
        return;
    pending_remove(feed);
    int64_t wait_s = feed->state->schedule.due_s - clock_wall_s(monitor->parts.clock);
    schedule_queue_set(monitor->queue, feed,
                       clock_boot_ms(monitor->parts.clock) + MAX(wait_s, 0) * 1000);
}

struct schedule_settings monitor_schedule_settings(const struct monitor_feed *feed)
{
    return (struct schedule_settings){feed->group_interval_s, feed->settings->cache_max_s};
}

/* Most often it is there already. */
static void take_text(char **place, const char *text)
{
    if (g_strcmp0(*place, text) == 0)
        return;
    g_free(*place);
    *place = g_strdup(text);
}

void monitor_take_validators(struct store_feed *state, const struct fetch_validators *validators)
{
    take_text(&state->etag, validators->etag);
    take_text(&state->last_modified, validators->last_modified);
}

bool monitor_is_asked(const struct schedule_outcome *outcome)
{
    return outcome->kind != SCHEDULE_HELD && outcome->kind != SCHEDULE_OFFLINE;
}

/* It can be read again: how long it could not is kept, for `feedwatch status --coverage`. */
static void note_outage(const struct monitor_feed *feed, const struct schedule_state *before)
{
    const struct schedule_settings settings = monitor_schedule_settings(feed);
    const struct store_feed *state = feed->state;
    int64_t now_s = state->schedule.looked_s;
    if (before->failing_since_s == 0 || state->schedule.failing_since_s != 0 ||
        !schedule_is_outage(&settings, before, now_s - before->failing_since_s))
        return;
    g_autofree char *reason = g_strdup_printf("could not be read%s%s", state->message ? ": " : "",
                                              state->message ? state->message : "");
    const struct store_gap gap = {state->id, before->failing_since_s, now_s, reason};
    store_add_gap(feed->monitor->parts.store, &gap);
}

void monitor_fold_outcome(struct monitor_feed *feed, const struct schedule_outcome *outcome,
                          const char *message)
{
    const struct schedule_settings settings = monitor_schedule_settings(feed);
    const struct schedule_state before = feed->state->schedule;
    feed->last = (struct monitor_outcome){.kind = outcome->kind, .n_new = outcome->n_new};
    schedule_after(&settings, &feed->state->schedule, outcome,
                   clock_wall_s(feed->monitor->parts.clock), g_random_int());
    note_outage(feed, &before);
    if (monitor_is_asked(outcome)) {
        g_free(feed->state->message);
        feed->state->message = g_strdup(message);
    }
    notices_on_outcome(feed, &before);
}

/* What was remembered of another address does not hold for this one. */
void monitor_forget_address(struct store_feed *state)
{
    g_clear_pointer(&state->etag, g_free);
    g_clear_pointer(&state->last_modified, g_free);
    g_clear_pointer(&state->moved_url, g_free);
    g_clear_pointer(&state->candidate_url, g_free);
    state->candidate_since_s = 0;
    state->candidate_seen = 0;
    state->body_hash = 0;
    state->schedule = (struct schedule_state){.rhythm_s = state->schedule.rhythm_s,
                                              .pause_s = state->schedule.pause_s,
                                              .new_item_s = state->schedule.new_item_s};
}

void monitor_on_outcome(struct monitor_feed *feed, bool ok, const char *message)
{
    struct monitor *monitor = feed->monitor;
    monitor->count.polled++;
    if (!ok)
        monitor->count.failed_now++;
    bool was_failing = feed->is_reported;
    feed->is_reported = !ok;
    if (monitor->hooks.on_feed && (ok ? was_failing : !was_failing || monitor->is_once))
        monitor->hooks.on_feed(feed->state->id, message, monitor->hooks.user);
}

void monitor_on_moved(struct monitor_feed *feed)
{
    const struct monitor_hooks *hooks = &feed->monitor->hooks;
    notices_on_moved(feed);
    if (hooks->on_moved)
        hooks->on_moved(feed->state->id, feed->state->moved_url, hooks->user);
}
