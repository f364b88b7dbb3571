/* http/headers - header fields in and out.
 *
 * What comes in is kept byte for byte but for the blanks around a value (RFC 9110 5.5); a field
 * with CR or NUL in it is dropped. What goes out is checked, so that no value can make a second
 * header. Pure. */
#ifndef HTTP_HEADERS_H
#define HTTP_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_HEADERS_MAX      1000
#define HTTP_FOLDED_BYTES_MAX 8192 /* of a value over several lines */

struct headers;

struct headers *headers_new(void);
void headers_free(struct headers *headers);
void headers_clear(struct headers *headers);
/* One line as it came, with or without its end. False beyond a limit. */
bool headers_add_line(struct headers *headers, const char *line, size_t size);
size_t headers_count(const struct headers *headers);
/* One after the other, in the order they came; *place is 0 before the first. The name is in lower
 * case, the value trimmed and otherwise byte for byte; both are valid until headers change. False
 * after the last. */
bool headers_next(const struct headers *headers, size_t *place, const char **ret_name,
                  const char **ret_value);
/* The value of the first one of that lower-case name, or NULL. */
const char *headers_find(const struct headers *headers, const char *name);
/* "Name: value" with a token as name and no control character but tab in the value. */
bool headers_is_sendable(const char *field);
/* No control character but tab. */
bool headers_is_value(const char *value);

#endif
