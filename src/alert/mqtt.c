/* The mqtt sink: publishes each alert as JSON (MQTT 3.1.1), over libcurl, which knows QoS 0 only:
 * the broker does not say that it has a message. One that takes the connection has been sent it, in
 * order; what it loses after that is lost to its subscribers, and is in the alert log. No failure
 * is taken for an alert's own: all of them wait. */
#include "alert/fields.h"
#include "alert/remote.h"
#include "store/alert_json.h"
#include "text/clean.h"
#include "text/template.h"

#include <string.h>

#define BATCH_MAX   64
#define LEVEL_BYTES 200 /* of a value within a topic */

struct mqtt {
    char *url, *topic, *credentials; /* credentials: NULL: none */
};

static void *mqtt_open(const struct sink_settings *settings)
{
    struct mqtt *mqtt = g_new0(struct mqtt, 1);
    mqtt->url = g_strdup(settings->url);
    mqtt->topic = g_strdup(settings->topic);
    if (settings->credentials && *settings->credentials)
        mqtt->credentials = g_strdup(settings->credentials);
    return mqtt;
}

static void mqtt_close(void *state)
{
    struct mqtt *mqtt = state;
    g_free(mqtt->url);
    g_free(mqtt->topic);
    g_free(mqtt->credentials);
    g_free(mqtt);
}

/* A value is one level of a topic and no wildcard, whatever a feed says. */
static char *level_value(const char *name, void *user)
{
    g_autofree char *value = alert_field(user, name);
    char *level = clean_shorten(*value ? value : "-", LEVEL_BYTES);
    return g_strdelimit(level, "/+#", '_');
}

static char *url_for(const struct mqtt *mqtt, struct store_alert *alert)
{
    g_autofree char *topic = template_expand(mqtt->topic, level_value, alert);
    g_autofree char *escaped = g_uri_escape_string(topic, "/", FALSE);
    bool has_slash = g_str_has_suffix(mqtt->url, "/");
    return g_strdup_printf("%s%s%s", mqtt->url, has_slash ? "" : "/", escaped);
}

static enum handover_result publish(const void *state, struct handover *handover,
                                    const char *secret, const GPtrArray *alerts, guint first,
                                    guint n, char **ret_message)
{
    (void)n; /* one */
    struct store_alert *alert = g_ptr_array_index(alerts, first);
    g_autofree char *url = url_for(state, alert);
    json_t *object = alert_json(alert);
    g_autofree char *json = json_to_text(object);
    json_decref(object);
    const struct handover_request request = {
        .url = url, .userpwd = secret, .bytes = json, .size = strlen(json)};
    return handover_send(handover, &request, ret_message);
}

static void mqtt_deliver(void *state, GPtrArray *alerts, struct background *background)
{
    const struct mqtt *mqtt = state;
    const struct remote remote = {mqtt->credentials, 1, publish};
    remote_deliver(&remote, mqtt, alerts, background);
}

static struct sink *mqtt_create(const struct sink_settings *settings,
                                const struct sink_hooks *hooks, GMainContext *context)
{
    static const struct background_work work = {
        .open = mqtt_open, .deliver = mqtt_deliver, .close = mqtt_close};
    return background_create(&work, settings, hooks, context);
}

const struct sink_type sink_mqtt = {
    .name = "mqtt",
    .batch_max = BATCH_MAX,
    .create = mqtt_create,
    .take = background_take,
    .stop = background_stop,
};
