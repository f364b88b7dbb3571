#include "rule/keys.h"

#include "rule/wildcard.h"

#include <string.h>

/* Whoever has to be told that a key turned up: a rule, or a list that rules and lists wait for. */
#define IS_LIST UINT32_C(0x80000000)

#define COST_NEVER UINT64_MAX /* no key can be had from this node */
#define COUNT_UNIT 64u        /* cost of turning up in one more of the counted items */

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
    uint16_t *guesses; /* for each id: how common it may be; while the keys may be chosen again */
    uint32_t *counts;  /* for each id: in how many of the first items it turned up; likewise */
    uint32_t *costs;   /* for each id, while the keys are chosen */
    uint32_t n_items;  /* seen, while counting goes on */
    uint32_t n_chosen; /* how often the keys were chosen again */
    uint32_t n_ids, n_lists;
    uint32_t
        *starts; /* for each id, then each list: where its waiters begin; one more at the end */
    uint32_t *waiters; /* rules, or lists with IS_LIST */
    uint64_t *list_costs;
    GArray *links;                               /* struct link, while the keys are chosen */
    GArray *always;                              /* rules without a key */
    uint64_t *pending;                           /* a bit for each rule */
    uint64_t *lists;                             /* a bit for each list that was told already */
    struct keys_probe *probes;                   /* for each rule */
    uint64_t signature[(1u << GUARD_BITS) / 64]; /* of the item */
    uint32_t *candidates;
    bool *is_waited_for; /* lists */
};

/* How often a test is likely to be passed where nothing was counted yet: short words are common. */
static uint16_t guess(const struct vocab *vocab, uint32_t id)
{
    static const uint8_t by_length[] = {200, 200, 160, 90, 40, 24, 14, 10, 7, 5, 4, 3, 2};
    const char *folded;
    size_t size, n = 0;
    enum word_test test = vocab_test(vocab, id, &folded, &size);
    for (size_t pos = 0; pos < size && n < G_N_ELEMENTS(by_length) - 1; pos++)
        n += ((unsigned char)folded[pos] & 0xC0) != 0x80;
    return (uint16_t)(test == WORD_IS || test == WORD_INFLECTS ? by_length[n] : by_length[n] * 4);
}

static void guess_all(struct keys *keys)
{
    for (uint32_t id = 0; id < keys->n_ids; id++)
        keys->guesses[id] = guess(keys->set->vocab, id);
}

static void find_costs(struct keys *keys)
{
    keys->costs = g_new(uint32_t, keys->n_ids + 1);
    for (uint32_t id = 0; id < keys->n_ids; id++) {
        uint32_t prior = keys->guesses[id];
        keys->costs[id] =
            keys->n_chosen == 0 ? prior : keys->counts[id] * COUNT_UNIT + prior / 8 + 1;
    }
}

static inline uint64_t id_cost(const struct keys *keys, uint32_t id)
{
    return id == VOCAB_ANY ? COST_NEVER : keys->costs[id];
}

static uint64_t add_costs(uint64_t a, uint64_t b)
{
    return a == COST_NEVER || b == COST_NEVER ? COST_NEVER : a + b;
}

/* The one of these words that turns up least often. */
static uint64_t rarest(const struct keys *keys, const uint32_t *ids, size_t n, uint32_t *ret_id)
{
    uint64_t best = COST_NEVER;
    for (size_t i = 0; i < n; i++) {
        uint64_t cost = id_cost(keys, ids[i]);
        if (cost < best) {
            best = cost;
            *ret_id = ids[i];
        }
    }
    return best;
}

/* The key of a single term, and what it costs. */
static uint64_t term_cost(const struct keys *keys, const uint32_t *pc, uint32_t *ret_id)
{
    *ret_id = PROGRAM_PAYLOAD(*pc);
    switch (PROGRAM_OP(*pc)) {
    case OP_WORD:
        return id_cost(keys, *ret_id);
    case OP_PHRASE:
        return rarest(keys, pc + 1, PROGRAM_PAYLOAD(*pc), ret_id);
    case OP_NEED:
        return rarest(keys, pc + 1, PROGRAM_PAYLOAD(*pc) - 1, ret_id);
    default:
        return COST_NEVER;
    }
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
    case OP_LEAF:
    case OP_NEED:
    case OP_PHRASE:
        return term_cost(keys, pc, &id);
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
    case OP_LEAF:
    case OP_NEED:
    case OP_PHRASE:
        term_cost(keys, pc, &id);
        add_link(keys, id, waiter);
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
        return term_cost(keys, pc, &id) != COST_NEVER && guard_add(guards, id, n);
    case OP_OR:
        for (const uint32_t *at = first_operand(pc); at < end; at += program_size(at))
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
    node_cost(keys, pc, &best);
    return best && guard_node(keys, best, guards, n);
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
static void choose_guards(const struct keys *keys, const uint32_t *pc, uint16_t guards[KEYS_GUARDS])
{
    const uint32_t *best[2] = {pc, NULL};
    while (best[0] && PROGRAM_OP(*best[0]) >= OP_AND) {
        enum program_op op = PROGRAM_OP(*best[0]);
        unsigned n = 0;
        if (op == OP_OR || op == OP_NOT || program_is_term(best[0]))
            break;
        two_best(keys, best[0], best);
        if (best[1] && guard_node(keys, best[1], guards, &n))
            return;
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
    find_costs(keys);
    for (uint32_t i = 0; i < keys->n_lists; i++) { /* a list comes after those that it uses */
        const struct rule_list *list = &g_array_index(set->lists, struct rule_list, i);
        keys->list_costs[i] = node_cost(keys, ruleset_code(set, list->code), NULL);
        keys->is_waited_for[i] = false;
    }
    for (uint32_t i = 0; i < set->rules->len; i++) {
        const struct rule_entry *rule = &g_array_index(set->rules, struct rule_entry, i);
        const uint32_t *pc = ruleset_code(set, rule->code);
        bool is_plain = rule->scope == PROGRAM_NONE && !rule->has_regex;
        if (node_cost(keys, pc, NULL) == COST_NEVER)
            g_array_append_val(keys->always, i);
        else
            link_node(keys, pc, i);
        choose_guards(keys, pc, keys->probes[i].guards);
        keys->probes[i].code = is_plain ? rule->code : PROGRAM_NONE;
        keys->probes[i].fields = rule->fields;
    }
    for (uint32_t i = keys->n_lists; i-- > 0;)
        if (keys->is_waited_for[i]) {
            const struct rule_list *list = &g_array_index(set->lists, struct rule_list, i);
            link_node(keys, ruleset_code(set, list->code), i | IS_LIST);
        }
    pack_links(keys);
    g_free(keys->costs);
    keys->costs = NULL;
}

struct keys *keys_new(const struct ruleset *set)
{
    struct keys *keys = g_new0(struct keys, 1);
    keys->set = set;
    keys->n_ids = vocab_size(set->vocab);
    keys->n_lists = set->lists->len;
    keys->guesses = g_new(uint16_t, keys->n_ids + 1);
    guess_all(keys);
    keys->counts = g_new0(uint32_t, keys->n_ids + 1);
    keys->starts = g_new0(uint32_t, keys->n_ids + keys->n_lists + 2);
    keys->list_costs = g_new0(uint64_t, keys->n_lists + 1);
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
    g_free(keys->guesses);
    g_free(keys->counts);
    g_free(keys->starts);
    g_free(keys->waiters);
    g_free(keys->list_costs);
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
                   keys->n_lists * (sizeof *keys->list_costs + 1);
    if (keys->counts)
        bytes += keys->n_ids * (sizeof *keys->counts + sizeof *keys->guesses);
    return bytes;
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
    if (keys->n_chosen < G_N_ELEMENTS(choose_after))
        return;
    g_clear_pointer(&keys->counts, g_free);
    g_clear_pointer(&keys->guesses, g_free);
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
