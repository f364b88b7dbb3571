/* rule/uses - what the rules want to know of each test: enum lexicon_use (rule/lexicon.h). */
#ifndef RULE_USES_H
#define RULE_USES_H

#include "rule/cost.h"
#include "rule/lexicon.h"

/* An enum lexicon_use for each test of the vocabulary, the caller's. costs: as they were when the
 * keys were chosen, because a phrase is looked for by its rarest word. */
uint8_t *uses_new(const struct ruleset *set, const struct costs *costs);

#endif
