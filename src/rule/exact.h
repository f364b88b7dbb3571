/* rule/exact - `=X`: exactly these characters.
 *
 * Equal means equal in NFC (UAX #15), with case, marks and signs. X is looked for only where its
 * folded words stand, so what is left to do is to compare the text around them. */
#ifndef RULE_EXACT_H
#define RULE_EXACT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exact {     /* a flat value: NFC text, where its words begin and end in it */
    uint32_t text; /* offset in the pool that holds it */
    uint32_t size;
    uint32_t core_start, core_end; /* the words, without the signs before and after */
    uint32_t before;               /* how many characters stand before core_start */
};

/* NFC of a text that is valid UTF-8; NULL where it is not. Free with g_free(). */
char *exact_normalise(const char *text, size_t size);
/* Whether X stands in text with its words at the bytes start..end, and no letter, digit or mark
 * touches it. */
bool exact_matches(const struct exact *exact, const char *pool, const char *text, size_t size,
                   size_t start, size_t end);

#endif
