/* config/scan - where quotes and regular expressions begin and end inside a value.
 *
 * `;` after a blank starts a comment, but not inside quotes or a regular expression. The answer is
 * a function of the value's own characters and of nothing else, so that a value written on several
 * lines reads back from one line: lines are joined by one blank, and the state goes on over it.
 * Pure; bytes in, UTF-8 passes through. */
#ifndef CONFIG_SCAN_H
#define CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum scan_mode {
    SCAN_TEXT, /* "…" with \" inside */
    SCAN_QUERY, /* "…" without escapes, and /…/ with \/ where a term may begin: as rule/ reads them
                 */
    SCAN_ARGV /* "…" with \", '…' without, and \ before any character */
};

struct scan {
    enum scan_mode mode;
    char inside;     /* the quote or slash that is open, or 0 */
    char before;     /* the last character; 0 at the beginning */
    bool is_escaped; /* the next character means nothing */
    bool is_opening; /* a slash has just opened: before a blank it is a slash after all */
};

void scan_init(struct scan *scan, enum scan_mode mode);
void scan_step(struct scan *scan, char c);
/* Whether c, as the next character, begins a comment. */
bool scan_is_comment(const struct scan *scan, char c);
/* Where in text the quote begins that is never closed, or SIZE_MAX. */
size_t scan_unclosed(enum scan_mode mode, const char *text);
/* Whether text as a value on one line is read back as it is. */
bool scan_survives(enum scan_mode mode, const char *text);
bool scan_is_blank(char c);

#endif
