/* text/word_key - what all of words.c rests on, sixteen bytes at a time: which bytes make words,
 * and the key and hash of one word. In SSE2, which every x86-64 has, and without (the tests build
 * both). Pure.
 *
 * Where it says lower, that is text whose ASCII letters are lowered, readable 16 bytes beyond what
 * is meant. Internal to text/. */
#ifndef TEXT_WORD_KEY_H
#define TEXT_WORD_KEY_H

#include "text/fold.h"
#include "text/words.h"

#include <glib.h>
#include <string.h>

#if defined(__SSE2__) && defined(__x86_64__) && !defined(WORDS_SCALAR)
#include <emmintrin.h>
#define HAVE_SSE2 1
#else
#define HAVE_SSE2 0
#endif

#define HASH_SEED_0 UINT64_C(0x8EBC6AF09C88C6E3)
#define HASH_SEED_1 UINT64_C(0x589965CC75374CC3)

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* size: at most WORD_KEY_BYTES */
static inline void load_key(uint64_t key[2], const char *bytes, size_t size)
{
    static const uint64_t keep[2 * WORD_KEY_BYTES + 2] = {
#define ONES(n) GUINT64_TO_LE(UINT64_MAX >> (64 - 8 * (n)))
        0,       0,       ONES(1), 0,       ONES(2), 0,       ONES(3), 0,       ONES(4),
        0,       ONES(5), 0,       ONES(6), 0,       ONES(7), 0,       ONES(8), 0,
        ONES(8), ONES(1), ONES(8), ONES(2), ONES(8), ONES(3), ONES(8), ONES(4), ONES(8),
        ONES(5), ONES(8), ONES(6), ONES(8), ONES(7), ONES(8), ONES(8),
#undef ONES
    };
    uint64_t loaded[2];
    memcpy(loaded, bytes, WORD_KEY_BYTES);
    key[0] = loaded[0] & keep[2 * size];
    key[1] = loaded[1] & keep[2 * size + 1];
}

static inline uint64_t hash_key(const uint64_t key[2])
{
    return mix(key[0] ^ HASH_SEED_0, key[1] ^ HASH_SEED_1);
}

/* Of a word over WORD_KEY_BYTES. */
static inline void add_rest(struct word *word, uint64_t hash, const char *folded, size_t size)
{
    bool is_long = size > WORD_KEY_BYTES + WORD_REST_BYTES;
    word->rest = (uint64_t)(is_long ? 255 : size) << 56;
    for (size_t at = WORD_KEY_BYTES; at < size; at += WORD_KEY_BYTES) {
        uint64_t part[2];
        load_key(part, folded + at, MIN(size - at, WORD_KEY_BYTES));
        if (!is_long)
            word->rest |= GUINT64_FROM_LE(part[0]);
        hash = mix(hash ^ part[0] ^ 0xA0761D6478BD642Full, part[1] ^ 0xE7037ED1A0B428DBull);
    }
    word->hash = (uint32_t)hash;
}

static inline void set_key(struct word *word, const char *folded, size_t size)
{
    load_key(word->key, folded, MIN(size, WORD_KEY_BYTES));
    uint64_t hash = hash_key(word->key);
    word->folded = folded;
    word->size = (uint16_t)size;
    word->rest = (uint64_t)size << 56;
    word->hash = (uint32_t)hash;
    if (size > WORD_KEY_BYTES)
        add_rest(word, hash, folded, size);
}

#if HAVE_SSE2

/* 64 bytes: lowered into lower, the masks of ASCII letters and digits and of other bytes. */
static inline void classify(const unsigned char *text, char *lower, uint64_t *ret_word,
                            uint64_t *ret_other)
{
    uint64_t word = 0, other = 0;
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
        __m128i upper = _mm_and_si128(_mm_cmpgt_epi8(c, _mm_set1_epi8('A' - 1)),
                                      _mm_cmpgt_epi8(_mm_set1_epi8('Z' + 1), c));
        c = _mm_add_epi8(c, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
        __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(c, _mm_set1_epi8('a' - 1)),
                                       _mm_cmpgt_epi8(_mm_set1_epi8('z' + 1), c));
        __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(c, _mm_set1_epi8('0' - 1)),
                                      _mm_cmpgt_epi8(_mm_set1_epi8('9' + 1), c));
        _mm_storeu_si128((__m128i *)(void *)(lower + i), c);
        word |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(letter, digit)) << i;
        other |= (uint64_t)(unsigned)_mm_movemask_epi8(c) << i;
    }
    *ret_word = word;
    *ret_other = other;
}

/* The first size bytes. */
static inline __m128i keep_mask(size_t size)
{
    static const uint8_t keep[2 * WORD_KEY_BYTES] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    };
    return _mm_loadu_si128((const __m128i *)(const void *)(keep + WORD_KEY_BYTES - size));
}

static inline void store_key(struct word *word, __m128i key)
{
    __m128i seeds = _mm_set_epi64x((long long)HASH_SEED_1, (long long)HASH_SEED_0);
    __m128i mixed = _mm_xor_si128(key, seeds);
    _mm_storeu_si128((__m128i *)(void *)word->key, key);
    word->hash = (uint32_t)mix((uint64_t)_mm_cvtsi128_si64(mixed),
                               (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(mixed, mixed)));
}

/* The low bits of an entry: class and length. */
#define FORM_BITS 63u
#define ONE_BYTE  (FOLD_LETTER | 1u << 4)
#define TWO_BYTES (FOLD_LETTER | 2u << 4)

/* c: four code points. difference gets bits of FORM_BITS where one is not of the form TWO_BYTES. */
static inline uint64_t fold_four(const uint32_t *direct, uint64_t c, uint32_t *difference)
{
    uint32_t e0 = direct[c & 0xFFFF], e1 = direct[c >> 16 & 0xFFFF];
    uint32_t e2 = direct[c >> 32 & 0xFFFF], e3 = direct[c >> 48];
    *difference |= (e0 ^ TWO_BYTES) | (e1 ^ TWO_BYTES) | (e2 ^ TWO_BYTES) | (e3 ^ TWO_BYTES);
    return (uint64_t)(uint16_t)FOLD_DATA(e0) | (uint64_t)(uint16_t)FOLD_DATA(e1) << 16 |
           (uint64_t)(uint16_t)FOLD_DATA(e2) << 32 | (uint64_t)(uint16_t)FOLD_DATA(e3) << 48;
}

/* Folds eight letters of two bytes each at once; where there are fewer, the mask says which bytes
 * they are. False where one is anything else (the two bytes of no good UTF-8 lead to ASCII), or
 * does not stay two bytes long. */
static inline bool fold_pairs(const uint32_t *direct, __m128i mask, __m128i *text)
{
    const uint16_t filler = 0xB0D0; /* U+0430 */
    __m128i all = _mm_or_si128(_mm_and_si128(mask, *text),
                               _mm_andnot_si128(mask, _mm_set1_epi16((short)filler)));
    __m128i form = _mm_and_si128(all, _mm_set1_epi16((short)0xC0E0));
    __m128i c = _mm_or_si128(_mm_slli_epi16(_mm_and_si128(all, _mm_set1_epi16(0x1F)), 6),
                             _mm_and_si128(_mm_srli_epi16(all, 8), _mm_set1_epi16(0x3F)));
    if (_mm_movemask_epi8(_mm_cmpeq_epi16(form, _mm_set1_epi16((short)0x80C0))) != 0xFFFF)
        return false;
    uint32_t difference = 0;
    uint64_t first = fold_four(direct, (uint64_t)_mm_cvtsi128_si64(c), &difference);
    uint64_t second =
        fold_four(direct, (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(c, c)), &difference);
    *text = _mm_and_si128(_mm_set_epi64x((long long)second, (long long)first), mask);
    return (difference & FORM_BITS) == 0;
}

/* Replaces letters of two bytes that fold to one: é. False where there is another character that is
 * not ASCII. others: which bytes are not. */
static inline bool fold_accents(const uint32_t *direct, const char *lower, unsigned others,
                                __m128i *text, size_t *size)
{
    while (others) {
        unsigned last = 31 - (unsigned)__builtin_clz(others);
        const unsigned char *p = (const unsigned char *)lower + last - 1;
        if (last == 0 || (p[0] & 0xE0) != 0xC0 || p[0] < 0xC2 || (p[1] & 0xC0) != 0x80)
            return false;
        uint32_t entry = direct[(p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu)];
        if ((entry & FORM_BITS) != ONE_BYTE)
            return false;
        __m128i before = keep_mask(last - 1), through = keep_mask(last);
        __m128i own =
            _mm_and_si128(_mm_andnot_si128(before, through), _mm_set1_epi8((char)FOLD_DATA(entry)));
        *text =
            _mm_or_si128(_mm_and_si128(*text, before),
                         _mm_or_si128(own, _mm_andnot_si128(through, _mm_srli_si128(*text, 1))));
        others &= (1u << (last - 1)) - 1;
        --*size;
    }
    return true;
}

/* Sets the key and hash of a word of up to WORD_KEY_BYTES. False where it is not all ASCII. */
static inline bool take_key(struct word *word, const char *lower, size_t size)
{
    __m128i text = _mm_loadu_si128((const __m128i *)(const void *)lower);
    __m128i key = _mm_and_si128(text, keep_mask(size));
    store_key(word, key);
    return _mm_movemask_epi8(key) == 0;
}

static inline bool take_short(const uint32_t *direct, struct word *word, const char *lower,
                              size_t size, char *out)
{
    __m128i mask = keep_mask(size);
    __m128i key = _mm_and_si128(mask, _mm_loadu_si128((const __m128i *)(const void *)lower));
    unsigned others = (unsigned)_mm_movemask_epi8(key);
    bool is_folded = others == (1u << size) - 1 ? size % 2 == 0 && fold_pairs(direct, mask, &key)
                                                : fold_accents(direct, lower, others, &key, &size);
    if (!is_folded)
        return false;
    _mm_storeu_si128((__m128i *)(void *)out, key);
    store_key(word, key);
    word->folded = out;
    word->size = (uint16_t)size;
    word->rest = (uint64_t)size << 56;
    return true;
}

static inline bool take_long(const uint32_t *direct, struct word *word, const char *lower,
                             size_t size, char *out)
{
    if (size % 2 != 0 || size > WORD_BYTES_MAX)
        return false;
    for (size_t at = 0; at < size; at += WORD_KEY_BYTES) {
        __m128i text = _mm_loadu_si128((const __m128i *)(const void *)(lower + at));
        if (!fold_pairs(direct, keep_mask(MIN(size - at, WORD_KEY_BYTES)), &text))
            return false;
        _mm_storeu_si128((__m128i *)(void *)(out + at), text);
    }
    set_key(word, out, size);
    return true;
}

/* A run that is not all ASCII and is one word, of plain letters of two bytes throughout, or ASCII
 * but for some that fold to ASCII: sets all but where it is, and puts its folded form at out. Most
 * alphabets' words are such. False where it is, or may be, anything else. */
static inline bool take_letters(const uint32_t *direct, struct word *word, const char *lower,
                                size_t size, char *out)
{
    return size <= WORD_KEY_BYTES ? take_short(direct, word, lower, size, out)
                                  : take_long(direct, word, lower, size, out);
}

#else

static inline void classify(const unsigned char *text, char *lower, uint64_t *ret_word,
                            uint64_t *ret_other)
{
    uint64_t word = 0, other = 0;
    for (unsigned i = 0; i < 64; i++) {
        lower[i] = g_ascii_tolower((char)text[i]);
        word |= (uint64_t)(g_ascii_isalnum((char)text[i]) != 0) << i;
        other |= (uint64_t)(text[i] >> 7) << i;
    }
    *ret_word = word;
    *ret_other = other;
}

static inline bool take_key(struct word *word, const char *lower, size_t size)
{
    load_key(word->key, lower, size);
    word->hash = (uint32_t)hash_key(word->key);
    return !((word->key[0] | word->key[1]) & UINT64_C(0x8080808080808080));
}

static inline bool take_letters(const uint32_t *direct, struct word *word, const char *lower,
                                size_t size, char *out)
{
    (void)direct;
    (void)word;
    (void)lower;
    (void)size;
    (void)out;
    return false;
}

#endif

#endif
