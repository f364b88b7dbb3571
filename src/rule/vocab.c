#include "rule/vocab.h"

#include "base/touch.h"
#include "rule/wildcard.h"

#include <string.h>

#define NONE             UINT32_MAX
#define SLOTS_MIN        64u
#define SHORT_LENGTHS    64u /* beginnings shorter than this have a bit each */
#define READABLE_BEYOND  WORD_KEY_BYTES
#define FILTER_BITS_MIN  (1u << 12)
#define FILTER_BITS_MAX  (1u << 20)
#define FILTER_TESTS_MAX 20000u

/* One after another, each at a multiple of ENTRY_UNIT. */
struct entry {
    uint32_t id;
    uint16_t size;
    uint8_t test; /* enum word_test */
    uint8_t language;
    char text[]; /* size bytes */
};

#define ENTRY_UNIT sizeof(uint32_t)

struct wildcard {
    uint16_t pair;
    uint32_t id;
};

struct vocab {
    GByteArray *entries;  /* struct entry */
    GArray *places;       /* uint32_t: by id, of its entry, in units of ENTRY_UNIT */
    uint32_t *slots;      /* places with some bits of their hash, NONE where empty */
    size_t n_slots;       /* a power of two */
    uint64_t lengths;     /* bit n: a beginning of n bytes exists; n < SHORT_LENGTHS */
    uint16_t longest;     /* beginning */
    uint64_t *beginnings; /* once sealed: bits for the hashes of all of them */
    uint32_t beginnings_mask;
    GArray *wildcards;           /* struct wildcard, by pair once sealed */
    uint32_t *pair_at;           /* [65537] where a pair's wildcards begin; NULL: none at all */
    GArray *inflections;         /* ids */
    unsigned inflection_scripts; /* of all their words */
    uint64_t *filter_words;
    struct vocab_filter filter;
};

struct vocab_stems {
    const struct vocab *vocab;
    struct stemmers *stemmers;
    GHashTable *of_item[LANGUAGES_MAX];  /* tests in the item's language; stem -> GArray of ids */
    GHashTable *fallback[LANGUAGES_MAX]; /* tests whose rule falls back on the language */
    bool has_fallbacks;
};

static bool is_full(const struct vocab *vocab, size_t n)
{
    return n * 5 > vocab->n_slots * 3;
}

struct vocab *vocab_new(size_t n)
{
    struct vocab *vocab = g_new0(struct vocab, 1);
    vocab->entries = g_byte_array_new();
    vocab->places = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    vocab->wildcards = g_array_new(FALSE, FALSE, sizeof(struct wildcard));
    vocab->inflections = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    vocab->n_slots = SLOTS_MIN;
    while (is_full(vocab, n))
        vocab->n_slots *= 2;
    vocab->slots = g_new(uint32_t, vocab->n_slots);
    memset(vocab->slots, 0xFF, vocab->n_slots * sizeof *vocab->slots);
    return vocab;
}

void vocab_free(struct vocab *vocab)
{
    if (!vocab)
        return;
    g_byte_array_unref(vocab->entries);
    g_array_unref(vocab->places);
    g_array_unref(vocab->wildcards);
    g_array_unref(vocab->inflections);
    g_free(vocab->pair_at);
    g_free(vocab->slots);
    g_free(vocab->filter_words);
    g_free(vocab->beginnings);
    g_free(vocab);
}

static inline const struct entry *entry_at(const struct vocab *vocab, uint32_t place)
{
    return (const struct entry *)(const void *)(vocab->entries->data + place * ENTRY_UNIT);
}

static const struct entry *entry_of(const struct vocab *vocab, uint32_t id)
{
    return entry_at(vocab, g_array_index(vocab->places, uint32_t, id));
}

/* A slot has a place in its low 28 bits, and above it bits of the hash that the place of the slot
 * does not depend on, so that most other tests are told apart without a look at them. */
#define SLOT_PLACE(slot)       ((slot)&SLOT_PLACES)
#define SLOT_MAKE(place, hash) ((place) | ((hash) & ~SLOT_PLACES))
#define SLOT_PLACES            UINT32_C(0x0FFFFFFF)

static inline uint32_t slot_hash(uint32_t hash, unsigned test, unsigned language)
{
    return hash + test * 0x9E3779B9u + language * 0x85EBCA6Bu;
}

/* Of an empty slot, or one of another test, only rarely. */
static inline bool slot_may_have(uint32_t slot, uint32_t hash)
{
    return slot != NONE && ((slot ^ hash) & ~SLOT_PLACES) == 0;
}

static inline bool is_entry(const struct entry *found, const struct entry *entry,
                            const char *folded)
{
    return found->size == entry->size && found->test == entry->test &&
           found->language == entry->language && memcmp(found->text, folded, entry->size) == 0;
}

/* The slot of a test, or the empty one where it belongs, at this place or behind it. The entry says
 * which; its text does not count. */
static inline size_t find_entry(const struct vocab *vocab, size_t at, uint32_t hash,
                                const struct entry *entry, const char *folded)
{
    size_t mask = vocab->n_slots - 1;
    for (; vocab->slots[at] != NONE; at = (at + 1) & mask)
        if (slot_may_have(vocab->slots[at], hash) &&
            is_entry(entry_at(vocab, SLOT_PLACE(vocab->slots[at])), entry, folded))
            break;
    return at;
}

static size_t find_slot(const struct vocab *vocab, const struct word *word, unsigned test,
                        unsigned language)
{
    const struct entry entry = {
        .size = word->size, .test = (uint8_t)test, .language = (uint8_t)language};
    uint32_t hash = slot_hash(word->hash, test, language);
    return find_entry(vocab, hash & (vocab->n_slots - 1), hash, &entry, word->folded);
}

/* The id of the test, NONE where there is no such test. */
static uint32_t find_test(const struct vocab *vocab, const struct word *word, unsigned test,
                          unsigned language)
{
    uint32_t slot = vocab->slots[find_slot(vocab, word, test, language)];
    return slot == NONE ? NONE : entry_at(vocab, SLOT_PLACE(slot))->id;
}

static void load_entry(const struct entry *entry, struct word *word,
                       char copy[WORD_BYTES_MAX + READABLE_BEYOND])
{
    memcpy(copy, entry->text, entry->size);
    memset(copy + entry->size, 0, READABLE_BEYOND);
    word_set_key(word, copy, entry->size);
}

static void grow(struct vocab *vocab)
{
    g_free(vocab->slots);
    vocab->n_slots *= 2;
    vocab->slots = g_new(uint32_t, vocab->n_slots);
    memset(vocab->slots, 0xFF, vocab->n_slots * sizeof *vocab->slots);
    for (uint32_t id = 0; id < vocab->places->len; id++) {
        const struct entry *entry = entry_of(vocab, id);
        struct word word;
        char copy[WORD_BYTES_MAX + READABLE_BEYOND];
        load_entry(entry, &word, copy);
        size_t mask = vocab->n_slots - 1;
        uint32_t hash = slot_hash(word.hash, entry->test, entry->language);
        size_t at = hash & mask;
        while (vocab->slots[at] != NONE)
            at = (at + 1) & mask;
        vocab->slots[at] = SLOT_MAKE(g_array_index(vocab->places, uint32_t, id), hash);
    }
}

/* What only some tests need beside the table. */
static void note_kind(struct vocab *vocab, uint32_t id, const struct word *word,
                      enum word_test test)
{
    struct wildcard wildcard = {.id = id};
    if (test == WORD_BEGINS) {
        if (word->size < SHORT_LENGTHS)
            vocab->lengths |= UINT64_C(1) << word->size;
        vocab->longest = MAX(vocab->longest, word->size);
    } else if (test == WORD_LIKE) {
        wildcard_pair(word->folded, word->size, &wildcard.pair);
        g_array_append_val(vocab->wildcards, wildcard);
    } else if (test == WORD_INFLECTS) {
        g_array_append_val(vocab->inflections, id);
        vocab->inflection_scripts |= script_of_word(word->folded, word->size);
    }
}

/* The entry of the next id; returns its place. */
static uint32_t add_entry(struct vocab *vocab, enum word_test test, const struct word *word,
                          unsigned language)
{
    const struct entry entry = {.id = vocab->places->len,
                                .size = word->size,
                                .test = (uint8_t)test,
                                .language = (uint8_t)language};
    guint at = vocab->entries->len;
    guint size = (guint)(sizeof entry + word->size + ENTRY_UNIT - 1) & ~(guint)(ENTRY_UNIT - 1);
    if (at / ENTRY_UNIT >= SLOT_PLACES)
        g_error("out of memory"); /* 1 GiB */
    g_byte_array_set_size(vocab->entries, at + size);
    memcpy(vocab->entries->data + at, &entry, sizeof entry);
    memcpy(vocab->entries->data + at + sizeof entry, word->folded, word->size);
    return (uint32_t)(at / ENTRY_UNIT);
}

uint32_t vocab_add(struct vocab *vocab, enum word_test test, const struct word *word,
                   unsigned language)
{
    if (test == WORD_ANY)
        return VOCAB_ANY;
    size_t slot = find_slot(vocab, word, test, language);
    if (vocab->slots[slot] != NONE)
        return entry_at(vocab, SLOT_PLACE(vocab->slots[slot]))->id;
    uint32_t place = add_entry(vocab, test, word, language), id = vocab->places->len;
    g_array_append_val(vocab->places, place);
    vocab->slots[slot] = SLOT_MAKE(place, slot_hash(word->hash, test, language));
    note_kind(vocab, id, word, test);
    if (is_full(vocab, vocab->places->len))
        grow(vocab);
    return id;
}

size_t vocab_ask(const struct vocab *vocab, enum word_test test, uint32_t hash)
{
    size_t place = slot_hash(hash, test, LANGUAGE_NONE) & (vocab->n_slots - 1);
    __builtin_prefetch(&vocab->slots[place]);
    return place;
}

void vocab_ask_entry(const struct vocab *vocab, size_t place)
{
    uint32_t slot = vocab->slots[place & (vocab->n_slots - 1)];
    if (slot != NONE)
        __builtin_prefetch(entry_at(vocab, SLOT_PLACE(slot)));
}

static gint compare_pairs(gconstpointer a, gconstpointer b)
{
    const struct wildcard *x = a, *y = b;
    return x->pair != y->pair ? (int)x->pair - (int)y->pair : x->id < y->id ? -1 : x->id > y->id;
}

static inline void set_bit(uint64_t *bits, uint32_t bit)
{
    bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

static inline bool has_bit(const uint64_t *bits, uint32_t bit)
{
    return bits[bit / 64] >> bit % 64 & 1;
}

/* About sixteen bits for each of n. */
static uint32_t filter_bits(uint32_t n)
{
    uint32_t n_bits = FILTER_BITS_MIN;
    while (n_bits < FILTER_BITS_MAX && n_bits / 16 < n)
        n_bits *= 2;
    return n_bits;
}

/* Bytes that every beginning of a class has at least. */
static void choose_keep(struct vocab *vocab)
{
    unsigned shortest[2] = {8, 8};
    for (uint32_t id = 0; id < vocab->places->len; id++) {
        const struct entry *entry = entry_of(vocab, id);
        if (entry->test != WORD_BEGINS)
            continue;
        unsigned class = (unsigned char)entry->text[0] >> 7;
        shortest[class] = MIN(shortest[class], entry->size);
    }
    for (unsigned class = 0; class < 2; class ++)
        vocab->filter.keep[class] = GUINT64_TO_LE(UINT64_MAX >> (64 - 8 * shortest[class]));
}

static inline uint32_t begin_bit(const struct vocab_filter *filter, uint64_t key)
{
    return vocab_begin_bit(key & filter->keep[vocab_key_class(key)]);
}

static void note_beginnings(struct vocab *vocab)
{
    char copy[WORD_BYTES_MAX + READABLE_BEYOND];
    uint32_t n = 0;
    for (uint32_t id = 0; id < vocab->places->len; id++)
        n += entry_of(vocab, id)->test == WORD_BEGINS;
    vocab->beginnings_mask = filter_bits(n) - 1;
    vocab->beginnings = g_new0(uint64_t, filter_bits(n) / 64);
    choose_keep(vocab);
    for (uint32_t id = 0; id < vocab->places->len; id++) {
        struct word word;
        if (entry_of(vocab, id)->test != WORD_BEGINS)
            continue;
        load_entry(entry_of(vocab, id), &word, copy);
        set_bit(vocab->beginnings, word.hash & vocab->beginnings_mask);
        set_bit(vocab->filter.begins, begin_bit(&vocab->filter, word.key[0]));
    }
}

/* A filter that nearly all words pass is none. */
static void make_filter(struct vocab *vocab)
{
    uint32_t n = vocab->places->len, n_bits = filter_bits(n);
    if (n >= FILTER_TESTS_MAX || vocab->wildcards->len > 0 || vocab->inflections->len > 0)
        return;
    vocab->filter.mask = n_bits - 1;
    vocab->filter.words = vocab->filter_words = g_new0(uint64_t, n_bits / 64);
    for (uint32_t id = 0; id < n; id++) {
        char copy[WORD_BYTES_MAX + READABLE_BEYOND];
        struct word word;
        if (entry_of(vocab, id)->test != WORD_IS)
            continue;
        load_entry(entry_of(vocab, id), &word, copy);
        set_bit(vocab->filter_words, word.hash & vocab->filter.mask);
    }
}

const struct vocab_filter *vocab_filter(const struct vocab *vocab)
{
    return &vocab->filter;
}

void vocab_seal(struct vocab *vocab)
{
    if (vocab->beginnings)
        return; /* sealed already */
    note_beginnings(vocab);
    make_filter(vocab);
    if (vocab->wildcards->len == 0)
        return;
    g_array_sort(vocab->wildcards, compare_pairs);
    vocab->pair_at = g_new(uint32_t, 65537);
    guint at = 0;
    for (uint32_t pair = 0; pair <= 65536; pair++) {
        while (at < vocab->wildcards->len &&
               g_array_index(vocab->wildcards, struct wildcard, at).pair < pair)
            at++;
        vocab->pair_at[pair] = at;
    }
}

uint32_t vocab_size(const struct vocab *vocab)
{
    return vocab->places->len;
}

size_t vocab_bytes(const struct vocab *vocab)
{
    return sizeof *vocab + vocab->entries->len + vocab->places->len * sizeof(uint32_t) +
           vocab->n_slots * sizeof(uint32_t) + vocab->wildcards->len * sizeof(struct wildcard) +
           vocab->inflections->len * sizeof(uint32_t) +
           (vocab->beginnings ? (vocab->beginnings_mask + 1) / 8 : 0) +
           (vocab->filter.words ? (vocab->filter.mask + 1) / 8 : 0) +
           (vocab->pair_at ? 65537 * sizeof(uint32_t) : 0);
}

bool vocab_has_inflections(const struct vocab *vocab)
{
    return vocab->inflections->len > 0;
}

enum word_test vocab_test(const struct vocab *vocab, uint32_t id, const char **ret_folded,
                          size_t *ret_size)
{
    const struct entry *entry = entry_of(vocab, id);
    *ret_folded = entry->text;
    *ret_size = entry->size;
    return (enum word_test)entry->test;
}

struct vocab_stems *vocab_stems_new(const struct vocab *vocab)
{
    struct vocab_stems *stems = g_new0(struct vocab_stems, 1);
    stems->vocab = vocab;
    stems->stemmers = stemmers_new();
    return stems;
}

static void free_table(GHashTable *table)
{
    if (table)
        g_hash_table_unref(table);
}

void vocab_stems_free(struct vocab_stems *stems)
{
    if (!stems)
        return;
    for (size_t i = 0; i < LANGUAGES_MAX; i++) {
        free_table(stems->of_item[i]);
        free_table(stems->fallback[i]);
    }
    stemmers_free(stems->stemmers);
    g_free(stems);
}

static void add_stem(struct vocab_stems *stems, GHashTable **table, unsigned language, uint32_t id)
{
    const struct entry *entry = entry_of(stems->vocab, id);
    size_t size;
    const char *found = stem(stems->stemmers, language, entry->text, entry->size, &size);
    if (!*table)
        *table =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
    g_autofree char *key = g_strndup(found, size);
    GArray *ids = g_hash_table_lookup(*table, key);
    if (!ids) {
        ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        g_hash_table_insert(*table, g_steal_pointer(&key), ids);
    }
    g_array_append_val(ids, id);
}

static void add_fallbacks(struct vocab_stems *stems)
{
    for (guint i = 0; i < stems->vocab->inflections->len; i++) {
        uint32_t id = g_array_index(stems->vocab->inflections, uint32_t, i);
        unsigned language = entry_of(stems->vocab, id)->language;
        add_stem(stems, &stems->fallback[language], language, id);
    }
    stems->has_fallbacks = true;
}

/* The tests that count in items of this language: those whose words have its script. */
static GHashTable *item_table(struct vocab_stems *stems, unsigned language)
{
    if (stems->of_item[language])
        return stems->of_item[language];
    GHashTable **table = &stems->of_item[language];
    const struct vocab *vocab = stems->vocab;
    *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
    for (guint i = 0; i < vocab->inflections->len; i++) {
        uint32_t id = g_array_index(vocab->inflections, uint32_t, i);
        const struct entry *entry = entry_of(vocab, id);
        if (script_of_word(entry->text, entry->size) & language_scripts(language))
            add_stem(stems, table, language, id);
    }
    return *table;
}

static void append_stem(struct vocab_stems *stems, GHashTable *table, unsigned language,
                        const struct word *word, struct vocab_ids *ids)
{
    size_t size;
    const char *found = stem(stems->stemmers, language, word->folded, word->size, &size);
    g_autofree char *key = g_strndup(found, size);
    const GArray *list = g_hash_table_lookup(table, key);
    for (guint i = 0; list && i < list->len; i++)
        vocab_ids_add(ids, g_array_index(list, uint32_t, i));
}

/* The word itself counts, too, whatever the stemmer makes of it; so a test may be appended twice.
 */
static void resolve_inflections(const struct vocab *vocab, struct vocab_stems *stems,
                                const struct word *word, unsigned language, struct vocab_ids *ids)
{
    unsigned script = script_of_word(word->folded, word->size);
    if (script && !(script & vocab->inflection_scripts))
        return;
    if (!stems->has_fallbacks)
        add_fallbacks(stems);
    bool is_items = language_has_stemmer(language) && (language_scripts(language) & script);
    if (is_items)
        append_stem(stems, item_table(stems, language), language, word, ids);
    for (unsigned i = 0; i < LANGUAGES_MAX; i++)
        if (stems->fallback[i]) {
            uint32_t id = find_test(vocab, word, WORD_INFLECTS, i);
            if (!is_items)
                append_stem(stems, stems->fallback[i], i, word, ids);
            if (id != NONE)
                vocab_ids_add(ids, id);
        }
}

size_t vocab_lookups_max(const struct vocab *vocab)
{
    size_t n_long = vocab->longest < SHORT_LENGTHS ? 0 : vocab->longest - SHORT_LENGTHS + 1;
    return 1 + (size_t)__builtin_popcountll(vocab->lengths) + n_long;
}

/* 1 where there may be such a beginning, of which the lookup is made. Which there are cannot be
 * foretold, so that there is no branch on it. */
static inline size_t plan_beginning(const struct vocab *vocab, const struct word *word,
                                    unsigned size, uint32_t number, struct vocab_lookup *ret_lookup)
{
    uint32_t hash = word_beginning_hash(word, size);
    *ret_lookup = (struct vocab_lookup){.word = number,
                                        .hash = slot_hash(hash, WORD_BEGINS, 0),
                                        .size = (uint16_t)size,
                                        .test = WORD_BEGINS};
    return has_bit(vocab->beginnings, hash & vocab->beginnings_mask);
}

static size_t plan_beginnings(const struct vocab *vocab, const struct word *word, uint32_t number,
                              struct vocab_lookup *ret_lookups)
{
    size_t n = 0;
    uint64_t lengths = vocab->lengths;
    if (word->size < SHORT_LENGTHS - 1)
        lengths &= (UINT64_C(2) << word->size) - 1;
    for (; lengths; lengths &= lengths - 1)
        n += plan_beginning(vocab, word, (unsigned)__builtin_ctzll(lengths), number,
                            &ret_lookups[n]);
    for (unsigned size = SHORT_LENGTHS; size <= MIN(word->size, vocab->longest); size++)
        n += plan_beginning(vocab, word, size, number, &ret_lookups[n]);
    return n;
}

size_t vocab_plan(const struct vocab *vocab, const struct word *word, uint32_t number,
                  struct vocab_lookup *ret_lookups)
{
    ret_lookups[0] = (struct vocab_lookup){.word = number,
                                           .hash = slot_hash(word->hash, WORD_IS, 0),
                                           .size = word->size,
                                           .test = WORD_IS};
    if (!has_bit(vocab->filter.begins, begin_bit(&vocab->filter, word->key[0])))
        return 1;
    return 1 + plan_beginnings(vocab, word, number, ret_lookups + 1);
}

size_t vocab_probe(const struct vocab *vocab, struct vocab_lookup *lookups, size_t n)
{
    size_t mask = vocab->n_slots - 1, kept = 0;
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(&vocab->slots[lookups[i].hash & mask]);
    for (size_t i = 0; i < n; i++) {
        struct vocab_lookup lookup = lookups[i];
        size_t at = lookup.hash & mask;
        while (vocab->slots[at] != NONE && !slot_may_have(vocab->slots[at], lookup.hash))
            at = (at + 1) & mask;
        lookup.place = (uint32_t)at;
        lookups[kept] = lookup;
        kept += vocab->slots[at] != NONE;
    }
    for (size_t i = 0; i < kept; i++)
        touch(entry_at(vocab, SLOT_PLACE(vocab->slots[lookups[i].place])));
    return kept;
}

static void resolve_wildcards(const struct vocab *vocab, const struct word *word,
                              struct vocab_ids *ids)
{
    const unsigned char *bytes = (const unsigned char *)word->folded;
    for (size_t i = 0; i + 1 < word->size; i++) {
        uint32_t pair = (uint32_t)bytes[i] << 8 | bytes[i + 1];
        for (uint32_t k = vocab->pair_at[pair]; k < vocab->pair_at[pair + 1]; k++) {
            uint32_t id = g_array_index(vocab->wildcards, struct wildcard, k).id;
            const struct entry *entry = entry_of(vocab, id);
            if (wildcard_matches(entry->text, entry->size, word->folded, word->size))
                vocab_ids_add(ids, id);
        }
    }
}

static void remove_doubles(struct vocab_ids *ids, size_t from)
{
    size_t kept = from;
    for (size_t i = from; i < ids->n; i++) {
        bool is_double = false;
        for (size_t k = from; k < kept && !is_double; k++)
            is_double = ids->list[k] == ids->list[i];
        if (!is_double)
            ids->list[kept++] = ids->list[i];
    }
    ids->n = kept;
}

void vocab_resolve(const struct vocab *vocab, struct vocab_stems *stems, const struct word *word,
                   const struct vocab_lookup *lookups, size_t n, unsigned language,
                   struct vocab_ids *ids)
{
    size_t from = ids->n;
    for (size_t i = 0; i < n; i++) {
        const struct entry entry = {.size = lookups[i].size, .test = lookups[i].test};
        uint32_t slot =
            vocab
                ->slots[find_entry(vocab, lookups[i].place, lookups[i].hash, &entry, word->folded)];
        if (slot != NONE)
            vocab_ids_add(ids, entry_at(vocab, SLOT_PLACE(slot))->id);
    }
    if (vocab->pair_at)
        resolve_wildcards(vocab, word, ids);
    if (vocab->inflections->len > 0)
        resolve_inflections(vocab, stems, word, language, ids);
    if (ids->n > from + 1 && (vocab->pair_at || vocab->inflections->len > 0))
        remove_doubles(ids, from);
}
