/* rule/vocab - every test on one word that the rules use: whole words, beginnings, wildcards,
 * inflections.
 *
 * Each distinct test has a number (its id). While rules are compiled the vocabulary grows; after
 * vocab_seal() it is immutable and answers which tests a folded word of a text passes. One hash
 * table holds all of them; beginnings are looked up by the lengths that occur, wildcards by a pair
 * of bytes, inflections by stem. Stems depend on the language of the item, so their tables are made
 * when a language first turns up, in the struct vocab_stems of one thread. */
#ifndef RULE_VOCAB_H
#define RULE_VOCAB_H

#include "rule/language.h"
#include "rule/query.h"
#include "text/words.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define VOCAB_ANY UINT32_C(0x0FFFFFFF) /* the id of the lone `*`, which every word passes */

struct vocab;

struct vocab *vocab_new(void);
void vocab_free(struct vocab *vocab);
/* The id of a test, new or known. language: for WORD_INFLECTS, the one that counts where the item
 * has none of its own. */
uint32_t vocab_add(struct vocab *vocab, enum word_test test, const char *folded, size_t size,
                   unsigned language);
void vocab_seal(struct vocab *vocab);
uint32_t vocab_size(const struct vocab *vocab);
size_t vocab_bytes(const struct vocab *vocab);
bool vocab_has_inflections(const struct vocab *vocab);
/* What the id tests. folded is not terminated. */
enum word_test vocab_test(const struct vocab *vocab, uint32_t id, const char **ret_folded,
                          size_t *ret_size);

struct vocab_stems;

struct vocab_stems *vocab_stems_new(const struct vocab *vocab); /* borrowed */
void vocab_stems_free(struct vocab_stems *stems);
/* Appends the ids of all tests that the word passes in an item of that language. */
void vocab_resolve(const struct vocab *vocab, struct vocab_stems *stems, const struct word *word,
                   unsigned language, GArray *ids);

#endif
