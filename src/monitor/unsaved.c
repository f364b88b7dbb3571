/* An outcome without news is needed by nobody at once: should the daemon die, the attempt is
 * stored. So it waits for others, and a page of the database on which many feeds have changed is
 * written once. */
#include "monitor/internal.h"

#include "base/source.h"

#define WAIT_MS   1000
#define FEEDS_MAX 4096

static gboolean on_timer(gpointer user)
{
    unsaved_flush(user, NULL, NULL);
    return G_SOURCE_REMOVE;
}

void unsaved_add(struct monitor_feed *feed)
{
    struct monitor *monitor = feed->monitor;
    unsaved_remove(feed);
    feed->unsaved.data = feed;
    g_queue_push_tail_link(&monitor->unsaved, &feed->unsaved);
    if (monitor->unsaved.length >= FEEDS_MAX) {
        unsaved_flush(monitor, NULL, NULL);
    } else if (!monitor->saving) {
        monitor->saving = source_after(monitor->parts.context, WAIT_MS, on_timer, monitor);
    }
}

void unsaved_remove(struct monitor_feed *feed)
{
    if (feed->unsaved.data)
        g_queue_unlink(&feed->monitor->unsaved, &feed->unsaved);
    feed->unsaved.data = NULL;
}

void unsaved_store(struct monitor *monitor, struct monitor_feed *const *feeds, size_t n_feeds,
                   store_done on_done, void *user)
{
    struct store *store = monitor->parts.store;
    g_autofree const struct store_feed **states = g_new(const struct store_feed *, n_feeds);
    size_t n = 0;
    for (size_t i = 0; i < n_feeds; i++) {
        struct monitor_feed *feed = feeds[i];
        unsaved_remove(feed);
        if (feed->is_changed)
            store_save_feed(store, feed->state, NULL, NULL);
        else
            states[n++] = feed->state;
        feed->is_changed = false;
    }
    store_save_schedules(store, states, n, on_done, user);
}

void unsaved_flush(struct monitor *monitor, store_done on_done, void *user)
{
    g_autofree struct monitor_feed **feeds =
        g_new(struct monitor_feed *, monitor->unsaved.length + 1);
    size_t n = 0;
    for (GList *link = monitor->unsaved.head; link; link = link->next)
        feeds[n++] = link->data;
    source_end(&monitor->saving);
    if (n > 0 || on_done)
        unsaved_store(monitor, feeds, n, on_done, user);
}
