/* text/html_tags - which elements there are, and where a tag ends.
 *
 * Pure. Source: HTML Living Standard 4 (elements), 13.2.5 (tokenization), MathML and SVG for the
 * names that pages mix in. */
#ifndef TEXT_HTML_TAGS_H
#define TEXT_HTML_TAGS_H

#include <stdbool.h>
#include <stddef.h>

enum html_kind {
    HTML_UNKNOWN,
    HTML_INLINE,
    HTML_BLANK,  /* separates words */
    HTML_BLOCK,  /* separates lines */
    HTML_IMAGE,  /* its alt text is text */
    HTML_HIDDEN, /* nothing in it is read, up to its end tag */
};

struct html_tag {
    enum html_kind kind;
    const char *name; /* in the source */
    size_t name_size;
    const char *attributes; /* what stands between the name and ">" */
    const char *end;        /* behind ">" */
    bool is_end;
    bool is_empty; /* "/>" */
};

/* Reads the tag at text[0] == '<'. False where it is none: no name, or no ">" before end. Begin
 * with *quotes_fail false and hand it on: it turns true where the text has quotes that never close,
 * after which quotes no longer count. To stay linear, give the place behind the text's last ">" as
 * end. */
bool html_read_tag(const char *text, const char *end, bool *quotes_fail, struct html_tag *ret_tag);
/* The value of an attribute, not decoded. False where the tag has none of that name. */
bool html_attribute(const struct html_tag *tag, const char *name, const char **ret_value,
                    size_t *ret_size);
enum html_kind html_kind_of(const char *name, size_t size);

#endif
