/* rule/problem - what is wrong with rules, collected.
 *
 * A struct rule_problems notes which setting of which rule or list is being read, so that whoever
 * finds something names only the place in it. */
#ifndef RULE_PROBLEM_H
#define RULE_PROBLEM_H

#include "rule/rule.h"

#include <glib.h>

struct rule_problems {
    GArray *list; /* struct rule_problem */
    enum rule_part part;
    size_t owner;
    size_t n_errors;
};

void rule_problems_init(struct rule_problems *problems);
void rule_problems_at(struct rule_problems *problems, enum rule_part part, size_t owner);
void rule_error(struct rule_problems *problems, size_t offset, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void rule_warning(struct rule_problems *problems, size_t offset, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* The name that is closest to text by edits (with transpositions), NULL where none is close. A
 * candidate is offered with nearest_try() one by one. */
struct nearest {
    const char *text;
    size_t size;
    const char *best; /* borrowed from the candidates */
    unsigned distance;
};
void nearest_init(struct nearest *nearest, const char *text, size_t size);
void nearest_try(struct nearest *nearest, const char *candidate);
/* "; did you mean NAME?", or "". */
char *nearest_hint(const struct nearest *nearest, const char *prefix);

#endif
