#include "monitor/offline.h"

#include "fetch/url.h"
#include "http/proxy.h"
#include "monitor/network.h"

/* A shorter time is none that anybody missed. */
#define GAP_MIN_S 900

/* ---- whom a feed's request goes to first ---- */

static char *host_of_proxy(const char *proxy)
{
    g_autoptr(GUri) uri = g_uri_parse(proxy, G_URI_FLAGS_PARSE_RELAXED, NULL);
    const char *host = uri ? g_uri_get_host(uri) : NULL;
    return host ? g_ascii_strdown(host, -1) : NULL;
}

static char *proxy_in_environment(const struct fetch_url *url)
{
    struct proxy_environment environment;
    proxy_environment_read(&environment);
    const char *proxy = proxy_for(&environment, g_str_has_prefix(url->text, "https:"), url->host);
    char *copy = g_strdup(proxy);
    proxy_environment_clear(&environment);
    return copy;
}

/* NULL: nobody, or nobody knows. */
static char *first_host(const struct monitor_feed *feed)
{
    const struct config_feed *settings = feed->settings;
    struct fetch_url url = {0};
    if (!settings || settings->path || settings->argv ||
        !fetch_url_parse(feed->state->moved_url ? feed->state->moved_url : settings->url, &url,
                         NULL))
        return NULL;
    const char *given = settings->proxy ? settings->proxy : feed->monitor->config->proxy;
    g_autofree char *proxy = given ? g_strdup(given) : proxy_in_environment(&url);
    char *host = proxy && *proxy ? host_of_proxy(proxy) : g_strdup(url.host);
    fetch_url_clear(&url);
    return host;
}

/* ---- away and back ---- */

static void release(struct monitor *monitor)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, monitor->feeds);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct monitor_feed *feed = value;
        if (feed->is_held && !feed->poll)
            monitor_place_in_queue(feed);
        feed->is_held = false;
    }
    resume_spread(monitor);
    monitor_set_timer(monitor);
}

static void take_back_one(struct monitor_feed *feed)
{
    struct schedule_state *schedule = &feed->state->schedule;
    if (schedule->failing_since_s == 0 || schedule->throttles != 0)
        return;
    schedule->failures = 0;
    schedule->failing_since_s = 0;
    schedule->due_s = clock_wall_s(feed->monitor->parts.clock);
    g_clear_pointer(&feed->state->message, g_free);
    feed->is_reported = false;
    if (!feed->poll)
        monitor_place_in_queue(feed);
    store_save_feed(feed->monitor->parts.store, feed->state, NULL, NULL);
}

/* All its failures are since it was well, and the network is to blame: as if it had not been asked.
 */
static void take_back(struct monitor_feed *leader)
{
    g_autoptr(GPtrArray) group = groups_of(leader);
    leader->has_blame = false;
    leader->was_excused = true;
    for (guint i = 0; i < group->len; i++)
        take_back_one(g_ptr_array_index(group, i));
}

static void tell(const struct monitor *monitor, bool is_away)
{
    if (monitor->hooks.on_network)
        monitor->hooks.on_network(is_away, monitor->hooks.user);
}

static void on_away(void *user)
{
    struct monitor *monitor = user;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, monitor->feeds);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct monitor_feed *feed = value;
        if (feed->has_blame)
            take_back(feed);
    }
    tell(monitor, true);
}

static void on_back(void *user)
{
    struct monitor *monitor = user;
    static char reason[] = "there was no network";
    int64_t now_s = clock_wall_s(monitor->parts.clock);
    const struct store_gap gap = {NULL, network_away_since_s(monitor->network), now_s, reason};
    if (now_s - gap.from_s > GAP_MIN_S)
        store_add_gap(monitor->parts.store, &gap);
    tell(monitor, false);
    release(monitor);
}

/* The one that was asked longest ago: in the end each has its turn. */
static void on_probe(void *user)
{
    struct monitor *monitor = user;
    struct monitor_feed *oldest = NULL;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, monitor->feeds);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct monitor_feed *feed = value;
        if (feed->is_held && !feed->poll && feed->group &&
            (!oldest || feed->state->schedule.asked_s < oldest->state->schedule.asked_s))
            oldest = feed;
    }
    if (!oldest)
        return;
    oldest->is_held = false;
    poll_now(oldest);
}

/* ---- feeds ---- */

bool offline_holds(struct monitor_feed *feed)
{
    struct network *network = feed->monitor->network;
    if (!network || !network_is_away(network))
        return false;
    g_autofree char *host = first_host(feed);
    feed->is_held = host && network_holds(network, host);
    return feed->is_held;
}

void offline_on_fetched(struct monitor_feed *leader, struct fetch_result *result)
{
    struct network *network = leader->monitor->network;
    enum schedule_outcome_kind *kind = &result->outcome.kind;
    bool has_answered = result->status != 0;
    if (!network || *kind == SCHEDULE_HELD)
        return;
    if (has_answered)
        leader->has_blame = leader->was_excused = false;
    if (has_answered && network_is_trusted(network))
        return;
    g_autofree char *host = first_host(leader);
    if (!host)
        return;
    if (has_answered) {
        network_on_answer(network, host);
        return;
    }
    const struct schedule_state *schedule = &leader->state->schedule;
    bool was_well =
        schedule->looked_s > 0 && schedule->failing_since_s == 0 && !leader->was_excused;
    leader->has_blame = leader->has_blame || was_well;
    if (network_on_failure(network, host, was_well)) {
        leader->has_blame = false;
        *kind = SCHEDULE_OFFLINE;
    }
}

/* ---- lifecycle ---- */

void offline_apply(struct monitor *monitor)
{
    const struct network_hooks hooks = {on_away, on_back, on_probe, monitor};
    bool is_wanted = monitor->config->offline_auto && !monitor->is_once;
    if (is_wanted == (monitor->network != NULL))
        return;
    if (!is_wanted) {
        g_clear_pointer(&monitor->network, network_free);
        release(monitor);
        return;
    }
    monitor->network = network_new(monitor->parts.clock, &hooks);
    if (network_is_away(monitor->network))
        tell(monitor, true);
}

void offline_end(struct monitor *monitor)
{
    g_clear_pointer(&monitor->network, network_free);
}
