#include "rule/item.h"

#include <string.h>

#define AT_ONCE 256u /* words */

struct item_index *item_index_new(const struct ruleset *set)
{
    struct item_index *index = g_new0(struct item_index, 1);
    size_t n = vocab_size(set->vocab);
    index->set = set;
    index->words = words_new();
    index->has_exacts = set->exacts->len > 0;
    index->lexicon = lexicon_new(set->vocab);
    index->present = g_new0(uint64_t, n / 64 + 1);
    index->chains = g_new0(struct item_chains, 1);
    index->pairs = g_new0(struct item_pairs, 1);
    index->places = g_new0(struct item_places, 1);
    index->all_bits = g_new0(struct item_bits, 1);
    return index;
}

void item_index_free(struct item_index *index)
{
    if (!index)
        return;
    words_free(index->words);
    lexicon_free(index->lexicon);
    g_free(index->present);
    g_free(index->ids);
    g_free(index->values);
    g_free(index->sifted);
    g_free(index->single);
    g_free(index->lists);
    g_free(index->found);
    g_free(index->chains->tests);
    g_free(index->chains->buckets);
    g_free(index->chains->occurrences);
    g_free(index->chains);
    g_free(index->hashes);
    g_free(index->pairs->buckets);
    g_free(index->pairs->next);
    g_free(index->pairs);
    g_free(index->places->of_words);
    g_free(index->places);
    g_free(index->all_bits->of_tests);
    g_free(index->all_bits);
    g_free(index);
}

size_t item_index_bytes(const struct item_index *index)
{
    size_t n = vocab_size(index->set->vocab);
    return sizeof *index + lexicon_bytes(index->lexicon) + n / 8 +
           index->ids_size * sizeof *index->ids +
           index->chains->tests_size * sizeof(struct item_test) +
           index->chains->buckets_size * sizeof(uint32_t) +
           index->chains->occurrences_size * sizeof(struct item_occurrence) +
           index->places->size * sizeof(struct item_place) +
           (2 * index->found_size + 3 * index->sifted_size + index->pairs->buckets_size +
            index->pairs->next_size) *
               sizeof(uint32_t) +
           index->values_size * sizeof *index->values + (index->all_bits->of_tests ? n / 8 : 0);
}

static void clear(struct item_index *index)
{
    for (size_t i = 0; i < index->n_ids; i++)
        index->present[index->ids[i] / 64] &= ~(UINT64_C(1) << index->ids[i] % 64);
    index->n_ids = index->n_words = index->n_values = 0;
    index->position = 0;
    index->chains->is_made = index->chains->has_all = false;
    index->pairs->is_made = false;
    index->places->is_made = index->all_bits->is_made = false;
    index->fields = 0;
    index->summary_repeats = -1;
}

static void make_buckets(struct item_chains *chains)
{
    unsigned n_bits = g_bit_storage(MAX(64, chains->n_occurrences) - 1);
    chains->n_buckets = (size_t)1 << n_bits;
    chains->shift = 32 - n_bits;
    if (2 * chains->n_buckets > chains->buckets_size) {
        chains->buckets_size = 2 * chains->n_buckets;
        chains->buckets = g_renew(uint32_t, chains->buckets, chains->buckets_size);
    }
    memset(chains->buckets, 0xFF, 2 * chains->n_buckets * sizeof *chains->buckets);
}

static void make_occurrences(struct item_chains *chains, size_t n)
{
    if (G_UNLIKELY(chains->n_occurrences + n > chains->occurrences_size)) {
        chains->occurrences_size = MAX(chains->occurrences_size * 2, chains->n_occurrences + n);
        chains->occurrences =
            g_renew(struct item_occurrence, chains->occurrences, chains->occurrences_size);
    }
}

/* Those of the words from..to, at most AT_ONCE. First those that pass one test; which do cannot be
 * foretold, so that there is no branch on it. */
static void gather(const struct item_index *index, struct item_chains *chains, uint32_t from,
                   uint32_t to)
{
    enum lexicon_use use = chains->has_all ? LEXICON_IS_ASKED : LEXICON_IS_PLACED;
    uint32_t passed_over = chains->has_all ? LEXICON_QUIET : LEXICON_UNPLACED;
    uint32_t lists[AT_ONCE + 1];
    size_t n_lists = 0;
    make_occurrences(chains, AT_ONCE + 1);
    for (uint32_t word = from; word < to; word++) {
        uint32_t found = index->found[word];
        struct item_occurrence *next = &chains->occurrences[chains->n_occurrences];
        next->id = found & LEXICON_REST;
        next->word = lists[n_lists] = word;
        chains->n_occurrences += !(found & (passed_over | LEXICON_LIST));
        n_lists += (found & (passed_over | LEXICON_LIST)) == LEXICON_LIST;
    }
    for (size_t i = 0; i < n_lists; i++) {
        size_t n;
        const uint32_t *ids = lexicon_list(index->lexicon, index->found[lists[i]], use, &n);
        make_occurrences(chains, n);
        for (size_t k = 0; k < n; k++)
            chains->occurrences[chains->n_occurrences++] =
                (struct item_occurrence){.id = ids[k], .word = lists[i]};
    }
}

void item_chain(const struct item_index *index, struct item_chains *chains)
{
    chains->is_made = true;
    chains->n_tests = 0;
    chains->n_occurrences = 0;
    for (size_t from = 0; from < index->n_words; from += AT_ONCE)
        gather(index, chains, (uint32_t)from, (uint32_t)MIN(from + AT_ONCE, index->n_words));
    make_buckets(chains);
    for (uint32_t at = 0; at < chains->n_occurrences; at++) {
        uint32_t *bucket = &chains->buckets[item_bucket(chains, chains->occurrences[at].id)];
        chains->occurrences[at].in_bucket = *bucket;
        *bucket = at;
    }
}

const struct item_test *item_sum_up(const struct item_index *index, struct item_chains *chains,
                                    uint32_t id)
{
    uint32_t bucket = item_bucket(chains, id),
             *in_tests = &chains->buckets[chains->n_buckets + bucket];
    if (chains->n_tests == chains->tests_size) {
        chains->tests_size = MAX(64, chains->tests_size * 2);
        chains->tests = g_renew(struct item_test, chains->tests, chains->tests_size);
    }
    struct item_test *test = &chains->tests[chains->n_tests];
    *test = (struct item_test){.id = id, .first = ITEM_NONE, .in_bucket = *in_tests};
    *in_tests = (uint32_t)chains->n_tests++;
    for (uint32_t at = chains->buckets[bucket]; at != ITEM_NONE;
         at = chains->occurrences[at].in_bucket) {
        struct item_occurrence *occurrence = &chains->occurrences[at];
        if (occurrence->id != id)
            continue;
        occurrence->next = test->first;
        test->first = at;
        test->n++;
        test->fields |= FIELD_BIT(item_value_of(index, occurrence->word)->field);
    }
    return test;
}

void item_make_pairs(const struct item_index *index, struct item_pairs *pairs)
{
    unsigned n_bits = MIN(g_bit_storage(MAX(64, index->n_words) - 1) + 1, PAIR_BITS);
    size_t n_buckets = (size_t)1 << n_bits;
    pairs->is_made = true;
    pairs->shift = 32 - n_bits;
    if (n_buckets > pairs->buckets_size) {
        pairs->buckets_size = n_buckets;
        pairs->buckets = g_renew(uint32_t, pairs->buckets, pairs->buckets_size);
    }
    if (index->n_words > pairs->next_size) {
        pairs->next_size = index->found_size;
        pairs->next = g_renew(uint32_t, pairs->next, pairs->next_size);
    }
    memset(pairs->buckets, 0xFF, n_buckets * sizeof *pairs->buckets); /* ITEM_NONE */
    for (uint32_t word = 0; word + 1 < index->n_words; word++) {
        uint32_t pair = pair_of(index->hashes[word], index->hashes[word + 1]);
        uint32_t *bucket = &pairs->buckets[pair >> pairs->shift];
        pairs->next[word] = *bucket;
        *bucket = word;
    }
}

static void add_bit(struct item_bits *bits, uint32_t id)
{
    bits->of_tests[id / 64] |= UINT64_C(1) << id % 64;
}

static void add_bits(struct item_bits *bits, const struct lexicon *lexicon, uint32_t found)
{
    size_t n;
    const uint32_t *ids = lexicon_list(lexicon, found, LEXICON_IS_QUIET, &n);
    for (size_t i = 0; i < n; i++)
        add_bit(bits, ids[i]);
}

static void find_bits(const struct item_index *index, struct item_bits *bits)
{
    size_t n_words = vocab_size(index->set->vocab) / 64 + 1;
    bits->is_made = true;
    if (!bits->of_tests)
        bits->of_tests = g_new(uint64_t, n_words);
    memset(bits->of_tests, 0, n_words * sizeof *bits->of_tests);
    for (size_t word = 0; word < index->n_words; word++) {
        uint32_t found = index->found[word];
        if (!(found & LEXICON_LIST))
            add_bit(bits, found & LEXICON_REST);
        else if (found != LEXICON_NONE)
            add_bits(bits, index->lexicon, found);
    }
}

bool item_occurs(const struct item_index *index, uint32_t id)
{
    if (!index->all_bits->is_made)
        find_bits(index, index->all_bits);
    return index->all_bits->of_tests[id / 64] >> id % 64 & 1;
}

void item_chain_all(struct item_index *index)
{
    index->chains->is_made = index->chains->is_made && index->chains->has_all;
    index->chains->has_all = true;
}

/* The last value that begins at a word, or a position, or before it. */
static inline const struct item_value *last_value(const struct item_index *index, uint32_t at,
                                                  bool is_position)
{
    size_t low = 0, high = index->n_values;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        const struct item_value *value = &index->values[middle];
        if ((is_position ? value->position : value->word) <= at)
            low = middle;
        else
            high = middle;
    }
    return &index->values[low];
}

const struct item_value *item_value_of(const struct item_index *index, uint32_t word)
{
    return last_value(index, word, false);
}

const struct item_value *item_value_at(const struct item_index *index, uint32_t position)
{
    return last_value(index, position, true);
}

static void add_places(struct item_places *places, size_t first, const struct word *list, size_t n)
{
    if (first + n > places->size) {
        places->size = MAX(places->size * 2, first + n);
        places->of_words = g_renew(struct item_place, places->of_words, places->size);
    }
    for (size_t i = 0; i < n; i++)
        places->of_words[first + i] = (struct item_place){list[i].start, list[i].end};
}

static void find_places(const struct item_index *index, struct item_places *places)
{
    const struct word *list;
    size_t at = 0;
    places->is_made = true;
    for (size_t v = 0; v < index->n_values; v++) {
        words_start(index->words, index->values[v].text, index->values[v].size);
        for (size_t n; (n = words_next(index->words, &list)) > 0; at += n)
            add_places(places, at, list, n);
    }
}

struct item_place item_place(const struct item_index *index, uint32_t word)
{
    if (!index->places->is_made)
        find_places(index, index->places);
    return index->places->of_words[word];
}

/* The words of a chunk that may pass a test, or all of them. Returns how many. */
static size_t sift_words(struct item_index *index, const struct word *list, size_t n,
                         const uint32_t **ret_sifted)
{
    const struct vocab_filter *filter = vocab_filter(index->set->vocab);
    uint32_t *sifted = index->sifted;
    size_t kept = 0;
    *ret_sifted = NULL;
    if (!filter->words)
        return n;
    for (size_t i = 0; i < n; i++) {
        sifted[kept] = (uint32_t)i;
        kept += vocab_may_pass(filter, &list[i]);
    }
    *ret_sifted = sifted;
    return kept;
}

static void make_room(struct item_index *index, size_t n)
{
    if (G_UNLIKELY(n > index->sifted_size)) {
        index->sifted_size = n;
        index->sifted = g_renew(uint32_t, index->sifted, n);
        index->single = g_renew(uint32_t, index->single, n);
        index->lists = g_renew(uint32_t, index->lists, n);
    }
    if (G_UNLIKELY(index->n_words + n > index->found_size)) {
        index->found_size = MAX(index->found_size * 2, index->n_words + n);
        index->found = g_renew(uint32_t, index->found, index->found_size);
        index->hashes = g_renew(uint32_t, index->hashes, index->found_size);
    }
}

/* Of what was found for n words: those that pass a test which is asked for, as the one id, or where
 * the list is. Apart, and without branches, because which a word is cannot be foretold. */
G_ALWAYS_INLINE static inline size_t split_found(struct item_index *index, const uint32_t *found,
                                                 const uint32_t *sifted, size_t n,
                                                 size_t *ret_n_lists)
{
    size_t n_single = 0, n_lists = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t what = found[sifted ? sifted[i] : i];
        index->single[n_single] = index->lists[n_lists] = what;
        n_single += !(what & (LEXICON_QUIET | LEXICON_LIST));
        n_lists += (what & (LEXICON_QUIET | LEXICON_LIST)) == LEXICON_LIST;
    }
    *ret_n_lists = n_lists;
    return n_single;
}

static void make_ids(struct item_index *index, size_t n)
{
    if (G_UNLIKELY(index->n_ids + n > index->ids_size)) {
        index->ids_size = MAX(index->ids_size * 2, index->n_ids + n + 256);
        index->ids = g_renew(uint32_t, index->ids, index->ids_size);
    }
}

static inline void add_id(struct item_index *index, uint32_t id)
{
    uint64_t *bits = &index->present[id / 64];
    index->ids[index->n_ids] = id;
    index->n_ids += !(*bits >> id % 64 & 1);
    *bits |= UINT64_C(1) << id % 64;
}

static void add_ids(struct item_index *index, size_t n_single, size_t n_lists)
{
    for (size_t i = 0; i < n_lists; i++)
        lexicon_prefetch(index->lexicon, index->lists[i]);
    make_ids(index, n_single);
    for (size_t i = 0; i < n_single; i++)
        add_id(index, index->single[i] & LEXICON_REST);
    for (size_t i = 0; i < n_lists; i++) {
        size_t n;
        const uint32_t *ids = lexicon_list(index->lexicon, index->lists[i], LEXICON_IS_ASKED, &n);
        make_ids(index, n);
        for (size_t k = 0; k < n; k++)
            add_id(index, ids[k]);
    }
}

static void index_words(struct item_index *index, const struct word *list, size_t n)
{
    make_room(index, n);
    uint32_t *found = index->found + index->n_words, *hashes = index->hashes + index->n_words;
    for (size_t i = 0; i < n; i++)
        hashes[i] = list[i].hash;
    const uint32_t *sifted;
    size_t n_sifted = sift_words(index, list, n, &sifted), n_lists;
    if (sifted)
        memset(found, 0xFF, n * sizeof *found); /* LEXICON_NONE */
    lexicon_find(index->lexicon, list, sifted, n_sifted, index->language, found);
    size_t n_single = sifted ? split_found(index, found, sifted, n_sifted, &n_lists)
                             : split_found(index, found, NULL, n, &n_lists);
    add_ids(index, n_single, n_lists);
    if (index->has_exacts)
        add_places(index->places, index->n_words, list, n);
    index->n_words += n;
}

static void add_value(struct item_index *index, enum field field, size_t number, const char *text)
{
    if (!text || !(index->set->fields & FIELD_BIT(field)))
        return;
    if (index->n_values == index->values_size) {
        index->values_size = index->values_size ? index->values_size * 2 : 16;
        index->values = g_renew(struct item_value, index->values, index->values_size);
    }
    struct item_value *value = &index->values[index->n_values++];
    *value = (struct item_value){.field = field,
                                 .index = (uint32_t)number,
                                 .text = text,
                                 .size = (uint32_t)MIN(strlen(text), ITEM_BYTES_MAX),
                                 .position = index->position,
                                 .word = (uint32_t)index->n_words};
    const struct word *list;
    index->fields |= FIELD_BIT(field);
    words_start(index->words, text, value->size);
    for (size_t n; (n = words_next(index->words, &list)) > 0;)
        index_words(index, list, n);
    value->n_words = (uint32_t)index->n_words - value->word;
    index->position += value->n_words + ITEM_GAP;
}

static void add_values(struct item_index *index, enum field field, const char *const *texts)
{
    for (size_t i = 0; texts && texts[i]; i++)
        add_value(index, field, i, texts[i]);
}

/* What is quiet counts as present, so that a phrase needs no look at the uses of its words. */
static void mark_quiet(struct item_index *index, const uint8_t *uses)
{
    uint32_t n = vocab_size(index->set->vocab);
    memset(index->present, 0, (n / 64 + 1) * sizeof *index->present);
    for (uint32_t id = 0; uses && id < n; id++)
        index->present[id / 64] |= (uint64_t)(uses[id] == LEXICON_IS_QUIET) << id % 64;
}

void item_index_fill(struct item_index *index, const struct rule_item *item, const uint8_t *uses)
{
    clear(index);
    if (uses != index->lexicon->uses)
        mark_quiet(index, uses);
    lexicon_start(index->lexicon, uses);
    index->item = item;
    index->places->is_made = index->has_exacts;
    index->language =
        item->language ? language_find(item->language, strlen(item->language)) : LANGUAGE_NONE;
    add_value(index, FIELD_TITLE, 0, item->title);
    add_value(index, FIELD_SUMMARY, 0, item->summary);
    add_value(index, FIELD_CONTENT, 0, item->content);
    add_values(index, FIELD_AUTHOR, item->authors);
    add_values(index, FIELD_CATEGORY, item->categories);
}

/* All words of a text, folded, each between two NULs. */
static GString *all_words(struct words *words, const char *text)
{
    GString *out = g_string_new_len("", 1);
    const struct word *list;
    words_start(words, text, MIN(strlen(text), ITEM_BYTES_MAX));
    for (size_t n; (n = words_next(words, &list)) > 0;)
        for (size_t i = 0; i < n; i++) {
            g_string_append_len(out, list[i].folded, list[i].size);
            g_string_append_c(out, '\0');
        }
    return out;
}

bool item_summary_repeats(struct item_index *index)
{
    const struct rule_item *item = index->item;
    if (index->summary_repeats >= 0)
        return index->summary_repeats;
    index->summary_repeats = 0;
    if (!item->summary || !item->content)
        return false;
    g_autoptr(GString) summary = all_words(index->words, item->summary);
    g_autoptr(GString) content = all_words(index->words, item->content);
    if (summary->len > 1)
        index->summary_repeats =
            memmem(content->str, content->len, summary->str, summary->len) != NULL;
    return index->summary_repeats;
}
