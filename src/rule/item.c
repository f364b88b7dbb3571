#include "rule/item.h"

#include <string.h>

#define LARGE 50000u /* tests: so many that they do not stay in a processor's cache */
#define AHEAD 16u    /* words whose tests are asked for together */

struct item_index *item_index_new(const struct ruleset *set)
{
    struct item_index *index = g_new0(struct item_index, 1);
    size_t n = vocab_size(set->vocab);
    index->set = set;
    index->words = words_new();
    index->lexicon = lexicon_new(set->vocab);
    index->is_large = n >= LARGE;
    index->present = g_new0(uint64_t, n / 64 + 1);
    index->tests = g_new(struct item_test, n + 1);
    index->ids = g_new(uint32_t, n + 1);
    return index;
}

void item_index_free(struct item_index *index)
{
    if (!index)
        return;
    words_free(index->words);
    lexicon_free(index->lexicon);
    g_free(index->present);
    g_free(index->tests);
    g_free(index->ids);
    g_free(index->hits);
    g_free(index->occurrences);
    g_free(index->values);
    g_free(index->sifted);
    g_free(index->found);
    g_free(index);
}

size_t item_index_bytes(const struct item_index *index)
{
    size_t n = vocab_size(index->set->vocab);
    return sizeof *index + lexicon_bytes(index->lexicon) +
           n * (sizeof(struct item_test) + sizeof(uint32_t)) + n / 8 +
           index->hits_size * sizeof *index->hits +
           index->occurrences_size * sizeof *index->occurrences;
}

static void clear(struct item_index *index)
{
    for (size_t i = 0; i < index->n_ids; i++)
        index->present[index->ids[i] / 64] = 0;
    index->n_ids = index->n_hits = index->n_occurrences = index->n_values = 0;
    index->position = 0;
    index->fields = 0;
    index->summary_repeats = -1;
}

static inline void add_occurrence(struct item_index *index, uint32_t id, unsigned field)
{
    uint32_t at = (uint32_t)index->n_occurrences++;
    struct item_test *test = &index->tests[id];
    index->occurrences[at] =
        (struct item_occurrence){.id = id, .hit = (uint32_t)index->n_hits, .next = ITEM_NO_HIT};
    if (index->present[id / 64] >> id % 64 & 1) {
        index->occurrences[test->last].next = at;
        test->last = at;
        test->n++;
        test->fields |= field;
        return;
    }
    index->present[id / 64] |= UINT64_C(1) << id % 64;
    index->ids[index->n_ids++] = id;
    *test = (struct item_test){.first = at, .last = at, .n = 1, .fields = field};
}

static inline void add_hit(struct item_index *index, const struct word *word, uint32_t position,
                           const uint32_t *ids, size_t n)
{
    if (G_UNLIKELY(index->n_hits == index->hits_size)) {
        index->hits_size = index->hits_size ? index->hits_size * 2 : 1024;
        index->hits = g_renew(struct item_hit, index->hits, index->hits_size);
    }
    if (G_UNLIKELY(index->n_occurrences + n > index->occurrences_size)) {
        index->occurrences_size = MAX(index->occurrences_size * 2, index->n_occurrences + n + 1024);
        index->occurrences =
            g_renew(struct item_occurrence, index->occurrences, index->occurrences_size);
    }
    uint32_t value = (uint32_t)index->n_values - 1;
    index->hits[index->n_hits] = (struct item_hit){.position = position,
                                                   .start = word->start,
                                                   .end = word->end,
                                                   .value = value,
                                                   .occurrence = (uint32_t)index->n_occurrences};
    for (size_t i = 0; i < n; i++)
        add_occurrence(index, ids[i], FIELD_BIT(index->values[value].field));
    index->n_hits++;
}

/* The words of a chunk that may pass a test; asks for what will be needed of each. */
static size_t sift_words(struct item_index *index, const struct word *list, size_t n)
{
    const struct vocab_filter *filter = vocab_filter(index->set->vocab);
    size_t kept = 0;
    if (G_UNLIKELY(n > index->sifted_size)) {
        index->sifted_size = n;
        index->sifted = g_renew(uint32_t, index->sifted, n);
    }
    for (size_t i = 0; i < n; i++) {
        index->sifted[kept] = (uint32_t)i;
        kept += !filter->words || vocab_may_pass(filter, &list[i]);
    }
    for (size_t i = 0; i < kept; i++)
        lexicon_prefetch(index->lexicon, &list[index->sifted[i]]);
    return kept;
}

static inline void note_found(struct item_index *index, const uint32_t *ids, size_t n)
{
    if (G_UNLIKELY(index->n_found + n > index->found_size)) {
        index->found_size = MAX(index->found_size * 2, index->n_found + n + 64);
        index->found = g_renew(uint32_t, index->found, index->found_size);
    }
    for (size_t i = 0; i < n; i++) {
        __builtin_prefetch(&index->tests[ids[i]], 1);
        index->found[index->n_found++] = ids[i];
    }
}

/* The hits of up to AHEAD words: their tests lie far apart, so that they are asked for together. */
static void add_hits(struct item_index *index, const struct word *list, const uint32_t *sifted,
                     size_t n)
{
    size_t ends[AHEAD], start = 0;
    index->n_found = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t *ids = NULL;
        size_t n_ids = lexicon_find(index->lexicon, &list[sifted[i]], index->language, &ids);
        note_found(index, ids, n_ids);
        ends[i] = index->n_found;
    }
    for (size_t i = 0; i < n; start = ends[i++])
        if (ends[i] > start)
            add_hit(index, &list[sifted[i]], index->position + sifted[i], index->found + start,
                    ends[i] - start);
}

static void index_words(struct item_index *index, const struct word *list, size_t n)
{
    size_t n_sifted = sift_words(index, list, n);
    for (size_t i = 0; index->is_large && i < n_sifted; i++)
        lexicon_prefetch_vocab(index->lexicon, &list[index->sifted[i]]);
    for (size_t at = 0; at < n_sifted; at += AHEAD)
        add_hits(index, list, index->sifted + at, MIN(AHEAD, n_sifted - at));
    index->position += (uint32_t)n;
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
                                 .position = index->position};
    const struct word *list;
    index->fields |= FIELD_BIT(field);
    words_start(index->words, text, value->size);
    for (size_t n; (n = words_next(index->words, &list)) > 0;)
        index_words(index, list, n);
    value->n_words = index->position - value->position;
    index->position += ITEM_GAP;
}

static void add_values(struct item_index *index, enum field field, const char *const *texts)
{
    for (size_t i = 0; texts && texts[i]; i++)
        add_value(index, field, i, texts[i]);
}

void item_index_fill(struct item_index *index, const struct rule_item *item)
{
    clear(index);
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
