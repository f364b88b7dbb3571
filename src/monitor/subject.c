#include "monitor/subject.h"

static const char *author_text(const struct feed_author *author)
{
    if (author->name)
        return author->name;
    return author->email ? author->email : "";
}

static const char *language_of(const struct feed_item *item, const struct config_feed *settings,
                               const char *doc_language)
{
    if (settings && settings->language)
        return settings->language;
    return item->language ? item->language : doc_language;
}

void subject_init(struct subject *subject, const struct feed_item *item, const char *feed_id,
                  const struct config_feed *settings, const char *doc_language)
{
    subject->authors = g_new(const char *, item->n_authors + 1);
    for (size_t i = 0; i < item->n_authors; i++)
        subject->authors[i] = author_text(&item->authors[i]);
    subject->authors[item->n_authors] = NULL;
    subject->item = (struct rule_item){
        .title = item->title,
        .summary = item->summary,
        .content = item->content,
        .link = item->link,
        .authors = subject->authors,
        .categories = item->categories,
        .feed = feed_id,
        .tags = settings ? (const char *const *)settings->tags : NULL,
        .language = language_of(item, settings, doc_language),
    };
}

void subject_clear(struct subject *subject)
{
    g_clear_pointer(&subject->authors, g_free);
}
