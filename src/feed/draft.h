/* feed/draft - what is known so far of a feed or of one of its items.
 *
 * Elements come in any order and say the same thing in several ways; a draft keeps for each slot
 * what has the lowest rank (then what came first), then becomes part of the document. Text in it is
 * clean already and lives in the document's arena. */
#ifndef FEED_DRAFT_H
#define FEED_DRAFT_H

#include "base/arena.h"
#include "feed/feed.h"

#define DRAFT_LIST_MAX 128 /* authors, categories, enclosures of an item: each */

enum draft_slot {
    DRAFT_TITLE,
    DRAFT_LINK,
    DRAFT_SUMMARY,
    DRAFT_CONTENT,
    DRAFT_ID,
    DRAFT_LANGUAGE,
    DRAFT_TEXTS, /* how many of them there are */
    DRAFT_PUBLISHED = DRAFT_TEXTS,
    DRAFT_UPDATED,
    DRAFT_SLOTS,
};

#define DRAFT_RANK_NONE 255

struct draft {
    const char *texts[DRAFT_TEXTS];
    int64_t dates_s[DRAFT_SLOTS - DRAFT_TEXTS];
    unsigned char ranks[DRAFT_SLOTS];
    GArray *authors;       /* struct feed_author */
    GPtrArray *categories; /* const char */
    GArray *enclosures;    /* struct feed_enclosure */
};

/* The document under construction and what it is made in. */
struct document {
    struct feed_doc doc; /* what the caller gets points here */
    struct arena arena;
};
/* As it is before anything was read. */
void document_reset(struct document *document);

void draft_init(struct draft *draft);
void draft_clear(struct draft *draft); /* frees its lists */
void draft_reset(struct draft *draft); /* for the next item */
/* Whether a value of that rank would be kept. */
bool draft_wants(const struct draft *draft, enum draft_slot slot, unsigned rank);
/* NULL is no value. */
void draft_set_text(struct draft *draft, enum draft_slot slot, unsigned rank, const char *text);
/* FEED_TIME_NONE is no value. */
void draft_set_date(struct draft *draft, enum draft_slot slot, unsigned rank, int64_t time_s);
/* What is in the list already, or beyond its limit, is left out. */
void draft_add_author(struct draft *draft, struct feed_author author);
void draft_add_category(struct draft *draft, const char *category);
void draft_add_enclosure(struct draft *draft, struct feed_enclosure enclosure);
/* The item; its lists are copied to the arena. */
struct feed_item draft_item(const struct draft *draft, struct arena *arena);

#endif
