/* rule/language - languages, their scripts, and stemming (Snowball, through libstemmer).
 *
 * A language is a small number; its code is the first part of a BCP 47 tag. Words are folded UTF-8.
 * A struct stemmers is scratch memory of one thread. */
#ifndef RULE_LANGUAGE_H
#define RULE_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LANGUAGE_NONE 0u
#define LANGUAGES_MAX 64u

enum script {
    SCRIPT_LATIN = 1 << 0,
    SCRIPT_CYRILLIC = 1 << 1,
    SCRIPT_GREEK = 1 << 2,
    SCRIPT_ARABIC = 1 << 3,
    SCRIPT_HEBREW = 1 << 4,
    SCRIPT_ARMENIAN = 1 << 5,
    SCRIPT_DEVANAGARI = 1 << 6,
    SCRIPT_TAMIL = 1 << 7,
    SCRIPT_HAN = 1 << 8,
    SCRIPT_KANA = 1 << 9,
    SCRIPT_HANGUL = 1 << 10,
    SCRIPT_THAI = 1 << 11
};

/* "ru", "ru-RU", "RU" -> a language, or LANGUAGE_NONE. */
unsigned language_find(const char *tag, size_t size);
const char *language_code(unsigned language);
/* Bits of enum script. */
unsigned language_scripts(unsigned language);
bool language_has_stemmer(unsigned language);
/* The script of one character, 0 where it has none or none that matters here. */
unsigned script_of(uint32_t code_point);
/* The script of a word's first letter, and of all its letters. */
unsigned script_of_word(const char *word, size_t size);
unsigned scripts_of_text(const char *text, size_t size);

struct stemmers;

struct stemmers *stemmers_new(void);
void stemmers_free(struct stemmers *stemmers);
/* The stem, valid until the next call; the word itself where the language has no stemmer. */
const char *stem(struct stemmers *stemmers, unsigned language, const char *word, size_t size,
                 size_t *ret_size);

#endif
