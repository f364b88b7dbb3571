/* store/store_churn - a publisher that changed the ids of everything at once.
 *
 * A move to another system gives most items new guids and links. They are known again by their
 * titles where that is safe: the title stands once in the document and once among the recent rows,
 * and the dates agree within a day or, where there are none, the texts are the same. Titles that
 * every item has ("Weather") and series ("Monday's briefing") are never taken for each other. */
#ifndef STORE_STORE_CHURN_H
#define STORE_STORE_CHURN_H

#include "store/doc_keys.h"
#include "store/storage.h"

struct item_match {       /* what is known of one item of a document */
    int64_t row;          /* 0: nothing */
    uint64_t text_hash;   /* as stored */
    uint32_t known_ranks; /* which of its keys are stored: bit r for rank r */
    unsigned rank;        /* the strongest of them */
    bool is_guest;        /* another item of the document has the better claim to the row */
    bool is_adopted;      /* by churn_adopt() */
};

/* Fills in the matches of the items that are adopted; true where it was done. */
bool churn_adopt(struct storage *storage, int64_t feed_row, const struct feed_doc *doc,
                 const struct doc_keys *doc_keys, struct item_match *matches);

#endif
