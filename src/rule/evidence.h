/* rule/evidence - what a match says, as JSON and as one line.
 *
 * Source: section 7 of the contracts: [{"term","list","field","index","start","end","text"}], bytes
 * half open. */
#ifndef RULE_EVIDENCE_H
#define RULE_EVIDENCE_H

#include "rule/rule.h"
#include "base/json.h"

/* A new reference. */
json_t *rule_evidence_value(const struct rule_match *match);
/* The same as text; the caller frees with g_free(). */
char *rule_evidence_json(const struct rule_match *match);
/* "russia: Moscow; cuba: Havana": the list where there is one, and the words found; each pair once.
 */
char *rule_evidence_line(const struct rule_match *match);

#endif
