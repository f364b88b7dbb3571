/* fetch/hash - a fingerprint of a body, to see that it is the one we know.
 *
 * 64 bits, fast, not cryptographic: whoever could make two bodies collide is the publisher, who
 * could as well not publish. The value is stored, so the function never changes. Pure. */
#ifndef FETCH_HASH_H
#define FETCH_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t fetch_hash(const void *bytes, size_t size); /* never 0 */

#endif
