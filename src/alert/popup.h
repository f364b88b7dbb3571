/* alert/popup - what a desktop notification says: of one item, or of many at once.
 *
 * Pure. Source: the Desktop Notifications Specification 1.2. The summary is plain text, the
 * headline first. The body is kept as plain text and escaped only for a server that reads markup,
 * so a feed's
 * "<b>" is always shown as such. A body has at most POPUP_BODY_CHARS_MAX characters before
 * escaping. All texts are one clean line (text/clean.h) each; bodies join them with "\n".
 *
 * Alerts of one item come in one commit, next to each other in the order of their IDs, so a popup
 * names all rules of its item. */
#ifndef ALERT_POPUP_H
#define ALERT_POPUP_H

#include "store/store.h"

#include <glib.h>
#include <stdbool.h>

#define POPUP_BODY_CHARS_MAX    300
#define POPUP_SUMMARY_CHARS_MAX 160

enum popup_urgency { POPUP_LOW, POPUP_NORMAL, POPUP_CRITICAL }; /* as the specification counts */

struct popup {
    char *summary;
    char *body; /* may be "" */
    char *link; /* NULL: there is nothing to open */
    char *tag;  /* the same for a repeat of the same news, and for no other */
    enum popup_urgency urgency;
    int64_t time_ms; /* of its oldest alert */
    char **ids;      /* of the alerts that it tells of; NULL-terminated */
};
void popup_free(struct popup *popup);

/* How many of the alerts, from first on, tell of the same item: at least 1. */
guint popup_group(const GPtrArray *alerts, guint first);
/* One popup for n alerts of one item. */
struct popup *popup_new(const GPtrArray *alerts, guint first, guint n);
/* The body as the server wants it. Newly allocated. */
char *popup_body(const struct popup *popup, bool has_markup);

/* Many items in one popup: "12 new: newest headline", and below it those before. */
struct digest;
struct digest *digest_new(void);
void digest_free(struct digest *digest);
void digest_add(struct digest *digest, const struct popup *popup);
guint digest_count(const struct digest *digest);
/* As a popup without ids. A digest of one item is that item's own popup. */
struct popup *digest_popup(const struct digest *digest);

#endif
