/* feed/json_mend - JSON as it was meant.
 *
 * Pure. Gives text that jansson reads (RFC 8259) for what publishers send: lone surrogates and
 * zeroes become U+FFFD, raw control characters in strings blanks, numbers of over 18 digits
 * strings; escapes that do not exist lose their backslash, commas before a closing bracket vanish,
 * what follows the value is cut off. A document that ends too early is closed behind the last value
 * that came whole. */
#ifndef FEED_JSON_MEND_H
#define FEED_JSON_MEND_H

#include "feed/feed.h"

#define JSON_VALUES_MAX 400000

/* NULL and FEED_ERROR_REFUSED beyond FEED_DEPTH_MAX or JSON_VALUES_MAX. */
GString *json_mend(const char *text, size_t size, bool *ret_truncated, GError **error);

#endif
