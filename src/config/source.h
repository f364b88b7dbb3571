/* config/source - the text of configuration files as sections and settings, with their places.
 *
 * The INI format is read by libinih, behind a reader of our own (reader.h) that hides the library's
 * limits from it: inih as Debian builds it cuts lines at 198 bytes and names at 49, drops
 * continuation lines that look like comments, hides empty sections, and counts no columns. Values
 * arrive whole: the lines of one value joined by one blank each, without comments and without
 * blanks at the ends.
 *
 * A struct source collects any number of files; [feedwatch] and [defaults] may go on in a further
 * file. It owns its sections; they live as long as it does. */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include "base/arena.h"
#include "config/report.h"
#include "config/settings.h"

#define SOURCE_SECTIONS_MAX 200000

struct source_segment { /* from this byte of the value on, the text stands there in the file */
    struct source_segment *next;
    size_t offset;
    unsigned line, column;
};

struct source_setting {
    struct source_setting *next;
    const struct setting *row; /* the first of its key in the section */
    struct place place;        /* of the key */
    GString *value;
    struct source_segment *segments, *last_segment; /* by offset */
    bool is_broken;  /* something of it was refused, and that is told */
    bool is_exposed; /* others can read its file */
};

struct source_section {
    enum section_kind kind;
    char *id; /* as written, also where it is wrong; NULL where the kind has none */
    struct place place;
    struct source_setting *settings, *last_setting; /* no key twice */
};

struct source {
    struct arena arena;    /* all that is said here, but for the values */
    GPtrArray *sections;   /* struct source_section, in the order of the files */
    GHashTable *by_name;   /* "feed granma" -> struct source_section */
    struct report *report; /* borrowed */
};

struct source *source_new(struct report *report);
void source_free(struct source *source);
/* Takes in one file, which others can read where is_exposed. What is wrong with it goes to the
 * problems. */
void source_read(struct source *source, const char *file, const char *bytes, size_t size,
                 bool is_exposed);
/* For the reader. */
struct source_section *source_add_section(struct source *source, enum section_kind kind,
                                          const char *id, struct place place);
void source_name_section(struct source *source, const char *name, struct source_section *section);
struct source_setting *source_add_setting(struct source *source, struct source_section *section,
                                          const struct setting *row, struct place place);
void source_add_segment(struct source *source, struct source_setting *setting, size_t offset,
                        unsigned line, unsigned column);
/* NULL where the section does not set it. */
const struct source_setting *source_find(const struct source_section *section, const char *key);
/* Where a byte of the value stands. */
struct place source_place(const struct source_setting *setting, size_t offset);
/* "[feed granma]". Newly allocated. */
char *source_section_title(const struct source_section *section);

#endif
