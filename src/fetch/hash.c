#include "fetch/hash.h"

#include <glib.h>
#include <string.h>

#define FACTOR UINT64_C(0x9e3779b97f4a7c15) /* 2^64 over the golden ratio */

static uint64_t read_word(const unsigned char *bytes, size_t size)
{
    uint64_t word = 0;
    memcpy(&word, bytes, size);
    return GUINT64_FROM_LE(word); /* stored values survive a move to another machine */
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * FACTOR;
    return hash ^ hash >> 29;
}

uint64_t fetch_hash(const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    uint64_t hash = mix(FACTOR, size);
    size_t left = size;
    for (; left >= 8; left -= 8, p += 8)
        hash = mix(hash, read_word(p, 8));
    if (left > 0)
        hash = mix(hash, read_word(p, left));
    hash = mix(hash, hash >> 32);
    return hash ? hash : 1;
}
