#include "text/words.h"

#include "text/fold.h"
#include "text/utf8.h"
#include "text/word_key.h"

#include <glib.h>
#include <string.h>

/* The text is taken a window at a time. One pass lowers its ASCII letters and notes in two bit
 * masks which bytes are ASCII letters or digits and which are not ASCII. A run of either is then a
 * word outright where it is all ASCII, and is decoded, folded and cut otherwise. A run that touches
 * the window's end is put off: the next window begins with it. */
#define WINDOW      2048u
#define WINDOW_BITS (WINDOW / 64)
/* No character folds to more than 11 bytes, or to more than 2 words, per byte of its own. */
#define FOLDED_MAX (WINDOW * 12u)
#define WORDS_MAX  (WINDOW * 2u)
#define SLACK      32u

struct words {
    const struct fold_table *table;
    const unsigned char *text;
    size_t size;
    size_t pos; /* where the next window begins */
    size_t n;
    size_t n_folded;
    uint64_t word_bits[WINDOW_BITS];  /* ASCII letters and digits */
    uint64_t other_bits[WINDOW_BITS]; /* bytes above 0x7F */
    char lower[WINDOW + SLACK];
    char folded[FOLDED_MAX + WORD_BYTES_MAX + 4 * FOLD_SEQUENCE_MAX + SLACK];
    struct word list[WORDS_MAX + 4];
};

/* The state of the decoding pass: the word that is being put together. */
struct fold_run {
    struct words *words;
    char *begin, *out;                /* its folded bytes so far */
    const unsigned char *start, *end; /* its source so far; start NULL: between words */
    bool is_single;
    enum fold_class jamo; /* FOLD_LEADING or FOLD_VOWEL where a syllable may go on */
};

/* One folded character and where it comes from. */
struct piece {
    uint32_t entry, code_point;
    const char *bytes; /* UTF-8 of code_point */
    size_t n_bytes;
    const unsigned char *from, *to; /* in the text */
};

struct words *words_new(void)
{
    struct words *words = g_new0(struct words, 1);
    words->table = fold_table();
    return words;
}

void words_free(struct words *words)
{
    g_free(words);
}

void words_start(struct words *words, const char *text, size_t size)
{
    words->text = (const unsigned char *)text;
    words->size = size;
    words->pos = 0;
}

void word_set_key(struct word *word, const char *folded, size_t size)
{
    set_key(word, folded, size);
}

uint32_t word_beginning_hash(const struct word *word, size_t size)
{
    uint64_t key[2];
    struct word begin;
    if (size <= WORD_KEY_BYTES) {
        load_key(key, (const char *)word->key, size);
        return (uint32_t)hash_key(key);
    }
    set_key(&begin, word->folded, size);
    return begin.hash;
}

static inline void put_word(struct words *words, const char *folded, size_t size, size_t start,
                            size_t end, bool is_single)
{
    struct word *word = &words->list[words->n++];
    set_key(word, folded, size);
    word->start = (uint32_t)start;
    word->end = (uint32_t)end;
    word->is_single = is_single;
}

static void finish_word(struct fold_run *run)
{
    if (run->start) {
        struct words *words = run->words;
        size_t size = (size_t)(run->out - run->begin);
        if (size > WORD_BYTES_MAX)
            size = WORD_BYTES_MAX;
        put_word(words, run->begin, size, (size_t)(run->start - words->text),
                 (size_t)(run->end - words->text), run->is_single);
        run->begin = run->out;
        run->start = NULL;
    }
    run->jamo = FOLD_SEPARATOR;
}

static void begin_word(struct fold_run *run, const unsigned char *from, bool is_single)
{
    finish_word(run);
    run->start = from;
    run->is_single = is_single;
}

static void append(struct fold_run *run, const struct piece *piece)
{
    uint32_t data = GUINT32_TO_LE(FOLD_DATA(piece->entry));
    size_t length = FOLD_LENGTH(piece->entry);
    if (length == 0) {
        length = piece->n_bytes;
        memcpy(run->out, piece->bytes, length);
    } else {
        memcpy(run->out, &data, sizeof data);
    }
    run->out += length;
    run->end = piece->to;
}

/* U+0306 on и or у, U+0308 on і: the letter's second byte becomes that of й, ў or ї. */
static void compose_cyrillic(struct fold_run *run, enum fold_class class)
{
    if (!run->start || run->out - run->begin < 2)
        return;
    unsigned char *at = (unsigned char *)run->out - 2;
    if (class == FOLD_BREVE && at[0] == 0xD0 && at[1] == 0xB8)
        at[1] = 0xB9;
    else if (class == FOLD_BREVE && at[0] == 0xD1 && at[1] == 0x83)
        at[1] = 0x9E;
    else if (class == FOLD_DIAERESIS && at[0] == 0xD1 && at[1] == 0x96)
        at[1] = 0x97;
}

/* The combining class of the kept mark that these bytes are; 0 for anything else. */
static unsigned combining_class(const struct words *words, const char *bytes, size_t size)
{
    size_t pos = 0;
    uint32_t c = utf8_next(bytes, size, &pos);
    uint32_t entry = c < FOLD_CODE_POINTS ? fold_entry(words->table, c) : 0;
    return FOLD_CLASS(entry) == FOLD_MARK ? FOLD_DATA(entry) : 0;
}

/* Appends a mark in canonical order: before marks of a higher combining class. */
static void append_mark(struct fold_run *run, const struct piece *piece)
{
    unsigned class = FOLD_DATA(piece->entry);
    if (!run->start)
        begin_word(run, piece->from, false);
    char *at = run->out;
    while (class > 0 && at > run->begin) {
        char *before = at - 1;
        while (before > run->begin && ((unsigned char)*before & 0xC0) == 0x80)
            before--;
        if (combining_class(run->words, before, (size_t)(at - before)) <= class)
            break;
        at = before;
    }
    memmove(at + piece->n_bytes, at, (size_t)(run->out - at));
    memcpy(at, piece->bytes, piece->n_bytes);
    run->out += piece->n_bytes;
    run->end = piece->to;
    run->jamo = FOLD_SEPARATOR;
}

static void append_jamo(struct fold_run *run, enum fold_class class, const struct piece *piece,
                        uint32_t code_point)
{
    enum fold_class before = class == FOLD_VOWEL ? FOLD_LEADING : FOLD_VOWEL;
    bool joins = class != FOLD_LEADING && run->start && run->jamo == before;
    if (!joins)
        begin_word(run, piece->from, true);
    if (class == FOLD_LEADING || (class == FOLD_VOWEL && joins))
        run->jamo = class;
    else
        run->jamo = FOLD_SEPARATOR;
    run->out += utf8_put(run->out, code_point);
    run->end = piece->to;
}

/* Unicode 3.12: a syllable's number is (leading * 21 + vowel) * 28 + trailing. */
static void append_syllable(struct fold_run *run, const struct piece *piece)
{
    uint32_t index = piece->code_point - 0xAC00;
    append_jamo(run, FOLD_LEADING, piece, 0x1100 + index / (21 * 28));
    append_jamo(run, FOLD_VOWEL, piece, 0x1161 + index / 28 % 21);
    if (index % 28 != 0)
        append_jamo(run, FOLD_TRAILING, piece, 0x11A7 + index % 28);
}

static void step_plain(struct fold_run *run, const struct piece *piece)
{
    enum fold_class class = FOLD_CLASS(piece->entry);
    switch (class) {
    case FOLD_SEPARATOR:
        finish_word(run);
        break;
    case FOLD_LETTER:
        if (!run->start || run->is_single)
            begin_word(run, piece->from, false);
        append(run, piece);
        break;
    case FOLD_SINGLE:
        begin_word(run, piece->from, true);
        append(run, piece);
        break;
    case FOLD_MARK:
        append_mark(run, piece);
        break;
    case FOLD_BREVE:
    case FOLD_DIAERESIS:
    case FOLD_DROPPED:
        compose_cyrillic(run, class);
        run->end = piece->to;
        break;
    case FOLD_SYLLABLE:
        append_syllable(run, piece);
        break;
    case FOLD_LEADING:
    case FOLD_VOWEL:
    case FOLD_TRAILING:
        append_jamo(run, class, piece, piece->code_point);
        break;
    case FOLD_IGNORED:
    case FOLD_SEQUENCE:
        break;
    }
}

static void step_sequence(struct fold_run *run, const struct piece *whole)
{
    const struct fold_table *table = run->words->table;
    const uint32_t *sequence = table->sequences + FOLD_DATA(whole->entry);
    for (uint32_t i = 1; i <= sequence[0]; i++) {
        char bytes[4];
        struct piece piece = *whole;
        piece.code_point = sequence[i];
        piece.entry = fold_entry(table, sequence[i]);
        piece.bytes = bytes;
        piece.n_bytes = utf8_put(bytes, sequence[i]);
        step_plain(run, &piece);
    }
}

/* The rare characters: all but plain letters. Returns what follows. */
static const unsigned char *step(struct fold_run *run, const unsigned char *p,
                                 const unsigned char *limit)
{
    size_t pos = 0;
    uint32_t c = utf8_next((const char *)p, (size_t)(limit - p), &pos);
    if (c == UTF8_INVALID) {
        finish_word(run);
        return p + pos;
    }
    struct piece piece = {.entry = fold_entry(run->words->table, c),
                          .code_point = c,
                          .bytes = (const char *)p,
                          .n_bytes = pos,
                          .from = p,
                          .to = p + pos};
    if (FOLD_CLASS(piece.entry) == FOLD_SEQUENCE)
        step_sequence(run, &piece);
    else
        step_plain(run, &piece);
    return p + pos;
}

static inline bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Folds plain letters of one or two bytes, which most are, for as long as there are such. limit is
 * the end of the text. */
static inline const unsigned char *fold_letters(const uint32_t *direct, const unsigned char *p,
                                                const unsigned char *end,
                                                const unsigned char *limit, char **out)
{
    char *at = *out;
    while (p < end) {
        uint32_t entry;
        if (p[0] < 0x80) {
            entry = direct[p[0]];
            if (FOLD_CLASS(entry) != FOLD_LETTER)
                break;
            *at++ = (char)FOLD_DATA(entry);
            p++;
        } else if (p[0] >= 0xC2 && p[0] < 0xE0 && limit - p > 1 && is_continuation(p[1])) {
            entry = direct[(p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu)];
            uint32_t data = GUINT32_TO_LE(FOLD_DATA(entry));
            if (FOLD_CLASS(entry) != FOLD_LETTER)
                break;
            memcpy(at, &data, sizeof data);
            at += FOLD_LENGTH(entry);
            p += 2;
        } else {
            break;
        }
    }
    *out = at;
    return p;
}

/* Characters of three bytes that are words by themselves, for as long as there are such: Han, kana,
 * Thai. */
static const unsigned char *fold_singles(struct fold_run *run, const unsigned char *p,
                                         const unsigned char *limit)
{
    while (limit - p >= 3 && (p[0] & 0xF0) == 0xE0 && is_continuation(p[1]) &&
           is_continuation(p[2])) {
        uint32_t c = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        uint32_t entry = fold_entry(run->words->table, c), length = FOLD_LENGTH(entry);
        uint32_t own = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
        uint32_t data = GUINT32_TO_LE(length ? FOLD_DATA(entry) : own);
        if (FOLD_CLASS(entry) != FOLD_SINGLE || c < 0x800)
            break;
        begin_word(run, p, true);
        memcpy(run->out, &data, sizeof data);
        run->out += length ? length : 3;
        p += 3;
        run->end = p;
    }
    return p;
}

/* Folds the bytes from p on, to end or, where a character reaches beyond it, a little further.
 * Returns where it stopped; a word may be under way then. limit is the end of the text. */
static const unsigned char *fold_bytes(struct fold_run *run, const unsigned char *p,
                                       const unsigned char *end, const unsigned char *limit)
{
    while (p < end) {
        if (!run->start || !run->is_single) {
            const unsigned char *start = p;
            char *out = run->out;
            p = fold_letters(run->words->table->entries, p, end, limit, &out);
            if (p > start && !run->start)
                begin_word(run, start, false);
            run->out = out;
            run->end = p > start ? p : run->end;
        }
        if (p < end)
            p = fold_singles(run, p, end);
        if (p < end)
            p = step(run, p, limit);
    }
    return p;
}

/* A word that fills the window and more: only the beginning of its folded form is kept. */
static const unsigned char *fold_long_word(struct fold_run *run, const unsigned char *p,
                                           const unsigned char *limit)
{
    const unsigned char *start = run->start;
    while (p < limit && run->start == start) {
        if (run->out - run->begin > WORD_BYTES_MAX)
            run->out = run->begin + WORD_BYTES_MAX;
        p = fold_bytes(run, p, p + 1, limit);
    }
    return p;
}

static void fold_run_init(struct fold_run *run, struct words *words)
{
    *run = (struct fold_run){.words = words,
                             .begin = words->folded + words->n_folded,
                             .out = words->folded + words->n_folded,
                             .jamo = FOLD_SEPARATOR};
}

static void fold_whole_run(struct words *words, size_t start, size_t end)
{
    const unsigned char *first = words->text + start, *limit = words->text + end;
    char *begin = words->folded + words->n_folded, *out = begin;
    const unsigned char *p = fold_letters(words->table->entries, first, limit, limit, &out);
    if (G_LIKELY(p == limit)) {
        put_word(words, begin, MIN((size_t)(out - begin), WORD_BYTES_MAX), start, end, false);
        words->n_folded = (size_t)(out - words->folded);
        return;
    }
    struct fold_run run;
    fold_run_init(&run, words);
    fold_bytes(&run, first, limit, limit);
    finish_word(&run);
    words->n_folded = (size_t)(run.out - words->folded);
}

/* The run start..end goes on beyond the window, which began at base: cuts it as far as its words
 * are complete. Returns where the next window is to begin. */
static size_t fold_open_run(struct words *words, size_t base, size_t start, size_t end)
{
    struct fold_run run;
    const unsigned char *limit = words->text + words->size;
    fold_run_init(&run, words);
    const unsigned char *p = fold_bytes(&run, words->text + start, words->text + end, limit);
    if (run.start && run.start > words->text + base)
        return (size_t)(run.start - words->text);
    if (run.start)
        p = fold_long_word(&run, p, limit);
    if (run.start && p < limit)
        return (size_t)(run.start - words->text);
    finish_word(&run);
    return (size_t)(p - words->text);
}

static void classify_window(struct words *words, size_t base, size_t size)
{
    size_t at = 0;
    for (; at + 64 <= size; at += 64)
        classify(words->text + base + at, words->lower + at, &words->word_bits[at / 64],
                 &words->other_bits[at / 64]);
    if (at < size) {
        unsigned char rest[64] = {0};
        memcpy(rest, words->text + base + at, size - at);
        classify(rest, words->lower + at, &words->word_bits[at / 64], &words->other_bits[at / 64]);
    }
}

/* Whether any of the bits start..end is set. */
static bool any_bit(const uint64_t *bits, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++)
        if (bits[i / 64] >> i % 64 & 1)
            return true;
    return false;
}

/* The words of a run that is long or not all ASCII, behind those up to word. */
static struct word *put_other_run(struct words *words, struct word *word, size_t base, size_t start,
                                  size_t end)
{
    const char *lower = words->lower + start;
    size_t size = end - start;
    if (take_letters(words->table->entries, word, lower, size, words->folded + words->n_folded)) {
        words->n_folded += word->size;
        word->start = (uint32_t)(base + start);
        word->end = (uint32_t)(base + end);
        word->is_single = false;
        return word + 1;
    }
    words->n = (size_t)(word - words->list);
    if (size <= WORD_KEY_BYTES || any_bit(words->other_bits, start, end))
        fold_whole_run(words, base + start, base + end);
    else
        put_word(words, lower, MIN(size, WORD_BYTES_MAX), base + start, base + end, false);
    return words->list + words->n;
}

static inline struct word *put_run(struct words *words, struct word *word, size_t base,
                                   size_t start, size_t end)
{
    const char *lower = words->lower + start;
    size_t size = end - start;
    if (G_UNLIKELY(size > WORD_KEY_BYTES))
        return put_other_run(words, word, base, start, end);
    if (!take_key(word, lower, size))
        return put_other_run(words, word, base, start, end);
    word->folded = lower;
    word->size = (uint16_t)size;
    word->rest = (uint64_t)size << 56;
    word->start = (uint32_t)(base + start);
    word->end = (uint32_t)(base + end);
    word->is_single = false;
    return word + 1;
}

/* The words of all runs that end in the window or with the text. Returns where the one begins that
 * does not; the window's size where there is none. */
static size_t put_runs(struct words *words, size_t base, size_t size)
{
    struct word *word = words->list;
    size_t open = size;
    for (size_t at = 0; at < size; at += 64) {
        uint64_t bits = words->word_bits[at / 64] | words->other_bits[at / 64];
        if (open < size) {
            if (!~bits)
                continue;
            word = put_run(words, word, base, open, at + (size_t)__builtin_ctzll(~bits));
            open = size;
            bits &= bits + 1;
        }
        while (bits) {
            uint64_t behind = bits + (bits & -bits), end = behind & ~bits;
            size_t start = at + (size_t)__builtin_ctzll(bits);
            bits &= behind; /* 0 where the run goes on */
            if (end)
                word = put_run(words, word, base, start, at + (size_t)__builtin_ctzll(end));
            else
                open = start;
        }
    }
    if (open < size && base + size == words->size) {
        word = put_run(words, word, base, open, size);
        open = size;
    }
    words->n = (size_t)(word - words->list);
    return open;
}

/* Cuts the window that begins at pos and moves pos on. */
static void cut_window(struct words *words)
{
    size_t base = words->pos, size = MIN(words->size - base, WINDOW);
    classify_window(words, base, size);
    size_t open = put_runs(words, base, size);
    words->pos = base + open;
    if (open < size && (open == 0 || any_bit(words->other_bits, open, size)))
        words->pos = fold_open_run(words, base, base + open, base + size);
}

size_t words_next(struct words *words, const struct word **ret_words)
{
    words->n = words->n_folded = 0;
    while (words->n == 0 && words->pos < words->size)
        cut_window(words);
    *ret_words = words->list;
    return words->n;
}
