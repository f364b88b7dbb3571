/* alert/mail_message - alerts as a mail (RFC 5322, 2045, 2047): one alone, or a digest of many.
 *
 * Pure but for the time zone: the same alerts give the same bytes. The body is plain text. Whatever
 * an alert says, it can add no header and no line that is not text (text/mime). Message-ID is made
 * of the alert's ID, of a digest of its first, its last and their number, so that a receiver can
 * tell a repeat. */
#ifndef ALERT_MAIL_MESSAGE_H
#define ALERT_MAIL_MESSAGE_H

#include "store/store.h"
#include "text/mail.h"

struct mail_envelope {
    struct mail_address from;
    const char *const *to; /* as mime_address() made them, NULL-terminated */
};

/* n alerts (struct store_alert) from index first on, at least one, in order. The caller frees. */
GString *mail_message(const struct mail_envelope *envelope, const GPtrArray *alerts, guint first,
                      guint n);

#endif
