#include "monitor/network.h"

#include "base/source.h"
#include "http/address.h"

#include <gio/gio.h>

struct network {
    const struct clock *clock;
    struct network_hooks hooks;
    GNetworkMonitor *routes;
    gulong handler;
    bool is_linked;        /* there are routes */
    bool is_doubted;       /* all the same, nobody answers */
    int64_t away_since_s;  /* 0: it is there */
    int64_t back_ms;       /* real boot time; when it came back last, 0: never was away */
    int64_t doubt_until_s; /* no longer than this, and no new doubt after it before an answer */
    int64_t calm_until_s;
    GHashTable *failed; /* hosts, since one answered last */
    GSource *settle, *probe;
};

bool network_is_away(const struct network *network)
{
    return network->away_since_s != 0;
}

int64_t network_away_since_s(const struct network *network)
{
    return network->away_since_s;
}

/* ---- hosts ---- */

/* A private address answers, or does not, whatever becomes of the Internet. */
static bool is_near(const char *host)
{
    return address_host_is_private(host);
}

/* Without a default route. A name is not resolved for the question; what is a private address in
 * another form than usual (127.1) has the benefit of the doubt. */
static bool has_route(const struct network *network, const char *host)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);
    if (!address)
        return is_near(host);
    if (g_inet_address_get_is_loopback(address))
        return true;
    g_autoptr(GSocketAddress) socket = g_inet_socket_address_new(address, 80);
    return g_network_monitor_can_reach(network->routes, G_SOCKET_CONNECTABLE(socket), NULL, NULL);
}

/* ---- away and back ---- */

static void go_away(struct network *network)
{
    if (network_is_away(network))
        return;
    network->away_since_s = clock_wall_s(network->clock);
    network->hooks.on_away(network->hooks.user);
}

static void come_back(struct network *network)
{
    source_end(&network->probe);
    source_end(&network->settle);
    network->is_doubted = false;
    g_hash_table_remove_all(network->failed);
    if (!network_is_away(network))
        return;
    network->back_ms = clock_real_boot_ms();
    network->hooks.on_back(network->hooks.user);
    network->away_since_s = 0;
}

static gboolean on_settled(gpointer user)
{
    come_back(user);
    return G_SOURCE_REMOVE;
}

static void on_routes_changed(GNetworkMonitor *routes, gboolean is_available, gpointer user)
{
    struct network *network = user;
    (void)routes;
    if (network->is_linked == (bool)is_available)
        return;
    network->is_linked = is_available;
    source_end(&network->settle);
    if (is_available) {
        network->settle = source_after(NULL, NETWORK_SETTLE_MS, on_settled, network);
    } else {
        source_end(&network->probe);
        network->is_doubted = false;
        go_away(network);
    }
}

/* ---- doubt ---- */

static gboolean on_probe(gpointer user)
{
    struct network *network = user;
    if (clock_wall_s(network->clock) < network->doubt_until_s) {
        network->hooks.on_probe(network->hooks.user);
        return G_SOURCE_CONTINUE;
    }
    come_back(network); /* they are what fails, then */
    return G_SOURCE_REMOVE;
}

static void doubt(struct network *network)
{
    int64_t probe_ms = clock_real_delay_ms(network->clock, NETWORK_PROBE_S * 1000);
    network->is_doubted = true;
    network->doubt_until_s = clock_wall_s(network->clock) + NETWORK_DOUBT_MAX_S;
    network->probe = source_after(NULL, probe_ms, on_probe, network);
    go_away(network);
}

static bool is_in_grace(const struct network *network)
{
    return network->back_ms != 0 && clock_real_boot_ms() - network->back_ms < NETWORK_GRACE_MS;
}

bool network_holds(const struct network *network, const char *host)
{
    if (!network_is_away(network))
        return false;
    return network->is_linked ? !is_near(host) : !has_route(network, host);
}

bool network_is_trusted(const struct network *network)
{
    return network->doubt_until_s == 0 && !network->is_doubted &&
           g_hash_table_size(network->failed) == 0;
}

void network_on_answer(struct network *network, const char *host)
{
    if (is_near(host))
        return;
    network->doubt_until_s = 0;
    g_hash_table_remove_all(network->failed);
    if (!network->is_doubted)
        return;
    network->calm_until_s = clock_wall_s(network->clock) + NETWORK_CALM_S;
    come_back(network);
}

/* Whether doubt may arise now: not again while nothing has answered, nor soon after it was over. */
static bool may_doubt(const struct network *network)
{
    return network->doubt_until_s == 0 && clock_wall_s(network->clock) >= network->calm_until_s;
}

bool network_on_failure(struct network *network, const char *host, bool was_well)
{
    if (network_holds(network, host) || is_in_grace(network))
        return true;
    if (is_near(host) || !was_well || !may_doubt(network))
        return false;
    g_hash_table_add(network->failed, g_strdup(host));
    if (g_hash_table_size(network->failed) >= NETWORK_HOSTS_MIN)
        doubt(network);
    return network->is_doubted;
}

/* ---- lifecycle ---- */

struct network *network_new(const struct clock *clock, const struct network_hooks *hooks)
{
    struct network *network = g_new0(struct network, 1);
    network->clock = clock;
    network->hooks = *hooks;
    network->failed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    network->routes = g_network_monitor_get_default(); /* one for the process, and never freed */
    network->handler = g_signal_connect(network->routes, "network-changed",
                                        G_CALLBACK(on_routes_changed), network);
    network->is_linked = g_network_monitor_get_network_available(network->routes);
    if (!network->is_linked)
        network->away_since_s = clock_wall_s(clock);
    return network;
}

void network_free(struct network *network)
{
    if (!network)
        return;
    g_signal_handler_disconnect(network->routes, network->handler);
    source_end(&network->settle);
    source_end(&network->probe);
    g_hash_table_unref(network->failed);
    g_free(network);
}
