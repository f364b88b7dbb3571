/* feed/arena - memory of one document, freed as a whole.
 *
 * Blocks of 16 KiB and more, handed out in order. Nothing is ever given back before
 * arena_release(). Not for threads. */
#ifndef FEED_ARENA_H
#define FEED_ARENA_H

#include <glib.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
    char *next;
    size_t left;
};

/* A struct of zeroes is an empty arena. */
void arena_release(struct arena *arena);
/* Aligned for pointers and int64_t; zeroed. */
void *arena_alloc(struct arena *arena, size_t size);
/* A copy with a NUL behind it. */
char *arena_text(struct arena *arena, const char *text, size_t size);

#endif
