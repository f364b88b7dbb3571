/* rule/lexicon - what a matcher remembers of the words it met.
 *
 * Most words of a text were seen a moment ago. The lexicon keeps, for each of the last ones, the
 * ids of the tests it passes (mostly none), so that a word costs one probe of one cache line,
 * whatever the rules hold. Two words share a bucket; the older one gives way. Words over
 * LEXICON_WORD_BYTES are resolved every time. */
#ifndef RULE_LEXICON_H
#define RULE_LEXICON_H

#include "rule/vocab.h"

#include <stddef.h>
#include <stdint.h>

#define LEXICON_WORD_BYTES 24

struct lexicon;

struct lexicon *lexicon_new(const struct vocab *vocab); /* borrowed */
void lexicon_free(struct lexicon *lexicon);
size_t lexicon_bytes(const struct lexicon *lexicon);
/* To be called a few words ahead. */
void lexicon_prefetch(const struct lexicon *lexicon, const struct word *word);
/* Then, a little later: to be called for words that are about to be looked up. */
void lexicon_prefetch_vocab(const struct lexicon *lexicon, const struct word *word);
/* The ids of the tests the word passes, valid until the next call, and how many. */
size_t lexicon_find(struct lexicon *lexicon, const struct word *word, unsigned language,
                    const uint32_t **ret_ids);

#endif
