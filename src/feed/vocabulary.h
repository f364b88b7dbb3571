/* feed/vocabulary - what the elements of feeds mean.
 *
 * Pure, constant tables. A word is known by its namespace and its local name (of any letter case);
 * namespaces by their URI (any letter case, http or https, with or without a slash or # at its
 * end), whatever the prefix; a prefix that is declared nowhere by the namespace that everybody uses
 * it for. Sources: RSS 0.90-2.0, RSS 1.0 and its modules, RFC 4287, Atom 0.3, Dublin Core, Media
 * RSS, the iTunes podcast tags. */
#ifndef FEED_VOCABULARY_H
#define FEED_VOCABULARY_H

#include "feed/draft.h"
#include "feed/xml.h"

enum ns {
    NS_NONE,
    NS_OTHER,
    NS_RSS,
    NS_ATOM,
    NS_DC,
    NS_DCTERMS,
    NS_CONTENT,
    NS_MEDIA,
    NS_ITUNES,
    NS_SY,
    NS_FEEDBURNER,
    NS_ENCLOSURE,
    NS_RDF,
    NS_XHTML,
};

enum ns vocabulary_namespace(struct slice uri);
enum ns vocabulary_undeclared_prefix(struct slice prefix);

/* Where a word stands: a set of these. */
enum place {
    IN_ROOT = 1,  /* directly in rss or rdf:RDF */
    IN_FEED = 2,  /* channel, feed */
    IN_ITEM = 4,  /* item, entry */
    IN_MEDIA = 8, /* media:group, media:content */
    IN_PERSON = 16,
    IN_SKIPS = 32, /* skipHours, skipDays */
    IN_SOURCE = 64,
};

enum action {
    ACTION_CHANNEL,
    ACTION_ITEM,
    ACTION_TEXT,      /* HTML, one line or more by its slot */
    ACTION_ATOM_TEXT, /* a text construct: its type says what it is */
    ACTION_LINK,      /* a URL as text */
    ACTION_ATOM_LINK, /* rel and href */
    ACTION_GUID,
    ACTION_DATE,
    ACTION_AUTHOR, /* a person as one text */
    ACTION_PERSON, /* one with name, email, uri */
    ACTION_NAME,
    ACTION_EMAIL,
    ACTION_URI,
    ACTION_CATEGORY,       /* as attributes or as text */
    ACTION_CATEGORY_GROUP, /* attributes, and more of its kind in it */
    ACTION_KEYWORDS,       /* separated by commas */
    ACTION_ENCLOSURE,
    ACTION_MEDIA_CONTENT,
    ACTION_MEDIA_GROUP,
    ACTION_SOURCE,
    ACTION_TTL,
    ACTION_SKIPS,
    ACTION_HOUR,
    ACTION_DAY,
    ACTION_UPDATE_PERIOD,
    ACTION_UPDATE_FREQUENCY,
};

struct word {
    unsigned char ns, where, action, slot, rank;
    const char *local; /* in lower case */
};

/* NULL: nothing that we read. */
const struct word *vocabulary_find(enum ns ns, struct slice local, enum place place);

#endif
