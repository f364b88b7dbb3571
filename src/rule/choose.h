/* rule/choose - for every rule, the tests ("keys") of which one must turn up before it can hold.
 *
 * Of several such sets the one that turns up least often; rules without any are looked at for every
 * item. What a rule waits for is laid out by key, as it is wanted when a key turns up. */
#ifndef RULE_CHOOSE_H
#define RULE_CHOOSE_H

#include "rule/cost.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Whoever has to be told that a key turned up: a rule, or a list that rules and lists wait for. No
 * configuration has as many of either (SOURCE_SECTIONS_MAX). */
#define IS_LIST (UINT32_C(1) << 25)

/* A second look at a rule whose key turned up, which costs no look at anything of the rule's own:
 * some more tests of which one must turn up, too, each as a hash of GUARD_BITS bits. Hash 0
 * is no test's: every item has it, so that guards of 0 let all pass. */
#define GUARDS     5u
#define GUARD_BITS 14u

/* Four guards and eight bits of the fifth; its other six and whom to tell, in 26. */
struct waiter {
    uint32_t low, high;
    uint32_t who;
};

/* What it takes to run most rules. */
struct rule_probe {
    uint32_t code; /* of the rule; PROGRAM_NONE where its entry says more than this */
    uint16_t fields;
    uint16_t found; /* where in its program the operand is that its keys are of, where that is no
                       more than words, one of which has turned up then; 0: it is none such */
};

struct choice {
    uint32_t n_ids, n_lists;
    uint32_t
        *starts; /* for each id, then each list: where its waiters begin; one more at the end */
    struct waiter *waiters;
    uint64_t *are_keys;        /* a bit for each id that has waiters */
    GArray *always;            /* rules without a key */
    struct rule_probe *probes; /* for each rule */
};

struct choice *choice_new(const struct ruleset *set, const struct costs *costs);
void choice_free(struct choice *choice);
size_t choice_bytes(const struct choice *choice);

static inline uint16_t guard_hash(uint32_t id)
{
    uint32_t hash = id * UINT32_C(0x9E3779B1) >> (32 - GUARD_BITS);
    return (uint16_t)(hash ? hash : 1);
}

/* signature: for each hash, whether one of an item's tests has it. */
static inline bool waiter_passes(const struct waiter *waiter, const uint8_t *signature)
{
    const unsigned mask = (1u << GUARD_BITS) - 1;
    uint64_t bits = (uint64_t)waiter->high << 32 | waiter->low;
    return signature[bits & mask] | signature[bits >> GUARD_BITS & mask] |
           signature[bits >> 2 * GUARD_BITS & mask] | signature[bits >> 3 * GUARD_BITS & mask] |
           signature[bits >> 4 * GUARD_BITS | (waiter->who & 63) << 8];
}

/* A rule or, with IS_LIST, a list. */
static inline uint32_t waiter_who(const struct waiter *waiter)
{
    return waiter->who >> 6;
}

#endif
