/* text/plain - whether text is clean already, fast.
 *
 * Pure. Nearly all text of nearly all feeds is; text/clean.h costs ten times as much as this look.
 */
#ifndef TEXT_PLAIN_H
#define TEXT_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

/* True only where clean_append_block() would copy the text as it is (valid UTF-8 in); may be false
 * where it would, too. */
bool plain_is_clean(const char *text, size_t size);
/* How many bytes clean_append_block() would surely copy as they are: characters that nothing is
 * ever done to, and single blanks. Begins and ends between characters; sees nothing of the last 15
 * bytes. *after_blank: whether a blank comes before the text, and then whether the run ends with
 * one. */
size_t plain_run(const char *text, size_t size, bool *after_blank);

#endif
