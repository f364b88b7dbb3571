#include "feed/textual.h"

#include "text/clean.h"
#include "text/html.h"
#include "text/plain.h"

#include <string.h>

void textual_init(struct textual *textual, struct arena *arena)
{
    *textual = (struct textual){
        .arena = arena,
        .rendered = g_string_new(NULL),
        .cleaned = g_string_new(NULL),
    };
}

void textual_clear(struct textual *textual)
{
    g_string_free(textual->rendered, TRUE);
    g_string_free(textual->cleaned, TRUE);
}

static struct slice render(struct textual *textual, struct slice text, enum textual_form form)
{
    if (form == TEXTUAL_PLAIN)
        return slice_trim(text);
    g_string_truncate(textual->rendered, 0);
    if (form == TEXTUAL_HTML)
        html_append_text(textual->rendered, text.at, text.size);
    else
        html_append_markup_text(textual->rendered, text.at, text.size);
    return (struct slice){textual->rendered->str, textual->rendered->len};
}

static const char *keep(struct textual *textual, struct slice text, bool is_line)
{
    if (text.size == 0)
        return NULL;
    bool has_breaks = is_line && memchr(text.at, '\n', text.size);
    if (!has_breaks && plain_is_clean(text.at, text.size))
        return arena_text(textual->arena, text.at, text.size);
    GString *out = textual->cleaned;
    g_string_truncate(out, 0);
    if (is_line)
        clean_append_line(out, text.at, text.size);
    else
        clean_append_block(out, text.at, text.size);
    return out->len > 0 ? arena_text(textual->arena, out->str, out->len) : NULL;
}

const char *textual_line(struct textual *textual, struct slice text, enum textual_form form)
{
    return keep(textual, render(textual, text, form), true);
}

const char *textual_block(struct textual *textual, struct slice text, enum textual_form form)
{
    return keep(textual, render(textual, text, form), false);
}
