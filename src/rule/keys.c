#include "rule/keys.h"

#include "base/touch.h"
#include "rule/cost.h"
#include "rule/uses.h"

#include <string.h>

/* Whoever has to be told that a key turned up: a rule, or a list that rules and lists wait for. No
 * configuration has as many of either (SOURCE_SECTIONS_MAX). */
#define IS_LIST (UINT32_C(1) << 25)

/* After how many items the keys are chosen again. */
static const uint32_t choose_after[] = {200, 2000};

struct link {
    uint32_t key, waiter;
};

/* A second look at a rule whose key turned up, which costs no look at anything of the rule's own:
 * some more tests of which one must turn up, too, each as a hash of GUARD_BITS bits. Hash 0
 * is no test's: every item has it, so that guards of 0 let all pass. */
#define GUARDS     5u
#define GUARD_BITS 14u

struct guards {
    uint16_t hashes[GUARDS];
};

/* Four guards and eight bits of the fifth; its other six and whom to tell, in 26. */
struct waiter {
    uint32_t low, high;
    uint32_t who;
};

struct range { /* of waiters */
    uint32_t begin, end;
};

struct keys {
    const struct ruleset *set;
    struct costs *costs; /* while the keys may be chosen again */
    uint32_t n_chosen;   /* how often the keys were chosen again */
    uint32_t n_ids, n_lists;
    uint32_t
        *starts; /* for each id, then each list: where its waiters begin; one more at the end */
    struct waiter *waiters;
    GArray *links;                       /* struct link, while the keys are chosen */
    struct guards *guards;               /* for each rule, likewise */
    uint8_t *uses;                       /* enum lexicon_use for each id, once chosen for good */
    GArray *always;                      /* rules without a key */
    uint64_t *pending;                   /* a bit for each rule */
    uint64_t *any_pending;               /* a bit for each word of pending */
    uint64_t *lists;                     /* a bit for each list that was told already */
    struct keys_probe *probes;           /* for each rule */
    uint8_t signature[1u << GUARD_BITS]; /* of the item: 1 where one of its tests has the hash */
    uint32_t *candidates;
    struct range *ranges; /* of the waiters of the item's tests */
    size_t ranges_size;
    bool *is_waited_for; /* lists */
};

static void add_link(struct keys *keys, uint32_t key, uint32_t waiter)
{
    struct link link = {.key = key, .waiter = waiter};
    g_array_append_val(keys->links, link);
}

/* Notes the keys of a node that has some. */
static void link_node(struct keys *keys, const uint32_t *pc, uint32_t waiter)
{
    const uint32_t *end = pc + program_size(pc), *best = NULL;
    uint32_t id = 0, payload = PROGRAM_PAYLOAD(*pc);
    switch (PROGRAM_OP(*pc)) {
    case OP_WORD:
    case OP_LEAF:
    case OP_NEED:
    case OP_PHRASE:
        cost_of_term(keys->costs, pc, &id);
        add_link(keys, id, waiter);
        return;
    case OP_LIST:
        keys->is_waited_for[payload] = true;
        add_link(keys, keys->n_ids + payload, waiter);
        return;
    case OP_OR:
        for (const uint32_t *at = program_operands(pc); at < end; at += program_size(at))
            link_node(keys, at, waiter);
        return;
    case OP_NOT:
        return;
    case OP_AND:
    case OP_NEAR:
    case OP_ATLEAST:
    case OP_IN:
        cost_of_node(keys->costs, pc, &best);
        if (best)
            link_node(keys, best, waiter);
        return;
    }
}

static inline uint16_t guard_hash(uint32_t id)
{
    uint32_t hash = id * UINT32_C(0x9E3779B1) >> (32 - GUARD_BITS);
    return (uint16_t)(hash ? hash : 1);
}

/* The last one fills all places, so that none is left 0. */
static bool guard_add(struct guards *guards, uint32_t id, unsigned *n)
{
    for (unsigned i = *n; i < GUARDS; i++)
        guards->hashes[i] = guard_hash(id);
    return (*n)++ < GUARDS;
}

/* Adds the keys of a node that has some; false where they are too many, or a list's. */
static bool guard_node(const struct keys *keys, const uint32_t *pc, struct guards *guards,
                       unsigned *n)
{
    const uint32_t *end = pc + program_size(pc), *best = NULL;
    uint32_t id = 0;
    switch (PROGRAM_OP(*pc)) {
    case OP_WORD:
    case OP_LEAF:
    case OP_NEED:
    case OP_PHRASE:
        return cost_of_term(keys->costs, pc, &id) != COST_NEVER && guard_add(guards, id, n);
    case OP_OR:
        for (const uint32_t *at = program_operands(pc); at < end; at += program_size(at))
            if (!guard_node(keys, at, guards, n))
                return false;
        return true;
    case OP_LIST:
    case OP_NOT:
        return false;
    case OP_AND:
    case OP_NEAR:
    case OP_ATLEAST:
    case OP_IN:
        break;
    }
    cost_of_node(keys->costs, pc, &best);
    return best && guard_node(keys, best, guards, n);
}

/* The operands of AND or NEAR that turn up least often; NULL where there is none. */
static void two_best(const struct keys *keys, const uint32_t *pc, const uint32_t *ret_best[2])
{
    const uint32_t *end = pc + program_size(pc);
    uint64_t costs[2] = {COST_NEVER, COST_NEVER};
    ret_best[0] = ret_best[1] = NULL;
    for (const uint32_t *at = program_operands(pc); at < end; at += program_size(at)) {
        uint64_t cost = cost_of_node(keys->costs, at, NULL);
        size_t place = cost < costs[0] ? 0 : 1;
        if (cost >= costs[place])
            continue;
        costs[1] = place == 0 ? costs[0] : costs[1];
        ret_best[1] = place == 0 ? ret_best[0] : ret_best[1];
        costs[place] = cost;
        ret_best[place] = at;
    }
}

/* All of its operands must hold. */
static bool is_conjunction(const uint32_t *pc)
{
    enum program_op op = PROGRAM_OP(*pc);
    return op >= OP_AND && op != OP_OR && op != OP_NOT && !program_is_term(pc);
}

/* From what must hold besides the node that the rule's keys are of: the second best of the rule's
 * operands, or else of those of its best. */
static void choose_guards(const struct keys *keys, const uint32_t *best[2], struct guards *guards)
{
    for (;; two_best(keys, best[0], best)) {
        unsigned n = 0;
        if (best[1] && guard_node(keys, best[1], guards, &n))
            return;
        if (!best[0] || !is_conjunction(best[0]))
            break;
    }
    memset(guards, 0, sizeof *guards);
}

static struct waiter waiter_make(uint32_t who, const struct guards *guards)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < GUARDS; i++)
        bits |= (uint64_t)guards->hashes[i] << i * GUARD_BITS; /* of the last, all but 6 bits */
    return (struct waiter){.low = (uint32_t)bits,
                           .high = (uint32_t)(bits >> 32),
                           .who = who << 6 | (uint32_t)guards->hashes[GUARDS - 1] >> 8};
}

static inline bool waiter_passes(const struct keys *keys, const struct waiter *waiter)
{
    const unsigned mask = (1u << GUARD_BITS) - 1;
    const uint8_t *signature = keys->signature;
    uint64_t bits = (uint64_t)waiter->high << 32 | waiter->low;
    return signature[bits & mask] | signature[bits >> GUARD_BITS & mask] |
           signature[bits >> 2 * GUARD_BITS & mask] | signature[bits >> 3 * GUARD_BITS & mask] |
           signature[bits >> 4 * GUARD_BITS | (waiter->who & 63) << 8];
}

/* links, sorted by key into starts and waiters. */
static void pack_links(struct keys *keys)
{
    static const struct guards none;
    uint32_t n_keys = keys->n_ids + keys->n_lists;
    g_free(keys->waiters);
    keys->waiters = g_new(struct waiter, keys->links->len + 1);
    memset(keys->starts, 0, (n_keys + 2) * sizeof *keys->starts);
    for (guint i = 0; i < keys->links->len; i++)
        keys->starts[g_array_index(keys->links, struct link, i).key + 2]++;
    for (uint32_t i = 2; i < n_keys + 2; i++)
        keys->starts[i] += keys->starts[i - 1];
    for (guint i = 0; i < keys->links->len; i++) {
        const struct link *link = &g_array_index(keys->links, struct link, i);
        keys->waiters[keys->starts[link->key + 1]++] =
            waiter_make(link->waiter, link->waiter & IS_LIST ? &none : &keys->guards[link->waiter]);
    }
    g_array_unref(keys->links);
    keys->links = NULL;
}

static void set_bit(uint64_t *bits, uint32_t bit)
{
    bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

static bool has_bit(const uint64_t *bits, uint32_t bit)
{
    return bits[bit / 64] >> bit % 64 & 1;
}

static void choose(struct keys *keys)
{
    const struct ruleset *set = keys->set;
    keys->links = g_array_new(FALSE, FALSE, sizeof(struct link));
    keys->guards = g_new0(struct guards, set->rules->len + 1);
    g_array_set_size(keys->always, 0);
    memset(keys->is_waited_for, 0, keys->n_lists * sizeof *keys->is_waited_for);
    for (uint32_t i = 0; i < set->rules->len; i++) {
        const struct rule_entry *rule = &g_array_index(set->rules, struct rule_entry, i);
        const uint32_t *pc = ruleset_code(set, rule->code), *best[2] = {pc, NULL};
        bool is_plain = rule->scope == PROGRAM_NONE && !rule->has_regex;
        if (is_conjunction(pc))
            two_best(keys, pc, best);
        else if (cost_of_node(keys->costs, pc, NULL) == COST_NEVER)
            best[0] = NULL;
        if (best[0])
            link_node(keys, best[0], i);
        else
            g_array_append_val(keys->always, i);
        choose_guards(keys, best, &keys->guards[i]);
        keys->probes[i].code = is_plain ? rule->code : PROGRAM_NONE;
        keys->probes[i].fields = rule->fields;
    }
    for (uint32_t i = keys->n_lists; i-- > 0;)
        if (keys->is_waited_for[i]) {
            const struct rule_list *list = &g_array_index(set->lists, struct rule_list, i);
            link_node(keys, ruleset_code(set, list->code), i | IS_LIST);
        }
    pack_links(keys);
    g_clear_pointer(&keys->guards, g_free);
}

struct keys *keys_new(const struct ruleset *set)
{
    struct keys *keys = g_new0(struct keys, 1);
    keys->set = set;
    keys->n_ids = vocab_size(set->vocab);
    keys->n_lists = set->lists->len;
    keys->costs = costs_new(set);
    keys->starts = g_new0(uint32_t, keys->n_ids + keys->n_lists + 2);
    keys->is_waited_for = g_new0(bool, keys->n_lists + 1);
    keys->lists = g_new0(uint64_t, keys->n_lists / 64 + 1);
    keys->pending = g_new0(uint64_t, set->rules->len / 64 + 1);
    keys->any_pending = g_new0(uint64_t, set->rules->len / 4096 + 1);
    keys->probes = g_new0(struct keys_probe, set->rules->len + 1);
    keys->candidates = g_new(uint32_t, set->rules->len + 1);
    keys->always = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    choose(keys);
    return keys;
}

void keys_free(struct keys *keys)
{
    if (!keys)
        return;
    costs_free(keys->costs);
    g_free(keys->starts);
    g_free(keys->waiters);
    g_free(keys->is_waited_for);
    g_free(keys->lists);
    g_free(keys->pending);
    g_free(keys->any_pending);
    g_free(keys->uses);
    g_free(keys->probes);
    g_free(keys->candidates);
    g_free(keys->ranges);
    g_array_unref(keys->always);
    g_free(keys);
}

size_t keys_bytes(const struct keys *keys)
{
    size_t n_keys = keys->n_ids + keys->n_lists, n_rules = keys->set->rules->len;
    size_t bytes = sizeof *keys + n_keys * sizeof *keys->starts +
                   keys->starts[n_keys] * sizeof *keys->waiters +
                   n_rules * (sizeof *keys->probes + sizeof *keys->candidates) + n_rules / 8 +
                   keys->n_lists + (keys->uses ? keys->n_ids : 0);
    return keys->costs ? bytes + costs_bytes(keys->costs) : bytes;
}

static void count(struct keys *keys, const struct item_index *index)
{
    if (!keys->costs)
        return;
    costs_count(keys->costs, index->ids, index->n_ids);
    if (keys->costs->n_items < choose_after[keys->n_chosen])
        return;
    costs_update(keys->costs);
    choose(keys);
    if (++keys->n_chosen < G_N_ELEMENTS(choose_after))
        return;
    keys->uses = uses_new(keys->set, keys->costs);
    g_clear_pointer(&keys->costs, costs_free);
}

static inline struct range waiters_of(const struct keys *keys, uint32_t key)
{
    return (struct range){keys->starts[key], keys->starts[key + 1]};
}

static inline void set_pending(struct keys *keys, uint32_t rule)
{
    set_bit(keys->pending, rule);
    set_bit(keys->any_pending, rule / 64);
}

static void tell(struct keys *keys, struct range range)
{
    for (uint32_t at = range.begin; at < range.end; at++) {
        if (!waiter_passes(keys, &keys->waiters[at]))
            continue;
        uint32_t who = keys->waiters[at].who >> 6, list = who & ~IS_LIST;
        if (G_LIKELY(!(who & IS_LIST))) {
            set_pending(keys, who);
            continue;
        }
        if (has_bit(keys->lists, list))
            continue;
        set_bit(keys->lists, list);
        tell(keys, waiters_of(keys, keys->n_ids + list));
    }
}

static void tell_all(struct keys *keys, const struct item_index *index)
{
    size_t n = 0;
    memset(keys->lists, 0, (keys->n_lists / 64 + 1) * sizeof *keys->lists);
    keys->signature[0] = 1;
    if (G_UNLIKELY(index->n_ids > keys->ranges_size)) {
        keys->ranges_size = index->n_ids * 2;
        keys->ranges = g_renew(struct range, keys->ranges, keys->ranges_size);
    }
    for (size_t i = 0; i < index->n_ids; i++) {
        keys->signature[guard_hash(index->ids[i])] = 1;
        keys->ranges[n] = waiters_of(keys, index->ids[i]);
        n += keys->ranges[n].begin < keys->ranges[n].end;
    }
    for (size_t i = 0; i < n; i++)
        for (uint32_t at = keys->ranges[i].begin; at < keys->ranges[i].end; at += 5)
            touch(&keys->waiters[at]);
    for (size_t i = 0; i < n; i++)
        tell(keys, keys->ranges[i]);
    for (size_t i = 0; i < index->n_ids; i++)
        keys->signature[guard_hash(index->ids[i])] = 0;
    for (guint i = 0; i < keys->always->len; i++)
        set_pending(keys, g_array_index(keys->always, uint32_t, i));
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
                __builtin_prefetch(&keys->probes[keys->candidates[n]]);
            }
            keys->pending[word] = 0;
        }
        keys->any_pending[i] = 0;
    }
    *ret_n = n;
    return keys->candidates;
}

const struct keys_probe *keys_probes(const struct keys *keys)
{
    return keys->probes;
}

const uint8_t *keys_uses(const struct keys *keys)
{
    return keys->uses;
}
