/* feed/person - a person as feeds write one: "ann@example.com (Ann Lee)", "Ann Lee <ann@…>", a
 * name.
 *
 * Pure. */
#ifndef FEED_PERSON_H
#define FEED_PERSON_H

#include "base/arena.h"
#include "feed/feed.h"

/* Cuts one clean line into name and address; parts that are not there are NULL. */
struct feed_author person_parse(struct arena *arena, const char *text);

#endif
