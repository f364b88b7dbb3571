/* rule/strings - strings stored once each, one after another, while rules are compiled.
 *
 * Limits: 4 GiB of strings in all. */
#ifndef RULE_STRINGS_H
#define RULE_STRINGS_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

struct strings;

struct strings *strings_new(GString *pool); /* borrowed: grows by what is added */
void strings_free(struct strings *strings);
struct strings_text {
    const char *text;
    uint32_t size;
    uint32_t hash; /* scratch */
};

/* The offset in the pool of the text, which holds no NUL and has one behind it there. */
uint32_t strings_add(struct strings *strings, const char *text, size_t size);
/* Appends the offsets of n texts (uint32_t); the memory that each needs is asked for together. */
void strings_add_all(struct strings *strings, struct strings_text *texts, size_t n,
                     GArray *offsets);

#endif
