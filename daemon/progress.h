/* daemon/progress - a counter on a terminal while something takes long; silent anywhere else. */
#ifndef DAEMON_PROGRESS_H
#define DAEMON_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "items"; borrowed */
    bool is_terminal, is_shown;
    int64_t next_ms;
};

void progress_init(struct progress *progress, const char *what);
/* Redraws at most ten times a second. */
void progress_step(struct progress *progress, uint64_t done);
/* Before anything else is printed, and at the end. */
void progress_clear(struct progress *progress);

#endif
