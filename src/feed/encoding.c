#include "feed/encoding.h"

#include "text/utf8.h"

#include <errno.h>
#include <string.h>

#define DECLARATION_BYTES_MAX 2048 /* where a declaration is looked for */
#define REPLACEMENT           "\xEF\xBF\xBD"

void encoding_clear(struct encoding_text *text)
{
    g_free(text->owned);
    *text = (struct encoding_text){0};
}

/* Converts everything; what means nothing is replaced, unit bytes at a time. */
static GString *convert(GIConv converter, const char *bytes, size_t size, size_t unit)
{
    GString *out = g_string_sized_new(size + size / 2 + 16);
    char *in = (char *)(uintptr_t)bytes; /* iconv(3) takes it without const and leaves it alone */
    char buffer[8192];
    while (size > 0) {
        char *to = buffer;
        size_t room = sizeof buffer;
        size_t result = g_iconv(converter, &in, &size, &to, &room);
        int code = errno;
        g_string_append_len(out, buffer, to - buffer);
        if (result != (size_t)-1 || code == E2BIG)
            continue;
        size_t bad = code == EINVAL ? size : MIN(unit, size); /* EINVAL: cut at the end */
        g_string_append(out, REPLACEMENT);
        in += bad;
        size -= bad;
        g_iconv(converter, NULL, NULL, NULL, NULL);
    }
    return out;
}

static bool convert_from(const char *name, size_t unit, const char *bytes, size_t size,
                         struct encoding_text *ret, GError **error)
{
    GIConv converter = g_iconv_open("UTF-8", name);
    if (converter == (GIConv)-1) {
        g_set_error(error, FEED_ERROR, FEED_ERROR_ENCODING,
                    "this system cannot read the encoding %s", name);
        return false;
    }
    GString *out = convert(converter, bytes, size, unit);
    g_iconv_close(converter);
    ret->size = out->len;
    ret->at = ret->owned = g_string_free(out, FALSE);
    return true;
}

static void repair(const char *bytes, size_t size, struct encoding_text *ret)
{
    GString *out = g_string_sized_new(size + 16);
    utf8_append_repaired(out, bytes, size);
    ret->size = out->len;
    ret->at = ret->owned = g_string_free(out, FALSE);
    ret->warning = "bytes that are not valid UTF-8 were replaced";
}

static bool begins(const char *bytes, size_t size, const char *with, size_t n)
{
    return size >= n && memcmp(bytes, with, n) == 0;
}

/* UTF-16 and UTF-32 by their mark, or by the zeroes around the first "<" or "{". */
static const char *wide_name(const char *bytes, size_t size, size_t *ret_unit)
{
    static const struct {
        const char *bytes;
        unsigned char size, unit;
        const char *name;
    } marks[] = {
        {"\xFF\xFE\0\0", 4, 4, "UTF-32LE"}, {"\0\0\xFE\xFF", 4, 4, "UTF-32BE"},
        {"<\0\0\0", 4, 4, "UTF-32LE"},      {"\0\0\0<", 4, 4, "UTF-32BE"},
        {"\xFF\xFE", 2, 2, "UTF-16LE"},     {"\xFE\xFF", 2, 2, "UTF-16BE"},
        {"<\0?\0", 4, 2, "UTF-16LE"},       {"\0<\0?", 4, 2, "UTF-16BE"},
        {"<\0", 2, 2, "UTF-16LE"},          {"\0<", 2, 2, "UTF-16BE"},
        {"{\0", 2, 2, "UTF-16LE"},          {"\0{", 2, 2, "UTF-16BE"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
        if (!begins(bytes, size, marks[i].bytes, marks[i].size))
            continue;
        *ret_unit = marks[i].unit;
        return marks[i].name;
    }
    return NULL;
}

struct name {
    const char *at;
    size_t size;
};

/* The value behind "key =" in [p, end), with or without quotes. */
static struct name value_of(const char *p, const char *end, const char *key)
{
    size_t size = strlen(key);
    for (; (size_t)(end - p) > size; p++) {
        if (g_ascii_strncasecmp(p, key, size) != 0)
            continue;
        const char *v = p + size;
        while (v < end && g_ascii_isspace(*v))
            v++;
        if (v == end || *v++ != '=')
            continue;
        while (v < end && (g_ascii_isspace(*v) || *v == '"' || *v == '\''))
            v++;
        const char *stop = v;
        while (stop < end && !g_ascii_isspace(*stop) && !strchr("\"';>?/", *stop))
            stop++;
        return (struct name){v, (size_t)(stop - v)};
    }
    return (struct name){NULL, 0};
}

/* What the document says in its XML declaration, else in a meta tag. */
static struct name declared_name(const char *bytes, size_t size)
{
    const char *end = bytes + MIN(size, DECLARATION_BYTES_MAX);
    const char *declaration = memmem(bytes, (size_t)(end - bytes), "<?xml", 5);
    if (declaration) {
        const char *stop = memmem(declaration, (size_t)(end - declaration), "?>", 2);
        struct name name = value_of(declaration, stop ? stop : end, "encoding");
        if (name.size > 0)
            return name;
    }
    const char *meta = memmem(bytes, (size_t)(end - bytes), "<meta", 5);
    return meta ? value_of(meta, end, "charset") : (struct name){NULL, 0};
}

/* EBCDIC, by its "<?xml": code page 037 is close enough to read the declaration. */
static bool decode_ebcdic(const char *bytes, size_t size, struct encoding_text *ret, GError **error)
{
    struct encoding_text head = {0};
    if (!convert_from("IBM037", 1, bytes, MIN(size, 256), &head, error))
        return false;
    struct name name = declared_name(head.at, head.size);
    const char *iconv_name = name.at ? encoding_iconv_name(name.at, name.size) : "IBM037";
    bool is_ebcdic = iconv_name && g_str_has_prefix(iconv_name, "IBM");
    encoding_clear(&head);
    return convert_from(is_ebcdic ? iconv_name : "IBM037", 1, bytes, size, ret, error);
}

static bool refuse(struct name name, GError **error)
{
    g_autofree char *shown = g_strndup(name.at, MIN(name.size, 40));
    for (char *p = shown; *p; p++)
        if (!g_ascii_isprint(*p))
            *p = '?';
    g_set_error(error, FEED_ERROR, FEED_ERROR_ENCODING, "the encoding \"%s\" is not one we read",
                shown);
    return false;
}

/* The encoding that both, either or neither of the two names say. */
static bool choose(struct name http, struct name declared, const char **ret_name, GError **error)
{
    const char *by_http = http.at ? encoding_iconv_name(http.at, http.size) : NULL;
    const char *by_document = declared.at ? encoding_iconv_name(declared.at, declared.size) : NULL;
    *ret_name = by_http ? by_http : by_document;
    if (*ret_name)
        return true;
    if (http.size > 0 || declared.size > 0)
        return refuse(declared.size > 0 ? declared : http, error);
    *ret_name = "UTF-8";
    return true;
}

static bool is_unicode(const char *name)
{
    return g_str_has_prefix(name, "UTF-");
}

static bool has_escapes(const char *bytes, size_t size, const char *name)
{
    return g_str_has_prefix(name, "ISO-2022") && memchr(bytes, 0x1B, size);
}

static bool decode_narrow(const char *bytes, size_t size, const char *content_type,
                          struct encoding_text *ret, GError **error)
{
    struct name http = {NULL, 0}, declared = declared_name(bytes, size);
    if (content_type)
        http = value_of(content_type, content_type + strlen(content_type), "charset");
    if (declared.size > 0 && encoding_is_refused(declared.at, declared.size))
        return refuse(declared, error);
    size_t n_invalid = 0;
    size_t n_valid = utf8_count(bytes, size, true, &n_invalid);
    g_autoptr(GError) unknown = NULL;
    const char *name = NULL;
    bool is_known = choose(http, declared, &name, &unknown);
    *ret = (struct encoding_text){.at = bytes, .size = size};
    if (n_invalid == 0) {
        if (is_known && has_escapes(bytes, size, name))
            return convert_from(name, 1, bytes, size, ret, error);
        if (!is_known || (n_valid > 0 && !is_unicode(name)))
            ret->warning = "the declared encoding is wrong: the document is UTF-8";
        return true;
    }
    if (!is_known) {
        g_propagate_error(error, g_steal_pointer(&unknown));
        return false;
    }
    const char *by_document = encoding_iconv_name(declared.at, declared.size);
    if (is_unicode(name) && by_document) /* the header is wrong about bytes that are no UTF-8 */
        name = by_document;
    if (!is_unicode(name))
        return convert_from(name, 1, bytes, size, ret, error);
    n_valid = utf8_count(bytes, size, false, &n_invalid);
    if (n_valid > 0) {
        repair(bytes, size, ret);
        return true;
    }
    ret->warning = "the document is not UTF-8; it was read as windows-1252";
    return convert_from("CP1252", 1, bytes, size, ret, error);
}

bool encoding_decode(const char *bytes, size_t size, const char *content_type,
                     struct encoding_text *ret, GError **error)
{
    size_t unit = 1;
    const char *wide = wide_name(bytes, size, &unit);
    bool ok = false;
    if (wide) {
        ok = convert_from(wide, unit, bytes, size, ret, error);
    } else if (begins(bytes, size, "\x4C\x6F\xA7\x94", 4)) {
        ok = decode_ebcdic(bytes, size, ret, error);
    } else if (begins(bytes, size, "\xEF\xBB\xBF", 3)) {
        size_t n_invalid = 0;
        utf8_count(bytes, size, true, &n_invalid);
        *ret = (struct encoding_text){.at = bytes, .size = size};
        if (n_invalid > 0)
            repair(bytes, size, ret);
        ok = true;
    } else {
        ok = decode_narrow(bytes, size, content_type, ret, error);
    }
    while (ok && begins(ret->at, ret->size, "\xEF\xBB\xBF", 3)) {
        ret->at += 3;
        ret->size -= 3;
    }
    return ok;
}
