/* config/problems - what is wrong with a configuration, collected over one run.
 *
 * Every problem has its place; they are handed out in the order of the files and, within one, of
 * its lines. At most PROBLEMS_MAX are kept, so that a file of rubbish does not fill the memory; the
 * last one then says so. */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include "config/config.h"

#define PROBLEMS_MAX 500

struct place {
    const char *file;      /* borrowed: lives as long as the problems */
    unsigned line, column; /* from 1, column in characters; 0: the whole file */
};

struct problems;

struct problems *problems_new(void);
void problems_free(struct problems *problems);
/* A copy of the name that lives as long as the problems; also fixes the order of the files. */
const char *problems_add_file(struct problems *problems, const char *name);
void problems_error(struct problems *problems, struct place place, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void problems_warning(struct problems *problems, struct place place, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
bool problems_has_error(const struct problems *problems);
/* In order: GPtrArray of struct config_problem. Frees problems. */
GPtrArray *problems_finish(struct problems *problems);
/* Text from a file as it may stand in a message: on one line, without control characters,
 * shortened, in quotes. Newly allocated. */
char *problems_quote(const char *text);

#endif
