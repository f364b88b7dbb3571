/* store/ulid - identifiers that sort by the time they were made.
 *
 * 48 bits of wall milliseconds and 80 random bits in 26 characters of Crockford's base32. Source:
 * the ULID specification (github.com/ulid/spec). Monotonic: within one millisecond, and when the
 * clock steps back, the last identifier is counted up, so that a later call always sorts later. */
#ifndef STORE_ULID_H
#define STORE_ULID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ULID_LENGTH 26

struct ulid_source { /* all zero: nothing was made yet */
    uint64_t time_ms;
    uint64_t random_high; /* 16 bits */
    uint64_t random_low;
};

/* Whatever comes next sorts after last (NULL or invalid: no matter). */
void ulid_source_init(struct ulid_source *source, const char *last);
/* Writes 26 characters and a NUL. */
void ulid_next(struct ulid_source *source, int64_t wall_ms, char ret_id[ULID_LENGTH + 1]);
/* Whether the bytes at text are an identifier; at least ULID_LENGTH must be readable. */
bool ulid_is_valid(const char *text);

#endif
