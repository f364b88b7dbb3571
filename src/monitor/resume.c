/* After a time in which nobody looked: what has fallen due is laid over some minutes (E35, E36). */
#include "monitor/internal.h"
#include "schedule/spread.h"

/* CLOCK_BOOTTIME runs on in suspend, CLOCK_MONOTONIC does not: their difference grows by the time
 * asleep. */
#define SLEPT_MS 30000
/* So few need no spreading, only the limited rate. */
#define FEW_FEEDS 20
/* A daemon that comes back after longer than this was away, not restarted. */
#define AWAY_S 900

static int64_t slept_ms(void)
{
    return clock_real_boot_ms() - g_get_monotonic_time() / 1000;
}

/* Leaders that were polled before and are due by end_s; a new feed waits for nobody, nor does one
 * that somebody asked for. */
static GPtrArray *known_until(const struct monitor *monitor, int64_t end_s)
{
    GPtrArray *feeds = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, monitor->feeds);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct monitor_feed *feed = value;
        const struct schedule_state *schedule = &feed->state->schedule;
        if (feed->group && !feed->poll && !feed->is_by_hand && schedule->asked_s > 0 &&
            schedule->due_s <= end_s)
            g_ptr_array_add(feeds, feed);
    }
    return feeds;
}

void resume_spread(struct monitor *monitor)
{
    int64_t now_s = clock_wall_s(monitor->parts.clock);
    g_autoptr(GPtrArray) due = known_until(monitor, now_s);
    if (due->len == 0)
        return;
    fetcher_limit_rate(monitor->parts.fetcher, SPREAD_GAP_MS, SPREAD_SPAN_S * 1000);
    if (due->len <= FEW_FEEDS)
        return;
    g_autoptr(GPtrArray) feeds = known_until(monitor, now_s + SPREAD_SPAN_S);
    g_autofree struct spread_feed *plan = g_new0(struct spread_feed, feeds->len);
    for (guint i = 0; i < feeds->len; i++) {
        const struct monitor_feed *feed = g_ptr_array_index(feeds, i);
        plan[i] = (struct spread_feed){feed->state->schedule.due_s, feed->is_urgent};
    }
    schedule_spread(plan, feeds->len, now_s, g_random_int());
    for (guint i = 0; i < feeds->len; i++) {
        struct monitor_feed *feed = g_ptr_array_index(feeds, i);
        feed->state->schedule.due_s = plan[i].due_s;
        monitor_place_in_queue(feed);
    }
}

static void note_gap(struct monitor *monitor, int64_t length_s, char *reason)
{
    int64_t now_s = clock_wall_s(monitor->parts.clock);
    const struct store_gap gap = {NULL, now_s - length_s, now_s, reason};
    store_add_gap(monitor->parts.store, &gap);
}

void resume_check(struct monitor *monitor)
{
    int64_t now_ms = slept_ms();
    int64_t asleep_ms = now_ms - monitor->slept_ms;
    monitor->slept_ms = now_ms;
    if (asleep_ms < SLEPT_MS)
        return;
    static char reason[] = "the machine was asleep";
    note_gap(monitor, (int64_t)((double)asleep_ms * clock_scale(monitor->parts.clock)) / 1000,
             reason);
    resume_spread(monitor);
}

void resume_after_start(struct monitor *monitor)
{
    int64_t asked_s = 0;
    GHashTableIter iter;
    gpointer value;
    monitor->slept_ms = slept_ms();
    g_hash_table_iter_init(&iter, monitor->feeds);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        asked_s = MAX(asked_s, ((struct monitor_feed *)value)->state->schedule.asked_s);
    int64_t away_s = clock_wall_s(monitor->parts.clock) - asked_s;
    g_autoptr(GPtrArray) due = known_until(monitor, clock_wall_s(monitor->parts.clock));
    if (asked_s == 0 || due->len == 0)
        return;
    static char reason[] = "feedwatchd was not running";
    if (away_s > AWAY_S)
        note_gap(monitor, away_s, reason);
    resume_spread(monitor);
}
