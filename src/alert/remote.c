#include "alert/remote.h"

#include "base/file.h"
#include "text/clean.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_BYTES 200 /* of what a server says */

static bool should_stop(void *user)
{
    return background_is_stopping(user);
}

/* False: there are credentials, and they are of no use; *ret_problem says why. */
static bool read_secret(const char *path, char **ret_secret, char **ret_problem)
{
    g_autoptr(GError) error = NULL;
    if (!path)
        return true;
    *ret_secret = file_read_secret(path, &error);
    if (*ret_secret && strchr(*ret_secret, ':'))
        return true;
    *ret_problem = g_strdup(*ret_secret ? "the credentials are not user:password" : error->message);
    return false;
}

static char *cleaned(const char *message)
{
    g_autofree char *clean = clean_line(message);
    return clean ? clean_shorten(clean, MESSAGE_BYTES) : NULL;
}

static void send_all(const struct remote *remote, const void *state, const char *secret,
                     const GPtrArray *alerts, struct background *background)
{
    struct handover *handover = handover_new(getenv("SSL_CERT_FILE"), should_stop, background);
    for (guint first = 0, n; first < alerts->len && !should_stop(background); first += n) {
        g_autofree char *said = NULL;
        n = MIN(remote->per_message, alerts->len - first);
        enum handover_result result =
            remote->send(state, handover, secret, alerts, first, n, &said);
        g_autofree char *message = cleaned(said);
        if (result == HANDOVER_FAILED) {
            background_report_rest(background, alerts, first, SINK_DOWN, message);
            break;
        }
        background_report_some(background, alerts, first, n,
                               result == HANDOVER_DONE ? SINK_DONE : SINK_RETRY, message);
    }
    handover_free(handover);
}

void remote_deliver(const struct remote *remote, const void *state, GPtrArray *alerts,
                    struct background *background)
{
    g_autofree char *secret = NULL, *problem = NULL;
    if (read_secret(remote->credentials, &secret, &problem))
        send_all(remote, state, secret, alerts, background);
    else
        background_report_rest(background, alerts, 0, SINK_DOWN, problem);
}
