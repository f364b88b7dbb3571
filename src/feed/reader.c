#include "feed/reader.h"

#include "feed/link.h"
#include "feed/person.h"
#include "feed/strict.h"

#include <stdarg.h>
#include <string.h>

#define RANK_ENCLOSURE  90 /* an enclosure as the item's link */
#define SHOWN_BYTES_MAX 40 /* of a name in a warning */

void reader_warn(struct reader *r, enum warning kind, const char *format, ...)
{
    if ((r->warned & kind) || r->warnings->len >= FEED_WARNINGS_MAX)
        return;
    r->warned |= kind;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    struct slice slice = {text, strlen(text)};
    const char *line = textual_line(&r->textual, slice, TEXTUAL_PLAIN);
    if (line)
        g_ptr_array_add(r->warnings, (gpointer)(uintptr_t)line);
}

struct draft *reader_draft(struct reader *r)
{
    return r->in_item ? &r->item : &r->feed;
}

static const struct element *top(const struct reader *r)
{
    return r->depth > 0 ? &r->stack[r->depth - 1] : NULL;
}

static enum place place_of(const struct reader *r)
{
    const struct element *element = top(r);
    return element ? element->place : 0;
}

/* A name cut at its colon. */
static struct slice split_name(struct slice name, struct slice *ret_prefix)
{
    const char *colon = memchr(name.at, ':', name.size);
    *ret_prefix = (struct slice){name.at, colon ? (size_t)(colon - name.at) : 0};
    if (!colon)
        return name;
    return (struct slice){colon + 1, name.size - ret_prefix->size - 1};
}

static bool is_same(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

static bool find_binding(const struct reader *r, struct slice prefix, enum ns *ret_ns)
{
    for (guint i = r->bindings->len; i-- > 0;) {
        const struct binding *binding = &g_array_index(r->bindings, struct binding, i);
        if (!is_same(binding->prefix, prefix))
            continue;
        *ret_ns = binding->ns;
        return true;
    }
    return false;
}

/* The namespace of the element just started. An unknown one counts as the feed's own where it is
 * the default or that of the root. */
static enum ns namespace_of(const struct reader *r, struct slice prefix)
{
    enum ns ns = NS_NONE;
    if (!find_binding(r, prefix, &ns) && prefix.size > 0)
        ns = vocabulary_undeclared_prefix(prefix);
    bool is_own = prefix.size == 0 || is_same(prefix, r->root_prefix);
    if (ns == NS_NONE || (ns == NS_OTHER && is_own))
        return r->native;
    return ns;
}

/* Takes xmlns, xml:base and xml:lang out of the tag just read. */
static void read_scope(struct reader *r)
{
    const struct element *parent = top(r);
    r->base = parent ? parent->base : NULL;
    r->language = parent ? parent->language : NULL;
    for (size_t i = 0; i < r->xml.n_attributes; i++) {
        const struct xml_attribute *attribute = &r->xml.attributes[i];
        if (attribute->name.size < 5 || g_ascii_strncasecmp(attribute->name.at, "xml", 3) != 0)
            continue;
        struct slice prefix, local = split_name(attribute->name, &prefix);
        if (slice_is(prefix, "xmlns") || slice_is(attribute->name, "xmlns")) {
            struct binding binding = {.ns = vocabulary_namespace(attribute->value)};
            if (prefix.size > 0)
                binding.prefix = local;
            g_array_append_val(r->bindings, binding);
        } else if (slice_is(attribute->name, "xml:base")) {
            const char *outer = r->base ? r->base : r->base_url;
            const char *base = link_resolve(&r->document->arena, outer, attribute->value);
            r->base = base ? base : r->base;
        } else if (slice_is(attribute->name, "xml:lang")) {
            r->language = textual_line(&r->textual, attribute->value, TEXTUAL_PLAIN);
        }
    }
}

/* Opens the element just started. */
void reader_push(struct reader *r, enum place place)
{
    if (r->depth == FEED_DEPTH_MAX) {
        if (!r->xml.error)
            g_set_error(&r->xml.error, FEED_ERROR, FEED_ERROR_REFUSED,
                        "elements of the document are nested more than %d deep", FEED_DEPTH_MAX);
        return;
    }
    r->stack[r->depth++] = (struct element){
        .name = r->xml.name,
        .place = place,
        .n_bindings = r->bindings->len,
        .base = r->base,
        .language = r->language,
    };
}

/* RFC 4287, 4.2.1: an entry without author has those of its source, else those of the feed (which
 * fill_document() adds: they may stand behind the entry). */
static void inherit_source_authors(struct reader *r)
{
    if (r->item.authors->len == 0)
        g_array_append_vals(r->item.authors, r->source_authors->data, r->source_authors->len);
}

void reader_start_item(struct reader *r)
{
    draft_reset(&r->item);
    g_array_set_size(r->source_authors, 0);
    draft_set_text(&r->item, DRAFT_LANGUAGE, 9, r->language);
    r->in_item = true;
}

/* Not kept: an item that the end of the document cut before anything that would tell it from others
 * came: it will come whole with the next document. */
void reader_end_item(struct reader *r)
{
    r->in_item = r->in_source = false;
    bool has_key = r->item.texts[DRAFT_ID] || r->item.texts[DRAFT_LINK];
    if (r->is_cut && !has_key) {
        reader_warn(r, WARNING_CUT_ITEM, "the last item is cut and was left out");
        return;
    }
    if (r->items->len >= FEED_ITEMS_MAX) {
        r->document->doc.n_items_dropped++;
        reader_warn(r, WARNING_ITEMS, "items beyond the first %d were left out", FEED_ITEMS_MAX);
        return;
    }
    inherit_source_authors(r);
    if (r->item.enclosures->len > 0)
        draft_set_text(&r->item, DRAFT_LINK, RANK_ENCLOSURE,
                       g_array_index(r->item.enclosures, struct feed_enclosure, 0).url);
    struct feed_item item = draft_item(&r->item, &r->document->arena);
    g_array_append_val(r->items, item);
}

static void end_person(struct reader *r)
{
    if (!r->person.name && !r->person.email)
        return;
    if (r->in_source && r->source_authors->len < DRAFT_LIST_MAX)
        g_array_append_val(r->source_authors, r->person);
    else
        draft_add_author(reader_draft(r), r->person);
}

static void pop(struct reader *r)
{
    const struct element *element = &r->stack[--r->depth];
    g_array_set_size(r->bindings, MIN(r->bindings->len, element->n_bindings));
    if (element->place == IN_PERSON)
        end_person(r);
    else if (element->place == IN_SOURCE)
        r->in_source = false;
    else if (element->place == IN_ITEM)
        reader_end_item(r);
}

static bool is_same_name(struct slice a, struct slice b)
{
    return a.size == b.size && g_ascii_strncasecmp(a.at, b.at, a.size) == 0;
}

static void end_element(struct reader *r)
{
    size_t i = r->depth;
    while (i > 0 && !is_same_name(r->stack[i - 1].name, r->xml.name))
        i--;
    struct slice shown = slice_head(r->xml.name, SHOWN_BYTES_MAX);
    if (i != r->depth)
        reader_warn(r, WARNING_NESTING, "end tags do not match: </%.*s>", (int)shown.size,
                    shown.at);
    while (i > 0 && r->depth >= i)
        pop(r);
}

enum root { ROOT_NONE, ROOT_RSS, ROOT_RDF, ROOT_CHANNEL, ROOT_ATOM };

static enum root root_of(struct slice local)
{
    if (slice_is_nocase(local, "rss"))
        return ROOT_RSS;
    if (slice_is_nocase(local, "rdf"))
        return ROOT_RDF;
    if (slice_is_nocase(local, "channel"))
        return ROOT_CHANNEL;
    return slice_is_nocase(local, "feed") ? ROOT_ATOM : ROOT_NONE;
}

/* As namespaces are compared, without regard to case. */
static bool names_rss09(struct slice uri)
{
    static const char part[] = "simple/0.9";
    for (size_t i = 0; i + sizeof part - 1 <= uri.size; i++)
        if (g_ascii_strncasecmp(uri.at + i, part, sizeof part - 1) == 0)
            return true;
    return false;
}

/* Which of the two RSS families: 0.90 has a namespace of Netscape's, 0.91-0.94 a version. */
static enum feed_format rss_format(const struct reader *r, enum root root)
{
    const struct slice *version = xml_attribute(&r->xml, "version");
    if (root == ROOT_RDF) {
        for (size_t i = 0; i < r->xml.n_attributes; i++)
            if (names_rss09(r->xml.attributes[i].value))
                return FEED_RSS09;
        return FEED_RSS10;
    }
    bool is_old = version && version->size >= 3 && memcmp(version->at, "0.9", 3) == 0;
    return is_old ? FEED_RSS09 : FEED_RSS20;
}

static enum feed_format atom_format(const struct reader *r)
{
    const struct slice *version = xml_attribute(&r->xml, "version");
    for (size_t i = 0; i < r->xml.n_attributes; i++)
        if (memmem(r->xml.attributes[i].value.at, r->xml.attributes[i].value.size, "purl.org/atom/",
                   14))
            return FEED_ATOM03;
    bool is_old = version && version->size >= 3 && memcmp(version->at, "0.", 2) == 0;
    return is_old ? FEED_ATOM03 : FEED_ATOM10;
}

/* A root whose name says what it is counts more than a namespace that is none of a feed's. */
static void bind_root(struct reader *r)
{
    for (guint i = 0; i < r->bindings->len; i++) {
        struct binding *binding = &g_array_index(r->bindings, struct binding, i);
        if (is_same(binding->prefix, r->root_prefix))
            binding->ns = r->native;
    }
}

static void open_root(struct reader *r, enum root root, struct slice prefix)
{
    r->native = root == ROOT_ATOM ? NS_ATOM : NS_RSS;
    r->root_prefix = root == ROOT_RDF ? (struct slice){"", 0} : prefix;
    bind_root(r);
    r->document->doc.format = root == ROOT_ATOM ? atom_format(r) : rss_format(r, root);
    bool is_feed = root == ROOT_ATOM || root == ROOT_CHANNEL;
    draft_set_text(&r->feed, DRAFT_LANGUAGE, 9, r->language);
    reader_push(r, is_feed ? IN_FEED : IN_ROOT);
}

/* What a server may print before the document: its own error messages. */
static bool is_junk(struct slice local)
{
    static const char *const names[] = {"br",    "b",   "p",    "div", "font", "hr",
                                        "i",     "pre", "span", "a",   "em",   "strong",
                                        "table", "tr",  "td",   "th",  "meta", "xml"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (slice_is_nocase(local, names[i]))
            return true;
    return false;
}

/* Finds the root element. False: there is none. */
static bool find_root(struct reader *r)
{
    for (;;) {
        switch (xml_next(&r->xml)) {
        case XML_START: {
            struct slice prefix, local = split_name(r->xml.name, &prefix);
            enum root root = root_of(local);
            if (root == ROOT_NONE && !is_junk(local))
                return false;
            if (root == ROOT_NONE) {
                reader_warn(r, WARNING_JUNK, "there is text before the feed");
                break;
            }
            read_scope(r);
            open_root(r, root, prefix);
            return true;
        }
        case XML_TEXT:
            if (slice_trim(r->xml.text).size > 0)
                reader_warn(r, WARNING_JUNK, "there is text before the feed");
            break;
        case XML_CDATA:
        case XML_END:
            break;
        case XML_END_OF_DOCUMENT:
        case XML_REFUSED:
            return false;
        }
    }
}

/* A new item within an item: the end tag of the first is missing. */
static void close_item(struct reader *r)
{
    while (r->in_item && r->depth > 0)
        pop(r);
    read_scope(r);
}

static void start_element(struct reader *r)
{
    struct slice prefix, local = split_name(r->xml.name, &prefix);
    guint n_bindings = r->bindings->len;
    bool is_empty = r->xml.is_empty;
    read_scope(r);
    const struct word *word = vocabulary_find(namespace_of(r, prefix), local, place_of(r));
    if (word && word->action == ACTION_ITEM && r->in_item) {
        close_item(r);
        n_bindings = MIN(n_bindings, r->bindings->len);
    }
    size_t depth = r->depth;
    if (!reader_act(r, word))
        return;
    if (r->depth > depth) {
        r->stack[depth].n_bindings = n_bindings;
        if (is_empty)
            pop(r);
    } else {
        g_array_set_size(r->bindings, n_bindings);
    }
}

/* Text that stands in no field: it may be an author without a name element. */
static void take_loose_text(struct reader *r, enum xml_event event)
{
    if (place_of(r) != IN_PERSON) {
        xml_count_entities(&r->xml, r->raw);
        return;
    }
    bool is_decoded = r->xml.strict && event == XML_CDATA;
    enum textual_form form = is_decoded ? TEXTUAL_PLAIN : TEXTUAL_HTML;
    const char *line = textual_line(&r->textual, r->xml.text, form);
    if (line && !r->person.name && !r->person.email)
        r->person = person_parse(&r->document->arena, line);
}

/* Everything between the start and the end of the root. */
static void read_root(struct reader *r)
{
    while (r->depth > 0 && !r->xml.error) {
        enum xml_event event = xml_next(&r->xml);
        switch (event) {
        case XML_START:
            start_element(r);
            break;
        case XML_END:
            end_element(r);
            break;
        case XML_TEXT:
        case XML_CDATA:
            take_loose_text(r, event);
            break;
        case XML_END_OF_DOCUMENT:
            r->is_cut = true;
            r->document->doc.is_truncated = true;
            while (r->depth > 0)
                pop(r);
            break;
        case XML_REFUSED:
            return;
        }
    }
}

static void make_absolute(struct reader *r, const char **link, const char *base)
{
    if (*link)
        *link = link_resolve(&r->document->arena, base, (struct slice){*link, strlen(*link)});
}

/* Links that no base was known for until the whole feed was: its own address, then its page's. */
static void resolve_late(struct reader *r)
{
    const char *base = r->base_url ? r->base_url : r->self_url;
    make_absolute(r, &r->feed.texts[DRAFT_LINK], base);
    if (!base)
        base = r->feed.texts[DRAFT_LINK];
    if (!base)
        return;
    for (guint i = 0; i < r->items->len; i++) {
        struct feed_item *item = &g_array_index(r->items, struct feed_item, i);
        make_absolute(r, &item->link, base);
        /* The lists are ours: draft_item() made them. */
        struct feed_enclosure *enclosures = (struct feed_enclosure *)(uintptr_t)item->enclosures;
        for (size_t k = 0; k < item->n_enclosures; k++)
            make_absolute(r, &enclosures[k].url, base);
    }
}

static void warn_of_syntax(struct reader *r)
{
    const struct xml *x = &r->xml;
    if (x->has_bad_tags)
        reader_warn(r, WARNING_BAD_TAG, "a < that begins no tag was read as text");
    if (x->has_unknown_references)
        reader_warn(r, WARNING_REFERENCE, "an entity that is not declared was left as it is");
    if (x->has_too_many)
        reader_warn(r, WARNING_ELEMENTS, "the document was read up to its element %d only",
                    XML_ELEMENTS_MAX);
    if (r->document->doc.is_truncated)
        reader_warn(r, WARNING_TRUNCATED, "the document ends too early");
}

/* What items have of their feed. */
static void inherit(struct reader *r, struct feed_item *item, const struct feed_author *authors)
{
    if (!item->language)
        item->language = r->document->doc.language;
    if (item->n_authors > 0 || r->native != NS_ATOM)
        return;
    item->authors = authors;
    item->n_authors = r->feed.authors->len;
}

static void fill_document(struct reader *r)
{
    struct feed_doc *doc = &r->document->doc;
    const struct draft *feed = &r->feed;
    doc->title = feed->texts[DRAFT_TITLE];
    doc->link = feed->texts[DRAFT_LINK];
    doc->id = feed->texts[DRAFT_ID];
    doc->language = feed->texts[DRAFT_LANGUAGE];
    doc->updated_s = feed->dates_s[DRAFT_UPDATED - DRAFT_TEXTS];
    if (doc->update_period_s > 0 && r->update_frequency > 1)
        doc->update_period_s = MAX(1, doc->update_period_s / r->update_frequency);
    const struct feed_author *authors = draft_item(feed, &r->document->arena).authors;
    for (guint i = 0; i < r->items->len; i++)
        inherit(r, &g_array_index(r->items, struct feed_item, i), authors);
    doc->n_items = r->items->len;
    doc->items = (struct feed_item *)(void *)g_array_free(g_steal_pointer(&r->items), FALSE);
}

static struct reader *reader_new(const char *text, size_t size, const struct feed_options *options,
                                 GPtrArray *warnings, struct document *document)
{
    struct reader *r = g_new0(struct reader, 1);
    xml_init(&r->xml, text, size);
    r->document = document;
    r->warnings = warnings;
    r->base_url = options ? options->base_url : NULL;
    textual_init(&r->textual, &document->arena);
    draft_init(&r->feed);
    draft_init(&r->item);
    r->items = g_array_new(FALSE, FALSE, sizeof(struct feed_item));
    r->source_authors = g_array_new(FALSE, FALSE, sizeof(struct feed_author));
    r->bindings = g_array_new(FALSE, FALSE, sizeof(struct binding));
    r->raw = g_string_new(NULL);
    return r;
}

static void reader_free(struct reader *r)
{
    xml_clear(&r->xml);
    textual_clear(&r->textual);
    draft_clear(&r->feed);
    draft_clear(&r->item);
    if (r->items)
        g_array_unref(r->items);
    g_array_unref(r->source_authors);
    g_array_unref(r->bindings);
    g_string_free(r->raw, TRUE);
    g_free(r);
}

/* False where it is no feed, is refused (then error is set), or not well-formed. */
static bool read_document(struct reader *r, GError **error)
{
    bool found = find_root(r);
    if (found)
        read_root(r);
    if (r->xml.is_malformed)
        return false;
    if (found && !r->xml.error) {
        resolve_late(r);
        warn_of_syntax(r);
        fill_document(r);
        return true;
    }
    if (r->xml.error)
        g_propagate_error(error, g_steal_pointer(&r->xml.error));
    else
        g_set_error_literal(error, FEED_ERROR, FEED_ERROR_NOT_A_FEED,
                            "this is no feed: neither RSS, Atom nor JSON Feed");
    return false;
}

bool reader_parse_once(struct strict *strict, const char *text, size_t size,
                       const struct feed_options *options, GPtrArray *warnings,
                       struct document *document, bool *ret_is_malformed, GError **error)
{
    struct reader *r = reader_new(text, size, options, warnings, document);
    xml_use_strict(&r->xml, strict);
    bool ok = read_document(r, error);
    *ret_is_malformed = r->xml.is_malformed;
    reader_free(r);
    return ok;
}

bool reader_parse(const char *text, size_t size, const struct feed_options *options,
                  GPtrArray *warnings, struct document *document, GError **error)
{
    guint n_warnings = warnings->len;
    bool is_malformed;
    bool ok = reader_parse_once(strict_new(text, size, STRICT_PIECE_BYTES), text, size, options,
                                warnings, document, &is_malformed, error);
    if (!is_malformed)
        return ok;
    document_reset(document);
    g_ptr_array_set_size(warnings, (gint)n_warnings);
    return reader_parse_once(NULL, text, size, options, warnings, document, &is_malformed, error);
}
