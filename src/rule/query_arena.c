#include "rule/query_arena.h"

#include <glib.h>
#include <string.h>

#define CHUNK_BYTES 32768u
#define ALIGN       16u

struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(ALIGN) char bytes[];
};

struct query_arena {
    struct chunk *first; /* the one in use */
};

/* What is not used is zero. */
static struct chunk *chunk_new(size_t size, struct chunk *next)
{
    struct chunk *chunk = g_malloc0(sizeof *chunk + size);
    chunk->next = next;
    chunk->size = size;
    return chunk;
}

struct query_arena *query_arena_new(void)
{
    struct query_arena *arena = g_new0(struct query_arena, 1);
    arena->first = chunk_new(CHUNK_BYTES, NULL);
    return arena;
}

static void free_chunks(struct chunk *chunk)
{
    while (chunk) {
        struct chunk *next = chunk->next;
        g_free(chunk);
        chunk = next;
    }
}

void query_arena_free(struct query_arena *arena)
{
    if (!arena)
        return;
    free_chunks(arena->first);
    g_free(arena);
}

void query_arena_reset(struct query_arena *arena)
{
    free_chunks(arena->first->next);
    arena->first->next = NULL;
    memset(arena->first->bytes, 0, arena->first->used);
    arena->first->used = 0;
}

void *query_arena_alloc(struct query_arena *arena, size_t size)
{
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (arena->first->size - arena->first->used < size)
        arena->first = chunk_new(MAX(size, CHUNK_BYTES), arena->first);
    void *memory = arena->first->bytes + arena->first->used;
    arena->first->used += size;
    return memory;
}

char *query_arena_strndup(struct query_arena *arena, const char *text, size_t size)
{
    char *copy = query_arena_alloc(arena, size + 1 + 16);
    memcpy(copy, text, size);
    return copy;
}
