/* feedwatch parse - a feed as it is read, as one JSON object: from a file, stdin or the web. */
#include "daemon/commands.h"

#include "base/file.h"
#include "base/json.h"
#include "feed/feed.h"
#include "fetch/fetch.h"
#include "fetch/url.h"
#include "http/http.h"

#include <stdio.h>
#include <string.h>

#define SIZE_BYTES_MAX (64 << 20) /* of a file */
#define BODY_BYTES_MAX (16 << 20) /* of what a server sends: the daemon's own default */
#define TIMEOUT_MS     60000

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

/* One page of the web, followed through its redirects. */
struct download {
    GMainLoop *loop;
    int status;
    char *location, *content_type, *message;
    GByteArray *body;
};

static void download_clear(struct download *download)
{
    g_clear_pointer(&download->location, g_free);
    g_clear_pointer(&download->content_type, g_free);
    g_clear_pointer(&download->message, g_free);
    g_clear_pointer(&download->body, g_byte_array_unref);
}

static void on_response(struct http_response *response, void *user)
{
    struct download *download = user;
    download->status = response->status;
    download->location = g_strdup(http_response_header(response, "location"));
    download->content_type = g_strdup(http_response_header(response, "content-type"));
    download->body = g_steal_pointer(&response->body);
    if (response->failure != HTTP_NO_FAILURE)
        download->message = g_strdup(response->message ? response->message : "it did not answer");
    else if (response->status < 200 || response->status >= 400)
        download->message = g_strdup_printf("the server answered %d", response->status);
    g_main_loop_quit(download->loop);
}

/* Only the URL that was given may lead to a private address, no redirect. */
static void get(struct http_client *client, const struct fetch_url *url, bool is_first,
                struct download *download)
{
    g_autofree char *user_agent = http_user_agent(NULL);
    struct http_request request = {
        .url = url->text,
        .user_agent = user_agent,
        .userpwd = url->userinfo,
        .timeout_ms = TIMEOUT_MS,
        .max_bytes = BODY_BYTES_MAX,
        .allow_private = is_first,
    };
    download_clear(download);
    http_send(client, &request, on_response, download);
    g_main_loop_run(download->loop);
}

static bool is_redirect(const struct download *download)
{
    return !download->message && download->status >= 300 && download->location;
}

/* Leaves the last answer in download and where it came from in url. */
static bool follow(struct http_client *client, struct fetch_url *url, struct download *download,
                   GError **error)
{
    get(client, url, true, download);
    for (int hops = 0; is_redirect(download); hops++) {
        struct fetch_url next;
        if (hops == FETCH_HOPS_MAX) {
            g_set_error(error, FEED_ERROR, FEED_ERROR_NOT_A_FEED, "it redirects more than %d times",
                        FETCH_HOPS_MAX);
            return false;
        }
        if (!fetch_url_resolve(url, download->location, &next, error))
            return false;
        fetch_url_clear(url);
        *url = next;
        get(client, url, false, download);
    }
    if (download->message)
        g_set_error_literal(error, FEED_ERROR, FEED_ERROR_NOT_A_FEED, download->message);
    return download->message == NULL;
}

static int parse_url(const char *text, struct feed_options options)
{
    struct fetch_url url;
    g_autoptr(GError) error = NULL;
    if (!fetch_url_parse(text, &url, &error)) {
        fprintf(stderr, "feedwatch: %s\n", error->message);
        return EXIT_FAILED;
    }
    struct download download = {.loop = g_main_loop_new(NULL, FALSE)};
    struct http_client *client = http_client_new(NULL, NULL);
    int code = EXIT_FAILED;
    if (follow(client, &url, &download, &error)) {
        options.base_url = options.base_url ? options.base_url : url.text;
        options.content_type = options.content_type ? options.content_type : download.content_type;
        code =
            print_feed(url.text, (const char *)download.body->data, download.body->len, &options);
    } else {
        fprintf(stderr, "feedwatch: %s: %s\n", url.text, error->message);
    }
    download_clear(&download);
    g_main_loop_unref(download.loop);
    http_client_free(client);
    fetch_url_clear(&url);
    return code;
}

static int parse_file(const char *path, const struct feed_options *options)
{
    g_autoptr(GError) error = NULL;
    size_t size = 0;
    g_autofree char *bytes = file_read(path, SIZE_BYTES_MAX, &size, &error);
    if (bytes)
        return print_feed(path, bytes, size, options);
    fprintf(stderr, "feedwatch: %s\n", error->message);
    return EXIT_FAILED;
}

static bool is_url(const char *text)
{
    return g_ascii_strncasecmp(text, "http://", 7) == 0 ||
           g_ascii_strncasecmp(text, "https://", 8) == 0;
}

int cmd_parse(const char *config_path, int argc, char **argv)
{
    (void)config_path;
    g_autofree char *base = NULL, *content_type = NULL;
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
    return is_url(argv[1]) ? parse_url(argv[1], options) : parse_file(argv[1], &options);
}
