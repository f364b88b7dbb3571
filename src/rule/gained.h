/* rule/gained - what of a match is new in an item that was edited.
 *
 * A found text is new where none of the item's texts of before has these words, one after another,
 * in whatever field; of a regular expression, where none has these very bytes. Pure; the item of
 * before is borrowed for the call that makes the value. */
#ifndef RULE_GAINED_H
#define RULE_GAINED_H

#include "rule/rule.h"

struct gained;

/* before NULL: not known any more, so nothing can be said to be new. */
struct gained *gained_new(const struct rule_item *before);
void gained_free(struct gained *gained);
/* Whether anything is known of before. */
bool gained_can_tell(const struct gained *gained);
bool gained_is_new(const struct gained *gained, const struct rule_evidence *evidence);

#endif
