/* config/report - what is wrong with a configuration, collected over one run.
 *
 * Every problem has its place; they are handed out in the order of the files and, within one, of
 * its lines. At most REPORT_PROBLEMS_MAX are kept, so that a file of rubbish does not fill the
 * memory; the last one then says so. */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include "config/config.h"

#define REPORT_PROBLEMS_MAX 500

struct place {
    const char *file;      /* borrowed: lives as long as the report */
    unsigned line, column; /* from 1, column in characters; 0: the whole file */
};

struct report;

struct report *report_new(void);
void report_free(struct report *report);
/* A copy of the name that lives as long as the report; also fixes the order of the files. */
const char *report_add_file(struct report *report, const char *name);
void report_error(struct report *report, struct place place, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void report_warning(struct report *report, struct place place, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
bool report_has_error(const struct report *report);
/* In order: GPtrArray of struct config_problem. Frees report. */
GPtrArray *report_finish(struct report *report);
/* Text from a file as it may stand in a message: on one line, without control characters,
 * shortened, in quotes. Newly allocated. */
char *report_quote(const char *text);

#endif
