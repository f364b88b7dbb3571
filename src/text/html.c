#include "text/html.h"

#include "text/sixteen.h"
#include "text/html_refs.h"
#include "text/html_tags.h"

#include <string.h>

/* No reference and no tag gives more than 6 bytes for 5; html_names.c's longest texts are 6. */
#define GROWTH(size) ((size) + (size) / 5 + 2 * HTML_REFERENCE_MAX)

enum space { SPACE_NONE, SPACE_BLANK, SPACE_BREAK };

struct renderer {
    const char *p, *end;
    const char *tags_end; /* behind the last ">": no tag begins beyond it */
    char *out;
    char *start; /* where this text begins in out */
    enum space pending;
    bool all_tags;
    GArray *alts; /* of images; NULL: none yet */
    /* Searches that found nothing once would find nothing again. */
    bool quotes_fail, comments_fail;
};

/* What the bytes of running text are: 0 is copied as it is. */
enum byte_class { BYTE_TEXT, BYTE_SPACE, BYTE_LT, BYTE_AMP, BYTE_C2 };
static const unsigned char byte_class[256] = {
    [' '] = BYTE_SPACE,  ['\t'] = BYTE_SPACE, ['\n'] = BYTE_SPACE, ['\r'] = BYTE_SPACE,
    ['\f'] = BYTE_SPACE, ['<'] = BYTE_LT,     ['&'] = BYTE_AMP,    [0xC2] = BYTE_C2,
};

static void separate(struct renderer *r, enum space space)
{
    if (space > r->pending)
        r->pending = space;
}

static void flush_space(struct renderer *r)
{
    if (r->pending != SPACE_NONE && r->out > r->start)
        *r->out++ = r->pending == SPACE_BREAK ? '\n' : ' ';
    r->pending = SPACE_NONE;
}

static void put(struct renderer *r, const char *bytes, size_t size)
{
    if (size == 2 && memcmp(bytes, "\xC2\xA0", 2) == 0) {
        separate(r, SPACE_BLANK);
    } else if (size == 1 && byte_class[(unsigned char)*bytes] == BYTE_SPACE) {
        separate(r, SPACE_BLANK);
    } else {
        flush_space(r);
        memcpy(r->out, bytes, size);
        r->out += size;
    }
}

static void put_reference(struct renderer *r, enum html_reference_rule rule)
{
    char bytes[HTML_REFERENCE_MAX];
    size_t used = 0;
    size_t size = html_reference(r->p, (size_t)(r->end - r->p), rule, bytes, &used);
    if (size > 0) {
        put(r, bytes, size);
        r->p += used;
    } else {
        put(r, r->p++, 1);
    }
}

/* The body of the value of an attribute: text without tags. */
static void put_plain(struct renderer *r, const char *text, size_t size)
{
    struct renderer inner = *r;
    inner.p = text;
    inner.end = text + size;
    while (inner.p < inner.end) {
        if (*inner.p == '&')
            put_reference(&inner, HTML_REFERENCE_ATTRIBUTE);
        else
            put(&inner, inner.p++, 1);
    }
    r->out = inner.out;
    r->pending = inner.pending;
}

struct alt {
    const char *text;
    size_t size;
};

static void note_image(struct renderer *r, const struct html_tag *tag)
{
    struct alt alt = {0};
    separate(r, SPACE_BLANK);
    if (!html_attribute(tag, "alt", &alt.text, &alt.size) || alt.size == 0)
        return;
    if (!r->alts)
        r->alts = g_array_new(FALSE, FALSE, sizeof alt);
    g_array_append_val(r->alts, alt);
}

/* A picture that says something is read only where there is nothing else to read. */
static void put_images(struct renderer *r)
{
    bool is_wanted = r->out == r->start;
    for (guint i = 0; is_wanted && r->alts && i < r->alts->len; i++) {
        const struct alt *alt = &g_array_index(r->alts, struct alt, i);
        separate(r, SPACE_BREAK);
        put_plain(r, alt->text, alt->size);
    }
    g_clear_pointer(&r->alts, g_array_unref);
}

/* Goes behind the end tag of an element whose content nobody reads. */
static const char *skip_hidden(struct renderer *r, const struct html_tag *tag)
{
    for (const char *p = tag->end; p < r->tags_end; p++) {
        p = memchr(p, '<', (size_t)(r->tags_end - p));
        if (!p)
            break;
        if ((size_t)(r->tags_end - p) <= tag->name_size + 2 || p[1] != '/' ||
            g_ascii_strncasecmp(p + 2, tag->name, tag->name_size) != 0 ||
            g_ascii_isalnum(p[2 + tag->name_size]))
            continue;
        const char *stop = memchr(p, '>', (size_t)(r->tags_end - p));
        return stop ? stop + 1 : r->end;
    }
    return r->end;
}

/* Whether it is a tag: a lone name that is none of HTML's is text (<stdio.h>). */
static bool is_tag(const struct renderer *r, const struct html_tag *tag)
{
    bool is_bare = tag->attributes + 1 == tag->end;
    return r->all_tags || tag->kind != HTML_UNKNOWN || !is_bare ||
           memchr(tag->name, ':', tag->name_size) || memchr(tag->name, '-', tag->name_size);
}

static bool take_tag(struct renderer *r)
{
    struct html_tag tag;
    if (r->p >= r->tags_end || !html_read_tag(r->p, r->tags_end, &r->quotes_fail, &tag) ||
        !is_tag(r, &tag))
        return false;
    r->p = tag.end;
    switch (tag.kind) {
    case HTML_BLOCK:
        separate(r, SPACE_BREAK);
        break;
    case HTML_BLANK:
        separate(r, SPACE_BLANK);
        break;
    case HTML_IMAGE:
        note_image(r, &tag);
        break;
    case HTML_HIDDEN:
        separate(r, SPACE_BLANK);
        if (!tag.is_end && !tag.is_empty)
            r->p = skip_hidden(r, &tag);
        break;
    case HTML_INLINE:
    case HTML_UNKNOWN:
        break;
    }
    return true;
}

static const char *find(const char *p, const char *end, const char *what)
{
    return memmem(p, (size_t)(end - p), what, strlen(what));
}

static void copy_verbatim(struct renderer *r, const char *end)
{
    while (r->p < end)
        put(r, r->p++, 1);
}

/* "<!" and "<?": comments, declarations, CDATA sections (whose content is text). */
static bool take_declaration(struct renderer *r)
{
    size_t left = (size_t)(r->end - r->p);
    const char *stop = NULL;
    if (left >= 9 && memcmp(r->p, "<![CDATA[", 9) == 0) {
        stop = find(r->p + 9, r->end, "]]>");
        r->p += 9;
        copy_verbatim(r, stop ? stop : r->end);
        r->p = stop ? stop + 3 : r->end;
        return true;
    }
    if (left >= 4 && memcmp(r->p, "<!--", 4) == 0 && !r->comments_fail) {
        stop = find(r->p + 4, r->end, "-->");
        r->comments_fail = !stop;
        if (stop) {
            r->p = stop + 3;
            return true;
        }
    }
    bool is_declaration = left > 2 && (r->p[1] == '?' || r->p[2] == '-' || r->p[2] == '[' ||
                                       g_ascii_isalpha(r->p[2]));
    if (!is_declaration || r->p >= r->tags_end)
        return false;
    stop = memchr(r->p, '>', (size_t)(r->tags_end - r->p));
    if (stop)
        r->p = stop + 1;
    return stop != NULL;
}

static void take_lt(struct renderer *r)
{
    char next = '\0';
    if (r->p + 1 < r->end)
        next = r->p[1];
    bool taken = next == '!' || next == '?' ? take_declaration(r) : take_tag(r);
    if (!taken)
        put(r, r->p++, 1);
}

/* Which of sixteen bytes are more than text, or perhaps. */
static unsigned find_special(sixteen_bytes v)
{
    return sixteen_bits(sixteen_equal(v, '<') | sixteen_equal(v, '&') | sixteen_equal(v, 0xC2) |
                        sixteen_between(v, 0x00, 0x1F));
}

/* Copies text, and single blanks in it, up to something that is more than text. It begins with no
 * blank. */
static void take_words(struct renderer *r)
{
    const char *p = r->p;
    char *out = r->out;
    bool after_blank = false;
    for (unsigned bad = 0; r->end - p >= SIXTEEN && !bad;) {
        sixteen_bytes v = sixteen_load(p);
        unsigned blanks = sixteen_bits(sixteen_equal(v, ' '));
        bad = find_special(v) | sixteen_double(blanks, after_blank);
        unsigned n = sixteen_first(bad);
        memcpy(out, p, SIXTEEN);
        out += n;
        p += n;
        if (n > 0)
            after_blank = blanks >> (n - 1) & 1;
    }
    if (after_blank) {
        out--;
        separate(r, SPACE_BLANK);
    } else {
        while (p < r->end && byte_class[(unsigned char)*p] == BYTE_TEXT)
            *out++ = *p++;
    }
    r->p = p;
    r->out = out;
}

static void render(struct renderer *r)
{
    while (r->p < r->end) {
        switch (byte_class[(unsigned char)*r->p]) {
        case BYTE_SPACE:
            separate(r, SPACE_BLANK);
            r->p++;
            break;
        case BYTE_LT:
            take_lt(r);
            break;
        case BYTE_AMP:
            put_reference(r, HTML_REFERENCE_TEXT);
            break;
        case BYTE_C2:
            if (r->p + 1 < r->end) {
                put(r, r->p, 2);
                r->p += 2;
                break;
            }
            put(r, r->p++, 1);
            break;
        default:
            flush_space(r);
            take_words(r);
        }
    }
}

/* Behind the last ">" of the text; its beginning where there is none. */
static const char *find_tags_end(const char *text, size_t size)
{
    const char *last = memrchr(text, '>', size);
    return last ? last + 1 : text;
}

static void append(GString *out, const char *html, size_t size, bool all_tags)
{
    size_t old = out->len;
    g_string_set_size(out, old + GROWTH(size));
    struct renderer r = {
        .p = html,
        .end = html + size,
        .tags_end = find_tags_end(html, size),
        .out = out->str + old,
        .start = out->str + old,
        .all_tags = all_tags,
    };
    render(&r);
    put_images(&r);
    g_string_truncate(out, (size_t)(r.out - out->str));
}

void html_append_text(GString *out, const char *html, size_t size)
{
    append(out, html, size, false);
}

void html_append_markup_text(GString *out, const char *markup, size_t size)
{
    append(out, markup, size, true);
}

void html_append_decoded(GString *out, const char *text, size_t size)
{
    const char *p = text, *end = text + size;
    while (p < end) {
        const char *amp = memchr(p, '&', (size_t)(end - p));
        if (!amp)
            break;
        g_string_append_len(out, p, amp - p);
        char bytes[HTML_REFERENCE_MAX];
        size_t used = 1;
        size_t n = html_reference(amp, (size_t)(end - amp), HTML_REFERENCE_TEXT, bytes, &used);
        g_string_append_len(out, n > 0 ? bytes : amp, n > 0 ? (gssize)n : 1);
        p = amp + used;
    }
    g_string_append_len(out, p, end - p);
}

bool html_is_markup(const char *text, size_t size)
{
    const char *end = find_tags_end(text, size);
    bool quotes_fail = false;
    for (const char *p = text; p < end; p++) {
        p = memchr(p, '<', (size_t)(end - p));
        if (!p)
            return false;
        struct html_tag tag;
        if (end - p >= 4 && memcmp(p, "<!--", 4) == 0)
            return true;
        if (html_read_tag(p, end, &quotes_fail, &tag) && tag.kind != HTML_UNKNOWN)
            return true;
    }
    return false;
}
