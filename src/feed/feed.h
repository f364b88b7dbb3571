/* feed/feed - the document that a feed is.
 *
 * feed_parse() turns bytes into a struct feed_doc: RSS 2.0/0.9x, RSS 1.0, Atom 1.0/0.3, JSON Feed.
 * Pure: no file, no network, no clock, no globals beyond constant tables. All text in a document is
 * clean, valid UTF-8 plain text (HTML rendered, entities decoded, control characters gone); absent
 * text is NULL; links are absolute where a base is known.
 *
 * Ownership: the document owns everything it points to and dies as a whole in feed_doc_free().
 * Limits: hostile.md S02-S05, S26; each is a FEED_*_MAX below and is counted before anything is
 * allocated. Errors: FEED_ERROR. A document that is damaged but shows items is no error: it has
 * warnings. */
#ifndef FEED_FEED_H
#define FEED_FEED_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEED_TIME_NONE      INT64_MIN
#define FEED_ITEMS_MAX      20000
#define FEED_DEPTH_MAX      256
#define FEED_ATTRIBUTES_MAX 256
#define FEED_TAG_BYTES_MAX  (1 << 20)
#define FEED_WARNINGS_MAX   20

enum feed_error {
    FEED_ERROR_NOT_A_FEED, /* HTML, an error page, nothing at all */
    FEED_ERROR_REFUSED,    /* an attack or beyond a limit: the message names which */
    FEED_ERROR_ENCODING,   /* an encoding that is not on the list */
};
#define FEED_ERROR feed_error_quark()
GQuark feed_error_quark(void);

enum feed_format { FEED_RSS20, FEED_RSS10, FEED_RSS09, FEED_ATOM10, FEED_ATOM03, FEED_JSON };

struct feed_author {
    const char *name, *email, *url; /* each may be NULL */
};

struct feed_enclosure {
    const char *url;
    const char *type;     /* MIME type or NULL */
    int64_t length_bytes; /* -1 where not given */
};

struct feed_item {
    const char *id; /* guid, atom:id, rdf:about, JSON id; as written, trimmed */
    const char *title;
    const char *link;
    const char *summary;
    const char *content;
    const char *language; /* BCP 47, or NULL */
    int64_t published_s;  /* UTC, FEED_TIME_NONE where absent or out of range */
    int64_t updated_s;
    const struct feed_author *authors;
    size_t n_authors;
    const char *const *categories; /* NULL-terminated, NULL where empty */
    const struct feed_enclosure *enclosures;
    size_t n_enclosures;
};

struct feed_doc {
    enum feed_format format;
    const char *title, *link, *id, *language;
    int64_t updated_s;
    struct feed_item *items; /* in document order */
    size_t n_items;
    size_t n_items_dropped; /* beyond FEED_ITEMS_MAX */
    bool is_truncated;      /* the document ended before its root did */
    /* What the publisher asks of a poller; 0 where absent. */
    int64_t ttl_s;               /* RSS ttl */
    int64_t update_period_s;     /* syndication module: updatePeriod / updateFrequency */
    uint32_t skip_hours;         /* bit h: hour h, GMT */
    uint8_t skip_days;           /* bit d: 0 is Sunday, GMT */
    const char *const *warnings; /* NULL-terminated, never NULL */
};

struct feed_options {
    const char *base_url; /* where the bytes came from; NULL: unknown */
    const char
        *content_type; /* the HTTP header's value, NULL: unknown. Only its charset is believed */
};

/* options may be NULL. NULL and *error where the bytes are no feed or are refused. */
struct feed_doc *feed_parse(const char *bytes, size_t size, const struct feed_options *options,
                            GError **error);
void feed_doc_free(struct feed_doc *doc);
/* "rss20", "atom10", … as `feedwatch parse` prints it. */
const char *feed_format_name(enum feed_format format);

#endif
