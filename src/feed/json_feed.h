/* feed/json_feed - JSON Feed 1.0 and 1.1 (jsonfeed.org) to a document.
 *
 * Pure. What jansson would refuse though a reader could read it is mended first: lone surrogates,
 * control characters in strings, huge numbers, an end that is missing. Limits: FEED_DEPTH_MAX,
 * JSON_FEED_VALUES_MAX, FEED_ITEMS_MAX. */
#ifndef FEED_JSON_FEED_H
#define FEED_JSON_FEED_H

#include "feed/draft.h"

#define JSON_FEED_VALUES_MAX 400000

/* Fills the document. */
bool json_feed_parse(const char *text, size_t size, const struct feed_options *options,
                     GPtrArray *warnings, struct document *document, GError **error);

#endif
