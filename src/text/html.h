/* text/html - HTML to what a person reads.
 *
 * Pure: no tree, no network, one pass, time linear in the input. Source: the HTML Living Standard's
 * character references (13.5) and its block elements. Blocks and <br> separate words, inline
 * elements do not; script, style, template, frames and comments vanish; references are decoded once
 * (text/html_refs.h); the alt texts of images are read
 * where there is no other text. What only resembles a
 * tag stays text: a
 * "<" before anything but a name, a tag that never ends, <stdio.h>, <ann@example.com>. Blanks are
 * collapsed and blocks separated by "\n". Valid UTF-8 in gives valid UTF-8 out; control characters
 * and the like are text/clean.h's. */
#ifndef TEXT_HTML_H
#define TEXT_HTML_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Appends the text of an HTML fragment. */
void html_append_text(GString *out, const char *html, size_t size);
/* The same for XML markup: whatever is spelt like a tag is one. */
void html_append_markup_text(GString *out, const char *markup, size_t size);
/* Appends text with its character references decoded once, and no other change. */
void html_append_decoded(GString *out, const char *text, size_t size);
/* Whether the text has tags of HTML or comments in it, rather than at most a stray < or &. */
bool html_is_markup(const char *text, size_t size);

#endif
