/* The feed sink: a file with the newest alerts as an Atom feed, to which any reader can subscribe.
 *
 * The whole file is made anew from the store for each batch, and once at the start, so it never
 * depends on what is in it: a repeat after a crash writes the same bytes, and a file that was
 * deleted comes back. It is replaced as a whole (base/file). */
#include "alert/atom.h"
#include "alert/background.h"
#include "base/file.h"

#define BATCH_MAX 1000

struct feed {
    struct store *store; /* borrowed */
    char *id, *path;
    guint entries;
};

static void *feed_open(const struct sink_settings *settings)
{
    struct feed *feed = g_new0(struct feed, 1);
    feed->store = settings->store;
    feed->id = g_strdup(settings->id);
    feed->path = g_strdup(settings->path);
    feed->entries = settings->entries;
    return feed;
}

static void feed_close(void *state)
{
    struct feed *feed = state;
    g_free(feed->id);
    g_free(feed->path);
    g_free(feed);
}

static bool write_file(const struct feed *feed, const GPtrArray *recent, GError **error)
{
    /* Another machine, or another path, is another feed. */
    g_autofree char *name = g_strdup_printf("%s:%s", g_get_host_name(), feed->path);
    g_autofree char *title = g_strdup_printf("feedwatch: %s", feed->id);
    GString *text = atom_render(name, title, recent);
    bool fine = file_replace(feed->path, text->str, text->len, error);
    g_string_free(text, TRUE);
    return fine;
}

static void feed_deliver(void *state, GPtrArray *alerts, struct background *background)
{
    const struct feed *feed = state;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) recent = store_recent(feed->store, feed->id, feed->entries);
    if (!recent)
        return;
    bool fine = write_file(feed, recent, &error);
    background_report_rest(background, alerts, 0, fine ? SINK_DONE : SINK_DOWN,
                           fine ? NULL : error->message);
    if (!fine && alerts->len == 0) {
        const struct sink_hooks hooks = background_hooks(background);
        hooks.on_trouble(error->message, hooks.user);
    }
}

static struct sink *feed_create(const struct sink_settings *settings,
                                const struct sink_hooks *hooks, GMainContext *context)
{
    static const struct background_work work = {
        .open = feed_open, .deliver = feed_deliver, .close = feed_close};
    struct sink *sink = background_create(&work, settings, hooks, context);
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    background_take(sink, none);
    return sink;
}

const struct sink_type sink_feed = {
    .name = "feed",
    .batch_max = BATCH_MAX,
    .create = feed_create,
    .take = background_take,
    .stop = background_stop,
};
