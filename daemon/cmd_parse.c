/* feedwatch parse - a feed as it is read, as one JSON object. */
#include "daemon/commands.h"

#include "base/file.h"
#include "base/json.h"
#include "feed/feed.h"

#include <stdio.h>
#include <string.h>

#define SIZE_MAX_BYTES (64 << 20)

static json_t *author_to_json(const struct feed_author *author)
{
    json_t *object = json_object();
    json_set_text(object, "name", author->name);
    json_set_text(object, "email", author->email);
    json_set_text(object, "url", author->url);
    return object;
}

static json_t *enclosure_to_json(const struct feed_enclosure *enclosure)
{
    json_t *object = json_object();
    json_set_text(object, "url", enclosure->url);
    json_set_text(object, "type", enclosure->type);
    if (enclosure->length_bytes >= 0)
        json_set_int(object, "length", enclosure->length_bytes);
    else
        json_object_set_new(object, "length", json_null());
    return object;
}

static json_t *item_to_json(const struct feed_item *item)
{
    json_t *object = json_object(), *authors = json_array(), *enclosures = json_array();
    json_set_text(object, "id", item->id);
    json_set_text(object, "title", item->title);
    json_set_text(object, "link", item->link);
    json_set_time(object, "published", item->published_s, FEED_TIME_NONE);
    json_set_time(object, "updated", item->updated_s, FEED_TIME_NONE);
    for (size_t i = 0; i < item->n_authors; i++)
        json_array_append_new(authors, author_to_json(&item->authors[i]));
    json_object_set_new(object, "authors", authors);
    json_set_texts(object, "categories", item->categories);
    json_set_text(object, "summary", item->summary);
    json_set_text(object, "content", item->content);
    for (size_t i = 0; i < item->n_enclosures; i++)
        json_array_append_new(enclosures, enclosure_to_json(&item->enclosures[i]));
    json_object_set_new(object, "enclosures", enclosures);
    return object;
}

static json_t *doc_to_json(const struct feed_doc *doc)
{
    json_t *object = json_object(), *feed = json_object(), *items = json_array();
    json_set_text(object, "format", feed_format_name(doc->format));
    json_set_text(feed, "title", doc->title);
    json_set_text(feed, "link", doc->link);
    json_set_text(feed, "id", doc->id);
    json_set_time(feed, "updated", doc->updated_s, FEED_TIME_NONE);
    json_set_text(feed, "language", doc->language);
    json_object_set_new(object, "feed", feed);
    for (size_t i = 0; i < doc->n_items; i++)
        json_array_append_new(items, item_to_json(&doc->items[i]));
    json_object_set_new(object, "items", items);
    json_set_texts(object, "warnings", doc->warnings);
    return object;
}

static int print_feed(const char *name, const char *bytes, size_t size,
                      const struct feed_options *options)
{
    g_autoptr(GError) error = NULL;
    struct feed_doc *doc = feed_parse(bytes, size, options, &error);
    if (!doc) {
        fprintf(stderr, "feedwatch: %s: %s\n", name, error->message);
        return EXIT_FAILED;
    }
    json_print_line(doc_to_json(doc), stdout);
    feed_doc_free(doc);
    return EXIT_OK;
}

int cmd_parse(const char *config_path, int argc, char **argv)
{
    (void)config_path;
    g_autofree char *base = NULL, *content_type = NULL, *bytes = NULL;
    const GOptionEntry entries[] = {
        {"base", 0, 0, G_OPTION_ARG_STRING, &base, "where the document came from", "URL"},
        {"content-type", 0, 0, G_OPTION_ARG_STRING, &content_type, "what its HTTP header said",
         "T"},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    if (!command_options(command_find("parse"), entries, &argc, &argv))
        return EXIT_USAGE;
    if (argc != 2)
        return command_usage("parse", "parse wants one FILE, - or URL");
    struct feed_options options = {.base_url = base, .content_type = content_type};
    g_autoptr(GError) error = NULL;
    size_t size = 0;
    bytes = file_read(argv[1], SIZE_MAX_BYTES, &size, &error);
    if (!bytes) {
        fprintf(stderr, "feedwatch: %s\n", error->message);
        return EXIT_FAILED;
    }
    return print_feed(argv[1], bytes, size, &options);
}
