/* Feeds that are to be polled, until there is room. With ten thousand due at once, what a poll
 * holds in memory is held by a thousand of them; by more only while those wait for a few hosts. */
#include "monitor/internal.h"
#include "monitor/offline.h"

/* So many polls may be under way, some seconds' work, and so many start together: their attempts
 * are one transaction, and what lies on one page of the database is written once. What is under way
 * may wait for a few slow or busy hosts; others need not, and so many more start then, too. */
#define POLLS_MAX   1024
#define START_COUNT 512
/* So few urgent ones wait for no company. */
#define URGENT_FEW 64
/* So many commits may wait for the disk before polling pauses. */
#define BACKLOG_MAX 256

/* How many polls may start now. */
static guint room(const struct monitor *monitor)
{
    if (store_backlog(monitor->parts.store) > BACKLOG_MAX)
        return 0;
    const guint left = POLLS_MAX - MIN(monitor->polls, POLLS_MAX);
    const guint n_urgent = monitor->pending.urgent.length;
    if (left >= START_COUNT)
        return left;
    if (monitor->attempts == 0 && fetcher_has_room(monitor->parts.fetcher))
        return START_COUNT;
    return n_urgent <= URGENT_FEW ? MIN(n_urgent, left) : 0;
}

bool pending_any(const struct monitor *monitor)
{
    return monitor->pending.urgent.length + monitor->pending.others.length > 0;
}

void pending_add(struct monitor_feed *feed, bool by_hand)
{
    struct pending *pending = &feed->monitor->pending;
    feed->is_by_hand = feed->is_by_hand || by_hand;
    if (feed->pending_in)
        return;
    schedule_queue_remove(feed->monitor->queue, feed);
    feed->pending_in = feed->is_urgent ? &pending->urgent : &pending->others;
    feed->pending.data = feed;
    g_queue_push_tail_link(feed->pending_in, &feed->pending);
}

void pending_remove(struct monitor_feed *feed)
{
    if (!feed->pending_in)
        return;
    g_queue_unlink(feed->pending_in, &feed->pending);
    feed->pending_in = NULL;
    feed->is_by_hand = false;
}

/* The next one, out of its queue. */
static struct monitor_feed *take(const struct pending *pending, bool *ret_by_hand)
{
    const GQueue *queue = pending->urgent.length > 0 ? &pending->urgent : &pending->others;
    struct monitor_feed *feed = queue->head->data;
    *ret_by_hand = feed->is_by_hand;
    pending_remove(feed);
    return feed;
}

void pending_start(struct monitor *monitor)
{
    if (monitor->is_stopped || !pending_any(monitor))
        return;
    guint n = room(monitor), n_feeds = 0;
    struct monitor_feed *feeds[POLLS_MAX];
    for (bool by_hand; n > 0 && pending_any(monitor); n--) {
        struct monitor_feed *feed = take(&monitor->pending, &by_hand);
        if (by_hand || !offline_holds(feed))
            feeds[n_feeds++] = feed;
    }
    polls_start(monitor, feeds, n_feeds);
}
