/* alert/sink, the part that compares settings. */
#include "alert/sink.h"

static void append_setting(GString *out, const char *value)
{
    g_string_append_printf(out, "%s\x1f", value ? value : "");
}

static void append_settings(GString *out, const char *const *values)
{
    for (; values && *values; values++)
        append_setting(out, *values);
    g_string_append_c(out, '\x1e');
}

char *sink_fingerprint(const struct sink_settings *settings)
{
    GString *out = g_string_new(NULL);
    append_setting(out, settings->type);
    append_settings(out, settings->argv);
    g_string_append_printf(out, "%" G_GINT64_FORMAT, settings->timeout_ms);
    append_setting(out, settings->url);
    append_settings(out, settings->headers);
    append_setting(out, settings->template_text);
    append_setting(out, settings->credentials);
    append_setting(out, settings->user_agent);
    append_setting(out, settings->path);
    append_settings(out, settings->to);
    append_setting(out, settings->from);
    append_setting(out, settings->server);
    append_setting(out, settings->topic);
    g_string_append_printf(out, "%u,%u", settings->entries, settings->digest);
    return g_string_free(out, FALSE);
}
