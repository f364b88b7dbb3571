/* feed/textual - from the text of a document to clean text that stays.
 *
 * Renders what is HTML, cleans (text/clean.h), keeps the result in the arena. */
#ifndef FEED_TEXTUAL_H
#define FEED_TEXTUAL_H

#include "base/arena.h"
#include "feed/xml.h"

enum textual_form {
    TEXTUAL_PLAIN,
    TEXTUAL_HTML,
    TEXTUAL_MARKUP, /* XML, such as XHTML */
};

struct textual {
    struct arena *arena; /* borrowed */
    GString *rendered, *cleaned;
};

void textual_init(struct textual *textual, struct arena *arena);
void textual_clear(struct textual *textual);
/* One line; NULL where nothing is left. */
const char *textual_line(struct textual *textual, struct slice text, enum textual_form form);
/* With its line breaks. */
const char *textual_block(struct textual *textual, struct slice text, enum textual_form form);

#endif
