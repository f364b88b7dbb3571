/* base/arena - memory that is given back all at once: a document's, a syntax tree's.
 *
 * Blocks of 16 KiB and more, handed out in order. Nothing is given back alone. Not for threads. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <glib.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
    struct arena_block *current; /* the one that next points into */
    char *next;
    size_t left;
};

#define ARENA_PADDING 16

/* A struct of zeroes is an empty arena; so is a released one. */
void arena_release(struct arena *arena);
/* Takes back all that was handed out, and keeps a block for what comes next. */
void arena_reset(struct arena *arena);
/* Aligned for any type; zeroed. */
void *arena_alloc(struct arena *arena, size_t size);
/* A copy with a NUL behind it. */
char *arena_text(struct arena *arena, const char *text, size_t size);
/* The same, and ARENA_PADDING more bytes that may be read behind it. */
char *arena_padded_text(struct arena *arena, const char *text, size_t size);

#define arena_new_array(arena, type, n) ((type *)arena_alloc(arena, sizeof(type) * (n)))

#endif
