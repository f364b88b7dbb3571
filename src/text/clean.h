/* text/clean - what a feed's text must lose before it reaches a log, a terminal or a popup.
 *
 * Pure. Rules: hostile.md S13-S15. Removed: C0, DEL, C1 (also as U+0080-9F), bidi controls,
 * zero-width characters and BOM, tags U+E0000-7F, noncharacters; variation selectors and ZWJ stay
 * only inside emoji; at most CLEAN_MARKS_MAX combining marks stay on a base. Line breaks of every
 * kind (LF, CR, VT, FF, NEL, U+2028/9) and runs of blanks become one space; ends are trimmed.
 * Invalid UTF-8 becomes U+FFFD. */
#ifndef TEXT_CLEAN_H
#define TEXT_CLEAN_H

#include <glib.h>
#include <stddef.h>

#define CLEAN_MARKS_MAX 8

/* One line, safe to print. NULL gives NULL. The caller frees with g_free(). */
char *clean_line(const char *text);
void clean_append_line(GString *out, const char *text, size_t size);
/* The same, but line breaks stay as "\n" (at most two in a row): for bodies. */
void clean_append_block(GString *out, const char *text, size_t size);
/* Cuts a valid UTF-8 text to at most max_bytes at a character (never inside an emoji or before a
 * mark), with "…" at its end where something was cut. Newly allocated. */
char *clean_shorten(const char *text, size_t max_bytes);

#endif
