#include "alert/open_link.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

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

struct opening {
    GDBusConnection *bus;
    char *link, *token;
    char *opener; /* absolute path, or NULL */
    open_link_done on_done;
    void *user;
};

static void finish(struct opening *opening, const GError *error)
{
    opening->on_done(error, opening->user);
    g_clear_object(&opening->bus);
    g_free(opening->link);
    g_free(opening->token);
    g_free(opening->opener);
    g_free(opening);
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
    else
        run_here(opening, error);
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
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, SYSTEMD_TIMEOUT_MS, NULL, on_unit,
                           opening);
}

static void on_portal(GObject *source, GAsyncResult *result, gpointer user)
{
    struct opening *opening = user;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    if (reply) {
        finish(opening, NULL);
        return;
    }
    log_debug("portal: %s", error->message);
    start_unit(opening);
}

/* org.freedesktop.portal.OpenURI: OpenURI(s parent_window, s uri, a{sv} options) -> o. */
static void ask_portal(struct opening *opening)
{
    GVariantBuilder options;
    g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
    if (opening->token)
        g_variant_builder_add(&options, "{sv}", "activation_token",
                              g_variant_new_string(opening->token));
    g_dbus_connection_call(opening->bus, "org.freedesktop.portal.Desktop",
                           "/org/freedesktop/portal/desktop", "org.freedesktop.portal.OpenURI",
                           "OpenURI", g_variant_new("(ssa{sv})", "", opening->link, &options),
                           G_VARIANT_TYPE("(o)"), G_DBUS_CALL_FLAGS_NONE, PORTAL_TIMEOUT_MS, NULL,
                           on_portal, opening);
}

void open_link(GDBusConnection *bus, const char *link, const char *token, open_link_done on_done,
               void *user)
{
    g_autofree char *clean = open_link_clean(link);
    if (!clean) {
        g_autoptr(GError) error = g_error_new(error_domain(), 0, "this is no link for a browser");
        on_done(error, user);
        return;
    }
    struct opening *opening = g_new0(struct opening, 1);
    const char *opener = getenv("FEEDWATCH_OPENER");
    opening->bus = g_object_ref(bus);
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
}
