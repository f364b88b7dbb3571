/* config/reader - what stands between a file and libinih: lines in, harmless lines out.
 *
 * Checks the structure (sections, names, indentation), strips comments, and notes where each piece
 * of a value stands. What it hands on to inih is one of
 *
 *     [kind id]
 *     key=
 *      PIECE
 *
 * where a piece has at most READER_PIECE_MAX bytes, all of them letters, digits or %XX, and one
 * blank before it. The handler joins and decodes the pieces. Nothing that inih could misread is
 * left. Internal to config/. */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include "config/source.h"

#define READER_PIECE_MAX 180

struct reader {
    struct source *source;
    const char *file; /* as the problems keep it */
    const char *text;
    size_t size, at;
    unsigned line;
    bool is_exposed; /* others can read the file */

    struct source_section *section; /* NULL: none yet, or one that is passed over */
    bool is_skipping;               /* a section that is passed over */
    struct source_setting *setting; /* NULL: none, or one that is passed over */
    bool is_skipping_value;
    struct scan scan;
    size_t value_size; /* of the setting, as far as it was read */

    GPtrArray *begun; /* struct source_setting, borrowed: one for each `key=` that was handed on */
    GString *head;    /* the line to hand on before the pieces; empty: none */
    GString *pieces;
    size_t handed; /* bytes of pieces that are gone */
};

void reader_init(struct reader *reader, struct source *source, const char *file, const char *text,
                 size_t size);
void reader_clear(struct reader *reader);
/* An ini_reader of libinih: stream is a struct reader. */
char *reader_next_line(char *out, int size, void *stream);

#endif
