/* store/doc_keys - the keys of one document, ready to be looked up.
 *
 * Pure. Of the keys that feed/identity gives, those count that tell items of this document apart:
 * a key that two different items carry belongs to neither, unless it is all that one of them has.
 * Items that share all their keys are the same item: the first one wins. An item without a key gets
 * one of its text. Keys stay in their order: the first is the strongest. */
#ifndef STORE_DOC_KEYS_H
#define STORE_DOC_KEYS_H

#include "feed/feed.h"
#include "feed/identity.h"

struct doc_keys;

struct doc_key { /* where a key stands */
    size_t item;
    unsigned rank; /* 0 is the strongest */
};

struct doc_keys *doc_keys_new(const struct feed_doc *doc, const struct identity_keys *keys);
void doc_keys_free(struct doc_keys *doc_keys);
/* False where no item of the document has the key. */
bool doc_keys_find(const struct doc_keys *doc_keys, uint64_t key, struct doc_key *ret_key);
/* The keys of an item that count; at least one. */
const struct identity_keys *doc_keys_of(const struct doc_keys *doc_keys, size_t item);
/* Whether an earlier item of the document is the same. */
bool doc_keys_is_repeat(const struct doc_keys *doc_keys, size_t item);

#endif
