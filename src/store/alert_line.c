#include "store/alert_line.h"

#include "base/json.h"
#include "store/ulid.h"
#include "text/clean.h"

#include <string.h>

#define ELLIPSIS "\xE2\x80\xA6"

/* What may be shortened, in this order. */
enum field { FIELD_MATCHED, FIELD_TITLE, FIELD_FEED, FIELD_LINK, N_FIELDS };

/* A field is not cut below this while one that comes later can still give. */
static const size_t field_floor[N_FIELDS] = {3, 256, 64, 3};

struct line {
    const struct store_alert *alert;
    char *fields[N_FIELDS]; /* clean; NULL: missing */
    char *rule;
    json_t *matched; /* JSON only */
};

static char *clean_or_null(const char *text)
{
    char *clean = clean_line(text);
    if (clean && !*clean)
        g_clear_pointer(&clean, g_free);
    return clean;
}

/* A bar between blanks, or at an end, would look like a separator. */
static void replace_bars(char **text)
{
    if (!*text || !strchr(*text, '|'))
        return;
    GString *out = g_string_new(NULL);
    const char *start = *text;
    for (const char *p = start; *p; p++) {
        bool is_separator = *p == '|' && (p == start || p[-1] == ' ') && (!p[1] || p[1] == ' ');
        if (is_separator)
            g_string_append(out, "\xC2\xA6");
        else
            g_string_append_c(out, *p);
    }
    g_free(*text);
    *text = g_string_free(out, FALSE);
}

static void append_time(GString *out, int64_t time_s)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(time_s);
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S%:z") : NULL;
    g_string_append(out, text ? text : "-");
}

static bool is_story(const struct store_alert *alert)
{
    return g_strcmp0(alert->kind, "story") == 0;
}

static bool is_alert(const struct store_alert *alert)
{
    return !alert->kind || strcmp(alert->kind, "alert") == 0;
}

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

static void render_text(const struct line *line, GString *out)
{
    const struct store_alert *alert = line->alert;
    append_time(out, alert->time_ms / 1000);
    if (is_alert(alert) || is_story(alert))
        g_string_append_printf(out, " [%s%s]", is_story(alert) ? "=" : "", or_dash(line->rule));
    else
        g_string_append_printf(out, " [!%s]", alert->kind);
    g_string_append_printf(out, " %s | %s | %s | %s | id=%s\n", or_dash(line->fields[FIELD_TITLE]),
                           or_dash(line->fields[FIELD_FEED]), or_dash(line->fields[FIELD_LINK]),
                           or_dash(line->fields[FIELD_MATCHED]), alert->id);
}

static void append_pair(GString *out, const char *key, const char *value, bool is_quoted)
{
    if (out->len)
        g_string_append_c(out, ' ');
    g_string_append_printf(out, "%s=", key);
    if (!value) {
        g_string_append_c(out, '-');
        return;
    }
    if (!is_quoted && !strpbrk(value, " \"=\\")) {
        g_string_append(out, value);
        return;
    }
    g_string_append_c(out, '"');
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *value);
    }
    g_string_append_c(out, '"');
}

static void append_time_pair(GString *out, const char *key, int64_t time_s)
{
    g_string_append_printf(out, "%s%s=", out->len ? " " : "", key);
    if (time_s == FEED_TIME_NONE)
        g_string_append_c(out, '-');
    else
        append_time(out, time_s);
}

static void render_logfmt(const struct line *line, GString *out)
{
    const struct store_alert *alert = line->alert;
    append_time_pair(out, "time", alert->time_ms / 1000);
    append_pair(out, "kind", alert->kind ? alert->kind : "alert", false);
    append_pair(out, "rule", line->rule, false);
    append_pair(out, "urgency", alert->urgency, false);
    append_pair(out, "feed", line->fields[FIELD_FEED], false);
    append_pair(out, "title", line->fields[FIELD_TITLE], true);
    append_pair(out, "link", line->fields[FIELD_LINK], false);
    append_time_pair(out, "published", alert->published_s);
    append_pair(out, "matched", line->fields[FIELD_MATCHED], true);
    append_pair(out, "id", alert->id, false);
    g_string_append_c(out, '\n');
}

static void set_time(json_t *object, const char *key, int64_t time_s)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (time_s != FEED_TIME_NONE)
        append_time(text, time_s);
    json_set_text(object, key, text->len ? text->str : NULL);
}

static void render_json(const struct line *line, GString *out)
{
    const struct store_alert *alert = line->alert;
    json_t *object = json_object();
    set_time(object, "time", alert->time_ms / 1000);
    json_set_text(object, "kind", alert->kind ? alert->kind : "alert");
    json_set_text(object, "rule", line->rule);
    json_set_text(object, "urgency", alert->urgency);
    json_set_text(object, "feed", line->fields[FIELD_FEED]);
    json_set_text(object, "title", line->fields[FIELD_TITLE]);
    json_set_text(object, "link", line->fields[FIELD_LINK]);
    set_time(object, "published", alert->published_s);
    json_object_set(object, "matched", line->matched);
    json_set_text(object, "id", alert->id);
    g_autofree char *text = json_to_text(object);
    json_decref(object);
    g_string_append_printf(out, "%s\n", text);
}

static void render(const struct line *line, enum store_log_format format, GString *out)
{
    g_string_truncate(out, 0);
    switch (format) {
    case STORE_LOG_TEXT:
        render_text(line, out);
        return;
    case STORE_LOG_LOGFMT:
        render_logfmt(line, out);
        return;
    case STORE_LOG_JSON:
        render_json(line, out);
        return;
    }
}

/* Drops entries from the end until `excess` bytes are gone, or all are. Returns whether any went.
 */
static bool drop_matched(json_t *list, size_t excess)
{
    size_t n = json_array_size(list), freed = 0;
    if (n == 0)
        return false;
    while (n > 0 && freed < excess) {
        g_autofree char *text = json_to_text(json_array_get(list, --n));
        freed += strlen(text) + 1;
        json_array_remove(list, n);
    }
    return true;
}

static bool shorten_field(char **field, size_t floor, size_t excess)
{
    size_t size = *field ? strlen(*field) : 0;
    if (size <= floor)
        return false;
    size_t wanted = size > excess && size - excess > floor ? size - excess : floor;
    char *cut = clean_shorten(*field, wanted);
    g_free(*field);
    *field = cut;
    return true;
}

/* Gives up at least some of what is too much. Escapes may make a byte into several, so one round
 * can take more than was needed, never less than one byte. */
static bool shorten(struct line *line, size_t excess)
{
    if (line->matched && drop_matched(line->matched, excess))
        return true;
    for (size_t i = 0; i < N_FIELDS; i++)
        if (shorten_field(&line->fields[i], field_floor[i], excess))
            return true;
    for (size_t i = 0; i < N_FIELDS; i++)
        if (shorten_field(&line->fields[i], sizeof ELLIPSIS - 1, excess))
            return true;
    return shorten_field(&line->rule, sizeof ELLIPSIS - 1, excess);
}

/* The values of one entry are words of the feed: they are cleaned like any other text. */
static void clean_entry(json_t *entry)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(entry, next, key, value)
    {
        if (!json_is_string(value))
            continue;
        g_autofree char *clean = clean_line(json_string_value(value));
        json_string_set(value, clean);
    }
}

static json_t *matched_list(const char *json)
{
    json_t *list = json ? json_loads(json, 0, NULL) : NULL;
    if (!json_is_array(list)) {
        json_decref(list);
        return json_array();
    }
    for (size_t i = 0; i < json_array_size(list); i++)
        clean_entry(json_array_get(list, i));
    return list;
}

char *alert_line_render(const struct store_alert *alert, enum store_log_format format)
{
    bool is_text = format == STORE_LOG_TEXT;
    struct line line = {
        .alert = alert,
        .rule = clean_or_null(alert->rule),
        .matched = format == STORE_LOG_JSON ? matched_list(alert->matched_json) : NULL,
    };
    line.fields[FIELD_TITLE] = clean_or_null(alert->title);
    line.fields[FIELD_FEED] =
        clean_or_null(is_text && alert->feed_title ? alert->feed_title : alert->feed);
    line.fields[FIELD_LINK] = clean_or_null(alert->link);
    if (format != STORE_LOG_JSON)
        line.fields[FIELD_MATCHED] = clean_or_null(alert->matched_text);
    for (size_t i = 0; is_text && i < N_FIELDS; i++)
        replace_bars(&line.fields[i]);
    GString *out = g_string_sized_new(512);
    render(&line, format, out);
    while (out->len > ALERT_LINE_MAX && shorten(&line, out->len - ALERT_LINE_MAX))
        render(&line, format, out);
    for (size_t i = 0; i < N_FIELDS; i++)
        g_free(line.fields[i]);
    g_free(line.rule);
    json_decref(line.matched);
    return g_string_free(out, FALSE);
}

static const char *id_between(const char *line, size_t size, const char *before, const char *after)
{
    size_t before_size = strlen(before), after_size = strlen(after);
    size_t whole = before_size + ULID_LENGTH + after_size;
    if (size < whole)
        return NULL;
    const char *start = line + size - whole;
    const char *id = start + before_size;
    bool fits = memcmp(start, before, before_size) == 0 &&
                memcmp(id + ULID_LENGTH, after, after_size) == 0 && ulid_is_valid(id);
    return fits ? id : NULL;
}

const char *alert_line_find_id(const char *line, size_t size)
{
    const char *id = id_between(line, size, " id=", "");
    return id ? id : id_between(line, size, "\"id\":\"", "\"}");
}
