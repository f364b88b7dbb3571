/* feed/identity - by which keys an item is known again.
 *
 * Pure. Source: polling.md, "Identity of an item": guid; guid without scheme and host; canonical
 * link (http = https, no default port, no fragment, no tracking parameters); title and day, only
 * where link and guid are absent or the feed is known to churn them. A guid that two items of one
 * document share is no key. A key is a 64-bit hash that differs by kind; any known key makes an
 * item known. */
#ifndef FEED_IDENTITY_H
#define FEED_IDENTITY_H

#include "feed/feed.h"

#define IDENTITY_KEYS_MAX 4

struct identity_keys {
    uint64_t key[IDENTITY_KEYS_MAX];
    size_t n;
};

/* One struct an item of the document, in order; the caller frees with g_free(). use_title adds the
 * title-and-day key to every item (for feeds that churn their ids and links). */
struct identity_keys *identity_keys_of(const struct feed_doc *doc, bool use_title);
/* A hash of what is matched: title, summary, content, authors, categories. Equal text, equal hash.
 */
uint64_t identity_text_hash(const struct feed_item *item);
/* The canonical form of an http(s) link, newly allocated; NULL for anything else. */
char *identity_canonical_link(const char *link);

#endif
