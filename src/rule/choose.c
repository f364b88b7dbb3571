#include "rule/choose.h"

#include <string.h>

#define KEYS_AT_FIRST 64u

struct guards {
    uint16_t hashes[GUARDS];
};

struct link {
    uint32_t key, waiter;
};

/* Some of the keys at hand. */
struct part {
    size_t begin, end;
};

struct chooser {
    const struct ruleset *set;
    const struct costs *costs;
    struct choice *choice;
    struct waiter *waiters; /* each rule as one */
    struct link *links;
    size_t n_links, links_size;
    uint32_t *keys; /* of the nodes at hand */
    size_t n_keys, keys_size;
    bool *is_waited_for; /* lists */
};

static void add_key(struct chooser *chooser, uint32_t key)
{
    if (chooser->n_keys == chooser->keys_size) {
        chooser->keys_size *= 2;
        chooser->keys = g_renew(uint32_t, chooser->keys, chooser->keys_size);
    }
    chooser->keys[chooser->n_keys++] = key;
}

/* Adds the keys of a node and returns their cost; adds none where that is COST_NEVER. */
static uint64_t add_keys(struct chooser *chooser, const uint32_t *pc);

static inline uint64_t add_term(struct chooser *chooser, const uint32_t *pc)
{
    struct term_cost term = cost_of_term(chooser->costs, pc);
    if (term.cost != COST_NEVER)
        add_key(chooser, term.id);
    return term.cost;
}

static uint64_t add_list(struct chooser *chooser, uint32_t number)
{
    uint64_t cost = chooser->costs->of_lists[number];
    if (cost != COST_NEVER)
        add_key(chooser, chooser->choice->n_ids + number);
    return cost;
}

/* Of all operands of an OR: any of them may be the one that holds. */
static uint64_t add_all(struct chooser *chooser, const uint32_t *pc)
{
    const uint32_t *at = pc + 2, *others = at + program_or_words(pc), *end = pc + program_size(pc);
    size_t before = chooser->n_keys;
    uint64_t sum = 0;
    for (; at < others; at++) {
        add_key(chooser, PROGRAM_PAYLOAD(*at));
        sum += chooser->costs->of_ids[PROGRAM_PAYLOAD(*at)];
    }
    for (; at < end; at += program_size(at)) {
        uint64_t cost = program_is_term(at) ? add_term(chooser, at) : add_keys(chooser, at);
        if (cost == COST_NEVER) {
            chooser->n_keys = before;
            return COST_NEVER;
        }
        sum += cost;
    }
    return sum;
}

/* Of the operand whose keys turn up least often: all of them must hold. */
static uint64_t add_best(struct chooser *chooser, const uint32_t *pc)
{
    const uint32_t *end = pc + program_size(pc);
    size_t before = chooser->n_keys, n_best = 0;
    uint64_t best = COST_NEVER;
    for (const uint32_t *at = program_operands(pc); at < end; at += program_size(at)) {
        size_t begin = before + n_best;
        uint64_t cost = add_keys(chooser, at);
        if (cost < best) {
            best = cost;
            n_best = chooser->n_keys - begin;
            memmove(chooser->keys + before, chooser->keys + begin, n_best * sizeof(uint32_t));
        }
        chooser->n_keys = before + n_best;
    }
    return best;
}

static uint64_t add_keys(struct chooser *chooser, const uint32_t *pc)
{
    switch (PROGRAM_OP(*pc)) {
    case OP_WORD:
    case OP_LEAF:
    case OP_NEED:
    case OP_PHRASE:
        return add_term(chooser, pc);
    case OP_LIST:
        return add_list(chooser, PROGRAM_PAYLOAD(*pc));
    case OP_OR:
        return add_all(chooser, pc);
    case OP_NOT:
        return COST_NEVER;
    case OP_AND:
    case OP_NEAR:
    case OP_ATLEAST:
    case OP_IN:
        break;
    }
    return add_best(chooser, pc);
}

/* ---- a rule ---- */

/* The two operands that turn up least often; NULL where there is none. */
struct best_two {
    const uint32_t *pc[2];
    uint64_t costs[2];
    struct part keys[2];
};

static void put_best(struct best_two *two, const uint32_t *pc, uint64_t cost, struct part keys)
{
    size_t place = cost < two->costs[0] ? 0 : 1;
    if (cost >= two->costs[place])
        return;
    if (place == 0) {
        two->pc[1] = two->pc[0];
        two->costs[1] = two->costs[0];
        two->keys[1] = two->keys[0];
    }
    two->pc[place] = pc;
    two->costs[place] = cost;
    two->keys[place] = keys;
}

/* All of its operands must hold. */
static bool is_conjunction(const uint32_t *pc)
{
    enum program_op op = PROGRAM_OP(*pc);
    return op >= OP_AND && op != OP_OR && op != OP_NOT && !program_is_term(pc);
}

/* Of the operands of a node all of which must hold; any other is taken for the only one. */
static struct best_two find_best(struct chooser *chooser, const uint32_t *pc)
{
    struct best_two two = {.costs = {COST_NEVER, COST_NEVER}};
    const uint32_t *at = is_conjunction(pc) ? program_operands(pc) : pc;
    for (const uint32_t *end = pc + program_size(pc); at < end; at += program_size(at)) {
        size_t begin = chooser->n_keys;
        uint64_t cost = add_keys(chooser, at);
        put_best(&two, at, cost, (struct part){begin, chooser->n_keys});
    }
    return two;
}

/* False where they are too many, or one is a list's. The last one fills all places, so that none is
 * left 0. */
static bool set_guards(const struct chooser *chooser, struct part part, struct guards *guards)
{
    if (part.end - part.begin > GUARDS || part.begin == part.end)
        return false;
    for (unsigned i = 0; i < GUARDS; i++) {
        uint32_t key = chooser->keys[MIN(part.begin + i, part.end - 1)];
        if (key >= chooser->choice->n_ids)
            return false;
        guards->hashes[i] = guard_hash(key);
    }
    return true;
}

/* From what must hold besides the node that the rule's keys are of: the second best of the rule's
 * operands, or else of those of its best. */
static void choose_guards(struct chooser *chooser, struct best_two two, struct guards *guards)
{
    while (two.pc[0]) {
        if (two.pc[1] && set_guards(chooser, two.keys[1], guards))
            return;
        if (!is_conjunction(two.pc[0]))
            break;
        two = find_best(chooser, two.pc[0]);
    }
    memset(guards, 0, sizeof *guards);
}

static void add_links(struct chooser *chooser, struct part part, uint32_t waiter)
{
    size_t n = part.end - part.begin;
    if (chooser->n_links + n > chooser->links_size) {
        chooser->links_size = chooser->links_size * 2 + n;
        chooser->links = g_renew(struct link, chooser->links, chooser->links_size);
    }
    for (size_t i = part.begin; i < part.end; i++) {
        uint32_t key = chooser->keys[i];
        chooser->links[chooser->n_links++] = (struct link){key, waiter};
        if (key >= chooser->choice->n_ids)
            chooser->is_waited_for[key - chooser->choice->n_ids] = true;
    }
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

/* Single words, of which any will do. */
static bool is_words(const uint32_t *pc)
{
    if (PROGRAM_OP(*pc) == OP_WORD)
        return true;
    return PROGRAM_OP(*pc) == OP_OR && pc + 2 + program_or_words(pc) == pc + program_size(pc);
}

static void set_probe(struct chooser *chooser, uint32_t number, const uint32_t *best)
{
    const struct rule_entry *rule = &g_array_index(chooser->set->rules, struct rule_entry, number);
    const uint32_t *pc = ruleset_code(chooser->set, rule->code);
    bool is_plain = rule->scope == PROGRAM_NONE && !rule->has_regex;
    struct rule_probe *probe = &chooser->choice->probes[number];
    *probe = (struct rule_probe){is_plain ? rule->code : PROGRAM_NONE, rule->fields, 0};
    if (best && PROGRAM_OP(*pc) == OP_AND && best - pc <= UINT16_MAX && is_words(best))
        probe->found = (uint16_t)(best - pc);
}

static void choose_rule(struct chooser *chooser, uint32_t number)
{
    uint32_t code = g_array_index(chooser->set->rules, struct rule_entry, number).code;
    chooser->n_keys = 0;
    struct best_two two = find_best(chooser, ruleset_code(chooser->set, code));
    set_probe(chooser, number, two.pc[0]);
    if (two.pc[0])
        add_links(chooser, two.keys[0], number);
    else
        g_array_append_val(chooser->choice->always, number);
    struct guards guards;
    choose_guards(chooser, two, &guards);
    chooser->waiters[number] = waiter_make(number, &guards);
}

static void choose_list(struct chooser *chooser, uint32_t number)
{
    uint32_t code = g_array_index(chooser->set->lists, struct rule_list, number).code;
    chooser->n_keys = 0;
    add_keys(chooser, ruleset_code(chooser->set, code));
    add_links(chooser, (struct part){0, chooser->n_keys}, number | IS_LIST);
}

/* ---- all ---- */

/* The links, sorted by key into starts and waiters. */
static void pack_links(struct chooser *chooser)
{
    struct choice *choice = chooser->choice;
    uint32_t n = choice->n_ids + choice->n_lists;
    choice->waiters = g_new(struct waiter, chooser->n_links + 1);
    for (size_t i = 0; i < chooser->n_links; i++)
        choice->starts[chooser->links[i].key + 2]++;
    for (uint32_t id = 0; id < choice->n_ids; id++)
        choice->are_keys[id / 64] |= (uint64_t)(choice->starts[id + 2] > 0) << id % 64;
    for (uint32_t i = 2; i < n + 2; i++)
        choice->starts[i] += choice->starts[i - 1];
    for (size_t i = 0; i < chooser->n_links; i++) {
        uint32_t who = chooser->links[i].waiter;
        choice->waiters[choice->starts[chooser->links[i].key + 1]++] =
            who & IS_LIST ? waiter_make(who, &(struct guards){0}) : chooser->waiters[who];
    }
}

struct choice *choice_new(const struct ruleset *set, const struct costs *costs)
{
    struct choice *choice = g_new0(struct choice, 1);
    choice->n_ids = vocab_size(set->vocab);
    choice->n_lists = set->lists->len;
    choice->starts = g_new0(uint32_t, choice->n_ids + choice->n_lists + 2);
    choice->are_keys = g_new0(uint64_t, choice->n_ids / 64 + 1);
    choice->probes = g_new(struct rule_probe, set->rules->len + 1);
    choice->always = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    struct chooser chooser = {
        .set = set, .costs = costs, .choice = choice, .keys_size = KEYS_AT_FIRST};
    chooser.keys = g_new(uint32_t, chooser.keys_size);
    chooser.waiters = g_new(struct waiter, set->rules->len + 1);
    chooser.is_waited_for = g_new0(bool, choice->n_lists + 1);
    for (uint32_t i = 0; i < set->rules->len; i++)
        choose_rule(&chooser, i);
    for (uint32_t i = choice->n_lists; i-- > 0;) /* a list comes after those that it uses */
        if (chooser.is_waited_for[i])
            choose_list(&chooser, i);
    pack_links(&chooser);
    g_free(chooser.waiters);
    g_free(chooser.links);
    g_free(chooser.keys);
    g_free(chooser.is_waited_for);
    return choice;
}

void choice_free(struct choice *choice)
{
    if (!choice)
        return;
    g_free(choice->starts);
    g_free(choice->waiters);
    g_free(choice->are_keys);
    g_array_unref(choice->always);
    g_free(choice->probes);
    g_free(choice);
}

size_t choice_bytes(const struct choice *choice)
{
    size_t n = choice->n_ids + choice->n_lists;
    return sizeof *choice + n * sizeof *choice->starts +
           choice->starts[n] * sizeof *choice->waiters + choice->n_ids / 8;
}
