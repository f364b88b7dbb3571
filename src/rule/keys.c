#include "rule/keys.h"

#include "rule/wildcard.h"

#include <string.h>

/* Whoever has to be told that a key turned up: a rule, or a list that rules and lists wait for. */
#define IS_LIST UINT32_C(0x80000000)

#define COST_NEVER UINT64_MAX /* no key can be had from this node */
#define COUNT_UNIT 64u        /* cost of turning up in one more of the counted items */

/* After how many items the keys are chosen again. */
static const uint32_t choose_after[] = {32, 256, 2048};

struct link {
    uint32_t key, waiter;
};

/* A second look at a rule whose key turned up, which costs no look at its program: up to GUARD_IDS
 * more tests of which one must turn up, too, each as GUARD_BITS bits of its hash. The item has a
 * bit for each hash. Hash 0 is no test's: its bit is always set, and a guard of 0 lets all pass. */
#define GUARD_BITS 12u
#define GUARD_IDS  5u
#define GUARD_MASK ((1u << GUARD_BITS) - 1)

struct keys {
    const struct ruleset *set;
    uint32_t *counts;  /* for each id: in how many of the first items it turned up */
    uint32_t n_items;  /* seen, while counting goes on */
    uint32_t n_chosen; /* how often the keys were chosen again */
    uint32_t n_ids, n_lists;
    uint32_t
        *starts; /* for each id, then each list: where its waiters begin; one more at the end */
    uint32_t *waiters; /* rules, or lists with IS_LIST */
    uint64_t *list_costs;
    GArray *links;                             /* struct link, while the keys are chosen */
    GArray *always;                            /* rules without a key */
    uint64_t *pending;                         /* a bit for each rule */
    uint64_t *lists;                           /* a bit for each list that was told already */
    uint64_t *guards;                          /* for each rule */
    uint64_t signature[(GUARD_MASK + 1) / 64]; /* of the item */
    uint32_t *candidates;
    bool *is_waited_for; /* lists */
};

/* How often a test is likely to be passed where nothing was counted yet: short words are common. */
static uint64_t guess(const struct vocab *vocab, uint32_t id)
{
    static const uint8_t by_length[] = {200, 200, 160, 90, 40, 24, 14, 10, 7, 5, 4, 3, 2};
    const char *folded;
    size_t size, n = 0;
    enum word_test test = vocab_test(vocab, id, &folded, &size);
    for (size_t pos = 0; pos < size && n < G_N_ELEMENTS(by_length) - 1; pos++)
        n += ((unsigned char)folded[pos] & 0xC0) != 0x80;
    uint64_t cost = by_length[n];
    return test == WORD_IS || test == WORD_INFLECTS ? cost : cost * 4;
}

static uint64_t id_cost(const struct keys *keys, uint32_t id)
{
    if (id == VOCAB_ANY)
        return COST_NEVER;
    uint64_t prior = guess(keys->set->vocab, id);
    return keys->n_chosen == 0 ? prior : (uint64_t)keys->counts[id] * COUNT_UNIT + prior / 8 + 1;
}

static uint64_t add_costs(uint64_t a, uint64_t b)
{
    return a == COST_NEVER || b == COST_NEVER ? COST_NEVER : a + b;
}

/* The word of the leaf that turns up least often. */
static uint64_t leaf_cost(const struct keys *keys, const struct rule_leaf *leaf, uint32_t *ret_id)
{
    uint64_t best = COST_NEVER;
    if (leaf->kind == LEAF_REGEX || leaf->kind == LEAF_VALUE)
        return COST_NEVER;
    for (uint32_t i = 0; i < leaf->n_words; i++) {
        uint32_t id = g_array_index(keys->set->words, uint32_t, leaf->at + i);
        uint64_t cost = id_cost(keys, id);
        if (cost < best) {
            best = cost;
            *ret_id = id;
        }
    }
    return best;
}

/* Where the operands of an inner node begin. */
static const uint32_t *first_operand(const uint32_t *pc)
{
    enum program_op op = PROGRAM_OP(*pc);
    return pc + (op == OP_NEAR || op == OP_ATLEAST || op == OP_IN ? 2 : 1);
}

static uint64_t node_cost(const struct keys *keys, const uint32_t *pc, const uint32_t **ret_best)
{
    const uint32_t *end = pc + program_size(pc);
    uint32_t id;
    uint64_t best = COST_NEVER, sum = 0;
    switch (PROGRAM_OP(*pc)) {
    case OP_WORD:
        return id_cost(keys, PROGRAM_PAYLOAD(*pc));
    case OP_LEAF:
        return leaf_cost(
            keys, &g_array_index(keys->set->leaves, struct rule_leaf, PROGRAM_PAYLOAD(*pc)), &id);
    case OP_NEED:
        return node_cost(keys, program_needed(pc), NULL);
    case OP_LIST:
        return keys->list_costs[PROGRAM_PAYLOAD(*pc)];
    case OP_NOT:
        return COST_NEVER;
    case OP_OR:
        for (const uint32_t *at = first_operand(pc); at < end; at += program_size(at))
            sum = add_costs(sum, node_cost(keys, at, NULL));
        return sum;
    case OP_AND:
    case OP_NEAR:
    case OP_ATLEAST:
    case OP_IN:
        break;
    }
    for (const uint32_t *at = first_operand(pc); at < end; at += program_size(at)) {
        uint64_t cost = node_cost(keys, at, NULL);
        if (cost < best) {
            best = cost;
            if (ret_best)
                *ret_best = at;
        }
    }
    return best;
}

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
        add_link(keys, payload, waiter);
        return;
    case OP_LEAF:
        leaf_cost(keys, &g_array_index(keys->set->leaves, struct rule_leaf, payload), &id);
        add_link(keys, id, waiter);
        return;
    case OP_NEED:
        link_node(keys, program_needed(pc), waiter);
        return;
    case OP_LIST:
        keys->is_waited_for[payload] = true;
        add_link(keys, keys->n_ids + payload, waiter);
        return;
    case OP_OR:
        for (const uint32_t *at = first_operand(pc); at < end; at += program_size(at))
            link_node(keys, at, waiter);
        return;
    case OP_NOT:
        return;
    case OP_AND:
    case OP_NEAR:
    case OP_ATLEAST:
    case OP_IN:
        node_cost(keys, pc, &best);
        if (best)
            link_node(keys, best, waiter);
        return;
    }
}

static inline uint32_t guard_bit(uint32_t id)
{
    uint32_t bit = id * UINT32_C(0x9E3779B1) >> (32 - GUARD_BITS);
    return bit ? bit : 1;
}

/* The first one fills all places, so that none is left 0. */
static bool guard_add(uint64_t *guard, uint32_t id, unsigned *n)
{
    for (unsigned i = *n; i < GUARD_IDS; i++) {
        *guard &= ~((uint64_t)GUARD_MASK << (GUARD_BITS * i));
        *guard |= (uint64_t)guard_bit(id) << (GUARD_BITS * i);
    }
    return (*n)++ < GUARD_IDS;
}

/* Adds the keys of a node that has some; false where they are too many, or a list's. */
static bool guard_node(const struct keys *keys, const uint32_t *pc, uint64_t *guard, unsigned *n)
{
    const uint32_t *end = pc + program_size(pc), *best = NULL;
    uint32_t id = 0, payload = PROGRAM_PAYLOAD(*pc);
    switch (PROGRAM_OP(*pc)) {
    case OP_WORD:
        return guard_add(guard, payload, n);
    case OP_LEAF:
        leaf_cost(keys, &g_array_index(keys->set->leaves, struct rule_leaf, payload), &id);
        return guard_add(guard, id, n);
    case OP_NEED:
        return guard_node(keys, program_needed(pc), guard, n);
    case OP_OR:
        for (const uint32_t *at = first_operand(pc); at < end; at += program_size(at))
            if (!guard_node(keys, at, guard, n))
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
    node_cost(keys, pc, &best);
    return best && guard_node(keys, best, guard, n);
}

/* The operands of AND or NEAR that turn up least often; NULL where there is none. */
static void two_best(const struct keys *keys, const uint32_t *pc, const uint32_t *ret_best[2])
{
    const uint32_t *end = pc + program_size(pc);
    uint64_t costs[2] = {COST_NEVER, COST_NEVER};
    ret_best[0] = ret_best[1] = NULL;
    for (const uint32_t *at = first_operand(pc); at < end; at += program_size(at)) {
        uint64_t cost = node_cost(keys, at, NULL);
        size_t place = cost < costs[0] ? 0 : 1;
        if (cost >= costs[place])
            continue;
        costs[1] = place == 0 ? costs[0] : costs[1];
        ret_best[1] = place == 0 ? ret_best[0] : ret_best[1];
        costs[place] = cost;
        ret_best[place] = at;
    }
}

/* From what must hold besides the node that the rule's keys are of. */
static uint64_t choose_guard(const struct keys *keys, const uint32_t *pc)
{
    const uint32_t *best[2] = {pc, NULL};
    while (best[0] && PROGRAM_OP(*best[0]) >= OP_AND) {
        enum program_op op = PROGRAM_OP(*best[0]);
        uint64_t guard = 0;
        unsigned n = 0;
        if (op == OP_OR || op == OP_NOT || op == OP_NEED)
            break;
        two_best(keys, best[0], best);
        if (best[1] && guard_node(keys, best[1], &guard, &n))
            return guard;
    }
    return 0;
}

static inline bool guard_passes(const struct keys *keys, uint64_t guard)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < GUARD_IDS; i++, guard >>= GUARD_BITS) {
        uint32_t bit = guard & GUARD_MASK;
        any |= keys->signature[bit / 64] >> bit % 64;
    }
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
    for (uint32_t i = 0; i < keys->n_lists; i++) { /* a list comes after those that it uses */
        const struct rule_list *list = &g_array_index(set->lists, struct rule_list, i);
        keys->list_costs[i] = node_cost(keys, ruleset_code(set, list->code), NULL);
        keys->is_waited_for[i] = false;
    }
    for (uint32_t i = 0; i < set->rules->len; i++) {
        const uint32_t *pc =
            ruleset_code(set, g_array_index(set->rules, struct rule_entry, i).code);
        if (node_cost(keys, pc, NULL) == COST_NEVER)
            g_array_append_val(keys->always, i);
        else
            link_node(keys, pc, i);
        keys->guards[i] = choose_guard(keys, pc);
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
    keys->counts = g_new0(uint32_t, keys->n_ids + 1);
    keys->starts = g_new0(uint32_t, keys->n_ids + keys->n_lists + 2);
    keys->list_costs = g_new0(uint64_t, keys->n_lists + 1);
    keys->is_waited_for = g_new0(bool, keys->n_lists + 1);
    keys->lists = g_new0(uint64_t, keys->n_lists / 64 + 1);
    keys->pending = g_new0(uint64_t, set->rules->len / 64 + 1);
    keys->guards = g_new0(uint64_t, set->rules->len + 1);
    keys->candidates = g_new(uint32_t, set->rules->len + 1);
    keys->always = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    choose(keys);
    return keys;
}

void keys_free(struct keys *keys)
{
    if (!keys)
        return;
    g_free(keys->counts);
    g_free(keys->starts);
    g_free(keys->waiters);
    g_free(keys->list_costs);
    g_free(keys->is_waited_for);
    g_free(keys->lists);
    g_free(keys->pending);
    g_free(keys->guards);
    g_free(keys->candidates);
    g_array_unref(keys->always);
    g_free(keys);
}

size_t keys_bytes(const struct keys *keys)
{
    size_t n_keys = keys->n_ids + keys->n_lists;
    return sizeof *keys +
           (keys->n_ids + n_keys + keys->starts[n_keys] + keys->set->rules->len) *
               sizeof(uint32_t) +
           keys->n_lists * (sizeof(uint64_t) + 1) + keys->set->rules->len * sizeof(uint64_t) +
           keys->set->rules->len / 8;
}

static void count(struct keys *keys, const struct item_index *index)
{
    if (keys->n_chosen == G_N_ELEMENTS(choose_after))
        return;
    for (size_t i = 0; i < index->n_ids; i++)
        keys->counts[index->ids[i]]++;
    if (++keys->n_items < choose_after[keys->n_chosen])
        return;
    keys->n_chosen++;
    choose(keys);
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
        uint32_t bit = guard_bit(index->ids[i]);
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
            __builtin_prefetch(&keys->guards[keys->candidates[n]]);
        }
        keys->pending[i] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t rule = keys->candidates[i];
        keys->candidates[kept] = rule;
        kept += guard_passes(keys, keys->guards[rule]);
    }
    *ret_n = kept;
    return keys->candidates;
}
