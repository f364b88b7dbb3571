/* daemon/sinks - the configured sinks, handed to whom they belong: logs to the store, the others to
 * the dispatcher. */
#ifndef DAEMON_SINKS_H
#define DAEMON_SINKS_H

#include "alert/dispatcher.h"
#include "config/config.h"

void sinks_apply(const struct config *config, struct store *store, struct dispatcher *dispatcher);

#endif
