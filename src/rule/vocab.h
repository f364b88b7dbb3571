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

#define VOCAB_BEGIN_BITS (1u << 15)

/* Once sealed: bits for the hashes of whole words, where these are few, and for those of the first
 * bytes that all beginnings have. */
struct vocab_filter {
    const uint64_t *words; /* NULL: every word may pass a test */
    uint32_t mask;
    uint64_t keep[2]; /* the bytes of a key that count: of words whose first letter is ASCII, of
                         others, which are longer in bytes */
    uint64_t begins[VOCAB_BEGIN_BITS / 64];
};

/* n: how many tests there may be; a guess. */
struct vocab *vocab_new(size_t n);
void vocab_free(struct vocab *vocab);
/* The id of a test, new or known. Of the word, folded, size and hash count. language: for
 * WORD_INFLECTS, the one that counts where the item has none of its own. */
uint32_t vocab_add(struct vocab *vocab, enum word_test test, const struct word *word,
                   unsigned language);
/* To be called one after the other, each for some tests that are about to be added: what the next
 * step needs is asked for. The first returns the place that the second wants. */
size_t vocab_ask(const struct vocab *vocab, enum word_test test, uint32_t hash);
void vocab_ask_entry(const struct vocab *vocab, size_t place);
void vocab_seal(struct vocab *vocab);
uint32_t vocab_size(const struct vocab *vocab);
size_t vocab_bytes(const struct vocab *vocab);
bool vocab_has_inflections(const struct vocab *vocab);
/* What the id tests. folded is not terminated. */
enum word_test vocab_test(const struct vocab *vocab, uint32_t id, const char **ret_folded,
                          size_t *ret_size);

const struct vocab_filter *vocab_filter(const struct vocab *vocab);

static inline unsigned vocab_key_class(uint64_t key)
{
    return GUINT64_FROM_LE(key) >> 7 & 1;
}

static inline uint32_t vocab_begin_bit(uint64_t key)
{
    return (uint32_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 49);
}

/* For a filter that has words. False where the word certainly passes no test: two bits tell, which
 * nearly all words fail while the rules are few. Without a branch, because no processor can guess
 * what the next word is. */
static inline bool vocab_may_pass(const struct vocab_filter *filter, const struct word *word)
{
    unsigned class = vocab_key_class(word->key[0]);
    uint32_t whole = word->hash & filter->mask;
    uint32_t begin = vocab_begin_bit(word->key[0] & filter->keep[class]);
    return (filter->words[whole / 64] >> whole % 64 & 1) |
           (filter->begins[begin / 64] >> begin % 64 & 1);
}

/* A test that a word may pass: being a whole word, or beginning with something. */
struct vocab_lookup {
    uint32_t word;  /* whichever its user means by it */
    uint32_t hash;  /* of the test */
    uint32_t place; /* where the test may be in the table */
    uint16_t size;  /* of the test, of so many bytes of the word */
    uint8_t test;   /* enum word_test */
};

/* Ids that grow in number. */
struct vocab_ids {
    uint32_t *list;
    size_t n, size;
};

static inline void vocab_ids_add(struct vocab_ids *ids, uint32_t id)
{
    if (G_UNLIKELY(ids->n == ids->size)) {
        ids->size = ids->size * 2 + 64;
        ids->list = g_renew(uint32_t, ids->list, ids->size);
    }
    ids->list[ids->n++] = id;
}

/* How many lookups a word takes at most. */
size_t vocab_lookups_max(const struct vocab *vocab);
/* The lookups that a word takes; returns how many. */
size_t vocab_plan(const struct vocab *vocab, const struct word *word, uint32_t number,
                  struct vocab_lookup *ret_lookups);
/* Drops the lookups that find nothing, or most of them, and brings in what the others will look at:
 * each is two reads of memory, of which the second depends on the first, and those of many words
 * can go on at once. Returns how many are left. */
size_t vocab_probe(const struct vocab *vocab, struct vocab_lookup *lookups, size_t n);

struct vocab_stems;

struct vocab_stems *vocab_stems_new(const struct vocab *vocab); /* borrowed */
void vocab_stems_free(struct vocab_stems *stems);
/* Appends the ids of all tests that the word passes in an item of that language. lookups: the n
 * that were planned for it and are left. */
void vocab_resolve(const struct vocab *vocab, struct vocab_stems *stems, const struct word *word,
                   const struct vocab_lookup *lookups, size_t n, unsigned language,
                   struct vocab_ids *ids);

#endif
