/* text/mime - text as mail carries it: headers with encoded words (RFC 5322, RFC 2047), bodies in
 * quoted-printable (RFC 2045 section 6.7).
 *
 * Pure. Text goes in as UTF-8, and what comes out is ASCII in lines of at most MIME_LINE_MAX bytes
 * that end with CRLF. No header can hold a second one: whatever is not a printable character is a
 * blank or encoded, and line breaks are only those that this module makes, each followed by a
 * blank. */
#ifndef TEXT_MIME_H
#define TEXT_MIME_H

#include <glib.h>

#define MIME_LINE_MAX 78

/* "Name: value" CRLF, folded. Encoded words where the value is not plain ASCII, looks like an
 * encoded word, or cannot be folded. */
void mime_append_header(GString *out, const char *name, const char *value);
/* An address as it stands in From and To: "name <address>", with the name quoted or encoded where
 * it must be. name may be NULL. Newly allocated. */
char *mime_address(const char *name, const char *address);
/* A header that holds such addresses, one a line; they are taken as they are. */
void mime_append_addresses(GString *out, const char *name, const char *const *addresses);
/* A text body; its line ends are "\n". Ends with CRLF. */
void mime_append_body(GString *out, const char *text);

#endif
