/* feed/encoding - the bytes of a document to UTF-8.
 *
 * Pure but for iconv(3), which reads its tables. What is believed, in this order: a byte order
 * mark; the pattern of zero bytes that UTF-16 and UTF-32 make; bytes that are valid UTF-8, whatever
 * is declared; the charset of the HTTP header; the XML declaration; an HTML meta tag; without any
 * of them windows-1252. Names are looked up in a list of what may be used (hostile.md S22), with
 * the supersets that the Encoding Standard puts in the place of old names: iso-8859-1 is
 * windows-1252, gb2312 gb18030. Bytes that mean nothing become U+FFFD. */
#ifndef FEED_ENCODING_H
#define FEED_ENCODING_H

#include "feed/feed.h"

struct encoding_text {
    const char *at; /* valid UTF-8; the document itself where that is */
    size_t size;
    char *owned;         /* or what was converted */
    const char *warning; /* a constant text, or NULL */
};

/* content_type is the HTTP header's value, or NULL. False with FEED_ERROR_ENCODING. */
bool encoding_decode(const char *bytes, size_t size, const char *content_type,
                     struct encoding_text *ret, GError **error);
void encoding_clear(struct encoding_text *text);

/* Whether it is one in which ASCII bytes mean something else, such as UTF-7: what is harmless to a
 * scan may be markup then, so a document that declares it is not read. */
bool encoding_is_refused(const char *name, size_t size);
/* The name for iconv_open() of a declared encoding, NULL where it is not on the list. */
const char *encoding_iconv_name(const char *name, size_t size);

#endif
