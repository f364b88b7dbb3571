#include "base/suggest.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#define SHORT_BYTES_MIN 3

static size_t min3(size_t a, size_t b, size_t c)
{
    return MIN(MIN(a, b), c);
}

size_t suggest_distance(const char *a, const char *b)
{
    size_t n_a = strlen(a), n_b = strlen(b);
    if (n_a > SUGGEST_BYTES_MAX || n_b > SUGGEST_BYTES_MAX)
        return SIZE_MAX;
    /* Row i holds the distances of a's first i bytes to every beginning of b; a swap looks two rows
     * back. */
    size_t rows[3][SUGGEST_BYTES_MAX + 1];
    for (size_t j = 0; j <= n_b; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            char x = g_ascii_tolower(a[i - 1]), y = g_ascii_tolower(b[j - 1]);
            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == g_ascii_tolower(b[j - 2]) && y == g_ascii_tolower(a[i - 2]))
                row[j] = MIN(row[j], rows[(i - 2) % 3][j - 2] + 1);
        }
    }
    return rows[n_a % 3][n_b];
}

void suggest_init(struct suggest *suggest, const char *word)
{
    *suggest = (struct suggest){.word = word, .best_distance = SIZE_MAX};
}

void suggest_offer(struct suggest *suggest, const char *candidate)
{
    size_t length = strlen(candidate);
    size_t distance = suggest_distance(suggest->word, candidate);
    size_t limit = 1 + length / 4, written = strlen(suggest->word);
    /* The beginning of a name stands for it: lang for language. */
    if (written >= SHORT_BYTES_MIN && g_ascii_strncasecmp(suggest->word, candidate, written) == 0)
        distance = MIN(distance, limit);
    /* A word of which not one letter is left is no misspelling. */
    if (distance > limit || distance >= length || distance >= suggest->best_distance)
        return;
    suggest->best = candidate;
    suggest->best_distance = distance;
}
