#include "rule/item.h"

#include <string.h>

#define LARGE 20000u /* tests: so many that nearly every word passes one */

struct item_index *item_index_new(const struct ruleset *set)
{
    struct item_index *index = g_new0(struct item_index, 1);
    size_t n = vocab_size(set->vocab);
    index->set = set;
    index->words = words_new();
    index->lexicon = lexicon_new(set->vocab);
    index->is_large = n >= LARGE;
    index->present = g_new0(uint64_t, n / 64 + 1);
    index->chains = g_new0(struct item_chains, 1);
    index->places = g_new0(struct item_places, 1);
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
    g_free(index->found);
    g_free(index->chains->tests);
    g_free(index->chains->buckets);
    g_free(index->chains->occurrences);
    g_free(index->chains);
    g_free(index->places->of_words);
    g_free(index->places);
    g_free(index);
}

size_t item_index_bytes(const struct item_index *index)
{
    size_t n = vocab_size(index->set->vocab);
    return sizeof *index + lexicon_bytes(index->lexicon) + n / 8 +
           index->ids_size * sizeof *index->ids +
           index->chains->tests_size * (sizeof(struct item_test) + sizeof(uint32_t)) +
           index->chains->occurrences_size * sizeof(struct item_occurrence) +
           index->places->size * sizeof(struct item_place) +
           index->found_size * sizeof *index->found;
}

static void clear(struct item_index *index)
{
    for (size_t i = 0; i < index->n_ids; i++)
        index->present[index->ids[i] / 64] = 0;
    index->n_ids = index->n_words = index->n_values = 0;
    index->position = 0;
    index->chains->is_made = index->chains->has_all = index->places->is_made = false;
    index->fields = 0;
    index->summary_repeats = -1;
}

/* Empty buckets, about twice as many as there will be tests. */
static void make_buckets(struct item_chains *chains, size_t n_ids)
{
    unsigned n_bits = g_bit_storage(MAX(64, n_ids * 2) - 1);
    size_t n = (size_t)1 << n_bits;
    if (n > chains->tests_size) {
        chains->tests_size = n;
        chains->tests = g_renew(struct item_test, chains->tests, n);
        chains->buckets = g_renew(uint32_t, chains->buckets, n);
    }
    chains->shift = 32 - n_bits;
    memset(chains->buckets, 0xFF, n * sizeof *chains->buckets);
}

static struct item_occurrence *occurrence_new(struct item_chains *chains)
{
    if (G_UNLIKELY(chains->n_occurrences == chains->occurrences_size)) {
        chains->occurrences_size = MAX(1024, chains->occurrences_size * 2);
        chains->occurrences =
            g_renew(struct item_occurrence, chains->occurrences, chains->occurrences_size);
    }
    return &chains->occurrences[chains->n_occurrences++];
}

static struct item_test *find_test(struct item_chains *chains, uint32_t id, uint32_t *n_tests)
{
    uint32_t *bucket = &chains->buckets[item_bucket(chains, id)], found = *bucket;
    while (found != ITEM_NONE && chains->tests[found].id != id)
        found = chains->tests[found].next;
    if (found != ITEM_NONE)
        return &chains->tests[found];
    chains->tests[*n_tests] = (struct item_test){.id = id, .next = *bucket};
    *bucket = (*n_tests)++;
    return &chains->tests[*bucket];
}

static void chain_word(struct item_chains *chains, struct item_test *test, uint32_t word,
                       enum field field)
{
    uint32_t at = (uint32_t)chains->n_occurrences;
    *occurrence_new(chains) = (struct item_occurrence){.word = word, .next = ITEM_NONE};
    if (test->n++ == 0)
        test->first = at;
    else
        chains->occurrences[test->last].next = at;
    test->last = at;
    test->fields |= FIELD_BIT(field);
}

void item_chain(const struct item_index *index, struct item_chains *chains)
{
    enum lexicon_use use = chains->has_all ? LEXICON_IS_ASKED : LEXICON_IS_PLACED;
    uint32_t n_tests = 0, passed_over = chains->has_all ? LEXICON_QUIET : LEXICON_UNPLACED;
    chains->is_made = true;
    chains->n_occurrences = 0;
    make_buckets(chains, index->n_ids);
    for (size_t v = 0; v < index->n_values; v++) {
        const struct item_value *value = &index->values[v];
        for (uint32_t word = value->word; word < value->word + value->n_words; word++) {
            size_t n;
            if (index->found[word] & passed_over)
                continue;
            const uint32_t *ids = lexicon_ids(index->lexicon, &index->found[word], use, &n);
            for (size_t i = 0; i < n; i++)
                chain_word(chains, find_test(chains, ids[i] & LEXICON_REST, &n_tests), word,
                           value->field);
        }
    }
}

void item_chain_all(struct item_index *index)
{
    index->chains->is_made = index->chains->is_made && index->chains->has_all;
    index->chains->has_all = true;
}

const struct item_value *item_value_of(const struct item_index *index, uint32_t word)
{
    size_t low = 0, high = index->n_values;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (index->values[middle].word <= word)
            low = middle;
        else
            high = middle;
    }
    return &index->values[low];
}

uint32_t item_position(const struct item_index *index, uint32_t word)
{
    const struct item_value *value = item_value_of(index, word);
    return value->position + (word - value->word);
}

uint32_t item_word_at(const struct item_index *index, uint32_t position)
{
    size_t low = 0, high = index->n_values;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (index->values[middle].position <= position)
            low = middle;
        else
            high = middle;
    }
    return index->values[low].word + (position - index->values[low].position);
}

static void find_places(const struct item_index *index, struct item_places *places)
{
    const struct word *list;
    size_t at = 0;
    places->is_made = true;
    if (index->n_words > places->size) {
        places->size = index->n_words;
        places->of_words = g_renew(struct item_place, places->of_words, places->size);
    }
    for (size_t v = 0; v < index->n_values; v++) {
        words_start(index->words, index->values[v].text, index->values[v].size);
        for (size_t n; (n = words_next(index->words, &list)) > 0;)
            for (size_t i = 0; i < n; i++)
                places->of_words[at++] = (struct item_place){list[i].start, list[i].end};
    }
}

struct item_place item_place(const struct item_index *index, uint32_t word)
{
    if (!index->places->is_made)
        find_places(index, index->places);
    return index->places->of_words[word];
}

/* The words of a chunk that may pass a test. A filter that nearly all words pass is none. */
static size_t sift_words(struct item_index *index, const struct word *list, size_t n)
{
    const struct vocab_filter *filter = vocab_filter(index->set->vocab);
    uint32_t *sifted = index->sifted;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        sifted[kept] = (uint32_t)i;
        kept += index->is_large || !filter->words || vocab_may_pass(filter, &list[i]);
    }
    return kept;
}

static void make_room(struct item_index *index, size_t n)
{
    if (G_UNLIKELY(n > index->sifted_size)) {
        index->sifted_size = n;
        index->sifted = g_renew(uint32_t, index->sifted, n);
    }
    if (G_UNLIKELY(index->n_words + n > index->found_size)) {
        index->found_size = MAX(index->found_size * 2, index->n_words + n);
        index->found = g_renew(uint32_t, index->found, index->found_size);
    }
}

/* Leaves those of the n words that pass a test which is not quiet. Returns how many. */
static size_t drop_quiet(uint32_t *sifted, size_t n, const uint32_t *found)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t at = sifted[i];
        sifted[kept] = at;
        kept += !(found[at] & LEXICON_QUIET);
    }
    return kept;
}

static uint32_t *grow_ids(struct item_index *index, size_t n)
{
    index->ids_size = MAX(index->ids_size * 2, n + 256);
    return index->ids = g_renew(uint32_t, index->ids, index->ids_size);
}

static void add_ids(struct item_index *index, const uint32_t *found, size_t n)
{
    uint64_t *present = index->present;
    uint32_t *all_ids = index->ids;
    size_t n_ids = index->n_ids;
    for (size_t i = 0; i < n; i++) {
        size_t n_of_word;
        const uint32_t *ids =
            lexicon_ids(index->lexicon, &found[index->sifted[i]], LEXICON_IS_ASKED, &n_of_word);
        if (G_UNLIKELY(n_ids + n_of_word > index->ids_size))
            all_ids = grow_ids(index, n_ids + n_of_word);
        for (size_t k = 0; k < n_of_word; k++) {
            uint32_t id = ids[k] & LEXICON_REST;
            all_ids[n_ids] = id;
            n_ids += !(present[id / 64] >> id % 64 & 1);
            present[id / 64] |= UINT64_C(1) << id % 64;
        }
    }
    index->n_ids = n_ids;
}

static void index_words(struct item_index *index, const struct word *list, size_t n)
{
    make_room(index, n);
    uint32_t *found = index->found + index->n_words;
    size_t n_sifted = sift_words(index, list, n);
    if (n_sifted < n)
        memset(found, 0xFF, n * sizeof *found); /* LEXICON_NONE */
    lexicon_find(index->lexicon, list, index->sifted, n_sifted, index->language, found);
    add_ids(index, found, drop_quiet(index->sifted, n_sifted, found));
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

void item_index_fill(struct item_index *index, const struct rule_item *item, const uint8_t *uses)
{
    clear(index);
    lexicon_start(index->lexicon, uses);
    index->item = item;
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
