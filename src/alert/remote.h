/* alert/remote - what the sinks share that hand alerts over to a server of the user's (mail, mqtt).
 *
 * The credentials are read for each batch, so that a new password needs no reload. One message
 * after another, in order: one that the server will never take is the alert's own matter and tried
 * again, counted; any other failure is the way's, and the rest of the batch waits. */
#ifndef ALERT_REMOTE_H
#define ALERT_REMOTE_H

#include "alert/background.h"
#include "http/handover.h"

struct remote {
    const char *credentials; /* path of a file with user:password, or NULL */
    guint per_message;       /* how many alerts go into one */
    /* Sends n alerts from index first on. secret: NULL: none. */
    enum handover_result (*send)(const void *state, struct handover *handover, const char *secret,
                                 const GPtrArray *alerts, guint first, guint n, char **ret_message);
};

void remote_deliver(const struct remote *remote, const void *state, GPtrArray *alerts,
                    struct background *background);

#endif
