#include "alert/terminal.h"

#include "alert/open_link.h"
#include "base/json.h"
#include "text/clean.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define RESET      "\033[0m"
#define DIM        "\033[2m"
#define FOUND      "\033[1;33m" /* bold yellow */
#define LINK_START "\033]8;"
#define LINK_STOP  "\033]8;;\033\\"
#define LINK_END   "\033\\"
#define URI_MAX    2000 /* VTE takes 2083 */
#define SPANS_MAX  64
#define BAR        '|'
#define BROKEN_BAR "\xC2\xA6"

struct span { /* bytes of the title, half open */
    size_t start, end;
};

static const char *colour_of(const struct store_alert *alert)
{
    if (g_strcmp0(alert->urgency, "critical") == 0)
        return "\033[1;31m";                                                  /* bold red */
    return g_strcmp0(alert->urgency, "low") == 0 ? "\033[36m" : "\033[1;36m"; /* cyan */
}

/* As in the log: a bar between blanks, or at an end, would look like a separator. from and to are
 * a part of text. */
static void append_part(GString *out, const char *text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        bool begins = i == 0 || text[i - 1] == ' ', ends = !text[i + 1] || text[i + 1] == ' ';
        if (text[i] == BAR && begins && ends)
            g_string_append(out, BROKEN_BAR);
        else
            g_string_append_c(out, text[i]);
    }
}

static void append_value(GString *out, const char *text)
{
    g_autofree char *clean = clean_line(text);
    if (clean && *clean)
        append_part(out, clean, 0, strlen(clean));
    else
        g_string_append_c(out, '-');
}

/* ---- the title ---- */

static bool read_span(const json_t *entry, const char *title, struct span *ret)
{
    size_t size = strlen(title);
    const char *field = json_string_value(json_object_get(entry, "field"));
    const char *text = json_string_value(json_object_get(entry, "text"));
    json_int_t start = json_integer_value(json_object_get(entry, "start"));
    json_int_t end = json_integer_value(json_object_get(entry, "end"));
    if (!field || strcmp(field, "title") != 0 || !text || start < 0 || end <= start ||
        (size_t)end > size || strlen(text) != (size_t)(end - start) ||
        memcmp(title + start, text, (size_t)(end - start)) != 0)
        return false;
    *ret = (struct span){(size_t)start, (size_t)end};
    return true;
}

static int by_start(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

/* Where the title matched, in order; they may overlap. */
static size_t find_spans(const struct store_alert *alert, const char *title, struct span *spans)
{
    json_t *matched = alert->matched_json ? json_loads(alert->matched_json, 0, NULL) : NULL;
    size_t i, n = 0;
    const json_t *entry;
    json_array_foreach(matched, i, entry)
    {
        if (n < SPANS_MAX && read_span(entry, title, &spans[n]))
            n++;
    }
    json_decref(matched);
    qsort(spans, n, sizeof *spans, by_start);
    return n;
}

static void append_highlighted(GString *out, const struct store_alert *alert, const char *title)
{
    struct span spans[SPANS_MAX] = {{0, 0}};
    size_t n = find_spans(alert, title, spans), done = 0;
    for (size_t i = 0; i < n; i++) {
        size_t start = MAX(spans[i].start, done);
        if (spans[i].end <= start)
            continue;
        append_part(out, title, done, start);
        g_string_append(out, FOUND);
        append_part(out, title, start, spans[i].end);
        g_string_append(out, RESET);
        done = spans[i].end;
    }
    append_part(out, title, done, strlen(title));
}

static void append_title(GString *out, const struct store_alert *alert)
{
    g_autofree char *title = clean_line(alert->title);
    g_autofree char *uri = open_link_clean(alert->link);
    bool is_link = uri && strlen(uri) <= URI_MAX;
    if (!title || !*title) {
        g_string_append_c(out, '-');
        return;
    }
    if (is_link)
        g_string_append_printf(out, LINK_START "id=%s;%s" LINK_END, alert->id, uri);
    append_highlighted(out, alert, title);
    if (is_link)
        g_string_append(out, LINK_STOP);
}

/* ---- the line ---- */

static void append_time(GString *out, const struct store_alert *alert)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(alert->time_ms / 1000);
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S%:z") : NULL;
    g_string_append_printf(out, DIM "%s" RESET, text ? text : "-");
}

static void append_rule(GString *out, const struct store_alert *alert)
{
    bool is_alert = !alert->kind || strcmp(alert->kind, "alert") == 0;
    bool is_story = !is_alert && strcmp(alert->kind, "story") == 0;
    g_string_append_printf(out, " %s[%s", colour_of(alert), is_alert ? "" : is_story ? "=" : "!");
    append_value(out, is_alert || is_story ? alert->rule : alert->kind);
    g_string_append(out, "]" RESET " ");
}

char *terminal_line(const struct store_alert *alert)
{
    GString *out = g_string_new(NULL);
    append_time(out, alert);
    append_rule(out, alert);
    append_title(out, alert);
    g_string_append(out, DIM " | " RESET);
    append_value(out, alert->feed_title ? alert->feed_title : alert->feed);
    g_string_append(out, DIM " | ");
    append_value(out, alert->link);
    g_string_append(out, " | " RESET);
    append_value(out, alert->matched_text);
    g_string_append_printf(out, DIM " | id=%s" RESET "\n", alert->id);
    return g_string_free(out, FALSE);
}
