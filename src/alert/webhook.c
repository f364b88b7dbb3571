/* The webhook sink: a POST for each alert, of its JSON or of a filled template (RFC 9110).
 *
 * One request at a time, in the order of the alerts. 2xx: delivered. 400, 413, 415 and 422 say that
 * this alert cannot be taken: it is tried again and given up in the end. Everything else, also 401
 * and 404, says that the receiver is not ready: all of them wait. Idempotency-Key carries the
 * alert's ID, so that a repeat after a crash can be told. */
#include "alert/sink.h"
#include "alert/fields.h"
#include "base/file.h"
#include "base/log.h"
#include "http/http.h"
#include "store/alert_json.h"
#include "text/clean.h"
#include "text/template.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_MAX     16
#define TIMEOUT_MS    30000
#define ANSWER_MAX    (64 * 1024)
#define ANSWER_QUOTED 120

struct webhook {
    struct sink_hooks hooks;
    struct http_client *client;
    struct http_exchange *exchange; /* NULL: none under way */
    char *url, *template_text, *credentials, *user_agent;
    char **headers;
    GPtrArray *alerts; /* of the batch; NULL: none */
    guint next;        /* the one under way */
};

static void send_next(struct webhook *webhook);

static bool has_header(char *const *headers, const char *name)
{
    size_t size = strlen(name);
    for (; headers && *headers; headers++)
        if (g_ascii_strncasecmp(*headers, name, size) == 0 && (*headers)[size] == ':')
            return true;
    return false;
}

static char *field_value(const char *name, void *user)
{
    return alert_field(user, name);
}

static char *body_of(const struct webhook *webhook, struct store_alert *alert)
{
    if (webhook->template_text)
        return template_expand(webhook->template_text, field_value, alert);
    json_t *object = alert_json(alert);
    char *text = json_to_text(object);
    json_decref(object);
    return text;
}

static GStrv headers_of(const struct webhook *webhook, const struct store_alert *alert)
{
    g_autoptr(GStrvBuilder) headers = g_strv_builder_new();
    g_strv_builder_addv(headers, (const char **)(uintptr_t)webhook->headers);
    bool is_json = !webhook->template_text || template_is_json(webhook->template_text);
    if (!has_header(webhook->headers, "Content-Type"))
        g_strv_builder_add(headers, is_json ? "Content-Type: application/json"
                                            : "Content-Type: text/plain; charset=utf-8");
    if (!has_header(webhook->headers, "Idempotency-Key")) {
        g_autofree char *key = g_strdup_printf("Idempotency-Key: \"%s\"", alert->id);
        g_strv_builder_add(headers, key);
    }
    return g_strv_builder_end(headers);
}

static enum sink_result result_of(const struct http_response *response)
{
    switch (response->failure == HTTP_NO_FAILURE ? response->status : 0) {
    case 200 ... 299:
        return SINK_DONE;
    case 400:
    case 413:
    case 415:
    case 422:
        return SINK_RETRY;
    default:
        /* A value that cannot be sent is the alert's own fault. */
        return response->failure == HTTP_FAILED_REQUEST ? SINK_RETRY : SINK_DOWN;
    }
}

static char *message_of(const struct http_response *response)
{
    if (response->failure != HTTP_NO_FAILURE)
        return g_strdup(response->message ? response->message : "the request failed");
    if (response->body->len == 0)
        return g_strdup_printf("the receiver said %d", response->status);
    g_autofree char *body =
        g_strndup((const char *)response->body->data, MIN(response->body->len, ANSWER_MAX));
    g_autofree char *clean = clean_line(body);
    g_autofree char *quoted = clean_shorten(clean, ANSWER_QUOTED);
    return g_strdup_printf("the receiver said %d: %s", response->status, quoted);
}

static void end_batch(struct webhook *webhook)
{
    g_clear_pointer(&webhook->alerts, g_ptr_array_unref);
}

/* Reports after the batch has moved on: a hook may bring the next one. */
static void report(struct webhook *webhook, const GPtrArray *alerts, guint from, guint to,
                   enum sink_result result, const char *message)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    for (guint i = from; i < to; i++)
        g_ptr_array_add(ids, g_strdup(((struct store_alert *)g_ptr_array_index(alerts, i))->id));
    g_ptr_array_add(ids, NULL);
    webhook->hooks.on_result((const char *const *)(const void *)ids->pdata, result, message,
                             webhook->hooks.user);
}

static void on_answer(struct http_response *response, void *user)
{
    struct webhook *webhook = user;
    webhook->exchange = NULL;
    enum sink_result result = result_of(response);
    g_autofree char *message = result == SINK_DONE ? NULL : message_of(response);
    g_autoptr(GPtrArray) alerts = g_ptr_array_ref(webhook->alerts);
    guint from = webhook->next++;
    guint to = result == SINK_DOWN ? alerts->len : webhook->next;
    if (to < alerts->len)
        send_next(webhook);
    else
        end_batch(webhook);
    report(webhook, alerts, from, to, result, message);
}

/* For each request, so that a new token needs no reload. */
static char *read_secret(const struct webhook *webhook)
{
    g_autoptr(GError) error = NULL;
    if (!webhook->credentials)
        return NULL;
    char *text = file_read_secret(webhook->credentials, &error);
    if (!text)
        log_warning("a webhook's credentials: %s", error->message);
    return text;
}

/* The token, where it is one. */
static const char *bearer_of(const char *secret)
{
    static const char bearer[] = "Bearer ";
    bool is_bearer = secret && g_ascii_strncasecmp(secret, bearer, sizeof bearer - 1) == 0;
    return is_bearer ? secret + sizeof bearer - 1 : NULL;
}

static void send_next(struct webhook *webhook)
{
    struct store_alert *alert = g_ptr_array_index(webhook->alerts, webhook->next);
    g_autofree char *body = body_of(webhook, alert);
    g_autoptr(GBytes) bytes = g_bytes_new(body, strlen(body));
    g_auto(GStrv) headers = headers_of(webhook, alert);
    g_autofree char *secret = read_secret(webhook);
    const char *bearer = bearer_of(secret);
    const struct http_request request = {
        .url = webhook->url,
        .method = "POST",
        .headers = (const char *const *)headers,
        .body = bytes,
        .user_agent = webhook->user_agent,
        .userpwd = bearer ? NULL : secret,
        .bearer = bearer,
        .timeout_ms = TIMEOUT_MS,
        .max_bytes = ANSWER_MAX,
        .allow_private = true, /* the user named it */
    };
    webhook->exchange = http_send(webhook->client, &request, on_answer, webhook);
}

static void webhook_take(struct sink *sink, GPtrArray *alerts)
{
    struct webhook *webhook = (struct webhook *)sink;
    webhook->alerts = g_ptr_array_ref(alerts);
    webhook->next = 0;
    send_next(webhook);
}

static struct sink *webhook_create(const struct sink_settings *settings,
                                   const struct sink_hooks *hooks, GMainContext *context)
{
    struct webhook *webhook = g_new0(struct webhook, 1);
    webhook->hooks = *hooks;
    webhook->client = http_client_new(context, getenv("SSL_CERT_FILE"));
    webhook->url = g_strdup(settings->url);
    webhook->headers = g_strdupv((char **)(uintptr_t)settings->headers);
    webhook->user_agent = g_strdup(settings->user_agent);
    if (settings->template_text && *settings->template_text)
        webhook->template_text = g_strdup(settings->template_text);
    if (settings->credentials && *settings->credentials)
        webhook->credentials = g_strdup(settings->credentials);
    return (struct sink *)webhook;
}

/* What is under way has no result: it comes again. */
static void webhook_stop(struct sink *sink, int64_t deadline_ms)
{
    (void)deadline_ms;
    struct webhook *webhook = (struct webhook *)sink;
    if (webhook->exchange)
        http_cancel(webhook->exchange);
    http_client_free(webhook->client);
    end_batch(webhook);
    g_free(webhook->url);
    g_free(webhook->template_text);
    g_free(webhook->credentials);
    g_free(webhook->user_agent);
    g_strfreev(webhook->headers);
    g_free(webhook);
}

const struct sink_type sink_webhook = {
    .name = "webhook",
    .batch_max = BATCH_MAX,
    .create = webhook_create,
    .take = webhook_take,
    .stop = webhook_stop,
};
