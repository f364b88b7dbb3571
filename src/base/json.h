/* base/json - JSON in and out, on jansson.
 *
 * Output is one object on one line, keys in the order they were set (RFC 8259). Text that goes in
 * must be valid UTF-8: json_set_text() maps NULL to null and replaces what is not. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <glib.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* object takes the new value. NULL text becomes null. */
void json_set_text(json_t *object, const char *key, const char *text);
void json_set_int(json_t *object, const char *key, int64_t value);
/* null where value == none. */
void json_set_time(json_t *object, const char *key, int64_t value, int64_t none);
/* A list of texts; NULL becomes []. */
void json_set_texts(json_t *object, const char *key, const char *const *texts);
/* Writes the value and a newline, and drops the reference. */
void json_print_line(json_t *value, FILE *out);
/* Adds the value and a newline. Borrows value. */
void json_append_line(GString *text, const json_t *value);
/* The value as one line without newline; the caller frees with g_free(). Borrows value. */
char *json_to_text(const json_t *value);

#endif
