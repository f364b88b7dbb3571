/* rule/keys - which rules an item could make true at all.
 *
 * For every rule there is a set of tests ("keys") of which one must turn up before it can hold: of
 * several such sets the one that turns up least often. What turns up how often is guessed at first
 * and counted in the first items, after which the keys are chosen again. Rules without such a set
 * are looked at for every item. */
#ifndef RULE_KEYS_H
#define RULE_KEYS_H

#include "rule/choose.h"
#include "rule/item.h"
#include "rule/program.h"

#include <stddef.h>
#include <stdint.h>

struct keys;

struct keys *keys_new(const struct ruleset *set); /* borrowed */
void keys_free(struct keys *keys);
size_t keys_bytes(const struct keys *keys);
/* The rules that the item may make true, in ascending order, valid until the next call. */
const uint32_t *keys_candidates(struct keys *keys, const struct item_index *index, size_t *ret_n);

/* For each rule; valid until the next call of keys_candidates(). */
const struct rule_probe *keys_probes(const struct keys *keys);

/* enum lexicon_use for each test, once the keys are chosen for good; NULL before that. Valid as
 * long as the keys are. */
const uint8_t *keys_uses(const struct keys *keys);

#endif
