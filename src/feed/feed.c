#include "feed/feed.h"

#include "feed/encoding.h"
#include "feed/json_feed.h"
#include "feed/reader.h"

G_DEFINE_QUARK(feed - error - quark, feed_error)

const char *feed_format_name(enum feed_format format)
{
    static const char *const names[] = {"rss20", "rss10", "rss09", "atom10", "atom03", "json"};
    return names[format];
}

void feed_doc_free(struct feed_doc *doc)
{
    if (!doc)
        return;
    struct document *document = (struct document *)(void *)doc; /* its first member */
    g_free(doc->items);
    arena_release(&document->arena);
    g_free(document);
}

/* Text moves into the arena with the list. */
static void keep_warnings(struct document *document, GPtrArray *warnings)
{
    const char **list = arena_alloc(&document->arena, (warnings->len + 1) * sizeof *list);
    for (guint i = 0; i < warnings->len; i++)
        list[i] = g_ptr_array_index(warnings, i);
    document->doc.warnings = list;
}

static bool begins_json(const char *text, size_t size)
{
    size_t i = 0;
    while (i < size && g_ascii_isspace(text[i]))
        i++;
    return i < size && text[i] == '{';
}

static bool parse_text(const char *text, size_t size, const struct feed_options *options,
                       GPtrArray *warnings, struct document *document, GError **error)
{
    if (begins_json(text, size))
        return json_feed_parse(text, size, options, warnings, document, error);
    return reader_parse(text, size, options, warnings, document, error);
}

struct feed_doc *feed_parse(const char *bytes, size_t size, const struct feed_options *options,
                            GError **error)
{
    struct document *document = g_new0(struct document, 1);
    document_reset(document);
    g_autoptr(GPtrArray) warnings = g_ptr_array_new();
    struct encoding_text text = {0};
    bool ok = encoding_decode(bytes, size, options ? options->content_type : NULL, &text, error);
    if (ok && text.warning)
        g_ptr_array_add(warnings, (gpointer)(uintptr_t)text.warning);
    ok = ok && parse_text(text.at, text.size, options, warnings, document, error);
    encoding_clear(&text);
    if (ok) {
        keep_warnings(document, warnings);
        return &document->doc;
    }
    feed_doc_free(&document->doc);
    return NULL;
}
