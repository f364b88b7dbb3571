#include "text/mime.h"

#include <stdbool.h>
#include <string.h>

#define WORD_OPEN      "=?UTF-8?B?"
#define WORD_CLOSE     "?="
#define WORD_BYTES_MAX 39 /* encoded 52, with the frame 64: fits behind any name of ours */
#define BODY_LINE_MAX  76
#define NAME_ATEXT     "!#$%&'*+-/=?^_`{|}~ "

static bool is_plain(const char *value)
{
    size_t word = 0;
    for (const char *p = value; *p; p++) {
        if (!g_ascii_isprint(*p))
            return false;
        word = *p == ' ' ? 0 : word + 1;
        if (word > MIME_LINE_MAX - 20)
            return false;
    }
    /* A reader would decode it; blanks at the ends would be lost. */
    return !strstr(value, "=?") && *value != ' ' && !g_str_has_suffix(value, " ");
}

/* The length of the line that out ends with. */
static size_t column(const GString *out)
{
    const char *end = memrchr(out->str, '\n', out->len);
    return end ? out->len - (size_t)(end + 1 - out->str) : out->len;
}

static void append_folded(GString *out, const char *value)
{
    while (*value) {
        size_t blanks = strspn(value, " ");
        size_t word = strcspn(value + blanks, " ");
        if (blanks > 0 && column(out) + blanks + word > MIME_LINE_MAX)
            g_string_append(out, "\r\n");
        g_string_append_len(out, value, (gssize)(blanks + word));
        value += blanks + word;
    }
}

/* The bytes of text up to a character's end, at most WORD_BYTES_MAX. */
static size_t word_size(const char *text)
{
    size_t size = strlen(text);
    if (size <= WORD_BYTES_MAX)
        return size;
    for (size = WORD_BYTES_MAX; size > 1 && ((guchar)text[size] & 0xC0) == 0x80;)
        size--;
    return size;
}

static void append_encoded(GString *out, const char *value)
{
    g_autofree char *clean = g_utf8_make_valid(value, -1);
    const char *p = clean;
    do {
        size_t size = word_size(p);
        g_autofree char *base64 = g_base64_encode((const guchar *)p, size);
        g_string_append_printf(out, "%s" WORD_OPEN "%s" WORD_CLOSE, p == clean ? "" : "\r\n ",
                               base64);
        p += size;
    } while (*p);
}

void mime_append_header(GString *out, const char *name, const char *value)
{
    g_string_append_printf(out, "%s: ", name);
    if (is_plain(value))
        append_folded(out, value);
    else
        append_encoded(out, value);
    g_string_append(out, "\r\n");
}

static bool is_phrase(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr(NAME_ATEXT, *p))
            return false;
    return is_plain(name);
}

char *mime_address(const char *name, const char *address)
{
    if (!name || !*name)
        return g_strdup(address);
    GString *out = g_string_new(NULL);
    if (is_phrase(name))
        g_string_append(out, name);
    else if (is_plain(name) && !strpbrk(name, "\"\\"))
        g_string_append_printf(out, "\"%s\"", name);
    else
        append_encoded(out, name);
    g_string_append_printf(out, "%s<%s>", column(out) + strlen(address) > 60 ? "\r\n " : " ",
                           address);
    return g_string_free(out, FALSE);
}

void mime_append_addresses(GString *out, const char *name, const char *const *addresses)
{
    g_string_append_printf(out, "%s: ", name);
    for (size_t i = 0; addresses[i]; i++)
        g_string_append_printf(out, "%s%s", i > 0 ? ",\r\n " : "", addresses[i]);
    g_string_append(out, "\r\n");
}

/* ---- bodies ---- */

static bool stands_for_itself(const char *p)
{
    if (*p == '=')
        return false;
    if (*p == ' ')
        return p[1] != '\n' && p[1] != '\0'; /* a blank at a line's end is lost on the way */
    return g_ascii_isgraph(*p);
}

void mime_append_body(GString *out, const char *text)
{
    size_t at = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '\n') {
            g_string_append(out, "\r\n");
            at = 0;
            continue;
        }
        size_t size = stands_for_itself(p) ? 1 : 3;
        if (at + size > BODY_LINE_MAX - 1) {
            g_string_append(out, "=\r\n");
            at = 0;
        }
        /* "From " at a line's start is changed by some, a lone dot by others. */
        bool is_odd = at == 0 && (g_str_has_prefix(p, "From ") || *p == '.');
        if (size == 1 && !is_odd)
            g_string_append_c(out, *p);
        else
            g_string_append_printf(out, "=%02X", (unsigned)(guchar)*p);
        at += is_odd ? 3 : size;
    }
    if (at > 0)
        g_string_append(out, "\r\n");
}
