/* text/sixteen - looking at sixteen bytes at once.
 *
 * Pure, for the loops that every byte of every feed passes. Written with the compiler's vectors
 * (GCC manual, "Vector Extensions"), so it is one instruction a step where the processor has such
 * vectors, and right everywhere. A mask has all bits of each byte that is meant. */
#ifndef TEXT_SIXTEEN_H
#define TEXT_SIXTEEN_H

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SIXTEEN     16
#define SIXTEEN_ALL 0xFFFFu

typedef unsigned char sixteen_bytes __attribute__((vector_size(SIXTEEN)));
typedef signed char sixteen_mask __attribute__((vector_size(SIXTEEN)));

static inline sixteen_bytes sixteen_load(const char *bytes)
{
    sixteen_bytes v;
    memcpy(&v, bytes, sizeof v);
    return v;
}

static inline sixteen_mask sixteen_equal(sixteen_bytes v, unsigned char byte)
{
    return (sixteen_mask)(v == byte);
}

/* Bytes from low to high, both among them. */
static inline sixteen_mask sixteen_between(sixteen_bytes v, unsigned char low, unsigned char high)
{
    sixteen_bytes above = v - low;
    return (sixteen_mask)(above <= (unsigned char)(high - low));
}

/* Bit i for byte i. */
static inline unsigned sixteen_bits(sixteen_mask mask)
{
#ifdef __SSE2__
    return (unsigned)_mm_movemask_epi8((__m128i)mask);
#else
    unsigned bits = 0;
    for (unsigned i = 0; i < SIXTEEN; i++)
        bits |= (mask[i] & 1u) << i;
    return bits;
#endif
}

/* How many bytes come before the first that has a bit. */
static inline unsigned sixteen_first(unsigned bits)
{
    return bits ? (unsigned)__builtin_ctz(bits) : SIXTEEN;
}

/* The bits of blanks right behind a blank; after_blank: whether the byte before these was one. */
static inline unsigned sixteen_double(unsigned blanks, _Bool after_blank)
{
    return blanks & (blanks << 1 | after_blank);
}

#endif
