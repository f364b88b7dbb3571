/* daemon/ask - one request to the running daemon, over its control socket. */
#ifndef DAEMON_ASK_H
#define DAEMON_ASK_H

#include "base/json.h"

#include <stdbool.h>

/* One line of the answer but the last; borrowed. */
typedef void (*ask_on_line)(const json_t *line, void *user);

/* Sends the request (taken over) and hands over what comes. False after saying on stderr what is
 * wrong: no daemon, or what the daemon said. */
bool ask_daemon(const char *state_dir, json_t *request, ask_on_line on_line, void *user);

#endif
