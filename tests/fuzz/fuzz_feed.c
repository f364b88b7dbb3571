/* Any bytes to feed_parse(): no crash, and what comes out keeps the promises of feed/feed.h. */
#include "feed/feed.h"
#include "feed/identity.h"
#include "text/clean.h"
#include "text/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* A line is what clean_line() makes of it: one line, no control character, valid UTF-8. */
static void check_line(const char *text)
{
    if (!text)
        return;
    g_autofree char *again = clean_line(text);
    require(*text && strcmp(text, again) == 0);
}

static void check_block(const char *text)
{
    if (!text)
        return;
    g_autoptr(GString) again = g_string_new(NULL);
    clean_append_block(again, text, strlen(text));
    require(*text && strcmp(text, again->str) == 0);
}

static void check_item(const struct feed_item *item)
{
    check_line(item->id);
    check_line(item->title);
    check_line(item->link);
    check_line(item->language);
    check_block(item->summary);
    check_block(item->content);
    for (size_t i = 0; i < item->n_authors; i++) {
        check_line(item->authors[i].name);
        check_line(item->authors[i].email);
        check_line(item->authors[i].url);
    }
    for (size_t i = 0; item->categories && item->categories[i]; i++)
        check_line(item->categories[i]);
    for (size_t i = 0; i < item->n_enclosures; i++) {
        check_line(item->enclosures[i].url);
        check_line(item->enclosures[i].type);
        require(item->enclosures[i].url && item->enclosures[i].length_bytes >= -1);
    }
}

static void check(const struct feed_doc *doc)
{
    check_line(doc->title);
    check_line(doc->link);
    check_line(doc->id);
    check_line(doc->language);
    require(feed_format_name(doc->format) && doc->n_items <= FEED_ITEMS_MAX);
    require(doc->ttl_s >= 0 && doc->update_period_s >= 0 && doc->skip_hours < 1 << 24);
    for (size_t i = 0; i < doc->n_items; i++)
        check_item(&doc->items[i]);
    size_t n_warnings = 0;
    for (; doc->warnings[n_warnings]; n_warnings++)
        check_line(doc->warnings[n_warnings]);
    require(n_warnings <= FEED_WARNINGS_MAX);
    g_autofree struct identity_keys *keys = identity_keys_of(doc, true);
    for (size_t i = 0; i < doc->n_items; i++)
        require(keys[i].n > 0 && keys[i].n <= IDENTITY_KEYS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct feed_options options = {
        .base_url = "http://example.org/feeds/a.xml",
        .content_type = "text/xml; charset=windows-1251",
    };
    for (int with = 0; with < 2; with++) {
        g_autoptr(GError) error = NULL;
        struct feed_doc *doc = feed_parse((const char *)data, size, with ? &options : NULL, &error);
        require((doc != NULL) != (error != NULL));
        if (doc)
            check(doc);
        else
            check_line(error->message);
        feed_doc_free(doc);
    }
    return 0;
}
