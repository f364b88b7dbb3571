/* rule/arena - memory that is given back all at once.
 *
 * For syntax trees, which live until their rule is compiled. Allocations are zeroed and aligned for
 * any type; nothing is freed alone. */
#ifndef RULE_ARENA_H
#define RULE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);
/* Forgets every allocation, and keeps some of the memory for the next ones. */
void arena_reset(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t size);
/* A copy with a NUL, and 16 bytes that may be read, behind it. */
char *arena_strndup(struct arena *arena, const char *text, size_t size);

#define arena_new_array(arena, type, n) ((type *)arena_alloc(arena, sizeof(type) * (n)))

#endif
