#include "daemon/sinks.h"

#include "http/http.h"

static const char *const type_names[] = {
    [CONFIG_SINK_LOG] = "log",         [CONFIG_SINK_DESKTOP] = "desktop",
    [CONFIG_SINK_JOURNAL] = "journal", [CONFIG_SINK_COMMAND] = "command",
    [CONFIG_SINK_WEBHOOK] = "webhook", [CONFIG_SINK_MAIL] = "mail",
    [CONFIG_SINK_MQTT] = "mqtt",       [CONFIG_SINK_FEED] = "feed",
};

void sinks_apply(const struct config *config, struct store *store, struct dispatcher *dispatcher)
{
    g_autoptr(GArray) logs = g_array_new(FALSE, FALSE, sizeof(struct store_log));
    g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(struct sink_settings));
    g_autofree char *user_agent = http_user_agent(config->user_agent_contact);
    for (guint i = 0; i < config->sinks->len; i++) {
        const struct config_sink *sink = g_ptr_array_index(config->sinks, i);
        const struct store_log log = {sink->id, sink->path, (enum store_log_format)sink->format};
        const struct sink_settings other = {
            .id = sink->id,
            .type = type_names[sink->type],
            .argv = (const char *const *)sink->argv,
            .timeout_ms = sink->timeout_ms,
            .url = sink->url,
            .headers = (const char *const *)sink->headers,
            .template_text = sink->template_text,
            .credentials = sink->credentials,
            .user_agent = user_agent,
            .to = (const char *const *)sink->to,
            .from = sink->from,
            .server = sink->server,
            .topic = sink->topic,
            .digest = (guint)sink->digest,
            .path = sink->path,
            .entries = (guint)sink->entries,
            .store = store,
        };
        if (!sink->is_enabled)
            continue;
        if (sink->type == CONFIG_SINK_LOG)
            g_array_append_val(logs, log);
        else
            g_array_append_val(others, other);
    }
    store_set_logs(store, (const struct store_log *)(const void *)logs->data, logs->len);
    dispatcher_set_sinks(dispatcher, (const struct sink_settings *)(const void *)others->data,
                         others->len);
}
