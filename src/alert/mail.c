/* The mail sink: a message for each alert, or a digest where many wait (RFC 5321).
 *
 * In the order of the alerts, over one connection a batch. What a server says to a message that it
 * has read whole and will never take (5yz) concerns that message: it is tried again and given up in
 * the end. Everything else, also a refused sender or password, says that the way is not open: all
 * of them wait. Message-ID is made of the alert's, so that a repeat after a crash can be told. */
#include "alert/mail_message.h"
#include "alert/remote.h"
#include "text/mime.h"

#include <string.h>

#define BATCH_MAX 200

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

static enum handover_result send_message(const void *state, struct handover *handover,
                                         const char *secret, const GPtrArray *alerts, guint first,
                                         guint n, char **ret_message)
{
    const struct mail *mail = state;
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
    return handover_send(handover, &request, ret_message);
}

static void mail_deliver(void *state, GPtrArray *alerts, struct background *background)
{
    const struct mail *mail = state;
    bool is_digest = mail->digest > 0 && alerts->len > mail->digest;
    const struct remote remote = {mail->credentials, is_digest ? BATCH_MAX : 1, send_message};
    remote_deliver(&remote, mail, alerts, background);
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
