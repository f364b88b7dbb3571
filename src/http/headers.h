/* http/headers - header fields in and out.
 *
 * What comes in is kept byte for byte but for the blanks around a value (RFC 9110 5.5); a field
 * with CR or NUL in it is dropped. What goes out is checked, so that no value can make a second
 * header. Pure. */
#ifndef HTTP_HEADERS_H
#define HTTP_HEADERS_H

#include "http/http.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define HTTP_HEADERS_MAX      1000
#define HTTP_FOLDED_BYTES_MAX 8192 /* of a value over several lines */

GArray *headers_new(void); /* of struct http_header, which it owns */
/* One line as it came, with or without its end. False beyond a limit. */
bool headers_add_line(GArray *headers, const char *line, size_t size);
/* "Name: value" with a token as name and no control character but tab in the value. */
bool headers_is_sendable(const char *field);
/* No control character but tab. */
bool headers_is_value(const char *value);

#endif
