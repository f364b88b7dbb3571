/* Internal entities and references. Of a document type declaration only the general entities with
 * a text of their own count: no parameter entity, nothing external. */
#include "feed/xml.h"

#include "text/html_refs.h"

#include <string.h>

static void refuse(struct xml *x, const char *message)
{
    if (!x->error)
        g_set_error_literal(&x->error, FEED_ERROR, FEED_ERROR_REFUSED, message);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && is_blank(*p))
        p++;
    return p;
}

/* Behind the quoted literal at p, or the end. */
static const char *skip_literal(const char *p, const char *end)
{
    const char *quote = memchr(p + 1, *p, (size_t)(end - p - 1));
    return quote ? quote + 1 : end;
}

/* Character references in a declared text are replaced there and then (XML 1.0, 4.5). */
static char *literal_value(struct slice value)
{
    GString *out = g_string_sized_new(value.size);
    const char *p = value.at, *end = value.at + value.size;
    while (p < end) {
        char bytes[HTML_REFERENCE_MAX];
        size_t used = 0, n = 0;
        if (end - p > 3 && p[0] == '&' && p[1] == '#')
            n = html_reference(p, (size_t)(end - p), HTML_REFERENCE_STRICT, bytes, &used);
        g_string_append_len(out, n > 0 ? bytes : p, n > 0 ? (gssize)n : 1);
        p += n > 0 ? used : 1;
    }
    return g_string_free(out, FALSE);
}

/* The first declaration of a name counts (XML 1.0, 4.2). */
static void keep_entity(struct xml *x, struct slice name, struct slice value)
{
    if (!x->entities)
        x->entities = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (g_hash_table_size(x->entities) >= XML_ENTITIES_MAX) {
        refuse(x, "the document declares more than 1024 entities");
        return;
    }
    g_autofree char *key = g_strndup(name.at, name.size);
    if (!g_hash_table_contains(x->entities, key))
        g_hash_table_insert(x->entities, g_steal_pointer(&key), literal_value(value));
}

/* "<!ENTITY name "value">": p is behind the word. */
static void read_entity(struct xml *x, const char *p, const char *end)
{
    p = skip_blanks(p, end);
    const char *name = p;
    while (p < end && !is_blank(*p) && *p != '>' && *p != '"' && *p != '\'')
        p++;
    struct slice key = {name, (size_t)(p - name)};
    p = skip_blanks(p, end);
    bool has_value = p < end && (*p == '"' || *p == '\'') && key.size > 0 && *name != '%';
    if (!has_value)
        return;
    const char *stop = skip_literal(p, end);
    if (stop > p + 1)
        keep_entity(x, key, (struct slice){p + 1, (size_t)(stop - p - 2)});
}

/* Behind the declaration at p, "<!…>" or "<?…>". */
static const char *skip_markup(const char *p, const char *end)
{
    if (end - p >= 4 && memcmp(p, "<!--", 4) == 0) {
        const char *stop = memmem(p + 4, (size_t)(end - p - 4), "-->", 3);
        return stop ? stop + 3 : end;
    }
    while (p < end && *p != '>')
        p = *p == '"' || *p == '\'' ? skip_literal(p, end) : p + 1;
    return p < end ? p + 1 : end;
}

static const char *read_subset(struct xml *x, const char *p)
{
    static const char word[] = "<!ENTITY";
    while (p < x->end && *p != ']' && !x->error) {
        if (*p != '<') {
            p++;
            continue;
        }
        const char *stop = skip_markup(p, x->end);
        if ((size_t)(stop - p) > sizeof word && memcmp(p, word, sizeof word - 1) == 0)
            read_entity(x, p + sizeof word - 1, stop);
        p = stop;
    }
    return p;
}

void xml_read_doctype(struct xml *x)
{
    const char *p = x->p + strlen("<!DOCTYPE");
    while (p < x->end && *p != '>' && *p != '[' && *p != '<')
        p = *p == '"' || *p == '\'' ? skip_literal(p, x->end) : p + 1;
    if (p < x->end && *p == '[') {
        p = read_subset(x, p + 1);
        while (p < x->end && *p != '>' && *p != '<')
            p++;
    }
    x->is_truncated = x->is_truncated || p == x->end;
    x->p = p < x->end && *p == '>' ? p + 1 : p;
}

/* These five cannot be declared otherwise (XML 1.0, 4.6). */
static bool is_predefined(const char *name)
{
    static const char *const names[] = {"amp", "lt", "gt", "quot", "apos", NULL};
    return g_strv_contains(names, name);
}

/* The document's entity that the reference at p names, and how long the reference is. */
static const char *find_entity(const struct xml *x, const char *p, const char *end,
                               size_t *ret_used)
{
    char name[64];
    const char *stop =
        x->entities ? memchr(p, ';', (size_t)MIN(end - p, (ssize_t)sizeof name)) : NULL;
    if (!stop)
        return NULL;
    size_t size = (size_t)(stop - p) - 1;
    memcpy(name, p + 1, size);
    name[size] = '\0';
    *ret_used = size + 2;
    return is_predefined(name) ? NULL : g_hash_table_lookup(x->entities, name);
}

static bool append(struct xml *x, GString *out, struct slice text, unsigned depth, bool decode);

static bool append_entity(struct xml *x, GString *out, const char *value, unsigned depth,
                          bool decode)
{
    struct slice text = {value, strlen(value)};
    x->entity_bytes += text.size;
    if (depth >= XML_ENTITY_DEPTH_MAX)
        refuse(x, "the document's entities are nested too deep or in a loop");
    else if (x->entity_bytes > XML_ENTITY_BYTES_MAX)
        refuse(x, "the document's entities expand to more than 1 MiB");
    return !x->error && append(x, out, text, depth + 1, decode);
}

/* Appends what the reference at p stands for; returns how many bytes of it were taken, 0 on error.
 */
static size_t append_reference(struct xml *x, GString *out, const char *p, const char *end,
                               unsigned depth, bool decode)
{
    char bytes[HTML_REFERENCE_MAX];
    size_t used = 1;
    const char *value = find_entity(x, p, end, &used);
    if (value)
        return append_entity(x, out, value, depth, decode) ? used : 0;
    used = 1;
    size_t n =
        decode ? html_reference(p, (size_t)(end - p), HTML_REFERENCE_STRICT, bytes, &used) : 0;
    if (n > 0) {
        g_string_append_len(out, bytes, (gssize)n);
        return used;
    }
    if (decode && end - p > 2 && g_ascii_isalpha(p[1]) && memchr(p, ';', (size_t)MIN(end - p, 40)))
        x->has_unknown_references = true;
    g_string_append_c(out, '&');
    return 1;
}

static bool append(struct xml *x, GString *out, struct slice text, unsigned depth, bool decode)
{
    const char *p = text.at, *end = text.at + text.size;
    while (p < end) {
        const char *amp = memchr(p, '&', (size_t)(end - p));
        if (!amp)
            break;
        g_string_append_len(out, p, amp - p);
        size_t used = append_reference(x, out, amp, end, depth, decode);
        if (used == 0)
            return false;
        p = amp + used;
    }
    g_string_append_len(out, p, end - p);
    return true;
}

bool xml_append_decoded(struct xml *x, GString *out, struct slice text)
{
    return append(x, out, text, 0, true);
}

bool xml_append_value(struct xml *x, GString *out, struct slice value)
{
    if (!x->strict)
        return append(x, out, value, 0, true);
    g_string_append_len(out, value.at, (gssize)value.size);
    return true;
}

bool xml_append_expanded(struct xml *x, GString *out, struct slice text)
{
    if (x->entities)
        return append(x, out, text, 0, false);
    g_string_append_len(out, text.at, (gssize)text.size);
    return true;
}

bool xml_count_entities(struct xml *x, GString *scratch)
{
    if (!x->entities || !memchr(x->text.at, '&', x->text.size))
        return true;
    bool ok = append(x, scratch, x->text, 0, false);
    g_string_truncate(scratch, 0);
    return ok;
}
