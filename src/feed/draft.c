#include "feed/draft.h"

#include <string.h>

void document_reset(struct document *document)
{
    arena_release(&document->arena);
    document->doc = (struct feed_doc){.updated_s = FEED_TIME_NONE};
}

void draft_init(struct draft *draft)
{
    *draft = (struct draft){
        .authors = g_array_new(FALSE, FALSE, sizeof(struct feed_author)),
        .categories = g_ptr_array_new(),
        .enclosures = g_array_new(FALSE, FALSE, sizeof(struct feed_enclosure)),
    };
    draft_reset(draft);
}

void draft_clear(struct draft *draft)
{
    g_array_unref(draft->authors);
    g_ptr_array_unref(draft->categories);
    g_array_unref(draft->enclosures);
}

void draft_reset(struct draft *draft)
{
    memset(draft->texts, 0, sizeof draft->texts);
    memset(draft->ranks, DRAFT_RANK_NONE, sizeof draft->ranks);
    for (size_t i = 0; i < G_N_ELEMENTS(draft->dates_s); i++)
        draft->dates_s[i] = FEED_TIME_NONE;
    g_array_set_size(draft->authors, 0);
    g_ptr_array_set_size(draft->categories, 0);
    g_array_set_size(draft->enclosures, 0);
}

bool draft_wants(const struct draft *draft, enum draft_slot slot, unsigned rank)
{
    return rank < draft->ranks[slot];
}

void draft_set_text(struct draft *draft, enum draft_slot slot, unsigned rank, const char *text)
{
    if (!text || !draft_wants(draft, slot, rank))
        return;
    draft->texts[slot] = text;
    draft->ranks[slot] = (unsigned char)rank;
}

void draft_set_date(struct draft *draft, enum draft_slot slot, unsigned rank, int64_t time_s)
{
    if (time_s == FEED_TIME_NONE || !draft_wants(draft, slot, rank))
        return;
    draft->dates_s[slot - DRAFT_TEXTS] = time_s;
    draft->ranks[slot] = (unsigned char)rank;
}

static bool is_same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* One person who is named twice keeps what either mention knows. */
static bool merge_author(struct feed_author *known, const struct feed_author *author)
{
    bool same_name = is_same(known->name, author->name);
    bool same_email = is_same(known->email, author->email);
    bool differs = (known->name && author->name && !same_name) ||
                   (known->email && author->email && !same_email);
    if (differs || (!same_name && !same_email))
        return false;
    if (!known->name)
        known->name = author->name;
    if (!known->email)
        known->email = author->email;
    if (!known->url)
        known->url = author->url;
    return true;
}

void draft_add_author(struct draft *draft, struct feed_author author)
{
    if (!author.name && !author.email && !author.url)
        return;
    for (guint i = 0; i < draft->authors->len; i++)
        if (merge_author(&g_array_index(draft->authors, struct feed_author, i), &author))
            return;
    if (draft->authors->len < DRAFT_LIST_MAX)
        g_array_append_val(draft->authors, author);
}

void draft_add_category(struct draft *draft, const char *category)
{
    if (!category || draft->categories->len >= DRAFT_LIST_MAX)
        return;
    for (guint i = 0; i < draft->categories->len; i++)
        if (strcmp(g_ptr_array_index(draft->categories, i), category) == 0)
            return;
    g_ptr_array_add(draft->categories, (gpointer)(uintptr_t)category);
}

void draft_add_enclosure(struct draft *draft, struct feed_enclosure enclosure)
{
    if (!enclosure.url || draft->enclosures->len >= DRAFT_LIST_MAX)
        return;
    for (guint i = 0; i < draft->enclosures->len; i++)
        if (strcmp(g_array_index(draft->enclosures, struct feed_enclosure, i).url, enclosure.url) ==
            0)
            return;
    g_array_append_val(draft->enclosures, enclosure);
}

static const void *copy_list(struct arena *arena, const void *list, size_t size)
{
    if (size == 0)
        return NULL;
    void *copy = arena_alloc(arena, size);
    memcpy(copy, list, size);
    return copy;
}

struct feed_item draft_item(const struct draft *draft, struct arena *arena)
{
    const char **categories = NULL;
    guint n = draft->categories->len;
    if (n > 0) {
        categories = arena_alloc(arena, (n + 1) * sizeof *categories);
        memcpy(categories, draft->categories->pdata, n * sizeof *categories);
    }
    return (struct feed_item){
        .id = draft->texts[DRAFT_ID],
        .title = draft->texts[DRAFT_TITLE],
        .link = draft->texts[DRAFT_LINK],
        .summary = draft->texts[DRAFT_SUMMARY],
        .content = draft->texts[DRAFT_CONTENT],
        .language = draft->texts[DRAFT_LANGUAGE],
        .published_s = draft->dates_s[DRAFT_PUBLISHED - DRAFT_TEXTS],
        .updated_s = draft->dates_s[DRAFT_UPDATED - DRAFT_TEXTS],
        .authors = copy_list(arena, draft->authors->data,
                             draft->authors->len * sizeof(struct feed_author)),
        .n_authors = draft->authors->len,
        .categories = categories,
        .enclosures = copy_list(arena, draft->enclosures->data,
                                draft->enclosures->len * sizeof(struct feed_enclosure)),
        .n_enclosures = draft->enclosures->len,
    };
}
