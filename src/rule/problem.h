/* rule/problem - what is wrong with rules, collected.
 *
 * A struct problems notes which setting of which rule or list is being read, so that whoever finds
 * something names only the place in it. */
#ifndef RULE_PROBLEM_H
#define RULE_PROBLEM_H

#include "rule/rule.h"

#include <glib.h>

struct problems {
    GArray *list; /* struct rule_problem */
    enum rule_part part;
    size_t owner;
    size_t n_errors;
};

void problems_init(struct problems *problems);
void problems_at(struct problems *problems, enum rule_part part, size_t owner);
void problem_error(struct problems *problems, size_t offset, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void problem_warning(struct problems *problems, size_t offset, const char *format, ...)
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
