/* text/utf8 - decoding and repairing UTF-8 (RFC 3629).
 *
 * Pure. Positions and sizes are bytes. */
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xFFFD
#define UTF8_INVALID     0xFFFFFFFFu

/* The code point at *pos, which advances past it. A byte that begins no valid sequence (overlong,
 * surrogate, truncated, above U+10FFFF) gives UTF8_INVALID and advances by the maximal invalid part
 * (Unicode 3.9, at least one byte). Call only with *pos < size. */
uint32_t utf8_next(const char *text, size_t size, size_t *pos);
/* Writes 1-4 bytes, returns how many. The code point must be a scalar value. */
size_t utf8_put(char out[4], uint32_t code_point);
void utf8_append(GString *out, uint32_t code_point);
bool utf8_is_valid(const char *text, size_t size);
/* Counts the characters of several bytes, and what is none; stops at the first of those if it may.
 */
size_t utf8_count(const char *text, size_t size, bool stop, size_t *ret_invalid);
/* Appends the text with each invalid part as one U+FFFD. */
void utf8_append_repaired(GString *out, const char *text, size_t size);

#endif
