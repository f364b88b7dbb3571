/* feed/json_feed - JSON Feed 1.0 and 1.1 (jsonfeed.org) to a document.
 *
 * Pure. The text is mended first (feed/json_mend.h). Only content_html is HTML. */
#ifndef FEED_JSON_FEED_H
#define FEED_JSON_FEED_H

#include "feed/draft.h"

/* Fills the document. False where the text is no feed or is refused. */
bool json_feed_parse(const char *text, size_t size, const struct feed_options *options,
                     GPtrArray *warnings, struct document *document, GError **error);

#endif
