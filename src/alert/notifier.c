#include "alert/notifier.h"

#include "alert/open_link.h"
#include "base/log.h"
#include "base/source.h"

#include <gio/gio.h>
#include <libnotify/notify.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_NAME      "org.freedesktop.Notifications"
#define SERVER_PATH      "/org/freedesktop/Notifications"
#define SERVER_INTERFACE "org.freedesktop.Notifications"
#define BUS_PAUSE_MS     100
#define BUS_TRIES_MAX    20
#define ERROR_TOO_FAST   "org.freedesktop.Notifications.Error.ExcessNotificationGeneration"

struct notifier {
    struct notifier_hooks hooks;
    enum notifier_state state;
    GDBusConnection *bus;
    gulong closed_handler;
    guint watch;
    char *owner; /* unique name */
    GCancellable *asking;
    bool has_markup, has_actions;
    bool has_proxy;        /* libnotify knows this owner */
    GFileMonitor *waiting; /* for a bus */
    GSource *bus_timer;    /* one is about to listen */
    guint bus_tries;
    GCancellable *openings; /* what clicks have begun */
    GQueue shown;           /* struct shown, the latest last */
    guint64 last_key;
};

struct shown {
    guint64 key;
    NotifyNotification *notification;
    char *link;
    struct notifier *notifier;
};

static void shown_free(gpointer data)
{
    struct shown *shown = data;
    /* libnotify may hold it a little longer, as in the middle of a signal. */
    notify_notification_clear_actions(shown->notification);
    g_object_unref(shown->notification);
    g_free(shown->link);
    g_free(shown);
}

/* No popup of an owner that has left can be clicked: libnotify's proxy takes a signal from anybody
 * while the name has no owner. */
static void forget_server(struct notifier *notifier)
{
    g_cancellable_cancel(notifier->asking);
    g_clear_object(&notifier->asking);
    g_queue_clear_full(&notifier->shown, shown_free);
    g_clear_pointer(&notifier->owner, g_free);
    notifier->has_proxy = false;
}

static void set_gone(struct notifier *notifier, enum notifier_state state)
{
    forget_server(notifier);
    notifier->state = state;
    notifier->hooks.on_gone(state, notifier->hooks.user);
}

static void take_capabilities(struct notifier *notifier, GVariant *reply)
{
    g_autofree const char **names = NULL;
    notifier->has_markup = notifier->has_actions = false;
    if (!reply)
        return;
    g_variant_get(reply, "(^a&s)", &names);
    notifier->has_markup = g_strv_contains(names, "body-markup");
    notifier->has_actions = g_strv_contains(names, "actions");
}

static void on_capabilities(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* the notifier may be gone */
    struct notifier *notifier = user;
    g_clear_object(&notifier->asking);
    /* Without an answer the owner has left: on_vanished or on_closed is on its way. */
    if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
        g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
        g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED))
        return;
    if (error)
        log_debug("notification server: capabilities: %s", error->message);
    take_capabilities(notifier, reply);
    notifier->state = NOTIFIER_READY;
    notifier->hooks.on_ready(notifier->hooks.user);
}

/* However long the answer takes: it is also how a server that hung tells that it goes on. */
static void ask_server(struct notifier *notifier)
{
    notifier->state = NOTIFIER_ASKING;
    notifier->asking = g_cancellable_new();
    g_dbus_connection_call(notifier->bus, notifier->owner, SERVER_PATH, SERVER_INTERFACE,
                           "GetCapabilities", NULL, G_VARIANT_TYPE("(as)"),
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, notifier->asking,
                           on_capabilities, notifier);
}

static void on_appeared(GDBusConnection *bus, const char *name, const char *owner, gpointer user)
{
    (void)bus;
    (void)name;
    struct notifier *notifier = user;
    if (notifier->owner)
        set_gone(notifier, NOTIFIER_ABSENT);
    notifier->owner = g_strdup(owner);
    ask_server(notifier);
}

static void on_vanished(GDBusConnection *bus, const char *name, gpointer user)
{
    (void)name;
    if (bus) /* else it was closed: on_closed has its say */
        set_gone(user, NOTIFIER_ABSENT);
}

static void disconnect(struct notifier *notifier)
{
    forget_server(notifier);
    /* They hold on to the connection. */
    g_cancellable_cancel(notifier->openings);
    g_object_unref(notifier->openings);
    notifier->openings = g_cancellable_new();
    g_clear_handle_id(&notifier->watch, g_bus_unwatch_name);
    if (notifier->bus) {
        g_signal_handler_disconnect(notifier->bus, notifier->closed_handler);
        g_clear_object(&notifier->bus);
    }
    /* libnotify holds on to the connection otherwise, and GLib hands it out again: closed, or bound
     * to the context of a thread that has ended. Popups that it knows by now would be taken away.
     */
    if (notify_is_initted())
        notify_uninit();
}

static void on_closed(GDBusConnection *bus, gboolean by_peer, GError *error, gpointer user)
{
    (void)bus;
    (void)by_peer;
    (void)error;
    struct notifier *notifier = user;
    disconnect(notifier);
    set_gone(notifier, NOTIFIER_OFF);
}

/* The file of the bus's socket, NULL: it has none that is known. Newly allocated. Source: the D-Bus
 * Specification, "Server Addresses" and "Well-known Message Bus Instances". */
static char *socket_path(void)
{
    const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
    const char *folder = getenv("XDG_RUNTIME_DIR");
    if (!address || !address[0])
        return folder ? g_build_filename(folder, "bus", NULL) : NULL;
    if (!g_str_has_prefix(address, "unix:path="))
        return NULL;
    const char *path = address + strlen("unix:path=");
    return g_uri_unescape_segment(path, path + strcspn(path, ",;"), NULL);
}

/* Without one of these GLib would try to launch a bus by X11's means. */
static bool may_have_bus(void)
{
    const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
    g_autofree char *path = socket_path();
    return (address && address[0]) || (path && g_file_test(path, G_FILE_TEST_EXISTS));
}

static void connect_bus(struct notifier *notifier);

static gboolean on_bus_time(gpointer user)
{
    struct notifier *notifier = user;
    if (notifier->state == NOTIFIER_OFF)
        connect_bus(notifier);
    if (notifier->state == NOTIFIER_OFF && ++notifier->bus_tries < BUS_TRIES_MAX)
        return G_SOURCE_CONTINUE;
    g_clear_pointer(&notifier->bus_timer, g_source_unref);
    return G_SOURCE_REMOVE;
}

/* The file is there a moment before anybody listens. */
static void on_socket(GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event,
                      gpointer user)
{
    (void)monitor;
    (void)file;
    (void)other;
    struct notifier *notifier = user;
    notifier->bus_tries = 0;
    if (event != G_FILE_MONITOR_EVENT_CREATED || notifier->bus_timer)
        return;
    notifier->bus_timer =
        source_after(g_main_context_get_thread_default(), BUS_PAUSE_MS, on_bus_time, notifier);
}

/* Where it cannot be watched, there is still notifier_wake(). */
static void wait_for_bus(struct notifier *notifier)
{
    g_autofree char *path = socket_path();
    if (notifier->waiting || !path)
        return;
    g_autoptr(GFile) file = g_file_new_for_path(path);
    notifier->waiting = g_file_monitor_file(file, G_FILE_MONITOR_NONE, NULL, NULL);
    if (notifier->waiting)
        g_signal_connect(notifier->waiting, "changed", G_CALLBACK(on_socket), notifier);
}

static void stop_waiting(struct notifier *notifier)
{
    if (notifier->waiting) {
        g_signal_handlers_disconnect_by_data(notifier->waiting, notifier);
        g_clear_object(&notifier->waiting);
    }
}

static GDBusConnection *find_bus(void)
{
    g_autoptr(GError) error = NULL;
    if (!may_have_bus())
        return NULL;
    GDBusConnection *bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, &error);
    if (!bus)
        log_debug("session bus: %s", error->message);
    return bus;
}

static void connect_bus(struct notifier *notifier)
{
    notifier->bus = find_bus();
    if (!notifier->bus) {
        wait_for_bus(notifier);
        return;
    }
    stop_waiting(notifier);
    g_dbus_connection_set_exit_on_close(notifier->bus, FALSE);
    notify_init("feedwatch");
    notifier->closed_handler =
        g_signal_connect(notifier->bus, "closed", G_CALLBACK(on_closed), notifier);
    notifier->state = NOTIFIER_ASKING;
    notifier->watch =
        g_bus_watch_name_on_connection(notifier->bus, SERVER_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                       on_appeared, on_vanished, notifier, NULL);
}

struct notifier *notifier_new(const struct notifier_hooks *hooks)
{
    struct notifier *notifier = g_new0(struct notifier, 1);
    notifier->hooks = *hooks;
    notifier->state = NOTIFIER_OFF;
    notifier->openings = g_cancellable_new();
    g_queue_init(&notifier->shown);
    return notifier;
}

void notifier_free(struct notifier *notifier)
{
    if (!notifier)
        return;
    stop_waiting(notifier);
    source_end(&notifier->bus_timer);
    disconnect(notifier);
    g_object_unref(notifier->openings);
    g_free(notifier);
}

enum notifier_state notifier_wake(struct notifier *notifier)
{
    if (notifier->state == NOTIFIER_OFF)
        connect_bus(notifier);
    else if (notifier->state == NOTIFIER_ABSENT)
        g_dbus_connection_call(notifier->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                               "org.freedesktop.DBus", "StartServiceByName",
                               g_variant_new("(su)", SERVER_NAME, 0), NULL, G_DBUS_CALL_FLAGS_NONE,
                               -1, NULL, NULL, NULL);
    return notifier->state;
}

enum notifier_state notifier_state(const struct notifier *notifier)
{
    return notifier->state;
}

static void on_opened(const GError *error, void *user)
{
    struct notifier *notifier = user;
    if (!error)
        return;
    g_autofree char *message = g_strdup_printf("a link was not opened: %s", error->message);
    notifier->hooks.on_trouble(message, notifier->hooks.user);
}

static void on_action(NotifyNotification *notification, char *action, gpointer user)
{
    (void)action;
    const struct shown *shown = user;
    struct notifier *notifier = shown->notifier;
    if (shown->link)
        open_link(notifier->bus, shown->link,
                  notify_notification_get_activation_token(notification), notifier->openings,
                  on_opened, notifier);
}

static struct shown *find_shown(struct notifier *notifier, guint64 key)
{
    for (GList *at = notifier->shown.tail; key != 0 && at; at = at->prev)
        if (((struct shown *)at->data)->key == key)
            return at->data;
    return NULL;
}

static struct shown *add_shown(struct notifier *notifier, const struct popup *popup)
{
    struct shown *shown = g_new0(struct shown, 1);
    shown->key = ++notifier->last_key;
    shown->notifier = notifier;
    shown->notification = notify_notification_new(popup->summary, NULL, "feedwatch");
    g_queue_push_tail(&notifier->shown, shown);
    if (notifier->shown.length > NOTIFIER_SHOWN_MAX)
        shown_free(g_queue_pop_head(&notifier->shown));
    return shown;
}

static void fill(struct notifier *notifier, struct shown *shown, const struct popup *popup)
{
    static const NotifyUrgency urgencies[] = {[POPUP_LOW] = NOTIFY_URGENCY_LOW,
                                              [POPUP_NORMAL] = NOTIFY_URGENCY_NORMAL,
                                              [POPUP_CRITICAL] = NOTIFY_URGENCY_CRITICAL};
    NotifyNotification *notification = shown->notification;
    g_autofree char *body = popup_body(popup, notifier->has_markup);
    notify_notification_update(notification, popup->summary, body, "feedwatch");
    notify_notification_set_urgency(notification, urgencies[popup->urgency]);
    notify_notification_set_category(notification, "x-feedwatch.alert");
    notify_notification_set_hint(notification, "desktop-entry", g_variant_new_string("feedwatch"));
    /* dunst replaces what has the same tag, so that a repeat after a crash is not seen twice. Not
     * x-canonical-private-synchronous: to other servers that is a volume bar. */
    notify_notification_set_hint(notification, "x-dunst-stack-tag",
                                 g_variant_new_string(popup->tag));
    notify_notification_clear_actions(notification);
    g_free(shown->link);
    shown->link = open_link_clean(popup->link);
    if (!shown->link || !notifier->has_actions)
        return;
    notify_notification_add_action(notification, "default", "Open", on_action, shown, NULL);
    notify_notification_add_action(notification, "open", "Open link", on_action, shown, NULL);
}

static enum notifier_outcome outcome_of(const GError *error)
{
    g_autofree char *remote = g_dbus_error_get_remote_error(error);
    if (g_strcmp0(remote, ERROR_TOO_FAST) == 0)
        return NOTIFIER_TOO_FAST;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ||
        g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
        g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_TIMEOUT))
        return NOTIFIER_DOUBT;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED) ||
        g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_DISCONNECTED) ||
        g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
        g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
        g_str_has_prefix(remote ? remote : "", "org.freedesktop.DBus.Error.Spawn"))
        return NOTIFIER_GONE;
    return NOTIFIER_REFUSED;
}

enum notifier_outcome notifier_show(struct notifier *notifier, const struct popup *popup,
                                    guint64 *key, char **ret_message)
{
    g_autoptr(GError) error = NULL;
    if (notifier->state != NOTIFIER_READY) {
        *ret_message = g_strdup("the notification server is not ready");
        return NOTIFIER_GONE;
    }
    /* With its first call libnotify asks who the server is. Were that left to the popup, a time-out
     * would look like one of the popup itself. */
    notifier->has_proxy = notifier->has_proxy || notify_get_server_info(NULL, NULL, NULL, NULL);
    if (!notifier->has_proxy) {
        *ret_message = g_strdup("the notification server does not say who it is");
        return NOTIFIER_GONE;
    }
    struct shown *shown = find_shown(notifier, *key);
    if (!shown)
        shown = add_shown(notifier, popup);
    fill(notifier, shown, popup);
    *key = shown->key;
    if (notify_notification_show(shown->notification, &error))
        return NOTIFIER_SHOWN;
    *ret_message = g_strdup(error->message);
    enum notifier_outcome outcome = outcome_of(error);
    if (outcome == NOTIFIER_DOUBT)
        ask_server(notifier);
    return outcome;
}
