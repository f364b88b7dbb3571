#include "rule/strings.h"

#include <stdbool.h>
#include <string.h>
#include <xxhash.h>

#define SLOTS_MIN 256u

struct slot {
    uint32_t hash;
    uint32_t past; /* 1 + the offset of the text, 0 where the slot is empty */
};

struct strings {
    GString *pool;
    struct slot *slots;
    size_t n_slots; /* a power of two */
    size_t n;
};

struct strings *strings_new(GString *pool)
{
    struct strings *strings = g_new0(struct strings, 1);
    strings->pool = pool;
    strings->n_slots = SLOTS_MIN;
    strings->slots = g_new0(struct slot, strings->n_slots);
    return strings;
}

void strings_free(struct strings *strings)
{
    if (!strings)
        return;
    g_free(strings->slots);
    g_free(strings);
}

static void grow(struct strings *strings)
{
    struct slot *old = strings->slots;
    size_t n_old = strings->n_slots, mask = n_old * 2 - 1;
    strings->n_slots *= 2;
    strings->slots = g_new0(struct slot, strings->n_slots);
    for (size_t i = 0; i < n_old; i++) {
        size_t at = old[i].hash & mask;
        while (strings->slots[at].past)
            at = (at + 1) & mask;
        if (old[i].past)
            strings->slots[at] = old[i];
    }
    g_free(old);
}

static bool is_text(const GString *pool, size_t offset, const char *text, size_t size)
{
    return offset + size < pool->len && pool->str[offset + size] == '\0' &&
           memcmp(pool->str + offset, text, size) == 0;
}

static uint32_t hash_of(const char *text, size_t size)
{
    return (uint32_t)XXH3_64bits(text, size);
}

static uint32_t add(struct strings *strings, const char *text, size_t size, uint32_t hash)
{
    GString *pool = strings->pool;
    size_t mask = strings->n_slots - 1, at = hash & mask;
    for (; strings->slots[at].past; at = (at + 1) & mask)
        if (strings->slots[at].hash == hash &&
            is_text(pool, strings->slots[at].past - 1, text, size))
            return strings->slots[at].past - 1;
    uint32_t offset = (uint32_t)pool->len;
    strings->slots[at] = (struct slot){hash, offset + 1};
    g_string_append_len(pool, text, (gssize)size);
    g_string_append_c(pool, '\0');
    if (++strings->n * 2 > strings->n_slots)
        grow(strings);
    return offset;
}

uint32_t strings_add(struct strings *strings, const char *text, size_t size)
{
    return add(strings, text, size, hash_of(text, size));
}

void strings_add_all(struct strings *strings, struct strings_text *texts, size_t n, GArray *offsets)
{
    size_t mask = strings->n_slots - 1;
    for (size_t i = 0; i < n; i++) {
        texts[i].hash = hash_of(texts[i].text, texts[i].size);
        __builtin_prefetch(&strings->slots[texts[i].hash & mask]);
    }
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(strings->pool->str + strings->slots[texts[i].hash & mask].past);
    for (size_t i = 0; i < n; i++) {
        uint32_t offset = add(strings, texts[i].text, texts[i].size, texts[i].hash);
        g_array_append_val(offsets, offset);
    }
}
