#include "rule/wildcard.h"

#include "text/fold.h"
#include "text/utf8.h"

static bool is_mark(const char *word, size_t size)
{
    size_t pos = 0;
    uint32_t c = utf8_next(word, size, &pos);
    return c < FOLD_CODE_POINTS && FOLD_CLASS(fold_entry(fold_table(), c)) == FOLD_MARK;
}

size_t wildcard_character(const char *word, size_t size)
{
    size_t pos = 0;
    utf8_next(word, size, &pos);
    while (pos < size && (unsigned char)word[pos] >= 0x80 && is_mark(word + pos, size - pos))
        utf8_next(word, size, &pos);
    return pos;
}

/* Greedy with one point to go back to: the last `*`. */
bool wildcard_matches(const char *pattern, size_t pattern_size, const char *word, size_t size)
{
    size_t p = 0, w = 0, star = SIZE_MAX, star_w = 0;
    while (w < size) {
        if (p < pattern_size && pattern[p] == '*') {
            star = p++;
            star_w = w;
        } else if (p < pattern_size && pattern[p] == '?') {
            p++;
            w += wildcard_character(word + w, size - w);
        } else if (p < pattern_size && pattern[p] == word[w]) {
            p++;
            w++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            star_w += wildcard_character(word + star_w, size - star_w);
            w = star_w;
        } else {
            return false;
        }
    }
    while (p < pattern_size && pattern[p] == '*')
        p++;
    return p == pattern_size;
}

bool wildcard_pair(const char *pattern, size_t size, uint16_t *ret_pair)
{
    static const char common[] = "etaoinsrhl";
    unsigned best = 0;
    for (size_t i = 0; i + 1 < size; i++) {
        unsigned char a = (unsigned char)pattern[i], b = (unsigned char)pattern[i + 1];
        if (a == '*' || a == '?' || b == '*' || b == '?')
            continue;
        unsigned score = 1;
        for (const char *c = common; *c; c++)
            score += ((unsigned char)*c != a ? 1u : 0u) + ((unsigned char)*c != b ? 1u : 0u);
        if (score > best) {
            best = score;
            *ret_pair = (uint16_t)(a << 8 | b);
        }
    }
    return best > 0;
}
