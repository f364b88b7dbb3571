/* feed/strict - the tokens of a well-formed document, as libxml2 reads it. Private to feed/.
 *
 * Feeds that are XML are read by libxml2, the rest by the forgiving tokenizer of feed/xml: whenever
 * libxml2 finds a document not well-formed, its reading is dropped and the document is read again
 * there. So nobody's feed depends on how we mend what needs no mending.
 *
 * Push parser with SAX 1 handlers: names come with their prefixes, as feed/reader wants them. Its
 * tokens are kept for one piece of the document at a time; no tree, no network, no file. Each piece
 * is looked at before libxml2 sees a byte of it (hostile.md S02-S05): a document type declaration,
 * and what could cost too much, is left to feed/xml, which has limits of its own.
 *
 * Most of a feed is text, and libxml2 looks at each character of it for what XML forbids. CDATA
 * sections, comments, and text that is seen to have no more in it than characters and XML's own
 * references therefore go around it: it is shown a short section in their place, so that the order
 * and the nesting of everything is still its word. */
#ifndef FEED_STRICT_H
#define FEED_STRICT_H

#include "feed/xml.h"

#define STRICT_PIECE_BYTES 16384
#define STRICT_NAMES_MAX   300000 /* of tags and attributes: its table of names slows down */

struct strict;

/* The text, valid UTF-8, is borrowed; libxml2 is shown it in pieces of about so many bytes. */
struct strict *strict_new(const char *text, size_t size, size_t piece_bytes);
void strict_free(struct strict *strict);
/* For xml_next(): fills the token of x, which is valid until the next call; names are valid as long
 * as strict is. XML_REFUSED without an error where the document is not well-formed. */
enum xml_event strict_next(struct strict *strict, struct xml *x);
/* The current token comes once more. */
void strict_unread(struct strict *strict);

#endif
