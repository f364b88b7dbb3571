/* Any text as HTML: no crash, valid UTF-8 comes out, and decoding never makes much of little. */
#include "text/html.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef void (*reader)(GString *out, const char *text, size_t size);

/* A reference of three bytes ("&x;") is none; the longest gain is a name for two characters. */
#define GAIN_MAX 8

static void check(reader read, const char *text, size_t size)
{
    g_autoptr(GString) out = g_string_new(NULL);
    read(out, text, size);
    if (!g_utf8_validate(out->str, (gssize)out->len, NULL) || out->len > GAIN_MAX * size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *bytes = g_strndup((const char *)data, size);
    g_autofree char *valid = g_utf8_make_valid(bytes, -1);
    size_t length = strlen(valid);
    check(html_append_text, valid, length);
    check(html_append_markup_text, valid, length);
    check(html_append_decoded, valid, length);
    (void)html_is_markup(valid, length);
    return 0;
}
