#include "rule/keys.h"

#include "rule/cost.h"

#include <string.h>

/* Whoever has to be told that a key turned up: a rule, or a list that rules and lists wait for. */
#define IS_LIST UINT32_C(0x80000000)

/* After how many items the keys are chosen again. */
static const uint32_t choose_after[] = {200, 2000};

struct link {
    uint32_t key, waiter;
};

/* A second look at a rule whose key turned up, which costs no look at its program: some more tests
 * of which one must turn up, too, each as a hash of GUARD_BITS bits. The item has a bit for each
 * hash. Hash 0 is no test's: its bit is always set, so that guards of 0 let all pass. */
#define GUARD_BITS 16u

struct keys {
    const struct ruleset *set;
    struct costs *costs; /* while the keys may be chosen again */
    uint32_t n_chosen;   /* how often the keys were chosen again */
    uint32_t n_ids, n_lists;
    uint32_t
        *starts; /* for each id, then each list: where its waiters begin; one more at the end */
    uint32_t *waiters;                           /* rules, or lists with IS_LIST */
    GArray *links;                               /* struct link, while the keys are chosen */
    GArray *always;                              /* rules without a key */
    uint64_t *pending;                           /* a bit for each rule */
    uint64_t *lists;                             /* a bit for each list that was told already */
    struct keys_probe *probes;                   /* for each rule */
    uint64_t signature[(1u << GUARD_BITS) / 64]; /* of the item */
    uint32_t *candidates;
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

static inline uint16_t guard_bit(uint32_t id)
{
    uint32_t bit = id * UINT32_C(0x9E3779B1) >> (32 - GUARD_BITS);
    return (uint16_t)(bit ? bit : 1);
}

/* The last one fills all places, so that none is left 0. */
static bool guard_add(uint16_t guards[KEYS_GUARDS], uint32_t id, unsigned *n)
{
    for (unsigned i = *n; i < KEYS_GUARDS; i++)
        guards[i] = guard_bit(id);
    return (*n)++ < KEYS_GUARDS;
}

/* Adds the keys of a node that has some; false where they are too many, or a list's. */
static bool guard_node(const struct keys *keys, const uint32_t *pc, uint16_t guards[KEYS_GUARDS],
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
static void choose_guards(const struct keys *keys, const uint32_t *best[2],
                          uint16_t guards[KEYS_GUARDS])
{
    for (;; two_best(keys, best[0], best)) {
        unsigned n = 0;
        if (best[1] && guard_node(keys, best[1], guards, &n))
            return;
        if (!best[0] || !is_conjunction(best[0]))
            break;
    }
    memset(guards, 0, KEYS_GUARDS * sizeof *guards);
}

static inline bool guard_passes(const struct keys *keys, const uint16_t guards[KEYS_GUARDS])
{
    uint64_t any = 0;
    for (unsigned i = 0; i < KEYS_GUARDS; i++)
        any |= keys->signature[guards[i] / 64] >> guards[i] % 64;
    return any & 1;
}

/* links, sorted by key into starts and waiters. */
static void pack_links(struct keys *keys)
{
    uint32_t n_keys = keys->n_ids + keys->n_lists;
    g_free(keys->waiters);
    keys->waiters = g_new(uint32_t, keys->links->len + 1);
    memset(keys->starts, 0, (n_keys + 2) * sizeof *keys->starts);
    for (guint i = 0; i < keys->links->len; i++)
        keys->starts[g_array_index(keys->links, struct link, i).key + 2]++;
    for (uint32_t i = 2; i < n_keys + 2; i++)
        keys->starts[i] += keys->starts[i - 1];
    for (guint i = 0; i < keys->links->len; i++) {
        const struct link *link = &g_array_index(keys->links, struct link, i);
        keys->waiters[keys->starts[link->key + 1]++] = link->waiter;
    }
    g_array_unref(keys->links);
    keys->links = NULL;
}

static void choose(struct keys *keys)
{
    const struct ruleset *set = keys->set;
    keys->links = g_array_new(FALSE, FALSE, sizeof(struct link));
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
        choose_guards(keys, best, keys->probes[i].guards);
        keys->probes[i].code = is_plain ? rule->code : PROGRAM_NONE;
        keys->probes[i].fields = rule->fields;
    }
    for (uint32_t i = keys->n_lists; i-- > 0;)
        if (keys->is_waited_for[i]) {
            const struct rule_list *list = &g_array_index(set->lists, struct rule_list, i);
            link_node(keys, ruleset_code(set, list->code), i | IS_LIST);
        }
    pack_links(keys);
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
    g_free(keys->probes);
    g_free(keys->candidates);
    g_array_unref(keys->always);
    g_free(keys);
}

size_t keys_bytes(const struct keys *keys)
{
    size_t n_keys = keys->n_ids + keys->n_lists, n_rules = keys->set->rules->len;
    size_t bytes = sizeof *keys + n_keys * sizeof *keys->starts +
                   keys->starts[n_keys] * sizeof *keys->waiters +
                   n_rules * (sizeof *keys->probes + sizeof *keys->candidates) + n_rules / 8 +
                   keys->n_lists;
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
    if (++keys->n_chosen == G_N_ELEMENTS(choose_after))
        g_clear_pointer(&keys->costs, costs_free);
}

static void tell(struct keys *keys, uint32_t key)
{
    for (uint32_t at = keys->starts[key]; at < keys->starts[key + 1]; at++) {
        uint32_t waiter = keys->waiters[at];
        if (G_LIKELY(!(waiter & IS_LIST))) {
            keys->pending[waiter / 64] |= UINT64_C(1) << waiter % 64;
            continue;
        }
        uint32_t list = waiter & ~IS_LIST;
        if (keys->lists[list / 64] >> list % 64 & 1)
            continue;
        keys->lists[list / 64] |= UINT64_C(1) << list % 64;
        tell(keys, keys->n_ids + list);
    }
}

static void tell_all(struct keys *keys, const struct item_index *index)
{
    memset(keys->lists, 0, (keys->n_lists / 64 + 1) * sizeof *keys->lists);
    memset(keys->signature, 0, sizeof keys->signature);
    keys->signature[0] = 1;
    for (size_t i = 0; i < index->n_ids; i++) {
        uint16_t bit = guard_bit(index->ids[i]);
        __builtin_prefetch(&keys->starts[index->ids[i]]);
        keys->signature[bit / 64] |= UINT64_C(1) << bit % 64;
    }
    for (size_t i = 0; i < index->n_ids; i++)
        __builtin_prefetch(&keys->waiters[keys->starts[index->ids[i]]]);
    for (size_t i = 0; i < index->n_ids; i++)
        tell(keys, index->ids[i]);
    for (guint i = 0; i < keys->always->len; i++) {
        uint32_t rule = g_array_index(keys->always, uint32_t, i);
        keys->pending[rule / 64] |= UINT64_C(1) << rule % 64;
    }
}

const uint32_t *keys_candidates(struct keys *keys, const struct item_index *index, size_t *ret_n)
{
    size_t n = 0, kept = 0;
    count(keys, index);
    tell_all(keys, index);
    for (size_t i = 0; i <= keys->set->rules->len / 64; i++) {
        if (!keys->pending[i])
            continue;
        for (uint64_t bits = keys->pending[i]; bits; bits &= bits - 1, n++) {
            keys->candidates[n] = (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(bits);
            __builtin_prefetch(&keys->probes[keys->candidates[n]]);
        }
        keys->pending[i] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t rule = keys->candidates[i];
        keys->candidates[kept] = rule;
        kept += guard_passes(keys, keys->probes[rule].guards);
    }
    *ret_n = kept;
    return keys->candidates;
}

const struct keys_probe *keys_probes(const struct keys *keys)
{
    return keys->probes;
}
