/* daemon/coverage - when what was not looked at: `feedwatch status --coverage`.
 *
 * What the daemon has recorded (the machine slept, no daemon ran, there was no network, a feed
 * could not be read, its list rolled over), and what is going on now: a feed that cannot be read,
 * no daemon. Sorted by its beginning. */
#ifndef DAEMON_COVERAGE_H
#define DAEMON_COVERAGE_H

#include "config/config.h"

struct coverage { /* borrowed */
    const struct config *config;
    const GPtrArray *feeds; /* struct store_feed */
    const GPtrArray *gaps;  /* struct store_gap */
    bool is_running;        /* a daemon */
    int64_t now_s;
    int64_t since_s; /* what ended before is left out; 0: all */
};

/* A table on standard output. */
void coverage_print(const struct coverage *coverage);
/* A line for each: feed (null: all), from, to (null: still so), reason. */
void coverage_print_json(const struct coverage *coverage);

#endif
