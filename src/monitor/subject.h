/* monitor/subject - a feed's item as the rules see it. */
#ifndef MONITOR_SUBJECT_H
#define MONITOR_SUBJECT_H

#include "config/config.h"
#include "feed/feed.h"

struct subject {
    struct rule_item item; /* borrows from the feed item, the settings and authors */
    const char **authors;
};

/* settings may be NULL (a feed that is no longer configured): then feed_id alone says where the
 * item is from. doc_language is what the document says of itself, or NULL; the feed's own setting
 * goes before it, as a publisher is often wrong there. */
void subject_init(struct subject *subject, const struct feed_item *item, const char *feed_id,
                  const struct config_feed *settings, const char *doc_language);
void subject_clear(struct subject *subject);

#endif
