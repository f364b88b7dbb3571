/* rule/query_arena - memory that is given back all at once.
 *
 * For syntax trees, which live until their rule is compiled. Allocations are zeroed and aligned for
 * any type; nothing is freed alone. */
#ifndef RULE_QUERY_ARENA_H
#define RULE_QUERY_ARENA_H

#include <stddef.h>

struct query_arena;

struct query_arena *query_arena_new(void);
void query_arena_free(struct query_arena *arena);
/* Forgets every allocation, and keeps some of the memory for the next ones. */
void query_arena_reset(struct query_arena *arena);
void *query_arena_alloc(struct query_arena *arena, size_t size);
/* A copy with a NUL, and 16 bytes that may be read, behind it. */
char *query_arena_strndup(struct query_arena *arena, const char *text, size_t size);

#define query_arena_new_array(arena, type, n) ((type *)query_arena_alloc(arena, sizeof(type) * (n)))

#endif
