/* feed/link - URLs as feeds write them, to URLs that can be opened.
 *
 * Pure. Source: RFC 3986 (5.2 resolving), RFC 3987 (3.1 mapping an IRI), the URL Living Standard
 * for what browsers forgive: blanks around and line breaks within. What is no URL is left as it is;
 * who opens a link checks its scheme. */
#ifndef FEED_LINK_H
#define FEED_LINK_H

#include "base/arena.h"
#include "feed/xml.h"

#define LINK_BYTES_MAX 8192 /* a longer one is no link */

/* The reference, made absolute where base is an absolute URL (NULL: unknown). NULL where nothing is
 * left of it. */
const char *link_resolve(struct arena *arena, const char *base, struct slice reference);
/* Whether it begins with a scheme. */
bool link_is_absolute(struct slice link);
/* Whether it is an http or https URL with a host. */
bool link_is_web(struct slice link);

#endif
