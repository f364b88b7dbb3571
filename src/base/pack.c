#include "base/pack.h"

#include <glib.h>
#include <string.h>

void *pack_new(const void *from, size_t size, const size_t *offsets, size_t n_offsets)
{
    size_t sizes[PACK_TEXTS_MAX], sum = size;
    g_assert(n_offsets <= PACK_TEXTS_MAX);
    for (size_t i = 0; i < n_offsets; i++) {
        const char *text;
        memcpy(&text, (const char *)from + offsets[i], sizeof text);
        sizes[i] = text ? strlen(text) + 1 : 0;
        sum += sizes[i];
    }
    char *copy = g_malloc(sum), *end = copy + size;
    memcpy(copy, from, size);
    for (size_t i = 0; i < n_offsets; i++) {
        const char *text;
        memcpy(&text, copy + offsets[i], sizeof text);
        if (!text)
            continue;
        memcpy(end, text, sizes[i]);
        memcpy(copy + offsets[i], &end, sizeof end);
        end += sizes[i];
    }
    return copy;
}
