/* The mail sink: a message for each alert, or a digest where many wait (RFC 5321).
 *
 * In the order of the alerts, over one connection a batch. What a server says to a message that it
 * has read whole and will never take (5yz) concerns that message: it is tried again and given up in
 * the end. Everything else, also a refused sender or password, says that the way is not open: all
 * of them wait. Message-ID is made of the alert's, so that a repeat after a crash can be told. */
#include "alert/background.h"
#include "alert/mail_message.h"
#include "base/file.h"
#include "http/handover.h"
#include "text/clean.h"
#include "text/mime.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_MAX     200
#define MESSAGE_BYTES 200

struct mail {
    struct mail_address from;
    char **to_headers, **to;
    char *url, *credentials; /* NULL: none */
    bool needs_starttls;
    guint digest; /* more than so many at once are one message; 0: never */
};

static char *url_of(const struct mail_server *server)
{
    bool has_colons = strchr(server->host, ':') != NULL;
    return g_strdup_printf("%s://%s%s%s:%u", server->security == MAIL_TLS ? "smtps" : "smtp",
                           has_colons ? "[" : "", server->host, has_colons ? "]" : "",
                           server->port);
}

/* The configuration has checked them all. */
static void set_addresses(struct mail *mail, const struct sink_settings *settings)
{
    g_autoptr(GStrvBuilder) headers = g_strv_builder_new();
    g_autoptr(GStrvBuilder) bare = g_strv_builder_new();
    struct mail_address address;
    for (const char *const *to = settings->to; *to; to++) {
        if (!mail_address_parse(*to, &address))
            continue;
        g_autofree char *header = mime_address(address.name, address.address);
        g_strv_builder_add(headers, header);
        g_strv_builder_add(bare, address.address);
        mail_address_clear(&address);
    }
    mail->to_headers = g_strv_builder_end(headers);
    mail->to = g_strv_builder_end(bare);
    if (!settings->from || !mail_address_parse(settings->from, &mail->from))
        mail->from.address = g_strdup(mail->to[0]);
}

static void *mail_open(const struct sink_settings *settings)
{
    struct mail *mail = g_new0(struct mail, 1);
    struct mail_server server;
    set_addresses(mail, settings);
    if (mail_server_parse(settings->server, &server)) {
        mail->url = url_of(&server);
        mail->needs_starttls = server.security == MAIL_STARTTLS;
        mail_server_clear(&server);
    }
    if (settings->credentials && *settings->credentials)
        mail->credentials = g_strdup(settings->credentials);
    mail->digest = settings->digest;
    return mail;
}

static void mail_close(void *state)
{
    struct mail *mail = state;
    mail_address_clear(&mail->from);
    g_strfreev(mail->to_headers);
    g_strfreev(mail->to);
    g_free(mail->url);
    g_free(mail->credentials);
    g_free(mail);
}

static bool should_stop(void *user)
{
    return background_is_stopping(user);
}

static enum handover_result send_one(const struct mail *mail, struct handover *handover,
                                     const char *secret, const GPtrArray *alerts, guint first,
                                     guint n, char **ret_message)
{
    const struct mail_envelope envelope = {mail->from, (const char *const *)mail->to_headers};
    g_autoptr(GString) text = mail_message(&envelope, alerts, first, n);
    const struct handover_request request = {
        .url = mail->url,
        .needs_starttls = mail->needs_starttls,
        .from = mail->from.address,
        .to = (const char *const *)mail->to,
        .userpwd = secret,
        .bytes = text->str,
        .size = text->len,
    };
    g_autofree char *message = NULL;
    enum handover_result result = handover_send(handover, &request, &message);
    g_autofree char *clean = clean_line(message);
    *ret_message = clean ? clean_shorten(clean, MESSAGE_BYTES) : NULL;
    return result;
}

static void send_all(const struct mail *mail, const char *secret, const GPtrArray *alerts,
                     struct background *background)
{
    struct handover *handover = handover_new(getenv("SSL_CERT_FILE"), should_stop, background);
    guint n = mail->digest > 0 && alerts->len > mail->digest ? alerts->len : 1;
    for (guint first = 0; first < alerts->len && !should_stop(background); first += n) {
        g_autofree char *message = NULL;
        enum handover_result result = send_one(mail, handover, secret, alerts, first, n, &message);
        if (result == HANDOVER_FAILED) {
            background_report_rest(background, alerts, first, SINK_DOWN, message);
            break;
        }
        background_report_some(background, alerts, first, n,
                               result == HANDOVER_DONE ? SINK_DONE : SINK_RETRY, message);
    }
    handover_free(handover);
}

/* The credentials are read for each batch, so that a new password needs no reload. */
static void mail_deliver(void *state, GPtrArray *alerts, struct background *background)
{
    const struct mail *mail = state;
    g_autoptr(GError) error = NULL;
    g_autofree char *secret =
        mail->credentials ? file_read_secret(mail->credentials, &error) : NULL;
    if (error)
        background_report_rest(background, alerts, 0, SINK_DOWN, error->message);
    else if (secret && !strchr(secret, ':'))
        background_report_rest(background, alerts, 0, SINK_DOWN,
                               "the credentials are not user:password");
    else
        send_all(mail, secret, alerts, background);
}

static struct sink *mail_create(const struct sink_settings *settings,
                                const struct sink_hooks *hooks, GMainContext *context)
{
    static const struct background_work work = {
        .open = mail_open, .deliver = mail_deliver, .close = mail_close};
    return background_create(&work, settings, hooks, context);
}

const struct sink_type sink_mail = {
    .name = "mail",
    .batch_max = BATCH_MAX,
    .create = mail_create,
    .take = background_take,
    .stop = background_stop,
};
