/* Leaves that are not made of words: regular expressions and the values of feed, lang, site, link.
 */
#include "rule/leaf.h"

#include "text/utf8.h"

#include <string.h>

static bool found_in(struct leaf_piece *ret_piece, enum field field, size_t index,
                     const char *value, size_t start, size_t end)
{
    if (ret_piece)
        *ret_piece = (struct leaf_piece){field, index, value, start, end};
    return true;
}

static bool search(const struct item_index *index, const struct rule_leaf *leaf,
                   struct leaf_scratch *scratch, const char *text, size_t size, size_t *ret_start,
                   size_t *ret_end)
{
    const struct regex *regex = g_ptr_array_index(index->set->regexes, leaf->at);
    if (!scratch->regex)
        scratch->regex = regex_scratch_new();
    enum regex_result result =
        regex_search(regex, scratch->regex, text, size, &scratch->steps, ret_start, ret_end);
    if (result == REGEX_STOPPED)
        scratch->is_stopped = true;
    return result == REGEX_YES;
}

/* The host in a URL: between // and the next / ? # or the port, without user information. */
static bool host_of(const char *link, size_t *ret_start, size_t *ret_end)
{
    const char *host = strstr(link, "://");
    if (!host)
        return false;
    host += 3;
    const char *end = host + strcspn(host, "/?#\\"), *at = memrchr(host, '@', (size_t)(end - host));
    if (at)
        host = at + 1;
    const char *colon = memchr(host, ':', (size_t)(end - host));
    if (colon && *host != '[')
        end = colon;
    while (end > host && end[-1] == '.')
        end--;
    *ret_start = (size_t)(host - link);
    *ret_end = (size_t)(end - link);
    return end > host;
}

static bool site_holds(const char *site, const char *host, size_t size)
{
    size_t site_size = strlen(site);
    if (site_size > size || g_ascii_strncasecmp(host + size - site_size, site, site_size) != 0)
        return false;
    return size == site_size || host[size - site_size - 1] == '.';
}

static const char *find_ignoring_case(const char *text, const char *wanted)
{
    size_t size = strlen(wanted);
    for (; *text; text++)
        if (g_ascii_strncasecmp(text, wanted, size) == 0)
            return text;
    return NULL;
}

static const char *value_of(const struct rule_item *item, unsigned field)
{
    if (field == FIELD_BIT(FIELD_FEED))
        return item->feed;
    return field == FIELD_BIT(FIELD_LANG) ? item->language : item->link;
}

static enum field named_field(unsigned field)
{
    if (field == FIELD_BIT(FIELD_FEED))
        return FIELD_FEED;
    return field == FIELD_BIT(FIELD_LANG) ? FIELD_LANG : FIELD_LINK;
}

static bool value_holds(const struct item_index *index, const struct rule_leaf *leaf,
                        struct leaf_piece *ret_piece)
{
    const char *wanted = ruleset_string(index->set, leaf->at);
    const char *value = value_of(index->item, leaf->fields);
    enum field field = named_field(leaf->fields);
    size_t start = 0, end = 0;
    if (!value)
        return false;
    if (field != FIELD_LINK)
        return scope_glob(wanted, value) && found_in(ret_piece, field, 0, value, 0, strlen(value));
    if (leaf->fields == FIELD_BIT(FIELD_SITE))
        return host_of(value, &start, &end) && site_holds(wanted, value + start, end - start) &&
               found_in(ret_piece, field, 0, value, start, end);
    const char *found = find_ignoring_case(value, wanted);
    start = found ? (size_t)(found - value) : 0;
    return found && found_in(ret_piece, field, 0, value, start, start + strlen(wanted));
}

static bool regex_holds_in_value(const struct item_index *index, const struct rule_leaf *leaf,
                                 struct leaf_scratch *scratch, struct leaf_piece *ret_piece)
{
    const char *value = value_of(index->item, leaf->fields);
    size_t from = 0, to = value ? strlen(value) : 0, start = 0, end = 0;
    if (!value || (leaf->fields == FIELD_BIT(FIELD_SITE) && !host_of(value, &from, &to)))
        return false;
    return search(index, leaf, scratch, value + from, to - from, &start, &end) &&
           found_in(ret_piece, named_field(leaf->fields), 0, value, from + start, from + end);
}

bool leaf_piece(const struct item_index *index, const struct rule_leaf *leaf, unsigned fields,
                struct leaf_scratch *scratch, struct leaf_piece *ret_piece)
{
    if (leaf->kind == LEAF_VALUE)
        return value_holds(index, leaf, ret_piece);
    if (leaf->fields)
        return regex_holds_in_value(index, leaf, scratch, ret_piece);
    for (size_t i = 0; i < index->n_values; i++) {
        const struct item_value *value = &index->values[i];
        size_t start, end;
        if ((FIELD_BIT(value->field) & fields) &&
            search(index, leaf, scratch, value->text, value->size, &start, &end))
            return found_in(ret_piece, value->field, value->index, value->text, start, end);
    }
    return false;
}

/* The beginning of the character that ends before pos. */
static size_t previous(const char *text, size_t pos)
{
    size_t at = pos - 1;
    while (at > 0 && pos - at < 4 && ((unsigned char)text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

void leaf_range(const struct item_index *index, const struct rule_leaf *leaf,
                const struct span *span, struct leaf_piece *ret_piece)
{
    const struct item_value *value = item_value_at(index, span->start);
    uint32_t first = value->word + (span->start - value->position);
    *ret_piece =
        (struct leaf_piece){value->field, value->index, value->text, item_place(index, first).start,
                            item_place(index, first + (span->end - span->start)).end};
    if (!leaf || leaf->kind != LEAF_EXACT)
        return;
    uint32_t number = g_array_index(index->set->words, uint32_t, leaf->at + leaf->n_words);
    const struct exact *exact = &g_array_index(index->set->exacts, struct exact, number);
    for (uint32_t i = 0; i < exact->before; i++)
        ret_piece->start = previous(value->text, ret_piece->start);
    ret_piece->end += exact->size - exact->core_end;
}
