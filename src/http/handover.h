/* http/handover - hands a text to a mail server (RFC 5321) or an MQTT broker, on libcurl's easy
 * interface.
 *
 * Blocks: for a thread that may. Each call is one message; the connection is kept for the next one,
 * and closed in order by handover_free(). TLS is verified, and there is no switch to turn that off.
 * Addresses are not checked and no proxy is used: the user named the host. */
#ifndef HTTP_HANDOVER_H
#define HTTP_HANDOVER_H

#include <glib.h>
#include <stdbool.h>

#define HANDOVER_TIMEOUT_MS 60000L

struct handover;

struct handover_request {  /* borrowed for the call; NULL: leave out */
    const char *url;       /* smtp, smtps: host and port; mqtt: and the topic */
    bool needs_starttls;   /* smtp: nothing is sent without */
    const char *from;      /* mail: bare addresses */
    const char *const *to; /* NULL-terminated */
    const char *userpwd;   /* "user:password" */
    const char *bytes;
    size_t size;
};

enum handover_result {
    HANDOVER_DONE, /* a mail server has taken it; a broker was sent it (QoS 0: it does not say) */
    HANDOVER_REFUSED, /* the mail server has read the message and will never take it (5yz) */
    HANDOVER_FAILED   /* the server cannot be reached, or takes nothing now, or nothing from us */
};

/* ca_file: NULL for the system's authorities. should_stop is asked about once a second, on the same
 * thread. */
struct handover *handover_new(const char *ca_file, bool (*should_stop)(void *user), void *user);
void handover_free(struct handover *handover);
/* *ret_message: newly allocated, a sentence, never credentials; may quote the server, uncleaned.
 * NULL with DONE. */
enum handover_result handover_send(struct handover *handover,
                                   const struct handover_request *request, char **ret_message);

#endif
