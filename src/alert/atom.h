/* alert/atom - alerts as an Atom feed (RFC 4287).
 *
 * Pure: the same alerts give the same bytes. Whatever an alert says, the document is well-formed
 * and its text is text: nothing in it is markup. An entry's id is made from the alert's, a feed's
 * from its name, both as name-based UUIDs (RFC 4122 section 4.3), so that a reader knows them again
 * for ever. An entry has a link only where that is http or https. */
#ifndef ALERT_ATOM_H
#define ALERT_ATOM_H

#include "store/store.h"

/* name: what the feed is known by, and told apart from all others. alerts: struct store_alert,
 * newest first. The caller frees. */
GString *atom_render(const char *name, const char *title, const GPtrArray *alerts);

#endif
