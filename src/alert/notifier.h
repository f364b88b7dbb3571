/* alert/notifier - the conversation with one desktop's notification server, on libnotify.
 *
 * Lives wholly on one thread with a thread-default GMainContext of its own, which
 * notify_notification_show() may block for 25 s. Finds the session bus, also one whose socket comes
 * later, follows the owner of org.freedesktop.Notifications, and asks each new owner for its
 * capabilities before anything is shown. A click counts only while that owner has the name, and
 * comes only from it; links are opened by alert/open_link.
 *
 * A server that does not answer in time may have shown the popup all the same: the outcome is in
 * doubt until it answers a later question (it showed it: D-Bus keeps the order) or is gone (then
 * the popup is gone too). At most NOTIFIER_SHOWN_MAX popups can be clicked; older ones are
 * forgotten. */
#ifndef ALERT_NOTIFIER_H
#define ALERT_NOTIFIER_H

#include "alert/popup.h"

#include <glib.h>
#include <stdbool.h>

#define NOTIFIER_SHOWN_MAX 64

enum notifier_state {
    NOTIFIER_OFF,    /* no session bus */
    NOTIFIER_ASKING, /* about to know, or the server does not answer */
    NOTIFIER_ABSENT, /* nobody owns the name */
    NOTIFIER_READY
};

enum notifier_outcome {
    NOTIFIER_SHOWN,
    NOTIFIER_GONE,     /* there is no server any more */
    NOTIFIER_DOUBT,    /* on_ready or on_gone will tell */
    NOTIFIER_TOO_FAST, /* KDE: a repeat within a second */
    NOTIFIER_REFUSED
};

struct notifier;

struct notifier_hooks {
    /* The server answers. What was in doubt was shown. */
    void (*on_ready)(void *user);
    /* There is no server now, or no bus. What was in doubt was not shown. */
    void (*on_gone)(enum notifier_state state, void *user);
    /* A link could not be opened. */
    void (*on_trouble)(const char *message, void *user);
    void *user;
};

/* Call all of it on the one thread, its context pushed as thread-default. */
struct notifier *notifier_new(const struct notifier_hooks *hooks);
void notifier_free(struct notifier *notifier);
/* Looks for a bus where there was none, and asks the bus to start a server where nobody is. The
 * state that is known at once. */
enum notifier_state notifier_wake(struct notifier *notifier);
enum notifier_state notifier_state(const struct notifier *notifier);
/* Shows a popup; where *key is one that is still known, in its place. *key is 0 for a new one, and
 * set where it was shown. Only when READY. ret_message: newly allocated, for all but SHOWN. */
enum notifier_outcome notifier_show(struct notifier *notifier, const struct popup *popup,
                                    guint64 *key, char **ret_message);

#endif
