#include "monitor/control_poll.h"

#include "base/source.h"
#include "base/suggest.h"
#include "monitor/internal.h"
#include "monitor/refresh.h"

struct waiter {
    struct control_call *call;
    struct refresh *refresh;
    GSource *deadline;
    json_t *brief; /* what is said of most feeds, again with another name */
};

static const char *state_name(enum refresh_kind kind)
{
    static const char *const names[] = {
        [REFRESH_POLLING] = "polling",
        [REFRESH_RECENT] = "recent",
        [REFRESH_SILENT] = "silent",
        [REFRESH_GONE] = "gone",
        [REFRESH_NEWS] = "news",
        [REFRESH_UNCHANGED] = "unchanged",
        [REFRESH_FAILED] = "failed",
        [REFRESH_DISABLED] = "disabled",
        [REFRESH_UNFINISHED] = "unfinished",
    };
    return names[kind];
}

static void on_feed(const struct refresh_news *news, void *user)
{
    const struct waiter *waiter = user;
    bool is_brief = news->kind == REFRESH_POLLING || news->kind == REFRESH_UNCHANGED;
    json_t *object = is_brief ? json_incref(waiter->brief) : json_object();
    json_set_text(object, "feed", news->feed_id);
    json_set_text(object, "state", state_name(news->kind));
    if (news->kind == REFRESH_NEWS) {
        json_set_int(object, "new", news->n_new);
        json_set_int(object, "alerts", news->n_alerts);
    }
    if (news->kind == REFRESH_RECENT)
        json_set_int(object, "asked", news->time_s);
    if (news->kind == REFRESH_SILENT)
        json_set_int(object, "until", news->time_s);
    if (news->kind == REFRESH_FAILED || news->kind == REFRESH_RECENT)
        json_set_text(object, "message", news->message);
    control_say(waiter->call, object);
}

static void waiter_free(struct waiter *waiter)
{
    source_end(&waiter->deadline);
    json_decref(waiter->brief);
    g_free(waiter);
}

static void end(struct waiter *waiter)
{
    struct control_call *call = waiter->call;
    waiter_free(waiter);
    control_end(call);
}

static void on_done(void *user)
{
    end(user);
}

static gboolean on_deadline(gpointer user)
{
    struct waiter *waiter = user;
    refresh_stop(waiter->refresh);
    end(waiter);
    return G_SOURCE_REMOVE;
}

static void on_gone(void *data)
{
    struct waiter *waiter = data;
    refresh_cancel(waiter->refresh);
    waiter_free(waiter);
}

static void start(struct control_call *call, struct monitor *monitor, const char *const *ids,
                  int64_t wait_s)
{
    struct waiter *waiter = g_new0(struct waiter, 1);
    const struct refresh_hooks hooks = {on_feed, on_done, waiter};
    waiter->call = call;
    waiter->brief = json_object();
    waiter->refresh = refresh_start(monitor, ids, &hooks);
    if (waiter->refresh && wait_s > 0) {
        control_on_gone(call, on_gone, waiter);
        waiter->deadline = source_after(monitor->parts.context, wait_s * 1000, on_deadline, waiter);
        return;
    }
    if (waiter->refresh)
        refresh_cancel(waiter->refresh);
    end(waiter);
}

/* ---- the request ---- */

static char *explain_unknown(const struct monitor *monitor, const char *id)
{
    struct suggest suggest;
    suggest_init(&suggest, id);
    for (guint i = 0; i < monitor->config->feeds->len; i++)
        suggest_offer(
            &suggest,
            ((const struct config_feed *)g_ptr_array_index(monitor->config->feeds, i))->id);
    if (suggest.best)
        return g_strdup_printf("there is no feed '%s'; did you mean '%s'?", id, suggest.best);
    return g_strdup_printf("there is no feed '%s' in the daemon's configuration", id);
}

/* The IDs as the configuration has them, each once; NULL with *ret_problem where they are not. */
static GPtrArray *read_feeds(const struct monitor *monitor, const json_t *list, char **ret_problem)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    size_t i;
    const json_t *entry;
    json_array_foreach(list, i, entry)
    {
        const char *id = json_string_value(entry);
        const struct config_feed *settings = id ? config_find_feed(monitor->config, id) : NULL;
        if (!settings) {
            *ret_problem =
                id ? explain_unknown(monitor, id) : g_strdup("\"feeds\" is a list of feed IDs");
            return NULL;
        }
        if (!g_ptr_array_find(ids, settings->id, NULL))
            g_ptr_array_add(ids, settings->id);
    }
    if (ids->len > 0)
        g_ptr_array_add(ids, NULL);
    return g_steal_pointer(&ids);
}

void control_poll(struct control_call *call, const json_t *request, void *user)
{
    struct monitor *monitor = user;
    g_autofree char *problem = NULL;
    g_autoptr(GPtrArray) ids = read_feeds(monitor, json_object_get(request, "feeds"), &problem);
    if (!ids) {
        control_fail(call, problem);
        return;
    }
    int64_t wait_s = json_integer_value(json_object_get(request, "wait"));
    start(call, monitor, ids->len > 0 ? (const char *const *)ids->pdata : NULL,
          CLAMP(wait_s, 0, CONTROL_POLL_WAIT_MAX_S));
}
