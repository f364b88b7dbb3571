#include "alert/open_link.h"

#include "base/log.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PORTAL_NAME        "org.freedesktop.portal.Desktop"
#define PORTAL_PATH        "/org/freedesktop/portal/desktop"
#define PORTAL_TIMEOUT_MS  10000
#define SYSTEMD_TIMEOUT_MS 10000
#define LINK_BYTES_MAX     8192

static GQuark error_domain(void)
{
    return g_quark_from_static_string("open-link");
}

/* Everything that no URI may hold (RFC 3986 2.2, 2.3), percent-encoded; a "%" stays as it is. */
static char *encode(const char *link)
{
    static const char kept[] = "-._~:/?#[]@!$&'()*+,;=%";
    GString *out = g_string_new(NULL);
    for (const char *p = link; *p; p++) {
        if (g_ascii_isalnum(*p) || strchr(kept, *p))
            g_string_append_c(out, *p);
        else
            g_string_append_printf(out, "%%%02X", (unsigned)(guchar)*p);
    }
    return g_string_free(out, FALSE);
}

char *open_link_clean(const char *link)
{
    if (!link || strlen(link) > LINK_BYTES_MAX)
        return NULL;
    g_autofree char *encoded = encode(link);
    g_autoptr(GUri) uri = g_uri_parse(encoded, G_URI_FLAGS_ENCODED, NULL);
    if (!uri || g_uri_get_userinfo(uri) || !g_uri_get_host(uri) || !g_uri_get_host(uri)[0])
        return NULL;
    const char *scheme = g_uri_get_scheme(uri); /* in lower case */
    if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        return NULL;
    /* The scheme as parsed: "HTTP:" is one too, and some openers look at the letters. */
    return g_strconcat(scheme, encoded + strlen(scheme), NULL);
}

/* What the portal says of a request in the end; the first two are words of the user. */
enum { PORTAL_OPENED, PORTAL_DECLINED, PORTAL_FAILED, PORTAL_SILENT };

/* Each pending call and the subscription hold a reference. */
struct opening {
    grefcount refs;
    GDBusConnection *bus;
    char *link, *token;
    char *opener; /* absolute path, or NULL */
    GCancellable *cancellable;
    gulong cancelled_handler;
    guint subscription; /* to the portal's response; 0: none */
    bool is_accepted;   /* the portal has taken the request */
    guint32 response;
    open_link_done on_done;
    void *user;
};

static void unref_opening(gpointer data)
{
    struct opening *opening = data;
    if (!g_ref_count_dec(&opening->refs))
        return;
    if (opening->cancelled_handler != 0)
        g_signal_handler_disconnect(opening->cancellable, opening->cancelled_handler);
    g_clear_object(&opening->cancellable);
    g_clear_object(&opening->bus);
    g_free(opening->link);
    g_free(opening->token);
    g_free(opening->opener);
    g_free(opening);
}

static struct opening *ref_opening(struct opening *opening)
{
    g_ref_count_inc(&opening->refs);
    return opening;
}

static void finish(struct opening *opening, const GError *error)
{
    if (!g_cancellable_is_cancelled(opening->cancellable))
        opening->on_done(error, opening->user);
}

static void run_here(struct opening *opening, const GError *why)
{
    g_autoptr(GError) error = NULL;
    char *argv[] = {opening->opener, opening->link, NULL};
    if (getenv("INVOCATION_ID"))
        error = g_error_new(error_domain(), 0, "neither a portal nor systemd opens links: %s",
                            why->message);
    else
        g_spawn_async("/", argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                      NULL, NULL, NULL, &error);
    finish(opening, error);
}

static void on_unit(GObject *source, GAsyncResult *result, gpointer user)
{
    struct opening *opening = user;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    if (reply)
        finish(opening, NULL);
    else if (!g_cancellable_is_cancelled(opening->cancellable))
        run_here(opening, error);
    unref_opening(opening);
}

static void add_property(GVariantBuilder *properties, const char *name, GVariant *value)
{
    g_variant_builder_add(properties, "(sv)", name, value);
}

/* org.freedesktop.systemd1(5): StartTransientUnit(ssa(sv)a(sa(sv))). */
static GVariant *unit_arguments(const struct opening *opening)
{
    GVariantBuilder properties;
    const char *const argv[] = {opening->opener, opening->link, NULL};
    g_autofree char *name = g_strdup_printf("app-feedwatch-open-%08x.service", g_random_int());
    g_variant_builder_init(&properties, G_VARIANT_TYPE("a(sv)"));
    add_property(&properties, "Description", g_variant_new_string("Link opened from feedwatch"));
    add_property(&properties, "CollectMode", g_variant_new_string("inactive-or-failed"));
    add_property(&properties, "Slice", g_variant_new_string("app.slice"));
    /* xdg-open ends when the browser runs: what it left behind is not to be killed. */
    add_property(&properties, "ExitType", g_variant_new_string("cgroup"));
    if (opening->token) {
        g_autofree char *set = g_strconcat("XDG_ACTIVATION_TOKEN=", opening->token, NULL);
        const char *const environment[] = {set, NULL};
        add_property(&properties, "Environment", g_variant_new_strv(environment, -1));
    }
    GVariantBuilder commands;
    g_variant_builder_init(&commands, G_VARIANT_TYPE("a(sasb)"));
    g_variant_builder_add(&commands, "(s@asb)", opening->opener, g_variant_new_strv(argv, -1),
                          FALSE);
    add_property(&properties, "ExecStart", g_variant_builder_end(&commands));
    return g_variant_new("(ssa(sv)a(sa(sv)))", name, "fail", &properties, NULL);
}

static void start_unit(struct opening *opening)
{
    if (!opening->opener)
        opening->opener = g_find_program_in_path("xdg-open");
    if (!opening->opener) {
        g_autoptr(GError) error =
            g_error_new(error_domain(), 0, "there is no portal and no xdg-open to open links");
        finish(opening, error);
        return;
    }
    g_dbus_connection_call(opening->bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                           "org.freedesktop.systemd1.Manager", "StartTransientUnit",
                           unit_arguments(opening), G_VARIANT_TYPE("(o)"),
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, SYSTEMD_TIMEOUT_MS,
                           opening->cancellable, on_unit, ref_opening(opening));
}

static void unsubscribe(struct opening *opening)
{
    guint subscription = opening->subscription;
    opening->subscription = 0;
    if (subscription != 0)
        g_dbus_connection_signal_unsubscribe(opening->bus, subscription);
}

/* The response may come before the reply to the call. */
static void decide(struct opening *opening)
{
    if (!opening->is_accepted || opening->response == PORTAL_SILENT)
        return;
    unsubscribe(opening);
    if (opening->response == PORTAL_OPENED || opening->response == PORTAL_DECLINED)
        finish(opening, NULL);
    else
        start_unit(opening);
}

/* org.freedesktop.portal.Request: Response(u response, a{sv} results). */
static void on_response(GDBusConnection *bus, const char *sender, const char *path,
                        const char *interface, const char *signal, GVariant *parameters,
                        gpointer user)
{
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal;
    struct opening *opening = user;
    if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(ua{sv})")) || opening->subscription == 0)
        return;
    g_variant_get(parameters, "(ua{sv})", &opening->response, NULL);
    opening->response = MIN(opening->response, (guint32)PORTAL_FAILED);
    decide(opening);
}

static void on_portal(GObject *source, GAsyncResult *result, gpointer user)
{
    struct opening *opening = user;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    if (reply) {
        opening->is_accepted = true;
        decide(opening);
    } else if (!g_cancellable_is_cancelled(opening->cancellable)) {
        log_debug("portal: %s", error->message);
        unsubscribe(opening);
        start_unit(opening);
    }
    unref_opening(opening);
}

/* Where the response to the request of this token will come from. Newly allocated. */
static char *request_path(GDBusConnection *bus, const char *handle_token)
{
    g_autofree char *sender = g_strdup(g_dbus_connection_get_unique_name(bus) + 1);
    return g_strdup_printf(PORTAL_PATH "/request/%s/%s", g_strdelimit(sender, ".", '_'),
                           handle_token);
}

/* org.freedesktop.portal.OpenURI: OpenURI(s parent_window, s uri, a{sv} options) -> o. */
static void ask_portal(struct opening *opening)
{
    GVariantBuilder options;
    g_autofree char *handle_token = g_strdup_printf("feedwatch%08x", g_random_int());
    g_autofree char *path = request_path(opening->bus, handle_token);
    opening->subscription = g_dbus_connection_signal_subscribe(
        opening->bus, PORTAL_NAME, "org.freedesktop.portal.Request", "Response", path, NULL,
        G_DBUS_SIGNAL_FLAGS_NONE, on_response, ref_opening(opening), unref_opening);
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&options, "{sv}", "handle_token", g_variant_new_string(handle_token));
    if (opening->token)
        g_variant_builder_add(&options, "{sv}", "activation_token",
                              g_variant_new_string(opening->token));
    g_dbus_connection_call(opening->bus, PORTAL_NAME, PORTAL_PATH, "org.freedesktop.portal.OpenURI",
                           "OpenURI", g_variant_new("(ssa{sv})", "", opening->link, &options),
                           G_VARIANT_TYPE("(o)"), G_DBUS_CALL_FLAGS_NONE, PORTAL_TIMEOUT_MS,
                           opening->cancellable, on_portal, ref_opening(opening));
}

static void on_cancelled(GCancellable *cancellable, gpointer user)
{
    (void)cancellable;
    unsubscribe(user);
}

static struct opening *new_opening(GDBusConnection *bus, GCancellable *cancellable)
{
    struct opening *opening = g_new0(struct opening, 1);
    g_ref_count_init(&opening->refs);
    opening->bus = g_object_ref(bus);
    opening->response = PORTAL_SILENT;
    if (cancellable) {
        opening->cancellable = g_object_ref(cancellable);
        opening->cancelled_handler =
            g_signal_connect(cancellable, "cancelled", G_CALLBACK(on_cancelled), opening);
    }
    return opening;
}

void open_link(GDBusConnection *bus, const char *link, const char *token, GCancellable *cancellable,
               open_link_done on_done, void *user)
{
    g_autofree char *clean = open_link_clean(link);
    if (!clean) {
        g_autoptr(GError) error = g_error_new(error_domain(), 0, "this is no link for a browser");
        on_done(error, user);
        return;
    }
    struct opening *opening = new_opening(bus, cancellable);
    const char *opener = getenv("FEEDWATCH_OPENER");
    opening->link = g_steal_pointer(&clean);
    opening->token = g_strdup(token);
    opening->on_done = on_done;
    opening->user = user;
    if (opener && g_path_is_absolute(opener)) {
        opening->opener = g_strdup(opener);
        start_unit(opening);
    } else {
        ask_portal(opening);
    }
    unref_opening(opening);
}
