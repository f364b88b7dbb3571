/* feed/xml - a forgiving pull tokenizer for XML as feeds have it.
 *
 * Pure. Cuts a UTF-8 document into start tags, end tags and text without copying anything; what
 * nests in what is the reader's business. Source: XML 1.0 (tokens), and long experience with what
 * is not XML. Well-formed documents give the tokens that XML defines; of others: a "<" that begins
 * no tag is text, attributes may lack quotes or values, the first of two equal attributes counts,
 * names without declaration that HTML knows are HTML's. Nothing outside the document is ever
 * opened: external entities and DTDs do not exist.
 *
 * A document that is well-formed has its tokens from libxml2 (feed/strict) where the reader says
 * so: then values have no references left, and text has XML's own at most.
 *
 * Limits (hostile.md S02-S05), each checked as the bytes come: FEED_ATTRIBUTES_MAX and
 * FEED_TAG_BYTES_MAX in a tag, XML_ELEMENTS_MAX in a document; for internal entities
 * XML_ENTITIES_MAX, their depth and the bytes that all references together give. */
#ifndef FEED_XML_H
#define FEED_XML_H

#include "feed/feed.h"

#define XML_ELEMENTS_MAX     1000000
#define XML_ENTITIES_MAX     1024
#define XML_ENTITY_DEPTH_MAX 8
#define XML_ENTITY_BYTES_MAX (1 << 20)

struct slice {
    const char *at;
    size_t size;
};

enum xml_event {
    XML_END_OF_DOCUMENT,
    XML_START,
    XML_END,
    XML_TEXT,    /* with references in it */
    XML_CDATA,   /* without */
    XML_REFUSED, /* error says why; the document is over */
};

struct xml_attribute {
    struct slice name;
    struct slice value; /* with references in it, unless the tokens are strict */
};

struct strict;

struct xml {
    /* The token that xml_next() returned; slices of the document. */
    struct slice name; /* START, END; with prefix */
    struct slice text; /* TEXT, CDATA */
    struct xml_attribute attributes[FEED_ATTRIBUTES_MAX];
    size_t n_attributes;
    bool is_empty;     /* START: "/>", no END will come */
    const char *token; /* where it begins in the document; not where it is strict */

    bool is_truncated; /* the document ended within a token */
    bool has_too_many; /* it was left at XML_ELEMENTS_MAX */
    bool has_bad_tags; /* something between < and > was no tag */
    bool has_unknown_references;
    bool is_piece;     /* text is a slice of the document; else it goes with the next token */
    bool is_malformed; /* says libxml2: the tokens are over */
    GError *error;

    /* Private. */
    struct strict *strict; /* gives the tokens; NULL: they are cut here */
    const char *p, *end;
    bool never_ends_comment, never_ends_instruction; /* a search came to the end in vain */
    size_t n_elements;
    GHashTable *entities; /* name -> text, NULL where none were declared */
    size_t entity_bytes;  /* that references to them gave so far */
};

/* The text is borrowed; x is set up. */
void xml_init(struct xml *x, const char *text, size_t size);
/* From now on libxml2 gives the tokens; takes strict over. They end with XML_REFUSED without an
 * error where the document is not well-formed. */
void xml_use_strict(struct xml *x, struct strict *strict);
void xml_clear(struct xml *x);
enum xml_event xml_next(struct xml *x);
/* Makes xml_next() return the current token once more. */
void xml_unread(struct xml *x);
/* For a CDATA section that never ends: ends it before the end tag of the element that it stands in,
 * if that comes. */
void xml_end_cdata(struct xml *x, struct slice element);
/* The value of an attribute by its name as written, or of any letter case; NULL where there is
 * none. */
const struct slice *xml_attribute(const struct xml *x, const char *name);
/* Appends the tag just read as it is written, or as it could be. */
void xml_append_tag(const struct xml *x, GString *out, bool is_end);
/* Appends text with its references decoded: XML's, the document's, HTML's. False where the
 * document's entities go beyond a limit: error is set. */
bool xml_append_decoded(struct xml *x, GString *out, struct slice text);
/* The same for the value of an attribute, which a strict token has decoded already. */
bool xml_append_value(struct xml *x, GString *out, struct slice value);
/* Appends text with the document's own entities replaced and all other references as they are. */
bool xml_append_expanded(struct xml *x, GString *out, struct slice text);
/* For text that nobody reads: references to the document's entities count against the limits all
 * the same. Uses scratch. */
bool xml_count_entities(struct xml *x, GString *scratch);

bool slice_is(struct slice slice, const char *text);
/* ASCII letters of either case are equal. */
bool slice_is_nocase(struct slice slice, const char *text);
struct slice slice_trim(struct slice slice);
/* At most max bytes of it, cut between characters. */
struct slice slice_head(struct slice slice, size_t max);

/* For xml.c alone: reads the declaration at x->p, "<!DOCTYPE", moves behind it, keeps its entities.
 */
void xml_read_doctype(struct xml *x);

#endif
