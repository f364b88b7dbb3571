#include "base/arena.h"

#include <stdbool.h>
#include <string.h>

#define BLOCK_SIZE (16 * 1024)
#define ALIGNMENT  16u

struct arena_block {
    struct arena_block *next;
    _Alignas(ALIGNMENT) char bytes[];
};

void arena_release(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        g_free(block);
    }
    *arena = (struct arena){0};
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = arena->current, **place = &arena->blocks;
    while (*place && *place != kept)
        place = &(*place)->next;
    if (kept)
        *place = kept->next;
    arena_release(arena);
    if (!kept)
        return;
    kept->next = NULL;
    *arena = (struct arena){kept, kept, kept->bytes, BLOCK_SIZE};
}

/* A big piece gets a block of its own, so that the current one is not wasted. */
static char *take(struct arena *arena, size_t size)
{
    if (size <= arena->left) {
        char *taken = arena->next;
        arena->next += size;
        arena->left -= size;
        return taken;
    }
    bool is_big = size > BLOCK_SIZE / 4;
    size_t room = is_big ? size : BLOCK_SIZE;
    struct arena_block *block = g_malloc(sizeof *block + room);
    block->next = arena->blocks;
    arena->blocks = block;
    if (!is_big) {
        arena->current = block;
        arena->next = block->bytes + size;
        arena->left = room - size;
    }
    return block->bytes;
}

static size_t aligned(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *bytes = take(arena, aligned(size));
    memset(bytes, 0, size);
    return bytes;
}

char *arena_text(struct arena *arena, const char *text, size_t size)
{
    char *copy = take(arena, aligned(size + 1));
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

char *arena_padded_text(struct arena *arena, const char *text, size_t size)
{
    char *copy = take(arena, aligned(size + 1 + ARENA_PADDING));
    memcpy(copy, text, size);
    memset(copy + size, 0, 1 + ARENA_PADDING);
    return copy;
}
