/* rule/span - matches as spans of word positions, and how they combine.
 *
 * A struct spans grows; sorted ones are in order of start, then end, without doubles. Work on spans
 * is counted against a budget of the item, so that a hostile text cannot make it quadratic: what is
 * not found by then is not found. */
#ifndef RULE_SPAN_H
#define RULE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPANS_WORK_MAX 2000000u /* spans made or compared, for one rule and item */

struct span {
    uint32_t start, end; /* positions, the end is the last word's */
};

struct spans {
    struct span *items;
    size_t n, size;
};

void spans_clear(struct spans *spans); /* frees */
void spans_add(struct spans *spans, uint32_t start, uint32_t end);
void spans_sort(struct spans *spans);
/* Adds to out the span over each pair (a of left, b of right) that share no word and have at most
 * distance words between them; ordered: a before b. Both sides are sorted. With out NULL only the
 * question whether there is one. Returns whether there is; lowers *work, and gives up at 0. */
bool spans_near(const struct spans *left, const struct spans *right, uint32_t distance,
                bool is_ordered, struct spans *out, uint32_t *work);
/* Index of the first span that starts at position or later. */
size_t spans_lower_bound(const struct spans *spans, uint32_t position);
/* How many spans without a common word there can be. Reorders. */
size_t spans_disjoint(struct spans *spans);

#endif
