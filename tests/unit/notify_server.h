/* notify_server - a message bus of the test's own, and a scripted notification server on it.
 *
 * The server has a thread and a connection of its own, so it answers while the code under test
 * blocks. What it does with the next calls is set by server->conduct; every Notify is recorded. For
 * one test program: everything is static. */
#ifndef TESTS_UNIT_NOTIFY_SERVER_H
#define TESTS_UNIT_NOTIFY_SERVER_H

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

/* --- the bus: no service folders, one fixed address, so that it can come back --- */

struct bus {
    char *folder, *address;
    GPid pid;
};

static bool bus_start(struct bus *bus)
{
    char *argv[] = {(char *)(gsize) "dbus-daemon", NULL, (char *)(gsize) "--nofork", NULL};
    g_autofree char *config = g_build_filename(bus->folder, "bus.conf", NULL);
    g_autofree char *text = g_strdup_printf(
        "<busconfig><type>session</type><listen>%s</listen><auth>EXTERNAL</auth>"
        "<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
        "<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
        bus->address);
    g_autofree char *option = g_strconcat("--config-file=", config, NULL);
    argv[1] = option;
    return g_file_set_contents(config, text, -1, NULL) &&
           g_spawn_async(NULL, argv, NULL,
                         G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                             G_SPAWN_STDERR_TO_DEV_NULL,
                         NULL, NULL, &bus->pid, NULL);
}

static void bus_stop(struct bus *bus)
{
    if (bus->pid) {
        kill(bus->pid, SIGKILL);
        waitpid(bus->pid, NULL, 0);
        bus->pid = 0;
    }
}

static void bus_init(struct bus *bus)
{
    bus->folder = g_dir_make_tmp("notify-XXXXXX", NULL);
    bus->address = g_strdup_printf("unix:path=%s/socket", bus->folder);
}

static void bus_clear(struct bus *bus)
{
    bus_stop(bus);
    g_autoptr(GDir) folder = g_dir_open(bus->folder, 0, NULL);
    for (const char *name; folder && (name = g_dir_read_name(folder));) {
        g_autofree char *path = g_build_filename(bus->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(bus->folder);
    g_free(bus->folder);
    g_free(bus->address);
}

/* Waits for the bus to listen. NULL after five seconds. */
static GDBusConnection *bus_connect(const struct bus *bus)
{
    for (int i = 0; i < 500; i++) {
        GDBusConnection *connection = g_dbus_connection_new_for_address_sync(
            bus->address,
            G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
            NULL, NULL, NULL);
        if (connection)
            return connection;
        g_usleep(10000);
    }
    return NULL;
}

/* --- the server --- */

enum conduct {
    SHOW,
    HOLD,         /* answers nothing until release */
    DIE,          /* leaves the bus instead of an answer to Notify */
    FAIL_NO_REPLY /* as if the call had timed out: the popup is shown all the same */
};

struct notified {
    guint32 id, replaces;
    char *sender, *icon, *summary, *body;
    char **actions;
    GVariant *hints;
};

struct server {
    GDBusConnection *connection;
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;
    const char *const *capabilities;
    GMutex lock; /* what follows */
    GCond has_name;
    bool owns_name;
    enum conduct conduct;
    guint n_too_fast; /* so many Notify are refused as KDE does */
    GPtrArray *notified;
    GPtrArray *held;
    guint32 last_id;
};

static const char *const CAPABILITIES_ALL[] = {"body", "body-markup", "actions", NULL};
static const char *const CAPABILITIES_NONE[] = {NULL};

static void notified_free(gpointer data)
{
    struct notified *notified = data;
    g_free(notified->sender);
    g_free(notified->icon);
    g_free(notified->summary);
    g_free(notified->body);
    g_strfreev(notified->actions);
    g_variant_unref(notified->hints);
    g_free(notified);
}

static guint32 server_record(struct server *server, const char *sender, GVariant *parameters)
{
    struct notified *notified = g_new0(struct notified, 1);
    notified->sender = g_strdup(sender);
    g_variant_get(parameters, "(susss^as@a{sv}i)", NULL, &notified->replaces, &notified->icon,
                  &notified->summary, &notified->body, &notified->actions, &notified->hints, NULL);
    notified->id = notified->replaces ? notified->replaces : ++server->last_id;
    g_ptr_array_add(server->notified, notified);
    return notified->id;
}

static void server_on_notify(struct server *server, const char *sender, GVariant *parameters,
                             GDBusMethodInvocation *invocation)
{
    if (server->n_too_fast > 0) {
        server->n_too_fast--;
        g_dbus_method_invocation_return_dbus_error(
            invocation, "org.freedesktop.Notifications.Error.ExcessNotificationGeneration",
            "Created too many similar notifications in quick succession");
        return;
    }
    guint32 id = server_record(server, sender, parameters);
    switch (server->conduct) {
    case SHOW:
        g_dbus_method_invocation_return_value(invocation, g_variant_new("(u)", id));
        break;
    case HOLD:
        g_ptr_array_add(server->held, invocation);
        break;
    case DIE:
        g_dbus_connection_close_sync(server->connection, NULL, NULL);
        g_object_unref(invocation);
        g_main_loop_quit(server->loop);
        break;
    case FAIL_NO_REPLY:
        g_dbus_method_invocation_return_dbus_error(invocation, "org.freedesktop.DBus.Error.NoReply",
                                                   "no reply");
        break;
    }
}

static void server_on_call(GDBusConnection *connection, const char *sender, const char *path,
                           const char *interface, const char *method, GVariant *parameters,
                           GDBusMethodInvocation *invocation, gpointer user)
{
    (void)connection;
    (void)path;
    (void)interface;
    struct server *server = user;
    g_mutex_lock(&server->lock);
    if (strcmp(method, "Notify") == 0)
        server_on_notify(server, sender, parameters, invocation);
    else if (strcmp(method, "GetCapabilities") == 0)
        g_dbus_method_invocation_return_value(
            invocation, g_variant_new("(^as)", (char **)(gsize)server->capabilities));
    else
        g_dbus_method_invocation_return_value(
            invocation, g_variant_new("(ssss)", "scripted", "feedwatch", "1", "1.2"));
    g_mutex_unlock(&server->lock);
}

static const char SERVER_XML[] =
    "<node><interface name='org.freedesktop.Notifications'>"
    "<method name='Notify'><arg direction='in' type='s'/><arg direction='in' type='u'/>"
    "<arg direction='in' type='s'/><arg direction='in' type='s'/><arg direction='in' type='s'/>"
    "<arg direction='in' type='as'/><arg direction='in' type='a{sv}'/><arg direction='in' "
    "type='i'/><arg direction='out' type='u'/></method>"
    "<method name='GetServerInformation'><arg direction='out' type='s'/>"
    "<arg direction='out' type='s'/><arg direction='out' type='s'/>"
    "<arg direction='out' type='s'/></method>"
    "<method name='GetCapabilities'><arg direction='out' type='as'/></method>"
    "</interface></node>";

static gpointer server_run(gpointer user)
{
    struct server *server = user;
    const GDBusInterfaceVTable table = {.method_call = server_on_call};
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(SERVER_XML, NULL);
    g_main_context_push_thread_default(server->context);
    g_dbus_connection_register_object(server->connection, "/org/freedesktop/Notifications",
                                      node->interfaces[0], &table, server, NULL, NULL);
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        server->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "RequestName", g_variant_new("(su)", "org.freedesktop.Notifications", 4), NULL,
        G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
    g_mutex_lock(&server->lock);
    server->owns_name = true;
    g_cond_signal(&server->has_name);
    g_mutex_unlock(&server->lock);
    g_main_loop_run(server->loop);
    if (!g_dbus_connection_is_closed(server->connection))
        g_dbus_connection_close_sync(server->connection, NULL, NULL);
    g_clear_object(&server->connection);
    while (g_main_context_iteration(server->context, FALSE))
        ;
    g_main_context_pop_thread_default(server->context);
    return NULL;
}

static struct server *server_new(const struct bus *bus, const char *const *capabilities)
{
    struct server *server = g_new0(struct server, 1);
    g_mutex_init(&server->lock);
    g_cond_init(&server->has_name);
    server->capabilities = capabilities;
    server->notified = g_ptr_array_new_with_free_func(notified_free);
    server->held = g_ptr_array_new();
    server->context = g_main_context_new();
    g_main_context_push_thread_default(server->context);
    server->connection = bus_connect(bus);
    g_main_context_pop_thread_default(server->context);
    server->loop = g_main_loop_new(server->context, FALSE);
    server->thread = g_thread_new("server", server_run, server);
    g_mutex_lock(&server->lock);
    while (!server->owns_name)
        g_cond_wait(&server->has_name, &server->lock);
    g_mutex_unlock(&server->lock);
    return server;
}

static void server_set(struct server *server, enum conduct conduct)
{
    g_mutex_lock(&server->lock);
    server->conduct = conduct;
    g_mutex_unlock(&server->lock);
}

/* Answers what was held; what comes later is shown. */
static void server_release(struct server *server)
{
    g_mutex_lock(&server->lock);
    server->conduct = SHOW;
    for (guint i = 0; i < server->held->len; i++)
        g_dbus_method_invocation_return_value(g_ptr_array_index(server->held, i),
                                              g_variant_new("(u)", server->last_id));
    g_ptr_array_set_size(server->held, 0);
    g_mutex_unlock(&server->lock);
}

static guint server_count(struct server *server)
{
    g_mutex_lock(&server->lock);
    guint n = server->notified->len;
    g_mutex_unlock(&server->lock);
    return n;
}

/* Records stay until the server is freed. Beyond the last one: an empty one. */
static const struct notified *server_at(struct server *server, guint index)
{
    static char nothing[] = "";
    static char *no_actions[] = {NULL};
    static struct notified none = {0, 0, nothing, nothing, nothing, nothing, no_actions, NULL};
    const struct notified *notified = &none;
    g_mutex_lock(&server->lock);
    if (index < server->notified->len)
        notified = g_ptr_array_index(server->notified, index);
    g_mutex_unlock(&server->lock);
    return notified;
}

static gboolean server_quit(gpointer user)
{
    g_main_loop_quit(user);
    return G_SOURCE_REMOVE;
}

static void server_free(struct server *server)
{
    server_release(server);
    g_main_context_invoke(server->context, server_quit, server->loop);
    g_thread_join(server->thread);
    g_main_loop_unref(server->loop);
    g_main_context_unref(server->context);
    g_ptr_array_unref(server->notified);
    g_ptr_array_unref(server->held);
    g_mutex_clear(&server->lock);
    g_cond_clear(&server->has_name);
    g_free(server);
}

#endif
