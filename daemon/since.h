/* daemon/since - "since when" on a command line. */
#ifndef DAEMON_SINCE_H
#define DAEMON_SINCE_H

#include <stdbool.h>
#include <stdint.h>

/* A duration back from now (90s, 15m, 12h, 7d, 2w), a day (2026-11-30, local midnight) or a moment
 * (RFC 3339), as wall milliseconds. False for anything else. */
bool since_parse(const char *text, int64_t *ret_ms);
/* 90s, 15m, 12h, 7d, 2w, as milliseconds. */
bool since_parse_duration(const char *text, int64_t *ret_ms);

#endif
