/* rule/program - compiled rules as they lie in memory.
 *
 * A program is a tree in prefix order, 32-bit words: an operator in the top four bits, its payload
 * in the rest. Inner nodes carry the size of their body in words, so that it can be skipped:
 *
 *     AND size body            NOT size body
 *     OR size, order, words, others
 *     NEAR size, distance (bit 31: ordered), left, right
 *     ATLEAST size, count, body
 *     IN size, mask, body      the body is sought in these fields
 *     NEED size, ids, leaf     a LEAF that matches only where all these words are
 *     PHRASE size, ids, pair   these words in a row, VOCAB_ANY among them
 *     WORD id                  one word, by its number in the vocabulary
 *     LEAF index               anything else, in ruleset.leaves
 *     LIST index               an OR that several rules share, in ruleset.lists
 *
 * Each WORD, PHRASE and LEAF of a program has, in order, the term as it was written in
 * ruleset.terms. Of the operands of an OR the words come first, because they cost least. In which
 * order they were written, and have their terms, says its order: how many words there are in the
 * top eight bits, and in the others, from the lowest on, which operands are words. An OR of more
 * than OR_OPERANDS_MAX is one of ORs, its parts. */
#ifndef RULE_PROGRAM_H
#define RULE_PROGRAM_H

#include "rule/exact.h"
#include "rule/field.h"
#include "rule/regex.h"
#include "rule/rule.h"
#include "rule/scope.h"
#include "rule/vocab.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

enum program_op {
    OP_WORD,
    OP_LEAF,
    OP_LIST,
    OP_AND,
    OP_OR,
    OP_NOT,
    OP_NEAR,
    OP_ATLEAST,
    OP_IN,
    OP_NEED,
    OP_PHRASE
};

#define PROGRAM_OP(word)         ((enum program_op)((word) >> 28))
#define PROGRAM_PAYLOAD(word)    ((word)&UINT32_C(0x0FFFFFFF))
#define PROGRAM_MAKE(op, number) ((uint32_t)(op) << 28 | (uint32_t)(number))
#define PROGRAM_ORDERED          UINT32_C(0x80000000)
#define PROGRAM_NONE             UINT32_MAX
/* Words of a program that are brought in before it runs; most are not longer. As many may be read
 * behind the last one. */
#define PROGRAM_TOUCHED 32u

enum leaf_kind {
    LEAF_PHRASE,    /* words in a row, of which some are exact */
    LEAF_UNORDERED, /* words in any order */
    LEAF_EXACT,     /* words in a row, compared with an exact text as a whole */
    LEAF_REGEX,
    LEAF_VALUE
};

struct rule_leaf {
    uint8_t kind;
    bool has_exacts; /* PHRASE, UNORDERED: words are followed by as many indexes of exacts */
    uint16_t n_words;
    uint16_t distance; /* UNORDERED */
    uint16_t fields;   /* VALUE, and REGEX in a value field: its bit; else 0 */
    uint32_t at;       /* words in ruleset.words (EXACT: and then an index of exacts); REGEX: index;
                          VALUE: offset of the value in ruleset.strings */
};

struct rule_entry {
    uint32_t code, n_code; /* in ruleset.code */
    uint32_t terms;        /* offset of its first term in ruleset.terms */
    uint32_t id;           /* offset in ruleset.strings */
    uint32_t scope;        /* index, PROGRAM_NONE: every feed */
    uint16_t fields;       /* where terms without a field look */
    bool has_regex;
    bool has_exclude; /* the program is AND match, NOT exclude */
};

struct rule_list { /* a list, compiled for rules with one choice of languages */
    uint32_t code, n_code;
    uint32_t terms;
    uint32_t name; /* offset in ruleset.strings */
};

struct ruleset {
    gint n_refs;
    struct vocab *vocab;
    GArray *code;   /* uint32_t */
    GString *terms; /* as they were written, NUL-terminated one after another */
    GArray *words;  /* uint32_t: vocabulary ids of leaves */
    GArray *leaves; /* struct rule_leaf */
    GArray *exacts; /* struct exact, texts in strings */
    GArray *rules;  /* struct rule_entry */
    GArray *lists;  /* struct rule_list; one that uses another comes after it */
    GPtrArray *regexes;
    GPtrArray *scopes;
    GString *strings; /* NUL-terminated one after another */
    unsigned fields;  /* text fields that any rule looks at */
};

static inline const char *ruleset_string(const struct ruleset *set, uint32_t offset)
{
    return set->strings->str + offset;
}

static inline const uint32_t *ruleset_code(const struct ruleset *set, uint32_t at)
{
    return &g_array_index(set->code, uint32_t, at);
}

/* Two words side by side, by their hashes, and in the low bits the place of the first of them in
 * its phrase. Of a phrase without two neighbours that are whole words it is PAIR_NONE. */
#define PAIR_PLACE(pair) ((pair)&15u)
#define PAIR_NONE        15u
#define PAIR_BITS        28u /* that are of the hashes, from the highest on */

static inline uint32_t pair_of(uint32_t first, uint32_t second)
{
    return ((first * UINT32_C(0x9E3779B1) ^ second) * UINT32_C(0x85EBCA6B)) & ~UINT32_C(15);
}

#define OR_OPERANDS_MAX   24u
#define OR_MAKE(n, order) ((uint32_t)(n) << OR_OPERANDS_MAX | (order))
#define OR_OF_PARTS       UINT32_C(1) /* the order of one that was too long */

/* Steps over a term. */
static inline const char *program_next_term(const char **terms)
{
    const char *term = *terms;
    *terms += strlen(term) + 1;
    return term;
}

/* Words of the code at pc, operator and body. */
static inline uint32_t program_size(const uint32_t *pc)
{
    return PROGRAM_OP(*pc) >= OP_AND ? 1 + PROGRAM_PAYLOAD(*pc) : 1;
}

/* Where the operands of an inner node begin. */
static inline const uint32_t *program_operands(const uint32_t *pc)
{
    enum program_op op = PROGRAM_OP(*pc);
    return pc + (op == OP_AND || op == OP_NOT ? 1 : 2);
}

/* How many of an OR's operands are words, which come first. */
static inline uint32_t program_or_words(const uint32_t *pc)
{
    return pc[1] >> OR_OPERANDS_MAX;
}

/* The operands of an OR as they were written. */
struct program_or {
    const uint32_t *word, *other; /* the next of either */
    const uint32_t *words_end, *end;
    uint32_t order;
};

static inline struct program_or program_or_start(const uint32_t *pc)
{
    const uint32_t *words_end = pc + 2 + program_or_words(pc);
    return (struct program_or){pc + 2, words_end, words_end, pc + program_size(pc), pc[1]};
}

/* NULL at the end. */
static inline const uint32_t *program_or_next(struct program_or *operands)
{
    bool is_word = operands->word < operands->words_end && (operands->order & 1);
    const uint32_t *next = is_word ? operands->word++ : operands->other;
    operands->order >>= 1;
    if (is_word)
        return next;
    if (next == operands->end)
        return NULL;
    operands->other += program_size(next);
    return next;
}

/* Whether it stands for one term. */
static inline bool program_is_term(const uint32_t *pc)
{
    enum program_op op = PROGRAM_OP(*pc);
    return op == OP_WORD || op == OP_LEAF || op == OP_NEED || op == OP_PHRASE;
}

/* The LEAF of a NEED. */
static inline const uint32_t *program_needed(const uint32_t *pc)
{
    return pc + PROGRAM_PAYLOAD(*pc);
}

#endif
