/* rule/query - the query language: text to syntax tree.
 *
 * The grammar and every error are those of feedwatch-rules(5). Trees live in an arena. What is
 * wrong goes to a struct rule_problems; a text with an error gives no tree. Scripts, letters and
 * limits are judged on folded words.
 *
 *     or   := and { OR and }               and  := near { [AND] near }
 *     near := ATLEAST/n near | unary { NEAR/n unary }
 *     unary := (NOT | -) near-or-primary   primary := ( or ) | field:primary | term | @list
 */
#ifndef RULE_QUERY_H
#define RULE_QUERY_H

#include "base/arena.h"
#include "rule/field.h"
#include "rule/problem.h"
#include "text/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUERY_NEAR_DEFAULT  10u
#define QUERY_NEAR_MAX      100u
#define QUERY_ATLEAST_MAX   1000u
#define QUERY_UNORDERED_MAX 32u /* words in "…"~n */
#define QUERY_PHRASE_MAX    1000u

enum word_test {
    WORD_IS,
    WORD_BEGINS,   /* cuba* */
    WORD_LIKE,     /* c?ba */
    WORD_INFLECTS, /* cuba~ */
    WORD_ANY       /* a lone * in a phrase */
};

struct query_word {
    enum word_test test;
    const char *folded; /* readable 16 bytes beyond; for WORD_LIKE with the wildcards in it */
    size_t size;
    const char *exact; /* `=WORD` in a phrase: its text, else NULL */
    size_t exact_size;
    uint32_t hash; /* struct word's, of folded */
    size_t place;  /* in the vocabulary (vocab_ask()) */
};

enum term_kind {
    TERM_WORDS,     /* one word, or a phrase */
    TERM_UNORDERED, /* "…"~n */
    TERM_EXACT,     /* =X */
    TERM_REGEX,
    TERM_VALUE /* feed:, lang:, site:, link: */
};

struct query_term {
    enum term_kind kind;
    struct query_word *words;
    size_t n_words;
    unsigned distance; /* TERM_UNORDERED */
    const char *text;  /* EXACT: as written, after the =; REGEX: the pattern; VALUE: the value */
    size_t text_size;
    bool is_caseful;      /* REGEX */
    bool matches_nothing; /* REGEX: it matches the empty text */
    unsigned field;       /* VALUE, and REGEX in such a field: its bit, else 0 */
};

enum query_kind {
    QUERY_TERM,
    QUERY_LIST,
    QUERY_AND,
    QUERY_OR,
    QUERY_NOT,
    QUERY_NEAR,
    QUERY_ATLEAST,
    QUERY_IN /* a field before a term or group */
};

struct query_node {
    enum query_kind kind;
    unsigned depth;
    size_t start, end;                      /* in the text it was read from */
    struct query_node *first, *last, *next; /* children, siblings */
    struct query_term *term;
    size_t list;     /* QUERY_LIST: index */
    unsigned n;      /* NEAR: words between; ATLEAST: how many */
    bool is_ordered; /* ONEAR */
    unsigned fields; /* QUERY_IN */
    bool in_parentheses;
    bool has_hash; /* lint_hash() with hash_mask gave hash */
    unsigned hash_mask;
    uint64_t hash;
};

struct query_context {
    struct arena *arena;
    struct rule_problems *problems;
    struct words *words;
    GArray *term;                      /* scratch: struct query_word, of the term at hand */
    GString *pattern;                  /* scratch: the word with wildcards at hand */
    const struct rule_list_def *lists; /* that @ may name */
    size_t n_lists;
};

/* NULL after an error. */
struct query_node *query_parse(struct query_context *context, const char *text);
/* The items of a list as one QUERY_OR. NULL after an error. */
struct query_node *query_parse_list(struct query_context *context, const char *text);
/* "title, body" -> a mask; 0 after an error. */
unsigned query_parse_fields(struct query_context *context, const char *text);

/* What the parts of the parser share. */
enum operator_kind {
    OPERATOR_NONE, /* a term */
    OPERATOR_AND,
    OPERATOR_OR,
    OPERATOR_NOT,
    OPERATOR_NEAR,
    OPERATOR_ONEAR,
    OPERATOR_ATLEAST,
    OPERATOR_END, /* of the text, or a closing parenthesis */
    OPERATOR_BAD  /* reported */
};

struct operator_token {
    enum operator_kind kind;
    unsigned n;
    size_t start, end;
};

struct query_parser {
    struct query_context *context;
    const char *text;
    size_t size, pos;
    unsigned depth;
    unsigned value_field; /* inside feed:, lang:, site:, link: the bit of that field */
    bool is_list;         /* items end at a comma, too */
    size_t n_bad;         /* behind the last operator that was reported, so that it is once */
    struct operator_token peeked; /* what comes at its start */
    bool has_peeked;
};

struct query_node *query_node_new(struct query_parser *parser, enum query_kind kind, size_t start);
void query_append(struct query_node *parent, struct query_node *child);
/* The bytes of the blank at pos, which is no ASCII character; 0 where there is none. */
size_t query_wide_blank(const struct query_parser *parser, size_t pos);
/* The same for any pos. */
static inline size_t query_blank(const struct query_parser *parser, size_t pos)
{
    if (pos >= parser->size)
        return 0;
    unsigned char c = (unsigned char)parser->text[pos];
    if (c >= 0x80) /* no other begins one */
        return c == 0xC2 || c == 0xE2 || c == 0xE3 ? query_wide_blank(parser, pos) : 0;
    return c == ' ' || (c >= '\t' && c <= '\r');
}

void query_skip_all_blanks(struct query_parser *parser);
static inline void query_skip_blanks(struct query_parser *parser)
{
    if (query_blank(parser, parser->pos))
        query_skip_all_blanks(parser);
}
/* The end of the run at pos that holds no blank, parenthesis or quote. */
size_t query_run_end(const struct query_parser *parser, size_t pos);

/* One term at pos: bare, quoted, exact or a regex. NULL after an error. */
struct query_node *query_parse_term(struct query_parser *parser);
/* @list at pos. NULL after an error. */
struct query_node *query_parse_reference(struct query_parser *parser);
/* The words that text[start..end] stands for, appended to words. False after an error. */
bool query_cut_words(struct query_parser *parser, size_t start, size_t end, GArray *words);
/* A list item of bare words, text[start..end], as their phrase. NULL after an error. */
struct query_node *query_parse_phrase(struct query_parser *parser, size_t start, size_t end);

#endif
