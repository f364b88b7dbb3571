/* text/words - cutting text into folded words.
 *
 * A run of letters, marks and digits is a word; a character of Han, kana, Hangul, Thai, Lao, Khmer
 * or Myanmar with its marks, and an emoji, is a word by itself; everything else separates, and so
 * does invalid UTF-8. Source: feedwatch-rules(5), Words.
 *
 * A struct words is scratch memory (about 220 KB) that is started on one text after another and
 * hands out its words in order, a chunk at a time. Pure; the text is borrowed until the last chunk.
 * Limits: texts below 4 GiB; of a word's folded form the first WORD_BYTES_MAX bytes are kept. */
#ifndef TEXT_WORDS_H
#define TEXT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORD_BYTES_MAX  1024
#define WORD_KEY_BYTES  16
#define WORD_REST_BYTES 6

struct word {
    uint64_t key[2];     /* the first 16 bytes of the folded word in memory order, rest zero */
    uint64_t rest;       /* the next 6 bytes, zero, and in the top byte the size, 255: 23 or more */
    const char *folded;  /* not terminated; valid until the next chunk; readable 24 bytes beyond */
    uint32_t start, end; /* bytes in the text, half open, with marks and selectors that follow */
    uint32_t hash;
    uint16_t size;  /* bytes of folded */
    bool is_single; /* a word because it is one character */
};

struct words;

struct words *words_new(void);
void words_free(struct words *words);
void words_start(struct words *words, const char *text, size_t size);
/* The next words of the text; 0 where there are none left. */
size_t words_next(struct words *words, const struct word **ret_words);

/* The key, rest and hash that a word with this folded form has. folded must be readable 16 bytes
 * beyond. */
void word_set_key(struct word *word, const char *folded, size_t size);
/* The hash that its first size bytes have as a word. size: at most that of the word. */
uint32_t word_beginning_hash(const struct word *word, size_t size);

#endif
