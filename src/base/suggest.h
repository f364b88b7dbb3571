/* base/suggest - "did you mean …?": the nearest of some names to a word that is none of them.
 *
 * Pure. Near means few edits: a letter put in, left out, replaced, or two neighbours swapped
 * (optimal string alignment, R. Lowrance and R. A. Wagner 1975), ASCII case aside. The
 * beginning of a name is near to it. Words are borrowed. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

#define SUGGEST_BYTES_MAX 64 /* longer words are near to nothing */

struct suggest {
    const char *word;
    const char *best; /* the nearest of those offered; NULL where none is near enough */
    size_t best_distance;
};

void suggest_init(struct suggest *suggest, const char *word);
/* The first of several that are equally near wins. */
void suggest_offer(struct suggest *suggest, const char *candidate);
/* Edits between two words of at most SUGGEST_BYTES_MAX bytes, else SIZE_MAX. */
size_t suggest_distance(const char *a, const char *b);

#endif
