/* text/eight - looking at eight bytes at once.
 *
 * Pure, for the loops that every byte of every feed passes. A mask has 0x80 in each byte that is
 * meant; it may have more behind (above) the first such byte, never fewer, so that zero is certain.
 * The exact variants have no more either. Little-endian order is assumed only where it says so. */
#ifndef TEXT_EIGHT_H
#define TEXT_EIGHT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define EIGHT(byte) (UINT64_C(0x0101010101010101) * (uint64_t)(byte))
#define EIGHT_HIGH  EIGHT(0x80)

static inline uint64_t eight_load(const char *bytes)
{
    uint64_t v;
    memcpy(&v, bytes, sizeof v);
    return v;
}

/* Bytes that equal the given one. */
static inline uint64_t eight_equal(uint64_t v, unsigned char byte)
{
    uint64_t x = v ^ EIGHT(byte);
    return (x - EIGHT(1)) & ~x & EIGHT_HIGH;
}

static inline uint64_t eight_equal_exact(uint64_t v, unsigned char byte)
{
    uint64_t x = v ^ EIGHT(byte);
    return ~(((x & ~EIGHT_HIGH) + ~EIGHT_HIGH) | x | ~EIGHT_HIGH);
}

/* Bytes below 0x20. */
static inline uint64_t eight_control(uint64_t v)
{
    return (v - EIGHT(0x20)) & ~v & EIGHT_HIGH;
}

/* Blanks right behind a blank; *after_blank: whether the byte before these eight was one, and then
 * whether the last of them is. */
static inline uint64_t eight_double_blank(uint64_t v, bool *after_blank)
{
    uint64_t blanks = eight_equal_exact(v, ' ');
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t behind = blanks << 8 | (*after_blank ? 0x80 : 0);
    *after_blank = blanks >> 63;
#else
    uint64_t behind = blanks >> 8 | (*after_blank ? UINT64_C(0x80) << 56 : 0);
    *after_blank = blanks & 0x80;
#endif
    return blanks & behind;
}

#endif
