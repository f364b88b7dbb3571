/* rule/eval - running a compiled program over an indexed item. */
#ifndef RULE_EVAL_H
#define RULE_EVAL_H

#include "rule/item.h"
#include "rule/leaf.h"
#include "rule/program.h"
#include "rule/rule.h"

#include <stdbool.h>
#include <stdint.h>

/* What a list came to in this item, in these fields. */
struct list_memo {
    uint64_t item; /* number of the item it is of */
    uint32_t fields;
    bool holds;
};

struct eval {
    const struct ruleset *set;
    struct item_index *index;
    struct leaf_scratch leaf;
    struct list_memo *lists; /* for each list */
    uint64_t item;           /* number of the item at hand */
    bool assumes_regex;      /* take regexes for whatever would let the rule hold */
    bool is_negated;         /* while regexes are assumed: below an odd number of NOTs */
};

bool eval_node(struct eval *eval, const uint32_t *pc, unsigned fields);
/* A rule of the set, with its budgets; feeds are not looked at. *ret_stopped: a budget was used up,
 * so that the answer may be wrong. */
bool eval_rule(struct eval *eval, const struct rule_entry *rule, bool *ret_stopped);
/* The same for the program of a rule without a regex. found: where in it is an operand of its AND
 * that a word of the item is known to make true; 0: nowhere. */
bool eval_program(struct eval *eval, const uint32_t *pc, uint32_t found, unsigned fields,
                  bool *ret_stopped);
/* The matches of a node that has positions, sorted. */
void eval_spans(struct eval *eval, const uint32_t *pc, unsigned fields, struct spans *out);

/* Appends what made the program true to list (struct rule_evidence). terms: the first
 * of the program, as written; list_name may be NULL. Call only where it holds. */
void eval_evidence(struct eval *eval, const uint32_t *pc, unsigned fields, const char *terms,
                   const char *list_name, GArray *list);
/* Why the rule does not hold (rule_matcher_explain()). */
char *eval_explain(struct eval *eval, const struct rule_entry *rule, char **ret_clause);

#endif
