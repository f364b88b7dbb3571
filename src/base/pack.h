/* base/pack - a struct and the texts it points to, in one block of memory.
 *
 * For what is only read from then on and exists in thousands: one block is found faster, and given
 * back whole, than one for each text. */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include <stddef.h>

/* A copy of the struct; offsets says where in it there is a char *, to a text or NULL: the copy's
 * point into the block. At most PACK_TEXTS_MAX of them. Free with g_free(). */
void *pack_new(const void *from, size_t size, const size_t *offsets, size_t n_offsets);

#define PACK_TEXTS_MAX 16

#endif
