#include "monitor/refresh.h"

#include "monitor/internal.h"

struct refresh {
    struct monitor *monitor; /* NULL once nobody listens any more */
    struct refresh_hooks hooks;
    bool *waiting; /* as monitor->order: the outcome of that feed is to come */
    guint n_waiting;
    bool is_ending; /* every outcome is told, and on its way to the database */
};

static void tell(const struct refresh *refresh, const struct refresh_news *news)
{
    refresh->hooks.on_feed(news, refresh->hooks.user);
}

/* While the store owes it an answer, that frees it. */
static void refresh_free(struct refresh *refresh)
{
    if (refresh->monitor)
        g_ptr_array_remove_fast(refresh->monitor->refreshes, refresh);
    refresh->monitor = NULL;
    if (refresh->is_ending)
        return;
    g_free(refresh->waiting);
    g_free(refresh);
}

void refresh_cancel(struct refresh *refresh)
{
    refresh_free(refresh);
}

static void tell_unfinished(const struct refresh *refresh, const GPtrArray *order)
{
    for (guint i = 0; i < order->len; i++) {
        if (!refresh->waiting[i])
            continue;
        const struct monitor_feed *feed = g_ptr_array_index(order, i);
        const struct refresh_news news = {.feed_id = feed->state->id, .kind = REFRESH_UNFINISHED};
        tell(refresh, &news);
    }
}

void refresh_stop(struct refresh *refresh)
{
    tell_unfinished(refresh, refresh->monitor->order);
    refresh_free(refresh);
}

static void on_stored(void *user)
{
    struct refresh *refresh = user;
    const struct refresh_hooks hooks = refresh->hooks;
    bool is_heard = refresh->monitor != NULL;
    refresh->is_ending = false;
    refresh_free(refresh);
    if (is_heard)
        hooks.on_done(hooks.user);
}

/* Who asks the database after it finds what was told. */
static void finish(struct refresh *refresh)
{
    refresh->is_ending = true;
    unsaved_flush(refresh->monitor, on_stored, refresh);
}

/* ---- what happens to a feed ---- */

/* Whether it may be asked now; else why not. */
static struct refresh_news decide(const struct monitor_feed *feed,
                                  const struct monitor_feed *leader)
{
    const struct schedule_state *schedule = &leader->state->schedule;
    int64_t now_s = clock_wall_s(feed->monitor->parts.clock);
    struct refresh_news news = {.feed_id = feed->state->id, .kind = REFRESH_POLLING};
    if (leader->poll || leader->pending_in)
        return news;
    if (schedule->is_gone) {
        news.kind = REFRESH_GONE;
    } else if (schedule_is_silenced(schedule, now_s)) {
        news.kind = REFRESH_SILENT;
        news.time_s = schedule->allowed_s;
    } else if (schedule->asked_s > 0 && ABS(now_s - schedule->asked_s) <= REFRESH_GAP_S) {
        news.kind = REFRESH_RECENT;
        news.time_s = schedule->asked_s;
        news.message = feed->state->message;
    }
    return news;
}

static void refresh_feed(struct refresh *refresh, struct monitor_feed *feed,
                         struct monitor_feed *leader)
{
    const struct refresh_news news = decide(feed, leader);
    tell(refresh, &news);
    if (news.kind != REFRESH_POLLING)
        return;
    refresh->waiting[feed->index] = true;
    refresh->n_waiting++;
    if (!leader->poll)
        pending_add(leader, true);
}

static void refresh_id(struct refresh *refresh, const char *id)
{
    struct monitor_feed *feed = g_hash_table_lookup(refresh->monitor->feeds, id);
    const struct refresh_news disabled = {.feed_id = id, .kind = REFRESH_DISABLED};
    if (feed && feed->leader)
        refresh_feed(refresh, feed, feed->leader);
    else
        tell(refresh, &disabled);
}

struct refresh *refresh_start(struct monitor *monitor, const char *const *feed_ids,
                              const struct refresh_hooks *hooks)
{
    struct refresh *refresh = g_new0(struct refresh, 1);
    refresh->monitor = monitor;
    refresh->hooks = *hooks;
    refresh->waiting = g_new0(bool, monitor->order->len);
    g_ptr_array_add(monitor->refreshes, refresh);
    for (; feed_ids && *feed_ids; feed_ids++)
        refresh_id(refresh, *feed_ids);
    for (guint i = 0; !feed_ids && i < monitor->order->len; i++) {
        struct monitor_feed *feed = g_ptr_array_index(monitor->order, i);
        if (feed && feed->leader)
            refresh_feed(refresh, feed, feed->leader);
    }
    pending_start(monitor);
    monitor_set_timer(monitor);
    if (refresh->n_waiting > 0)
        return refresh;
    refresh_free(refresh);
    return NULL;
}

/* ---- outcomes ---- */

static struct refresh_news outcome_of(const struct monitor_feed *feed)
{
    struct refresh_news news = {.feed_id = feed->state->id, .message = feed->state->message};
    switch (feed->last.kind) {
    case SCHEDULE_OK:
        news.kind = REFRESH_NEWS;
        news.n_new = feed->last.n_new;
        news.n_alerts = feed->last.n_alerts;
        break;
    case SCHEDULE_NOT_MODIFIED:
    case SCHEDULE_UNCHANGED:
        news.kind = REFRESH_UNCHANGED;
        break;
    case SCHEDULE_HELD:
        news.kind = REFRESH_SILENT;
        news.time_s = feed->state->schedule.allowed_s;
        break;
    case SCHEDULE_OFFLINE:
        news.kind = REFRESH_FAILED;
        news.message = "there is no network";
        break;
    default:
        news.kind = REFRESH_FAILED;
        break;
    }
    return news;
}

static void tell_outcomes(struct refresh *refresh, const GPtrArray *group)
{
    for (guint i = 0; i < group->len; i++) {
        const struct monitor_feed *feed = g_ptr_array_index(group, i);
        if (!refresh->waiting[feed->index])
            continue;
        refresh->waiting[feed->index] = false;
        refresh->n_waiting--;
        const struct refresh_news news = outcome_of(feed);
        tell(refresh, &news);
    }
    if (refresh->n_waiting == 0 && !refresh->is_ending)
        finish(refresh);
}

/* From the end, since a refresh that is done goes out of the list. */
void refreshes_on_poll_over(struct monitor_feed *leader)
{
    GPtrArray *refreshes = leader->monitor->refreshes;
    if (refreshes->len == 0)
        return;
    g_autoptr(GPtrArray) group = groups_of(leader);
    for (guint i = refreshes->len; i > 0; i--)
        tell_outcomes(g_ptr_array_index(refreshes, i - 1), group);
}

void refreshes_end(struct monitor *monitor)
{
    while (monitor->refreshes->len > 0) {
        struct refresh *refresh = g_ptr_array_index(monitor->refreshes, 0);
        const struct refresh_hooks hooks = refresh->hooks;
        tell_unfinished(refresh, monitor->order);
        refresh_free(refresh);
        hooks.on_done(hooks.user);
    }
}
