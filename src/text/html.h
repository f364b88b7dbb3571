/* text/html - HTML to what a person reads.
 *
 * Pure: no tree, no network, one pass. Source: the HTML Living Standard's character references
 * (13.5) and its block elements. Blocks and <br> separate words, inline elements do not; script,
 * style, template and comments vanish; entities are decoded once (numeric 0x80-0x9F by
 * windows-1252); an image's alt text counts as text. The output is valid UTF-8 with blocks
 * separated by "\n" and blanks collapsed. */
#ifndef TEXT_HTML_H
#define TEXT_HTML_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Appends the text of an HTML fragment. */
void html_append_text(GString *out, const char *html, size_t size);
/* Appends text with its character references decoded once, and no other change. */
void html_append_decoded(GString *out, const char *text, size_t size);
/* Whether the text looks like markup rather than like plain text with a stray < or &. */
bool html_is_markup(const char *text, size_t size);

#endif
