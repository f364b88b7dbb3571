/* rule/scope - `feeds =`: which feeds a rule looks at.
 *
 * A scope is a list of feed IDs, globs over them, and tag:T. An item that names no feed is in no
 * scope. */
#ifndef RULE_SCOPE_H
#define RULE_SCOPE_H

#include "rule/problem.h"

#include <stdbool.h>

struct scope;

/* feeds NULL: any name will do. NULL after an error. */
struct scope *scope_parse(const char *text, const struct rule_feed_def *feeds, size_t n_feeds,
                          struct rule_problems *problems);
void scope_free(struct scope *scope);
/* tags: NULL-terminated or NULL. */
bool scope_has(const struct scope *scope, const char *feed, const char *const *tags);
/* Whether text matches pattern, in which * is any run and ? one byte; ASCII case does not count. */
bool scope_glob(const char *pattern, const char *text);

#endif
