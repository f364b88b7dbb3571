/* What a feed is read as, in short, for tables of cases. */
#ifndef TESTS_UNIT_FEED_DUMP_H
#define TESTS_UNIT_FEED_DUMP_H

#include "feed/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static inline void dump_text(GString *out, const char *name, const char *text)
{
    if (text)
        g_string_append_printf(out, " %s=%s", name, text);
}

static inline void dump_time(GString *out, const char *name, int64_t time_s)
{
    if (time_s != FEED_TIME_NONE)
        g_string_append_printf(out, " %s=%" G_GINT64_FORMAT, name, time_s);
}

static inline void dump_item(GString *out, const struct feed_item *item)
{
    g_string_append(out, "[");
    dump_text(out, "id", item->id);
    dump_text(out, "title", item->title);
    dump_text(out, "link", item->link);
    dump_text(out, "summary", item->summary);
    dump_text(out, "content", item->content);
    dump_text(out, "lang", item->language);
    dump_time(out, "published", item->published_s);
    dump_time(out, "updated", item->updated_s);
    for (size_t i = 0; i < item->n_authors; i++) {
        const struct feed_author *author = &item->authors[i];
        g_string_append_printf(out, " by=%s,%s,%s", author->name ? author->name : "",
                               author->email ? author->email : "", author->url ? author->url : "");
    }
    for (size_t i = 0; item->categories && item->categories[i]; i++)
        dump_text(out, "cat", item->categories[i]);
    for (size_t i = 0; i < item->n_enclosures; i++) {
        const struct feed_enclosure *enclosure = &item->enclosures[i];
        g_string_append_printf(out, " file=%s,%s,%" G_GINT64_FORMAT, enclosure->url,
                               enclosure->type ? enclosure->type : "", enclosure->length_bytes);
    }
    g_string_append(out, " ]");
}

/* An exact copy on the heap, so that the sanitizer sees a look beyond the end. */
static inline struct feed_doc *parse_exactly(const char *text, size_t size,
                                             const struct feed_options *options, GError **error)
{
    char *exact = malloc(size ? size : 1);
    memcpy(exact, text, size);
    struct feed_doc *doc = feed_parse(exact, size, options, error);
    free(exact);
    return doc;
}

static inline char *dump_doc(const struct feed_doc *doc)
{
    GString *out = g_string_new(feed_format_name(doc->format));
    dump_text(out, "title", doc->title);
    dump_text(out, "link", doc->link);
    dump_text(out, "id", doc->id);
    dump_text(out, "lang", doc->language);
    dump_time(out, "updated", doc->updated_s);
    if (doc->is_truncated)
        g_string_append(out, " truncated");
    g_string_append_c(out, ' ');
    for (size_t i = 0; i < doc->n_items; i++)
        dump_item(out, &doc->items[i]);
    return g_string_free(out, FALSE);
}

/* "rss20 title=… [ id=… ][ … ]", or "error: …"; warnings are left out. */
static inline char *dump_bytes(const char *text, size_t size, const struct feed_options *options)
{
    g_autoptr(GError) error = NULL;
    struct feed_doc *doc = parse_exactly(text, size, options, &error);
    if (!doc)
        return g_strdup_printf("error: %s", error->message);
    char *dump = dump_doc(doc);
    feed_doc_free(doc);
    return dump;
}

static inline void expect_at(const char *base, const char *text, const char *wanted)
{
    struct feed_options options = {.base_url = base};
    g_autofree char *got = dump_bytes(text, strlen(text), &options);
    if (strcmp(got, wanted) != 0)
        fail_msg("%s\n  gives %s\n wanted %s", text, got, wanted);
}

struct feed_case {
    const char *text, *wanted;
};

/* Each case's text stands in an item; wanted is that item. */
static inline void check_items(const char *before, const char *behind,
                               const struct feed_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_autofree char *text = g_strconcat(before, cases[i].text, behind, NULL);
        g_autofree char *dump = dump_bytes(text, strlen(text), NULL);
        const char *got = strchr(dump, '[');
        if (!got || strcmp(got, cases[i].wanted) != 0)
            fail_msg("%s\n  gives %s\n wanted %s", cases[i].text, got ? got : dump,
                     cases[i].wanted);
    }
}

#endif
