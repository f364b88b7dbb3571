#include "rule/keys.h"

#include "base/touch.h"
#include "rule/choose.h"
#include "rule/uses.h"

#include <string.h>

/* After how many items the keys are chosen again, for good. Sooner, what is counted says less; and
 * to choose more than once costs more than it saves. */
#define CHOOSE_AFTER 1000u

struct range { /* of waiters */
    uint32_t begin, end;
};

struct keys {
    const struct ruleset *set;
    struct costs *costs; /* while the keys may be chosen again */
    struct choice *choice;
    uint8_t *uses;                       /* enum lexicon_use for each id, once chosen for good */
    uint64_t *pending;                   /* a bit for each rule */
    uint64_t *any_pending;               /* a bit for each word of pending */
    uint64_t *lists;                     /* a bit for each list that was told already */
    uint8_t signature[1u << GUARD_BITS]; /* of the item: 1 where one of its tests has the hash */
    uint32_t *candidates;
    struct range *ranges; /* of the waiters of the item's tests */
    size_t ranges_size;
    uint32_t *told; /* rules and lists */
    size_t n_told, told_size;
};

static void set_bit(uint64_t *bits, uint32_t bit)
{
    bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

static bool has_bit(const uint64_t *bits, uint32_t bit)
{
    return bits[bit / 64] >> bit % 64 & 1;
}

struct keys *keys_new(const struct ruleset *set)
{
    struct keys *keys = g_new0(struct keys, 1);
    keys->set = set;
    keys->costs = costs_new(set);
    keys->choice = choice_new(set, keys->costs);
    keys->lists = g_new0(uint64_t, set->lists->len / 64 + 1);
    keys->pending = g_new0(uint64_t, set->rules->len / 64 + 1);
    keys->any_pending = g_new0(uint64_t, set->rules->len / 4096 + 1);
    keys->candidates = g_new(uint32_t, set->rules->len + 1);
    return keys;
}

void keys_free(struct keys *keys)
{
    if (!keys)
        return;
    costs_free(keys->costs);
    choice_free(keys->choice);
    g_free(keys->lists);
    g_free(keys->pending);
    g_free(keys->any_pending);
    g_free(keys->uses);
    g_free(keys->candidates);
    g_free(keys->ranges);
    g_free(keys->told);
    g_free(keys);
}

size_t keys_bytes(const struct keys *keys)
{
    size_t n_rules = keys->set->rules->len;
    size_t bytes = sizeof *keys + choice_bytes(keys->choice) +
                   n_rules * (sizeof *keys->choice->probes + sizeof *keys->candidates) +
                   n_rules / 8 + (keys->uses ? keys->choice->n_ids : 0);
    return keys->costs ? bytes + costs_bytes(keys->costs) : bytes;
}

static void count(struct keys *keys, const struct item_index *index)
{
    if (!keys->costs)
        return;
    costs_count(keys->costs, index->ids, index->n_ids);
    if (keys->costs->n_items < CHOOSE_AFTER)
        return;
    costs_update(keys->costs);
    choice_free(keys->choice);
    keys->choice = choice_new(keys->set, keys->costs);
    keys->uses = uses_new(keys->set, keys->costs);
    g_clear_pointer(&keys->costs, costs_free);
}

static inline struct range waiters_of(const struct keys *keys, uint32_t key)
{
    return (struct range){keys->choice->starts[key], keys->choice->starts[key + 1]};
}

static inline void set_pending(struct keys *keys, uint32_t rule)
{
    set_bit(keys->pending, rule);
    set_bit(keys->any_pending, rule / 64);
}

/* Notes whom of the range to tell. Most are not, and which are cannot be foretold, so that there is
 * no branch on it. */
static void pick(struct keys *keys, struct range range)
{
    size_t n = keys->n_told;
    if (G_UNLIKELY(n + (range.end - range.begin) > keys->told_size)) {
        keys->told_size = 2 * (n + (range.end - range.begin));
        keys->told = g_renew(uint32_t, keys->told, keys->told_size);
    }
    for (uint32_t at = range.begin; at < range.end; at++) {
        const struct waiter *waiter = &keys->choice->waiters[at];
        keys->told[n] = waiter_who(waiter);
        n += waiter_passes(waiter, keys->signature);
    }
    keys->n_told = n;
}

/* Those that were noted, and whoever waits for a list among them. */
static void tell(struct keys *keys)
{
    for (size_t i = 0; i < keys->n_told; i++) {
        uint32_t who = keys->told[i], list = who & ~IS_LIST;
        if (G_LIKELY(!(who & IS_LIST))) {
            set_pending(keys, who);
        } else if (!has_bit(keys->lists, list)) {
            set_bit(keys->lists, list);
            pick(keys, waiters_of(keys, keys->choice->n_ids + list));
        }
    }
    keys->n_told = 0;
}

static void tell_all(struct keys *keys, const struct item_index *index)
{
    size_t n = 0;
    memset(keys->lists, 0, (keys->choice->n_lists / 64 + 1) * sizeof *keys->lists);
    keys->signature[0] = 1;
    if (G_UNLIKELY(index->n_ids > keys->ranges_size)) {
        keys->ranges_size = index->n_ids * 2;
        keys->ranges = g_renew(struct range, keys->ranges, keys->ranges_size);
    }
    for (size_t i = 0; i < index->n_ids; i++) {
        uint32_t id = index->ids[i];
        keys->signature[guard_hash(id)] = 1;
        keys->ranges[n].begin = id;
        n += has_bit(keys->choice->are_keys, id);
    }
    for (size_t i = 0; i < n; i++)
        keys->ranges[i] = waiters_of(keys, keys->ranges[i].begin);
    for (size_t i = 0; i < n; i++)
        for (uint32_t at = keys->ranges[i].begin; at < keys->ranges[i].end; at += 5)
            touch(&keys->choice->waiters[at]);
    for (size_t i = 0; i < n; i++)
        pick(keys, keys->ranges[i]);
    tell(keys);
    for (size_t i = 0; i < index->n_ids; i++)
        keys->signature[guard_hash(index->ids[i])] = 0;
    for (guint i = 0; i < keys->choice->always->len; i++)
        set_pending(keys, g_array_index(keys->choice->always, uint32_t, i));
}

const uint32_t *keys_candidates(struct keys *keys, const struct item_index *index, size_t *ret_n)
{
    size_t n = 0;
    count(keys, index);
    tell_all(keys, index);
    for (size_t i = 0; i <= keys->set->rules->len / 4096; i++) {
        for (uint64_t any = keys->any_pending[i]; any; any &= any - 1) {
            size_t word = i * 64 + (size_t)__builtin_ctzll(any);
            for (uint64_t bits = keys->pending[word]; bits; bits &= bits - 1, n++) {
                keys->candidates[n] = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
                __builtin_prefetch(&keys->choice->probes[keys->candidates[n]]);
            }
            keys->pending[word] = 0;
        }
        keys->any_pending[i] = 0;
    }
    *ret_n = n;
    return keys->candidates;
}

const struct rule_probe *keys_probes(const struct keys *keys)
{
    return keys->choice->probes;
}

const uint8_t *keys_uses(const struct keys *keys)
{
    return keys->uses;
}
