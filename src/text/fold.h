/* text/fold - what a character becomes before words are compared.
 *
 * Folding is NFKD except vulgar fractions, full case folding (not Turkic), and a few letters that
 * Unicode keeps apart (ł ø đ ħ ŧ ı æ œ ð þ). Marks of Latin, Greek, Cyrillic, Hebrew and Arabic
 * vanish, except that U+0306 makes й and ў of и and у, and U+0308 makes ї of і. Source: Unicode
 * 15 (UAX #15, CaseFolding.txt, emoji-data.txt) as utf8proc has it; feedwatch-rules(5) for the
 * rest.
 *
 * One immutable table, made from utf8proc at first use (a few ms) and kept for the life of the
 * process; after that a character costs one or two loads. Thread-safe. An entry is
 *
 *     bits 0-3   enum fold_class
 *     bits 4-5   how many of the three bytes below are used; 0: the character's own bytes
 *     bits 8-31  the folded UTF-8, first byte lowest; for FOLD_MARK the combining class; for
 *                FOLD_SEQUENCE an index into fold_table.sequences
 *
 * and a sequence is a count followed by folded code points, each of which has a plain entry. */
#ifndef TEXT_FOLD_H
#define TEXT_FOLD_H

#include <stdbool.h>
#include <stdint.h>

enum fold_class {
    FOLD_SEPARATOR,
    FOLD_LETTER,    /* letters and digits: a run of them is a word */
    FOLD_MARK,      /* a mark that is kept: part of the word it stands in */
    FOLD_IGNORED,   /* no part of any word, and no end of one: soft hyphen, zero width, bidi */
    FOLD_DROPPED,   /* likewise, but belongs to what it follows: accents, selectors, skin tones */
    FOLD_SINGLE,    /* a word by itself: Han, kana, Thai, Lao, Khmer, Myanmar, emoji */
    FOLD_SYLLABLE,  /* a precomposed Hangul syllable, to be taken apart */
    FOLD_LEADING,   /* conjoining jamo: a leading consonant begins a word */
    FOLD_VOWEL,     /* joins a leading consonant */
    FOLD_TRAILING,  /* joins a leading consonant and vowel */
    FOLD_BREVE,     /* U+0306 */
    FOLD_DIAERESIS, /* U+0308 */
    FOLD_SEQUENCE
};

#define FOLD_CODE_POINTS   0x110000u
#define FOLD_BLOCK         256u
#define FOLD_SEQUENCE_MAX  18u    /* U+FDFA */
#define FOLD_DIRECT_BELOW  0x800u /* entries[] can be indexed by these code points */
#define FOLD_CLASS(entry)  ((enum fold_class)((entry)&15u))
#define FOLD_LENGTH(entry) ((entry) >> 4 & 3u)
#define FOLD_DATA(entry)   ((entry) >> 8)

struct fold_table {
    const uint32_t *entries;
    const uint32_t *sequences;
    uint16_t blocks[FOLD_CODE_POINTS / FOLD_BLOCK];
};

const struct fold_table *fold_table(void);

/* code_point below FOLD_CODE_POINTS. */
static inline uint32_t fold_entry(const struct fold_table *table, uint32_t code_point)
{
    uint32_t block = table->blocks[code_point / FOLD_BLOCK];
    return table->entries[block * FOLD_BLOCK + code_point % FOLD_BLOCK];
}

#endif
