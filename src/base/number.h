/* base/number - whole numbers from text. Pure, and the same in every thread: GLib's conversions say
 * now and then that a number is none when two threads convert their first one at the same time
 * (errno of a wait for the lock; seen with 2.74). */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits and nothing else, at most max; *ret_number is untouched where it is false. */
bool number_parse(const char *text, uint64_t max, uint64_t *ret_number);

#endif
