/* What each word of the vocabulary does. */
#include "feed/reader.h"

#include "feed/date.h"
#include "feed/link.h"
#include "feed/person.h"

#include <string.h>

#define NUMBER_BYTES_MAX 18     /* digits that surely fit int64_t */
#define BINARY_BYTES_MIN 200    /* of one word that is no word */
#define RANK_ABOUT       6      /* rdf:about as a link */
#define RANK_GUID        5      /* guid as a permalink */
#define RANK_SOURCE      30     /* content that is elsewhere */
#define RANK_OTHER_TYPE  20     /* added for an alternate that is no page */
#define RANK_RELATED     40     /* added for a link to something else */
#define TTL_MINUTES_MAX  525600 /* a year */
#define SHOWN_BYTES_MAX  60     /* of a text in a warning */

static struct slice attribute(const struct reader *r, const char *name)
{
    const struct slice *value = xml_attribute(&r->xml, name);
    return value ? slice_trim(*value) : (struct slice){"", 0};
}

/* One that may have a namespace, under whatever prefix: "rdf:about", "enc:length". */
static struct slice qualified(const struct reader *r, const char *name)
{
    size_t size = strlen(name);
    struct slice plain = attribute(r, name);
    for (size_t i = 0; plain.size == 0 && i < r->xml.n_attributes; i++) {
        struct slice full = r->xml.attributes[i].name;
        if (full.size > size && full.at[full.size - size - 1] == ':' &&
            memcmp(full.at + full.size - size, name, size) == 0)
            return slice_trim(r->xml.attributes[i].value);
    }
    return plain;
}

static const char *keep_line(struct reader *r, struct slice raw)
{
    g_autoptr(GString) decoded = g_string_new(NULL);
    if (!xml_append_value(&r->xml, decoded, raw))
        return NULL;
    return textual_line(&r->textual, (struct slice){decoded->str, decoded->len}, TEXTUAL_PLAIN);
}

static const char *attribute_line(struct reader *r, const char *name)
{
    return keep_line(r, attribute(r, name));
}

/* A link that was escaped once too often has "&amp;" in it: no link means that. */
static void unescape_ampersands(GString *link)
{
    for (char *amp = strstr(link->str, "&amp;"); amp; amp = strstr(amp + 1, "&amp;"))
        g_string_erase(link, amp - link->str + 1, 4);
}

static const char *resolve(struct reader *r, struct slice decoded)
{
    g_autoptr(GString) link = g_string_new_len(decoded.at, (gssize)decoded.size);
    unescape_ampersands(link);
    return link_resolve(&r->document->arena, r->base ? r->base : r->base_url,
                        (struct slice){link->str, link->len});
}

static const char *decoded_link(struct reader *r, struct slice raw)
{
    g_autoptr(GString) decoded = g_string_new(NULL);
    if (!xml_append_value(&r->xml, decoded, raw))
        return NULL;
    return resolve(r, (struct slice){decoded->str, decoded->len});
}

static const char *attribute_link(struct reader *r, const char *name)
{
    return decoded_link(r, attribute(r, name));
}

static struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static int64_t number_of(struct slice digits)
{
    int64_t value = 0;
    digits = slice_trim(digits);
    if (digits.size == 0 || digits.size > NUMBER_BYTES_MAX)
        return -1;
    for (size_t i = 0; i < digits.size; i++) {
        if (!g_ascii_isdigit(digits.at[i]))
            return -1;
        value = value * 10 + (digits.at[i] - '0');
    }
    return value;
}

static void set_text(struct reader *r, const struct word *word, struct slice text,
                     enum textual_form form)
{
    enum draft_slot slot = (enum draft_slot)word->slot;
    if (!draft_wants(reader_draft(r), slot, word->rank))
        return;
    bool is_block = slot == DRAFT_SUMMARY || slot == DRAFT_CONTENT;
    const char *kept =
        is_block ? textual_block(&r->textual, text, form) : textual_line(&r->textual, text, form);
    draft_set_text(reader_draft(r), slot, word->rank, kept);
}

static bool act_text(struct reader *r, const struct word *word)
{
    struct slice text;
    enum textual_form form;
    if (!reader_field(r, FIELD_HTML, &text, &form))
        return false;
    set_text(r, word, text, form);
    return true;
}

static bool has_suffix(struct slice text, const char *suffix)
{
    size_t size = strlen(suffix);
    return text.size >= size && g_ascii_strncasecmp(text.at + text.size - size, suffix, size) == 0;
}

static bool has_prefix(struct slice text, const char *prefix)
{
    size_t size = strlen(prefix);
    return text.size >= size && g_ascii_strncasecmp(text.at, prefix, size) == 0;
}

enum construct { CONSTRUCT_TEXT, CONSTRUCT_HTML, CONSTRUCT_MARKUP, CONSTRUCT_BASE64 };

/* RFC 4287, 3.1.1 and 4.1.3.3; Atom 0.3 has MIME types and a mode. */
static enum construct construct_of(const struct reader *r)
{
    struct slice type = attribute(r, "type"), mode = attribute(r, "mode");
    if (slice_is_nocase(mode, "base64"))
        return CONSTRUCT_BASE64;
    if (slice_is_nocase(type, "html") || has_prefix(type, "text/html"))
        return CONSTRUCT_HTML;
    bool is_xml =
        slice_is_nocase(type, "xhtml") || has_suffix(type, "+xml") || has_suffix(type, "/xml");
    if (is_xml)
        return slice_is_nocase(mode, "escaped") ? CONSTRUCT_HTML : CONSTRUCT_MARKUP;
    if (type.size == 0 || !memchr(type.at, '/', type.size) || has_prefix(type, "text/"))
        return CONSTRUCT_TEXT;
    return CONSTRUCT_BASE64;
}

/* What is called binary: text in base64, or text after all; nothing else is of use. */
static bool take_base64(struct reader *r, const struct word *word)
{
    struct slice text;
    if (!reader_field(r, FIELD_TEXT, &text, NULL))
        return false;
    text = slice_trim(text);
    gsize size = 0;
    g_autofree char *encoded = g_strndup(text.at, text.size);
    g_autofree guchar *bytes = g_base64_decode(encoded, &size);
    bool is_binary = text.size > BINARY_BYTES_MIN && !memchr(text.at, ' ', text.size);
    if (size > 0 && g_utf8_validate((const char *)bytes, (gssize)size, NULL))
        set_text(r, word, (struct slice){(const char *)bytes, size}, TEXTUAL_HTML);
    else if (!is_binary)
        set_text(r, word, text, TEXTUAL_PLAIN);
    return true;
}

static bool act_atom_text(struct reader *r, const struct word *word)
{
    static const enum field fields[] = {FIELD_TEXT, FIELD_HTML, FIELD_MARKUP};
    enum construct construct = construct_of(r);
    if (word->slot == DRAFT_CONTENT)
        draft_set_text(reader_draft(r), DRAFT_LINK, RANK_SOURCE, attribute_link(r, "src"));
    if (construct == CONSTRUCT_BASE64)
        return take_base64(r, word);
    struct slice text;
    enum textual_form form;
    if (!reader_field(r, fields[construct], &text, &form))
        return false;
    set_text(r, word, text, form);
    return true;
}

/* The text of an element that must be whole to be worth anything. */
static bool whole_field(struct reader *r, struct slice *ret)
{
    if (!reader_field(r, FIELD_TEXT, ret, NULL))
        return false;
    *ret = r->field_is_cut ? (struct slice){"", 0} : slice_trim(*ret);
    return true;
}

/* One whose URL and the like are attributes of the element just started. */
static void add_attached(struct reader *r, const char *url, const char *length)
{
    draft_add_enclosure(reader_draft(r), (struct feed_enclosure){
                                             .url = decoded_link(r, qualified(r, url)),
                                             .type = keep_line(r, qualified(r, "type")),
                                             .length_bytes = number_of(qualified(r, length)),
                                         });
}

static bool skip(struct reader *r)
{
    struct slice text;
    return reader_field(r, FIELD_SKIP, &text, NULL);
}

/* Some put the URL between the tags. */
static const char *link_target(struct reader *r)
{
    struct slice text;
    const char *href = attribute_link(r, "href");
    if (!whole_field(r, &text))
        return NULL;
    return href ? href : resolve(r, text);
}

/* The rank of an Atom link as the place that the item is about; DRAFT_RANK_NONE: it is none. */
static unsigned link_rank(const struct word *word, struct slice rel, struct slice type)
{
    bool is_page =
        type.size == 0 || has_prefix(type, "text/html") || has_prefix(type, "application/xhtml");
    if (slice_is_nocase(rel, "via") || slice_is_nocase(rel, "related"))
        return word->rank + RANK_RELATED;
    if (rel.size > 0 && !slice_is_nocase(rel, "alternate"))
        return DRAFT_RANK_NONE;
    return is_page ? word->rank : word->rank + RANK_OTHER_TYPE;
}

/* What the attributes say is taken before link_target() moves on. */
static bool act_atom_link(struct reader *r, const struct word *word)
{
    static const char registry[] = "http://www.iana.org/assignments/relation/";
    struct slice rel = attribute(r, "rel"), type = attribute(r, "type");
    if (has_prefix(rel, registry))
        rel = (struct slice){rel.at + strlen(registry), rel.size - strlen(registry)};
    bool is_enclosure = slice_is_nocase(rel, "enclosure");
    bool is_self = slice_is_nocase(rel, "self") && !r->in_item;
    unsigned rank = link_rank(word, rel, type);
    struct feed_enclosure enclosure = {.length_bytes = number_of(attribute(r, "length"))};
    if (is_enclosure)
        enclosure.type = keep_line(r, type);
    const char *target = enclosure.url = link_target(r);
    if (is_self)
        r->self_url = target;
    if (is_enclosure && r->in_item)
        draft_add_enclosure(reader_draft(r), enclosure);
    else if (rank != DRAFT_RANK_NONE)
        draft_set_text(reader_draft(r), DRAFT_LINK, rank, target);
    return !r->xml.error;
}

static bool act_link(struct reader *r, const struct word *word)
{
    struct slice text;
    if (attribute(r, "href").size > 0)
        return act_atom_link(r, word);
    if (!whole_field(r, &text))
        return false;
    draft_set_text(reader_draft(r), (enum draft_slot)word->slot, word->rank, resolve(r, text));
    return true;
}

static bool act_guid(struct reader *r, const struct word *word)
{
    struct slice permalink = attribute(r, "isPermaLink"), text;
    bool is_link = word->ns == NS_RSS && !slice_is_nocase(permalink, "false");
    if (!whole_field(r, &text))
        return false;
    draft_set_text(reader_draft(r), DRAFT_ID, word->rank,
                   textual_line(&r->textual, text, TEXTUAL_PLAIN));
    if (is_link && link_is_web(text))
        draft_set_text(reader_draft(r), DRAFT_LINK, RANK_GUID, resolve(r, text));
    return true;
}

static bool act_date(struct reader *r, const struct word *word)
{
    struct slice text;
    int64_t time_s = 0;
    if (!whole_field(r, &text))
        return false;
    struct slice shown = slice_head(text, SHOWN_BYTES_MAX);
    if (date_parse(text.at, text.size, &time_s))
        draft_set_date(reader_draft(r), (enum draft_slot)word->slot, word->rank, time_s);
    else if (text.size > 0)
        reader_warn(r, WARNING_DATE, "\"%.*s\" is no date between 1900 and 2999", (int)shown.size,
                    shown.at);
    return true;
}

static bool act_author(struct reader *r)
{
    const char *line = reader_line(r, FIELD_WORDS);
    if (line)
        draft_add_author(reader_draft(r), person_parse(&r->document->arena, line));
    return !r->xml.error;
}

static bool act_person_part(struct reader *r, enum action action)
{
    const char *line = reader_line(r, FIELD_HTML);
    if (!line)
        return !r->xml.error;
    if (action == ACTION_NAME)
        r->person.name = line;
    else if (action == ACTION_EMAIL)
        r->person.email = line;
    else
        r->person.url = resolve(r, slice_of(line));
    return true;
}

static const char *category_attribute(struct reader *r)
{
    static const char *const names[] = {"label", "term", "text"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *line = attribute_line(r, names[i]);
        if (line)
            return line;
    }
    return NULL;
}

static bool act_category(struct reader *r)
{
    const char *named = category_attribute(r);
    const char *text = reader_line(r, FIELD_HTML);
    draft_add_category(reader_draft(r), named ? named : text);
    return !r->xml.error;
}

static bool act_keywords(struct reader *r)
{
    const char *line = reader_line(r, FIELD_HTML);
    g_auto(GStrv) words = g_strsplit(line ? line : "", ",", DRAFT_LIST_MAX);
    for (char **word = words; *word; word++)
        draft_add_category(reader_draft(r),
                           textual_line(&r->textual, slice_of(*word), TEXTUAL_PLAIN));
    return !r->xml.error;
}

static bool act_enclosure(struct reader *r)
{
    static const char *const names[] = {"url", "href", "resource"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (qualified(r, names[i]).size == 0)
            continue;
        add_attached(r, names[i], "length");
        break;
    }
    return skip(r);
}

static void take_hour(struct reader *r, struct slice text)
{
    int64_t hour = number_of(text);
    if (hour >= 0 && hour <= 24)
        r->document->doc.skip_hours |= 1U << (hour % 24);
}

static void take_day(struct reader *r, struct slice text)
{
    static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
    for (unsigned i = 0; i < G_N_ELEMENTS(days); i++)
        if (has_prefix(text, days[i]))
            r->document->doc.skip_days |= (uint8_t)(1U << i);
}

static void take_period(struct reader *r, struct slice text)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } periods[] = {
        {"hourly", 3600},     {"daily", 86400},        {"weekly", 7 * 86400},
        {"monthly", 2592000}, {"yearly", 365 * 86400},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(periods); i++)
        if (slice_is_nocase(text, periods[i].name))
            r->document->doc.update_period_s = periods[i].seconds;
}

/* What the publisher asks of a poller. */
static bool act_hint(struct reader *r, enum action action)
{
    struct slice text;
    if (!whole_field(r, &text))
        return false;
    int64_t number = number_of(text);
    if (action == ACTION_TTL && number > 0)
        r->document->doc.ttl_s = MIN(number, TTL_MINUTES_MAX) * 60;
    else if (action == ACTION_HOUR)
        take_hour(r, text);
    else if (action == ACTION_DAY)
        take_day(r, text);
    else if (action == ACTION_UPDATE_PERIOD)
        take_period(r, text);
    else if (action == ACTION_UPDATE_FREQUENCY && number > 0)
        r->update_frequency = number;
    return true;
}

static bool act_item(struct reader *r)
{
    const char *about = keep_line(r, qualified(r, "about"));
    reader_start_item(r);
    if (about) {
        draft_set_text(&r->item, DRAFT_ID, 3, about);
        if (link_is_web(slice_of(about)))
            draft_set_text(&r->item, DRAFT_LINK, RANK_ABOUT, resolve(r, slice_of(about)));
    }
    reader_push(r, IN_ITEM);
    return true;
}

static bool act_container(struct reader *r, enum action action)
{
    switch (action) {
    case ACTION_CHANNEL:
        draft_set_text(&r->feed, DRAFT_LANGUAGE, 9, r->language);
        reader_push(r, IN_FEED);
        break;
    case ACTION_PERSON:
        r->person = (struct feed_author){0};
        reader_push(r, IN_PERSON);
        break;
    case ACTION_SOURCE:
        r->in_source = true;
        reader_push(r, IN_SOURCE);
        break;
    case ACTION_SKIPS:
        reader_push(r, IN_SKIPS);
        break;
    case ACTION_MEDIA_CONTENT:
        if (attribute(r, "url").size > 0)
            add_attached(r, "url", "fileSize");
        reader_push(r, IN_MEDIA);
        break;
    case ACTION_CATEGORY_GROUP:
        draft_add_category(reader_draft(r), category_attribute(r));
        reader_push(r, IN_MEDIA);
        break;
    default:
        reader_push(r, IN_MEDIA);
    }
    return true;
}

bool reader_act(struct reader *r, const struct word *word)
{
    if (!word)
        return skip(r);
    enum action action = (enum action)word->action;
    switch (action) {
    case ACTION_ITEM:
        return act_item(r);
    case ACTION_TEXT:
        return act_text(r, word);
    case ACTION_ATOM_TEXT:
        return act_atom_text(r, word);
    case ACTION_LINK:
        return act_link(r, word);
    case ACTION_ATOM_LINK:
        return act_atom_link(r, word);
    case ACTION_GUID:
        return act_guid(r, word);
    case ACTION_DATE:
        return act_date(r, word);
    case ACTION_AUTHOR:
        return act_author(r);
    case ACTION_NAME:
    case ACTION_EMAIL:
    case ACTION_URI:
        return act_person_part(r, action);
    case ACTION_CATEGORY:
        return act_category(r);
    case ACTION_KEYWORDS:
        return act_keywords(r);
    case ACTION_ENCLOSURE:
        return act_enclosure(r);
    case ACTION_TTL:
    case ACTION_HOUR:
    case ACTION_DAY:
    case ACTION_UPDATE_PERIOD:
    case ACTION_UPDATE_FREQUENCY:
        return act_hint(r, action);
    case ACTION_CHANNEL:
    case ACTION_PERSON:
    case ACTION_SOURCE:
    case ACTION_SKIPS:
    case ACTION_MEDIA_CONTENT:
    case ACTION_MEDIA_GROUP:
    case ACTION_CATEGORY_GROUP:
        return act_container(r, action);
    }
    return false;
}
