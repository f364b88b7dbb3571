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

#endif
