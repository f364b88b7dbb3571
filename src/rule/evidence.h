/* rule/evidence - what a match says, as JSON and as one line.
 *
 * Source: section 7 of the contracts: [{"term","list","field","index","start","end","text"}], bytes
 * half open. Of an item that was edited each entry also says "new": whether the text of before did
 * not have it, where that is still known. */
#ifndef RULE_EVIDENCE_H
#define RULE_EVIDENCE_H

#include "rule/gained.h"
#include "rule/rule.h"
#include "base/json.h"

/* A new reference. */
json_t *rule_evidence_value(const struct rule_match *match);
/* The same as text. gained: what was edited, or NULL. The caller frees with g_free(). */
char *rule_evidence_json(const struct rule_match *match, const struct gained *gained);
/* "russia: Moscow; cuba: Havana": the list where there is one, and the words found; each pair once.
 * Of an edit: "edited; russia: Moscow; cuba: Havana (new)". */
char *rule_evidence_line(const struct rule_match *match, const struct gained *gained);

#endif
