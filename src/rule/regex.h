/* rule/regex - `/…/` leaves, on PCRE2.
 *
 * Patterns are UTF, UCP, case-insensitive unless asked otherwise; invalid UTF-8 in the text matches
 * nothing. Every search has a budget of work, counted and so the same on every machine: each item
 * of the pattern that is tried costs one step and one more for each byte that the position moved
 * since the last. It is used up in a few milliseconds. A search that is stopped has found nothing
 * and says so. */
#ifndef RULE_REGEX_H
#define RULE_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGEX_STEPS_MAX 1000000u

struct regex;
struct regex_scratch; /* of one thread */

/* NULL where the pattern does not compile: *ret_message (free with g_free()) and *ret_offset. */
struct regex *regex_new(const char *pattern, size_t size, bool is_caseful, char **ret_message,
                        size_t *ret_offset);
void regex_free(struct regex *regex);
const char *regex_pattern(const struct regex *regex);
size_t regex_bytes(const struct regex *regex);

struct regex_scratch *regex_scratch_new(void);
void regex_scratch_free(struct regex_scratch *scratch);

enum regex_result { REGEX_NO, REGEX_YES, REGEX_STOPPED };
/* *steps is what is left of the budget, and is lowered. */
enum regex_result regex_search(const struct regex *regex, struct regex_scratch *scratch,
                               const char *text, size_t size, uint32_t *steps, size_t *ret_start,
                               size_t *ret_end);

#endif
