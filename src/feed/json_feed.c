#include "feed/json_feed.h"

bool json_feed_parse(const char *text, size_t size, const struct feed_options *options,
                     GPtrArray *warnings, struct document *document, GError **error)
{
    (void)text, (void)size, (void)options, (void)warnings, (void)document;
    g_set_error_literal(error, FEED_ERROR, FEED_ERROR_NOT_A_FEED, "JSON Feed is not read yet");
    return false;
}
