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
    index->ids = g_new(uint32_t, n + 1);
    index->chains = g_new0(struct item_chains, 1);
    index->chains->ranks = g_new(uint32_t, n + 1);
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
    g_free(index->hits);
    g_free(index->occurrences);
    g_free(index->values);
    g_free(index->sifted);
    g_free(index->found);
    g_free(index->chains->ranks);
    g_free(index->chains->tests);
    g_free(index->chains);
    g_free(index);
}

size_t item_index_bytes(const struct item_index *index)
{
    size_t n = vocab_size(index->set->vocab);
    return sizeof *index + lexicon_bytes(index->lexicon) + n * 2 * sizeof(uint32_t) + n / 8 +
           index->chains->tests_size * sizeof(struct item_test) +
           index->hits_size * sizeof *index->hits +
           index->occurrences_size * sizeof *index->occurrences;
}

static void clear(struct item_index *index)
{
    for (size_t i = 0; i < index->n_ids; i++)
        index->present[index->ids[i] / 64] = 0;
    index->n_ids = index->n_hits = index->n_occurrences = index->n_values = 0;
    index->position = 0;
    index->chains->is_made = false;
    index->fields = 0;
    index->summary_repeats = -1;
}

void item_chain(const struct item_index *index, struct item_chains *chains)
{
    struct item_occurrence *occurrences = index->occurrences;
    chains->is_made = true;
    if (index->n_ids > chains->tests_size) {
        chains->tests_size = index->n_ids * 2;
        chains->tests = g_renew(struct item_test, chains->tests, chains->tests_size);
    }
    memset(chains->tests, 0, index->n_ids * sizeof *chains->tests);
    for (size_t i = 0; i < index->n_ids; i++)
        chains->ranks[index->ids[i]] = (uint32_t)i;
    for (uint32_t at = 0; at < index->n_occurrences; at++) {
        struct item_test *test = &chains->tests[chains->ranks[occurrences[at].id]];
        if (test->n++ == 0)
            test->first = at;
        else
            occurrences[test->last].next = at;
        test->last = at;
        occurrences[at].next = ITEM_NO_HIT;
        test->fields |= item_hit_field(index, &index->hits[occurrences[at].hit]);
    }
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
        index->found = g_renew(uint32_t, index->found, n);
    }
    if (G_UNLIKELY(index->n_hits + n > index->hits_size)) {
        index->hits_size = MAX(index->hits_size * 2, index->n_hits + n);
        index->hits = g_renew(struct item_hit, index->hits, index->hits_size);
    }
}

static struct item_occurrence *occurrences_for(struct item_index *index, size_t n_before, size_t n)
{
    if (G_UNLIKELY(n_before + n > index->occurrences_size)) {
        index->occurrences_size = MAX(index->occurrences_size * 2, n_before + n + 1024);
        index->occurrences =
            g_renew(struct item_occurrence, index->occurrences, index->occurrences_size);
    }
    return index->occurrences + n_before;
}

static void add_hits(struct item_index *index, const struct word *list, size_t n)
{
    const struct lexicon *lexicon = index->lexicon;
    uint64_t *present = index->present;
    uint32_t *all_ids = index->ids, value = (uint32_t)index->n_values - 1;
    size_t n_ids = index->n_ids, n_occurrences = index->n_occurrences, n_hits = index->n_hits;
    for (size_t i = 0; i < n; i++) {
        const struct word *word = &list[index->sifted[i]];
        size_t n_of_word;
        const uint32_t *ids = lexicon_ids(lexicon, &index->found[i], &n_of_word);
        if (n_of_word == 0)
            continue;
        struct item_occurrence *occurrence = occurrences_for(index, n_occurrences, n_of_word);
        index->hits[n_hits] = (struct item_hit){.position = index->position + index->sifted[i],
                                                .start = word->start,
                                                .end = word->end,
                                                .value = value,
                                                .occurrence = (uint32_t)n_occurrences};
        for (size_t k = 0; k < n_of_word; k++, occurrence++) {
            uint32_t id = ids[k];
            occurrence->id = id;
            occurrence->hit = (uint32_t)n_hits;
            all_ids[n_ids] = id;
            n_ids += !(present[id / 64] >> id % 64 & 1);
            present[id / 64] |= UINT64_C(1) << id % 64;
        }
        n_occurrences += n_of_word;
        n_hits++;
    }
    index->n_ids = n_ids;
    index->n_occurrences = n_occurrences;
    index->n_hits = n_hits;
}

static void index_words(struct item_index *index, const struct word *list, size_t n)
{
    make_room(index, n);
    size_t n_sifted = sift_words(index, list, n);
    lexicon_find(index->lexicon, list, index->sifted, n_sifted, index->language, index->found);
    add_hits(index, list, n_sifted);
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
