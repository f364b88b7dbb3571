#include "rule/leaf.h"

#include "text/utf8.h"

#include <string.h>

/* Of one word in an item. */
#define FEW_PLACES  4u
#define MANY_PLACES 64u

static uint32_t leaf_word(const struct item_index *index, const struct rule_leaf *leaf, size_t i)
{
    return g_array_index(index->set->words, uint32_t, leaf->at + i);
}

static const struct exact *exact_at(const struct item_index *index, uint32_t number)
{
    return &g_array_index(index->set->exacts, struct exact, number);
}

static bool exact_holds(const struct item_index *index, const struct exact *exact, uint32_t first,
                        uint32_t last)
{
    const struct item_value *value = item_value_of(index, first);
    return exact_matches(exact, index->set->strings->str, value->text, value->size,
                         item_place(index, first).start, item_place(index, last).end);
}

/* Words in a row. */
struct phrase {
    const struct rule_leaf *leaf; /* what else it wants; NULL: nothing */
    const uint32_t *ids;
    size_t n;
};

/* Whether a word has the exact form that the leaf wants in its place i. */
static bool word_is_exact(const struct item_index *index, const struct rule_leaf *leaf, size_t i,
                          uint32_t word)
{
    if (!leaf->has_exacts)
        return true;
    uint32_t number = leaf_word(index, leaf, leaf->n_words + i);
    return number == PROGRAM_NONE || exact_holds(index, exact_at(index, number), word, word);
}

#define NO_ANCHOR SIZE_MAX

/* Whether the words around the anchor, which is one of them already, are those of the phrase. */
static bool run_holds(const struct item_index *index, const struct phrase *phrase, size_t anchor,
                      uint32_t first)
{
    for (size_t i = 0; i < phrase->n; i++)
        if (i != anchor && phrase->ids[i] != VOCAB_ANY &&
            !lexicon_has(index->lexicon, index->found[first + i], phrase->ids[i]))
            return false;
    for (size_t i = 0; phrase->leaf && phrase->leaf->has_exacts && i < phrase->n; i++)
        if (!word_is_exact(index, phrase->leaf, i, first + (uint32_t)i))
            return false;
    return true;
}

/* The phrase with its first word at this one. */
static bool phrase_holds(const struct item_index *index, const struct phrase *phrase, size_t anchor,
                         uint32_t first, unsigned fields, struct span *ret_span)
{
    uint32_t last = first + (uint32_t)phrase->n - 1u;
    if (last >= index->n_words || !run_holds(index, phrase, anchor, first))
        return false;
    const struct item_value *value = item_value_of(index, first);
    if (!(FIELD_BIT(value->field) & fields) || last - value->word >= value->n_words)
        return false;
    ret_span->start = value->position + (first - value->word);
    ret_span->end = value->position + (last - value->word);
    return !phrase->leaf || phrase->leaf->kind != LEAF_EXACT ||
           exact_holds(index, exact_at(index, phrase->ids[phrase->n]), first, last);
}

/* Of the words that are placed one that occurs seldom enough. False where one does not occur: quiet
 * ones, too, are looked for before many places are. */
static bool find_anchor(const struct item_index *index, const struct phrase *phrase,
                        unsigned fields, size_t *ret_anchor)
{
    if (!item_may_have_row(index, phrase->ids, phrase->n))
        return false;
    for (size_t i = 0; i < phrase->n; i++)
        if (phrase->ids[i] != VOCAB_ANY &&
            lexicon_use(index->lexicon, phrase->ids[i]) == LEXICON_IS_PLACED)
            *ret_anchor = i;
    uint32_t fewest = item_test(index, phrase->ids[*ret_anchor])->n;
    for (size_t i = 0; i < phrase->n && fewest > FEW_PLACES; i++) {
        uint32_t id = phrase->ids[i];
        if (id == VOCAB_ANY || lexicon_use(index->lexicon, id) != LEXICON_IS_PLACED)
            continue;
        if (!item_has(index, id, fields))
            return false;
        if (item_test(index, id)->n < fewest) {
            fewest = item_test(index, id)->n;
            *ret_anchor = i;
        }
    }
    if (fewest > MANY_PLACES)
        for (size_t i = 0; i < phrase->n; i++)
            if (phrase->ids[i] != VOCAB_ANY && !item_occurs(index, phrase->ids[i]))
                return false;
    return true;
}

static bool phrase_spans(const struct item_index *index, const struct phrase *phrase,
                         unsigned fields, struct spans *out)
{
    size_t anchor = 0;
    bool found = false;
    if (!find_anchor(index, phrase, fields, &anchor))
        return false;
    uint32_t at = item_test(index, phrase->ids[anchor])->first;
    for (; at != ITEM_NONE; at = index->chains->occurrences[at].next) {
        uint32_t word = index->chains->occurrences[at].word;
        struct span span;
        if (word < anchor ||
            !phrase_holds(index, phrase, anchor, word - (uint32_t)anchor, fields, &span))
            continue;
        if (!out)
            return true;
        found = true;
        spans_add(out, span.start, span.end);
    }
    return found;
}

bool leaf_phrase_spans(const struct item_index *index, const uint32_t *ids, size_t n,
                       unsigned fields, struct spans *out)
{
    struct phrase phrase = {.ids = ids, .n = n};
    return phrase_spans(index, &phrase, fields, out);
}

/* Two neighbours are seldom in many places, nor is what only has their bucket. Where they are, the
 * rarest word of the phrase may be in fewer. */
bool leaf_phrase_holds(const struct item_index *index, const uint32_t *ids, size_t n, uint32_t pair,
                       unsigned fields)
{
    struct phrase phrase = {.ids = ids, .n = n};
    struct span span;
    if (pair == PAIR_NONE)
        return phrase_spans(index, &phrase, fields, NULL);
    uint32_t at = item_pair(index, pair);
    for (size_t tries = 0; at != ITEM_NONE; at = index->pairs->next[at], tries++) {
        if (tries == MANY_PLACES)
            return phrase_spans(index, &phrase, fields, NULL);
        uint32_t first = at - PAIR_PLACE(pair);
        if (at >= PAIR_PLACE(pair) && phrase_holds(index, &phrase, NO_ANCHOR, first, fields, &span))
            return true;
    }
    return false;
}

void leaf_word_spans(const struct item_index *index, uint32_t id, unsigned fields,
                     struct spans *out)
{
    if (!item_has(index, id, fields))
        return;
    for (uint32_t at = item_test(index, id)->first; at != ITEM_NONE;
         at = index->chains->occurrences[at].next) {
        uint32_t word = index->chains->occurrences[at].word;
        const struct item_value *value = item_value_of(index, word);
        uint32_t position = value->position + (word - value->word);
        if (FIELD_BIT(value->field) & fields)
            spans_add(out, position, position);
    }
}

/* "…"~n. Places where any of its words stands, with a bit for each word that does. */
struct place {
    uint32_t position;
    uint32_t words;
};

static gint compare_places(gconstpointer a, gconstpointer b)
{
    const struct place *x = a, *y = b;
    return x->position < y->position ? -1 : x->position > y->position;
}

static GArray *gather_places(const struct item_index *index, const struct rule_leaf *leaf,
                             unsigned fields)
{
    GArray *places = g_array_new(FALSE, FALSE, sizeof(struct place));
    for (size_t i = 0; i < leaf->n_words; i++) {
        uint32_t id = leaf_word(index, leaf, i);
        if (!item_has(index, id, fields)) {
            g_array_set_size(places, 0);
            return places;
        }
        for (uint32_t at = item_test(index, id)->first; at != ITEM_NONE;
             at = index->chains->occurrences[at].next) {
            uint32_t word = index->chains->occurrences[at].word;
            const struct item_value *value = item_value_of(index, word);
            struct place place = {value->position + (word - value->word), UINT32_C(1) << i};
            if ((FIELD_BIT(value->field) & fields) && word_is_exact(index, leaf, i, word))
                g_array_append_val(places, place);
        }
    }
    g_array_sort(places, compare_places);
    guint kept = 0;
    for (guint i = 0; i < places->len; i++) {
        struct place *place = &g_array_index(places, struct place, i);
        struct place *last = kept ? &g_array_index(places, struct place, kept - 1) : NULL;
        if (last && last->position == place->position)
            last->words |= place->words;
        else
            g_array_index(places, struct place, kept++) = *place;
    }
    g_array_set_size(places, kept);
    return places;
}

/* Whether every word of `wanted` can have a place of its own (augmenting paths). */
struct assignment {
    const struct place *places;
    size_t n;
    int of_word[QUERY_UNORDERED_MAX]; /* place, -1: none */
    uint32_t tried;                   /* words, in this round */
};

static bool place_word(struct assignment *assignment, unsigned word, size_t depth)
{
    if (depth > QUERY_UNORDERED_MAX || (assignment->tried >> word & 1))
        return false;
    assignment->tried |= UINT32_C(1) << word;
    for (size_t i = 0; i < assignment->n; i++) {
        int holder = -1;
        if (!(assignment->places[i].words >> word & 1))
            continue;
        for (int w = 0; w < (int)QUERY_UNORDERED_MAX; w++)
            if (assignment->of_word[w] == (int)i)
                holder = w;
        if (holder < 0 || place_word(assignment, (unsigned)holder, depth + 1)) {
            assignment->of_word[word] = (int)i;
            return true;
        }
    }
    return false;
}

static bool can_assign(const struct place *places, size_t n, uint32_t wanted)
{
    struct assignment assignment = {.places = places, .n = n};
    memset(assignment.of_word, 0xFF, sizeof assignment.of_word);
    for (unsigned word = 0; word < QUERY_UNORDERED_MAX; word++) {
        assignment.tried = 0;
        if ((wanted >> word & 1) && !place_word(&assignment, word, 0))
            return false;
    }
    return true;
}

/* Whether the words fit on the places first..last of which both ends are used. */
static bool fits(const struct place *places, size_t first, size_t last, uint32_t all)
{
    if (first == last)
        return (all & (all - 1)) == 0 && (places[first].words & all);
    for (uint32_t a = places[first].words; a; a &= a - 1)
        for (uint32_t b = places[last].words; b; b &= b - 1) {
            uint32_t used = (a & -a) | (b & -b);
            if ((a & -a) != (b & -b) &&
                can_assign(places + first + 1, last - first - 1, all & ~used))
                return true;
        }
    return false;
}

static bool unordered_spans(const struct item_index *index, const struct rule_leaf *leaf,
                            unsigned fields, struct spans *out, struct leaf_scratch *scratch)
{
    g_autoptr(GArray) list = gather_places(index, leaf, fields);
    const struct place *places = (const struct place *)(const void *)list->data;
    uint32_t all = (uint32_t)((UINT64_C(1) << leaf->n_words) - 1),
             width = leaf->n_words + leaf->distance;
    bool found = false;
    for (size_t i = 0; i < list->len; i++) {
        uint32_t seen = 0;
        for (size_t k = i; k < list->len && places[k].position - places[i].position < width; k++) {
            seen |= places[k].words;
            if (scratch->work == 0) {
                scratch->is_stopped = true;
                return found;
            }
            scratch->work--;
            if (seen != all || k - i + 1 < leaf->n_words)
                continue;
            scratch->work -= MIN(scratch->work, (uint32_t)leaf->n_words * leaf->n_words);
            if (!fits(places, i, k, all))
                continue;
            found = true;
            if (!out)
                return true;
            spans_add(out, places[i].position, places[k].position);
        }
    }
    return found;
}

bool leaf_spans(const struct item_index *index, const struct rule_leaf *leaf, unsigned fields,
                struct spans *out, struct leaf_scratch *scratch)
{
    if (leaf->kind == LEAF_UNORDERED)
        return unordered_spans(index, leaf, fields, out, scratch);
    struct phrase phrase = {.leaf = leaf,
                            .ids = &g_array_index(index->set->words, uint32_t, leaf->at),
                            .n = leaf->n_words};
    return phrase_spans(index, &phrase, fields, out);
}
