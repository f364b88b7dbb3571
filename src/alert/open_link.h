/* alert/open_link - opens a feed's link in the user's browser, outside the daemon's own sandbox.
 *
 * A browser must not inherit the daemon's restrictions nor die with it, so the link goes, in this
 * order, each step after the one before has failed: to the OpenURI portal; to the user's systemd,
 * as a transient unit that runs `xdg-open URL`; and only where the daemon itself is no unit, to
 * `xdg-open URL` as its own process. A user who declines in the portal's dialogue has decided, so
 * that is no failure. Never a shell. The link is one argument that begins with "http", so it is no
 * option either.
 *
 * The environment variable FEEDWATCH_OPENER, an absolute path, takes the place of both portal and
 * xdg-open: for tests, and for whoever wants another program.
 *
 * Asynchronous, on the thread-default context of the caller; the bus is the session bus. */
#ifndef ALERT_OPEN_LINK_H
#define ALERT_OPEN_LINK_H

#include <gio/gio.h>

/* The link as it may be handed to a browser: http or https, with a host and without user or
 * password, blanks and controls percent-encoded. NULL where it is not such a link. Newly allocated.
 * Source: RFC 3986. */
char *open_link_clean(const char *link);

/* error is NULL where the link was handed on; borrowed. */
typedef void (*open_link_done)(const GError *error, void *user);

/* token: the activation token of the click (xdg-activation), or NULL. on_done comes exactly once,
 * also from within the call; not after cancellable, which may be NULL, was cancelled. */
void open_link(GDBusConnection *bus, const char *link, const char *token, GCancellable *cancellable,
               open_link_done on_done, void *user);

#endif
