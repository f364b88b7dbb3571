/* text/html_refs - character references: &amp; &#8217; &#x2019;
 *
 * Pure. Source: HTML Living Standard 13.2.5.72-80 (numeric references 0x80-0x9F mean windows-1252;
 * zero, surrogates and values beyond Unicode give U+FFFD) and its table of names, 13.5. Two
 * references that spell a surrogate pair give the one character they mean. */
#ifndef TEXT_HTML_REFS_H
#define TEXT_HTML_REFS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTML_REFERENCE_MAX 8 /* bytes that one reference can stand for */

enum html_reference_rule {
    HTML_REFERENCE_TEXT,      /* some old names need no semicolon */
    HTML_REFERENCE_ATTRIBUTE, /* they do when = or a letter follows */
    HTML_REFERENCE_STRICT,    /* a name always needs one, as in XML */
};

struct html_name {
    char text[7];
    bool is_legacy; /* counts without a semicolon */
    char name[32];
};
extern const struct html_name html_names[];
extern const size_t html_names_count;

/* Decodes the reference that begins at text[0] == '&'. Returns how many bytes it wrote to out, 0
 * where it is none; *ret_used: how many bytes of text it took. */
size_t html_reference(const char *text, size_t size, enum html_reference_rule rule,
                      char out[HTML_REFERENCE_MAX], size_t *ret_used);

#endif
