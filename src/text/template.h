/* text/template - a text with places that an alert's values fill: "{title} in {feed}".
 *
 * A place is "{", one of template_names, "}"; other braces stand for themselves, so that JSON can
 * be written as it is. In a template that begins with "{" or "[" and no name, values are escaped
 * for a JSON string (RFC 8259 section 7). Pure. */
#ifndef TEXT_TEMPLATE_H
#define TEXT_TEMPLATE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* What an alert has to give, NULL-terminated. */
extern const char *const template_names[];

/* The first "{word}" that is none of the names: its word, newly allocated, and the offset of its
 * brace; NULL where there is none. */
char *template_find_unknown(const char *text, size_t *ret_offset);
/* Whether the values go into JSON. */
bool template_is_json(const char *text);
/* value: of one of the names; newly allocated, taken over. Newly allocated. */
char *template_expand(const char *text, char *(*value)(const char *name, void *user), void *user);

#endif
