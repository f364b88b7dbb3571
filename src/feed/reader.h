/* feed/reader - from the tokens of an XML feed to a document. Private to feed/.
 *
 * Keeps the open elements on a stack of FEED_DEPTH_MAX and no tree. Each element is a word
 * (feed/vocabulary.h) with an action, or is skipped with all that is in it. Elements with text are
 * taken whole (reader_field()), so that HTML which was never escaped does no harm: it ends where
 * its element ends, or one around it. End tags that close nothing are ignored; a missing one is
 * made up when an outer element ends. */
#ifndef FEED_READER_H
#define FEED_READER_H

#include "feed/draft.h"
#include "feed/textual.h"
#include "feed/vocabulary.h"
#include "feed/xml.h"

enum warning {
    WARNING_TRUNCATED = 1 << 0,
    WARNING_DATE = 1 << 1,
    WARNING_BAD_TAG = 1 << 2,
    WARNING_NESTING = 1 << 3,
    WARNING_REFERENCE = 1 << 4,
    WARNING_ITEMS = 1 << 5,
    WARNING_ELEMENTS = 1 << 6,
    WARNING_CUT_ITEM = 1 << 7,
    WARNING_JUNK = 1 << 8,
};

struct element {
    struct slice name; /* as written, with prefix */
    enum place place;  /* of what is in it; 0: it is skipped */
    guint n_bindings;  /* before its own */
    const char *base;  /* xml:base in force in it, NULL: none */
    const char *language;
};

struct binding {
    struct slice prefix;
    enum ns ns;
};

struct reader {
    struct xml xml;
    struct document *document;
    struct textual textual;
    GArray *items;        /* struct feed_item */
    GPtrArray *warnings;  /* const char in the arena */
    const char *base_url; /* where the document came from; NULL: unknown */
    const char *self_url; /* where it says it came from */
    unsigned warned;      /* set of enum warning */
    struct draft feed, item;
    struct feed_author person; /* the one that is being read */
    GArray *source_authors;    /* of the source of the current item */

    struct element stack[FEED_DEPTH_MAX];
    size_t depth;
    GArray *bindings; /* struct binding */
    enum ns native;   /* what elements without a namespace belong to */
    struct slice root_prefix;
    const char *language; /* xml:lang in force at the element just started */
    const char *base;
    bool in_item, in_source;
    GString *raw;      /* content of the current field */
    bool field_is_cut; /* the document ended within it */
    bool is_cut;       /* the document ended within an element */
    int64_t update_frequency;
};

/* reader.c */
/* Fills the document. False where the text is no feed or is refused. */
bool reader_parse(const char *text, size_t size, const struct feed_options *options,
                  GPtrArray *warnings, struct document *document, GError **error);
/* Once, with the tokens of strict, which it takes over, or with strict NULL forgivingly. The two
 * agree on what is well-formed. The document is empty before, and rubbish where it was malformed:
 * then there is no error. */
bool reader_parse_once(struct strict *strict, const char *text, size_t size,
                       const struct feed_options *options, GPtrArray *warnings,
                       struct document *document, bool *ret_is_malformed, GError **error);
void reader_warn(struct reader *r, enum warning kind, const char *format, ...) G_GNUC_PRINTF(3, 4);
struct draft *reader_draft(struct reader *r);
void reader_push(struct reader *r, enum place place);
void reader_start_item(struct reader *r);
void reader_end_item(struct reader *r);

/* field.c */
enum field {
    FIELD_HTML,   /* escaped or not */
    FIELD_MARKUP, /* XHTML */
    FIELD_WORDS,  /* escaped or not; every tag separates words */
    FIELD_TEXT,   /* tags do not count */
    FIELD_SKIP,   /* nothing of it is wanted */
};
/* Reads what is in the element just started, up to its end. The content stays valid until the next
 * call. False where the document is refused. *ret_form: how it is to be rendered. */
bool reader_field(struct reader *r, enum field field, struct slice *ret,
                  enum textual_form *ret_form);
/* A field as one clean line; NULL where it is empty. */
const char *reader_line(struct reader *r, enum field field);

/* actions.c */
/* Does what the word asks at the element just started; NULL skips it. False: the document is
 * refused. */
bool reader_act(struct reader *r, const struct word *word);

#endif
