/* The content of elements that hold text. */
#include "feed/reader.h"

#include "text/html_tags.h"

#include <string.h>

/* HTML's elements whose end tags may be left out: they do not nest in themselves. */
static bool is_unclosed_kind(struct slice name)
{
    static const char *const names[] = {"br",    "hr",    "img",    "input", "p",     "li",  "dt",
                                        "dd",    "td",    "tr",     "th",    "meta",  "wbr", "link",
                                        "tbody", "thead", "option", "area",  "embed", "col"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (slice_is_nocase(name, names[i]))
            return true;
    return false;
}

struct capture {
    struct reader *r;
    enum field field;
    struct slice name; /* of the element itself */
    size_t n_same;     /* open ones of that name within it */
    size_t n_outer;    /* open ones in it that are called like one around it */
    size_t n_open;
    bool has_tags;
    struct slice only; /* the only piece so far, in the document; at is NULL: there are more */
};

static bool is_same_name(struct slice a, struct slice b)
{
    return a.size == b.size && g_ascii_strncasecmp(a.at, b.at, a.size) == 0;
}

/* Whether an element around the field has that name. */
static bool is_outer(const struct reader *r, struct slice name)
{
    for (size_t i = r->depth; i-- > 0;)
        if (is_same_name(r->stack[i].name, name))
            return true;
    return false;
}

/* In RSS these cannot stand in text: the field's end tag is missing. */
static bool is_sibling(const struct capture *c)
{
    static const char *const names[] = {"item",     "guid",      "pubDate", "description",
                                        "category", "enclosure", "author",  "comments"};
    const struct xml *x = &c->r->xml;
    if (c->r->native != NS_RSS || c->field == FIELD_SKIP || c->field == FIELD_MARKUP ||
        memchr(c->name.at, ':', c->name.size))
        return false;
    bool is_short = slice_is(c->name, "author") || slice_is(c->name, "category");
    if (c->field == FIELD_TEXT || is_short)
        return vocabulary_find(NS_RSS, x->name, IN_FEED | IN_ITEM) != NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (slice_is(x->name, names[i]))
            return true;
    return slice_is(x->name, "link") && x->n_attributes == 0 && !x->is_empty;
}

static void append(GString *out, struct slice text)
{
    g_string_append_len(out, text.at, (gssize)text.size);
}

/* Character data that is to stay as it is among markup. */
static void append_escaped(GString *out, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] == '<')
            g_string_append(out, "&lt;");
        else if (text.at[i] == '&')
            g_string_append(out, "&amp;");
        else
            g_string_append_c(out, text.at[i]);
    }
}

/* A field that is one piece of the document needs no copy. */
static void flush_only(struct capture *c)
{
    if (c->only.at)
        append(c->r->raw, c->only);
    c->only = (struct slice){NULL, 0};
}

static bool take_only(struct capture *c, struct slice piece)
{
    bool is_first = c->r->xml.is_piece && c->r->raw->len == 0 && !c->only.at && !c->has_tags;
    if (is_first)
        c->only = piece;
    else
        flush_only(c);
    return is_first;
}

/* Tags are handed on to the renderer; those that HTML does not know vanish here. */
static void append_tag(struct capture *c, bool is_end)
{
    const struct xml *x = &c->r->xml;
    bool is_known = html_kind_of(x->name.at, x->name.size) != HTML_UNKNOWN;
    flush_only(c);
    if (c->field == FIELD_WORDS)
        g_string_append_c(c->r->raw, ' ');
    else if (c->field == FIELD_MARKUP || (c->field == FIELD_HTML && is_known))
        xml_append_tag(x, c->r->raw, is_end);
}

/* False: the element is over before this tag. */
static bool take_start(struct capture *c)
{
    const struct xml *x = &c->r->xml;
    if (is_sibling(c))
        return false;
    c->has_tags = true;
    append_tag(c, false);
    if (x->is_empty)
        return true;
    if (is_same_name(x->name, c->name))
        c->n_same++;
    else if (is_outer(c->r, x->name))
        c->n_outer++;
    if (!is_unclosed_kind(x->name))
        c->n_open++;
    return true;
}

enum ending { GOES_ON, ENDS_BEHIND, ENDS_BEFORE };

static enum ending take_end(struct capture *c)
{
    const struct xml *x = &c->r->xml;
    if (is_same_name(x->name, c->name)) {
        if (c->n_same-- == 0)
            return ENDS_BEHIND;
    } else if (is_outer(c->r, x->name)) {
        if (c->n_outer == 0)
            return ENDS_BEFORE;
        c->n_outer--;
    }
    if (c->n_open > 0 && !is_unclosed_kind(x->name))
        c->n_open--;
    append_tag(c, true);
    return GOES_ON;
}

static bool take_text(struct capture *c)
{
    struct xml *x = &c->r->xml;
    if (c->field == FIELD_SKIP)
        return xml_count_entities(x, c->r->raw);
    if (!memchr(x->text.at, '&', x->text.size) && take_only(c, x->text))
        return true;
    flush_only(c);
    if (c->field == FIELD_MARKUP)
        return xml_append_expanded(x, c->r->raw, x->text);
    return xml_append_decoded(x, c->r->raw, x->text);
}

static void take_cdata(struct capture *c)
{
    struct xml *x = &c->r->xml;
    if (x->is_truncated)
        xml_end_cdata(x, c->name);
    if (c->field == FIELD_SKIP)
        return;
    if (c->field != FIELD_MARKUP && take_only(c, x->text))
        return;
    flush_only(c);
    if (c->field == FIELD_MARKUP)
        append_escaped(c->r->raw, x->text);
    else
        append(c->r->raw, x->text);
}

/* One token; false where the capture is over. */
static bool take_token(struct capture *c, bool *ok)
{
    struct xml *x = &c->r->xml;
    switch (xml_next(x)) {
    case XML_TEXT:
        *ok = take_text(c);
        return *ok;
    case XML_CDATA:
        take_cdata(c);
        return true;
    case XML_START:
        if (take_start(c))
            return true;
        xml_unread(x);
        return false;
    case XML_END:
        switch (take_end(c)) {
        case GOES_ON:
            return true;
        case ENDS_BEFORE:
            xml_unread(x);
            G_GNUC_FALLTHROUGH;
        case ENDS_BEHIND:
            return false;
        }
        return false;
    case XML_END_OF_DOCUMENT:
        c->r->field_is_cut = true;
        return false;
    case XML_REFUSED:
        break;
    }
    *ok = false;
    return false;
}

bool reader_field(struct reader *r, enum field field, struct slice *ret,
                  enum textual_form *ret_form)
{
    struct capture c = {.r = r, .field = field, .name = r->xml.name};
    bool ok = true;
    g_string_truncate(r->raw, 0);
    r->field_is_cut = false;
    if (!r->xml.is_empty) {
        while (take_token(&c, &ok)) {
            if (c.n_open + r->depth <= FEED_DEPTH_MAX)
                continue;
            g_set_error(&r->xml.error, FEED_ERROR, FEED_ERROR_REFUSED,
                        "elements of the document are nested more than %d deep", FEED_DEPTH_MAX);
            return false;
        }
    }
    *ret = c.only.at ? c.only : (struct slice){r->raw->str, r->raw->len};
    if (ret_form)
        *ret_form = field == FIELD_TEXT                  ? TEXTUAL_PLAIN
                    : field == FIELD_WORDS               ? TEXTUAL_HTML
                    : field == FIELD_HTML && !c.has_tags ? TEXTUAL_HTML
                                                         : TEXTUAL_MARKUP;
    return ok;
}

const char *reader_line(struct reader *r, enum field field)
{
    struct slice text;
    enum textual_form form;
    return reader_field(r, field, &text, &form) ? textual_line(&r->textual, text, form) : NULL;
}
