#include "feed/json_feed.h"

#include "base/number.h"
#include "feed/date.h"
#include "feed/json_mend.h"
#include "feed/link.h"
#include "feed/textual.h"
#include "text/clean.h"

#include <jansson.h>
#include <string.h>

struct json_reader {
    struct document *document;
    struct textual textual;
    const char *base;
    bool has_bad_date;
};

static struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static const char *member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const char *line_of(struct json_reader *r, const json_t *object, const char *key)
{
    const char *text = member(object, key);
    return text ? textual_line(&r->textual, slice_of(text), TEXTUAL_PLAIN) : NULL;
}

static const char *block_of(struct json_reader *r, const json_t *object, const char *key,
                            enum textual_form form)
{
    const char *text = member(object, key);
    return text ? textual_block(&r->textual, slice_of(text), form) : NULL;
}

static const char *link_of(struct json_reader *r, const json_t *object, const char *key)
{
    const char *text = member(object, key);
    return text ? link_resolve(&r->document->arena, r->base, slice_of(text)) : NULL;
}

/* The values of a member that ought to be a list: one that stands alone is a list of one. */
static size_t list_size(const json_t *value)
{
    if (!value || json_is_null(value))
        return 0;
    return json_is_array(value) ? json_array_size(value) : 1;
}

static const json_t *list_at(const json_t *value, size_t i)
{
    return json_is_array(value) ? json_array_get(value, i) : value;
}

static int64_t date_of(struct json_reader *r, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    char digits[24];
    if (json_is_integer(value)) { /* seconds or milliseconds since 1970 */
        g_snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        text = digits;
    }
    int64_t time_s = FEED_TIME_NONE;
    if (text && !date_parse(text, strlen(text), &time_s)) {
        r->has_bad_date = r->has_bad_date || *text;
        return FEED_TIME_NONE;
    }
    return time_s;
}

/* An id is a string; some write a number. */
static const char *id_of(struct json_reader *r, const json_t *object)
{
    const json_t *value = json_object_get(object, "id");
    if (!json_is_number(value))
        return line_of(r, object, "id");
    g_autofree char *text =
        json_is_integer(value) ? g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value))
                               : g_strdup_printf("%.17g", json_real_value(value));
    return arena_text(&r->document->arena, text, strlen(text));
}

static void add_author(struct json_reader *r, struct draft *draft, const json_t *author)
{
    struct feed_author person = {
        .name = json_is_string(author)
                    ? textual_line(&r->textual, slice_of(json_string_value(author)), TEXTUAL_PLAIN)
                    : line_of(r, author, "name"),
        .url = link_of(r, author, "url"),
    };
    draft_add_author(draft, person);
}

/* 1.0 has one author, 1.1 a list. */
static void add_authors(struct json_reader *r, struct draft *draft, const json_t *object)
{
    static const char *const keys[] = {"authors", "author"};
    for (size_t k = 0; k < G_N_ELEMENTS(keys) && draft->authors->len == 0; k++) {
        const json_t *authors = json_object_get(object, keys[k]);
        size_t n = list_size(authors);
        for (size_t i = 0; i < n; i++)
            add_author(r, draft, list_at(authors, i));
    }
}

static void add_tags(struct json_reader *r, struct draft *draft, const json_t *tags)
{
    size_t n = list_size(tags);
    for (size_t i = 0; i < n; i++) {
        const char *tag = json_string_value(list_at(tags, i));
        gint n_words = json_is_array(tags) ? 1 : DRAFT_LIST_MAX; /* "a, b" */
        g_auto(GStrv) words = g_strsplit(tag ? tag : "", ",", n_words);
        for (char **word = words; *word; word++)
            draft_add_category(draft, textual_line(&r->textual, slice_of(*word), TEXTUAL_PLAIN));
    }
}

static int64_t number_of(const json_t *value)
{
    if (json_is_integer(value))
        return (int64_t)json_integer_value(value);
    uint64_t number = 0;
    const char *text = json_string_value(value);
    if (json_is_real(value) || !text || !number_parse(text, INT64_MAX, &number))
        return -1;
    return (int64_t)number;
}

static void add_attachments(struct json_reader *r, struct draft *draft, const json_t *attachments)
{
    size_t n = list_size(attachments);
    for (size_t i = 0; i < n; i++) {
        const json_t *value = list_at(attachments, i);
        draft_add_enclosure(draft,
                            (struct feed_enclosure){
                                .url = link_of(r, value, "url"),
                                .type = line_of(r, value, "mime_type"),
                                .length_bytes = number_of(json_object_get(value, "size_in_bytes")),
                            });
    }
}

static void read_item(struct json_reader *r, struct draft *draft, const json_t *object)
{
    draft_reset(draft);
    draft_set_text(draft, DRAFT_ID, 1, id_of(r, object));
    draft_set_text(draft, DRAFT_TITLE, 1, line_of(r, object, "title"));
    draft_set_text(draft, DRAFT_LINK, 1, link_of(r, object, "url"));
    draft_set_text(draft, DRAFT_LINK, 2, link_of(r, object, "external_url"));
    draft_set_text(draft, DRAFT_SUMMARY, 1, block_of(r, object, "summary", TEXTUAL_PLAIN));
    draft_set_text(draft, DRAFT_CONTENT, 1, block_of(r, object, "content_html", TEXTUAL_HTML));
    if (draft_wants(draft, DRAFT_CONTENT, 2))
        draft_set_text(draft, DRAFT_CONTENT, 2, block_of(r, object, "content_text", TEXTUAL_PLAIN));
    draft_set_text(draft, DRAFT_LANGUAGE, 1, line_of(r, object, "language"));
    draft_set_date(draft, DRAFT_PUBLISHED, 1, date_of(r, object, "date_published"));
    draft_set_date(draft, DRAFT_UPDATED, 1, date_of(r, object, "date_modified"));
    add_authors(r, draft, object);
    add_tags(r, draft, json_object_get(object, "tags"));
    add_attachments(r, draft, json_object_get(object, "attachments"));
}

static void read_feed(struct json_reader *r, struct draft *feed, const json_t *root)
{
    const char *self = link_of(r, root, "feed_url");
    r->base = r->base ? r->base : self;
    const char *home = link_of(r, root, "home_page_url");
    r->base = r->base ? r->base : home;
    draft_set_text(feed, DRAFT_TITLE, 1, line_of(r, root, "title"));
    draft_set_text(feed, DRAFT_LINK, 1, home);
    draft_set_text(feed, DRAFT_ID, 1, self);
    draft_set_text(feed, DRAFT_LANGUAGE, 1, line_of(r, root, "language"));
    add_authors(r, feed, root);
}

/* There is no date of the feed itself: it changed when its newest item did. */
static void note_change(struct feed_doc *doc, const struct feed_item *item)
{
    doc->updated_s = MAX(doc->updated_s, MAX(item->published_s, item->updated_s));
}

static void inherit(struct draft *item, const struct draft *feed)
{
    draft_set_text(item, DRAFT_LANGUAGE, 2, feed->texts[DRAFT_LANGUAGE]);
    if (item->authors->len == 0)
        g_array_append_vals(item->authors, feed->authors->data, feed->authors->len);
}

static void read_items(struct json_reader *r, const struct draft *feed, const json_t *items)
{
    struct feed_doc *doc = &r->document->doc;
    struct draft draft;
    size_t n = json_array_size(items);
    doc->n_items_dropped = n > FEED_ITEMS_MAX ? n - FEED_ITEMS_MAX : 0;
    n -= doc->n_items_dropped;
    doc->items = g_new0(struct feed_item, MAX(n, 1));
    draft_init(&draft);
    for (size_t i = 0; i < n; i++) {
        const json_t *object = json_array_get(items, i);
        if (!json_is_object(object))
            continue;
        read_item(r, &draft, object);
        bool is_cut =
            doc->is_truncated && i + 1 == n && !draft.texts[DRAFT_ID] && !draft.texts[DRAFT_LINK];
        if (is_cut)
            continue;
        inherit(&draft, feed);
        doc->items[doc->n_items] = draft_item(&draft, &r->document->arena);
        note_change(doc, &doc->items[doc->n_items++]);
    }
    draft_clear(&draft);
}

static void warn(struct json_reader *r, GPtrArray *warnings)
{
    static const char bad_date[] = "a date was none between 1900 and 2999";
    static const char truncated[] = "the document ends too early";
    static const char many[] = "items beyond the first 20000 were left out";
    if (r->has_bad_date)
        g_ptr_array_add(warnings, (gpointer)(uintptr_t)bad_date);
    if (r->document->doc.is_truncated)
        g_ptr_array_add(warnings, (gpointer)(uintptr_t)truncated);
    if (r->document->doc.n_items_dropped > 0)
        g_ptr_array_add(warnings, (gpointer)(uintptr_t)many);
}

static void fill(struct json_reader *r, const json_t *root, GPtrArray *warnings)
{
    struct feed_doc *doc = &r->document->doc;
    struct draft feed;
    draft_init(&feed);
    textual_init(&r->textual, &r->document->arena);
    doc->format = FEED_JSON;
    read_feed(r, &feed, root);
    read_items(r, &feed, json_object_get(root, "items"));
    doc->title = feed.texts[DRAFT_TITLE];
    doc->link = feed.texts[DRAFT_LINK];
    doc->id = feed.texts[DRAFT_ID];
    doc->language = feed.texts[DRAFT_LANGUAGE];
    warn(r, warnings);
    textual_clear(&r->textual);
    draft_clear(&feed);
}

static bool is_feed(const json_t *root)
{
    const char *version = member(root, "version");
    return json_is_array(json_object_get(root, "items")) ||
           (version && strstr(version, "jsonfeed"));
}

/* The reason quotes the document. */
static void set_syntax_error(GError **error, const char *reason)
{
    g_autofree char *line = clean_line(reason);
    g_set_error(error, FEED_ERROR, FEED_ERROR_NOT_A_FEED, "this is no JSON: %s", line);
}

bool json_feed_parse(const char *text, size_t size, const struct feed_options *options,
                     GPtrArray *warnings, struct document *document, GError **error)
{
    GString *mended = json_mend(text, size, &document->doc.is_truncated, error);
    if (!mended)
        return false;
    json_error_t reason;
    json_t *root = json_loadb(mended->str, mended->len, 0, &reason);
    g_string_free(mended, TRUE);
    bool ok = is_feed(root);
    struct json_reader r = {.document = document, .base = options ? options->base_url : NULL};
    if (ok)
        fill(&r, root, warnings);
    else if (!root)
        set_syntax_error(error, reason.text);
    else
        g_set_error_literal(error, FEED_ERROR, FEED_ERROR_NOT_A_FEED, "this JSON is no JSON Feed");
    json_decref(root);
    return ok;
}
