/* monitor/control - the socket by which the command talks to a running daemon.
 *
 * STATE_DIR/control, a Unix socket (0600); only the daemon's own user and root are heard
 * (SO_PEERCRED). A request is one line with one JSON object, {"command": NAME, …}. The answer is
 * one object a line: any number that the command says, then a last one with "done": true, and with
 * "error": TEXT where the request failed. Requests of one connection are answered one after
 * another.
 *
 * Bounded: CONTROL_CLIENTS_MAX connections (one more is told so and closed), CONTROL_LINE_MAX bytes
 * a request, CONTROL_OUT_MAX bytes that a client has not read yet, CONTROL_IDLE_MS until a client
 * must have sent its request. A call that is under way has its own deadline.
 *
 * Whoever opens holds the state directory's lock already, so a socket that is there belongs to a
 * dead daemon and is replaced; anything else under that name is refused. */
#ifndef MONITOR_CONTROL_H
#define MONITOR_CONTROL_H

#include "base/json.h"

#include <gio/gio.h>
#include <stdbool.h>

#define CONTROL_CLIENTS_MAX 16
#define CONTROL_LINE_MAX    (1 << 20) /* ten thousand feeds by name */
#define CONTROL_OUT_MAX     (8 << 20)
#define CONTROL_IDLE_MS     10000

struct control;
struct control_call; /* a request that is not answered yet */

struct control_command {
    const char *name;
    /* Begins the work; the call ends, now or later, with control_end() or control_fail(). request
     * is borrowed until return. user is the command's own. */
    void (*run)(struct control_call *call, const json_t *request, void *user);
    void *user;
};

/* commands: ends with a name of NULL; borrowed, outlives the control. Errors: G_IO_ERROR. */
struct control *control_new(GMainContext *context, const char *state_dir,
                            const struct control_command *commands, GError **error);
/* Ends what is under way, tells the callers, removes the socket. NULL is ignored. */
void control_free(struct control *control);

/* One line of the answer; takes the object. */
void control_say(struct control_call *call, json_t *object);
/* The last one; the call is gone afterwards. */
void control_end(struct control_call *call);
void control_fail(struct control_call *call, const char *message);
/* on_gone(data) comes when the client hangs up or the daemon stops before the end: the call is gone
 * then. */
void control_on_gone(struct control_call *call, void (*on_gone)(void *data), void *data);

/* For the command: a blocking connection to the daemon of that directory. G_IO_ERROR_NOT_FOUND or
 * G_IO_ERROR_CONNECTION_REFUSED where none listens. */
GSocket *control_connect(const char *state_dir, GError **error);

#endif
