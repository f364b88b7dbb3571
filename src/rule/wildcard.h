/* rule/wildcard - patterns of one folded word: `*` is any run, `?` one character with its marks.
 *
 * Folded words hold neither sign, so a pattern is the word with the signs in it. */
#ifndef RULE_WILDCARD_H
#define RULE_WILDCARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool wildcard_matches(const char *pattern, size_t pattern_size, const char *word, size_t size);
/* The size of the character at word, with the kept marks that follow it. */
size_t wildcard_character(const char *word, size_t size);
/* Two bytes that stand side by side in every word that matches; false where there are none. Of
 * several the one is chosen that is likely to be rarest. */
bool wildcard_pair(const char *pattern, size_t size, uint16_t *ret_pair);

#endif
