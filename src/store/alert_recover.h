/* store/alert_recover - which lines of a log were written before it went wrong.
 *
 * After a crash, or a write that failed half-way, nobody knows which of the lines under way are in
 * the file. Each is looked for by its id, which ends its line: in the file it was about to go to,
 * from that place on and under whatever name it has in its directory now; in the file at the path;
 * and in its rotated siblings (names that begin with the log's name, also gzipped). A torn last
 * line that is the beginning of one of the lines is completed where it stands; zeros that a power
 * loss left at the end of a file are cut off before. */
#ifndef STORE_ALERT_RECOVER_H
#define STORE_ALERT_RECOVER_H

#include "store/alert_log.h"

struct log_line {
    const char *id;
    const char *text; /* with its newline */
    struct log_place place;
    int64_t time_ms; /* when its alert was made */
    bool is_written; /* set where it was found, or completed */
};

/* others: paths of the other log sinks, NULL-terminated: their files and rotated siblings are not
 * this log's. Files with lines that were found are flushed. False where a file could not be read
 * or written: then nothing may be assumed and the call is to be made again later. */
bool alert_recover(const char *path, const char *const *others, struct log_line *lines,
                   size_t n_lines, GError **error);

#endif
