/* monitor/network - whether there is a network at all.
 *
 * Two signs. The routes (GNetworkMonitor, over netlink): without a default route only loopback and
 * what an address on a link can reach is asked. And doubt: where feeds that were well get no answer
 * on NETWORK_HOSTS_MIN hosts, one after the other, and no host answers in between, it is the
 * network rather than all of them. Doubt lasts until a host answers, at most NETWORK_DOUBT_MAX_S;
 * meanwhile one probe goes out every NETWORK_PROBE_S. Source: polling.md E36.
 *
 * Knows hosts, not feeds (offline.c does). Everything on the default main context. */
#ifndef MONITOR_NETWORK_H
#define MONITOR_NETWORK_H

#include "base/clock.h"

#include <stdbool.h>

#define NETWORK_HOSTS_MIN   3
#define NETWORK_PROBE_S     120
#define NETWORK_DOUBT_MAX_S 43200
#define NETWORK_CALM_S      3600 /* from the end of one doubt to the next */
/* Real time. Names cannot be resolved yet when the route is there, and not all links last. */
#define NETWORK_SETTLE_MS 2000
#define NETWORK_GRACE_MS  60000

struct network;

struct network_hooks {
    void (*on_away)(void *user); /* from within network_on_failure(), or later */
    void (*on_back)(void *user);
    void (*on_probe)(void *user); /* let one of those that wait go */
    void *user;
};

struct network *network_new(const struct clock *clock, const struct network_hooks *hooks);
void network_free(struct network *network);
bool network_is_away(const struct network *network);
/* Since when it is away, wall seconds of the clock. */
int64_t network_away_since_s(const struct network *network);
/* Whether a request to this host is pointless now; never for loopback and addresses on a link.
 * host: lower case, without brackets, as in fetch/url.h. */
bool network_holds(const struct network *network, const char *host);
/* Nothing speaks against the network: an answer would tell nothing. */
bool network_is_trusted(const struct network *network);
/* A host answered, whatever it said. */
void network_on_answer(struct network *network, const char *host);
/* No answer: no connection, no name, no TLS, or silence on a connection of before. was_well: the
 * feed had been read before and did not fail then. True where that says nothing of the host. */
bool network_on_failure(struct network *network, const char *host, bool was_well);

#endif
