/* An alert with any values, as every sink writes it: one clean line in the log, no escape but ours
 * on a terminal, a well-formed feed, a mail with the headers that we made and no other. */
#include "alert/atom.h"
#include "alert/mail_message.h"
#include "alert/terminal.h"
#include "feed/feed.h"
#include "store/alert_line.h"
#include "text/clean.h"
#include "text/mime.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BETWEEN_VALUES "\x1e"
#define ID             "01KB3M7ZQ8W9T5V2X4Y6N8P0RA"
#define HEADERS        11

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* One line of text that is safe to print. */
static void check_clean(const char *line, size_t size)
{
    g_autofree char *text = g_strndup(line, size);
    must(strlen(text) == size && g_utf8_validate(text, -1, NULL));
    for (const char *p = text; *p; p += g_utf8_skip[(guchar)*p]) {
        gunichar c = g_utf8_get_char(p);
        must(c >= 0x20 && (c < 0x7f || c > 0x9f) && (c < 0x202a || c > 0x202e));
    }
}

static void check_log(const struct store_alert *alert)
{
    for (enum store_log_format format = STORE_LOG_TEXT; format <= STORE_LOG_JSON; format++) {
        g_autofree char *line = alert_line_render(alert, format);
        size_t size = strlen(line);
        must(size <= ALERT_LINE_MAX && size > 0 && line[size - 1] == '\n');
        check_clean(line, size - 1);
        const char *id = alert_line_find_id(line, size - 1);
        must(id && memcmp(id, ID, strlen(ID)) == 0);
    }
}

/* Past an SGR or OSC 8 sequence; NULL where it is another. */
static const char *past_escape(const char *p)
{
    if (p[1] == '[') {
        p += 2 + strspn(p + 2, "0123456789;");
        return *p == 'm' ? p + 1 : NULL;
    }
    if (!g_str_has_prefix(p, "\033]8;"))
        return NULL;
    for (p += 4; g_ascii_isgraph(*p); p++)
        ;
    return g_str_has_prefix(p, "\033\\") ? p + 2 : NULL;
}

static void check_terminal(const struct store_alert *alert)
{
    g_autofree char *line = terminal_line(alert);
    g_autoptr(GString) plain = g_string_new(NULL);
    for (const char *p = line; p && *p;) {
        if (*p == '\033')
            must((p = past_escape(p)) != NULL);
        else
            g_string_append_c(plain, *p++);
    }
    must(plain->len > 0 && plain->str[plain->len - 1] == '\n');
    check_clean(plain->str, plain->len - 1);
}

static void check_atom(struct store_alert *alert)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    g_ptr_array_add(list, alert);
    GString *atom = atom_render("here", "alerts", list);
    struct feed_doc *doc = feed_parse(atom->str, atom->len, NULL, NULL);
    g_autofree char *title = clean_line(alert->title);
    must(doc && doc->n_items == 1 && doc->format == FEED_ATOM10 && !doc->warnings[0]);
    must(g_strcmp0(doc->items[0].title, title && *title ? title : NULL) == 0);
    must(!doc->items[0].link || g_str_has_prefix(doc->items[0].link, "http"));
    feed_doc_free(doc);
    g_string_free(atom, TRUE);
}

static void check_mail(struct store_alert *alert)
{
    static const char *const to[] = {"ann@x.org", NULL};
    const struct mail_envelope envelope = {{NULL, (char *)(uintptr_t) "bot@x.org"}, to};
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    g_ptr_array_add(list, alert);
    g_autoptr(GString) text = mail_message(&envelope, list, 0, 1);
    bool is_head = true;
    guint headers = 0;
    must(strlen(text->str) == text->len);
    for (const char *line = text->str, *end; *line; line = end + 2) {
        must((end = strstr(line, "\r\n")) != NULL && end - line <= MIME_LINE_MAX);
        for (const char *p = line; p < end; p++)
            must(g_ascii_isprint(*p));
        headers += is_head && end > line && *line != ' ';
        is_head = is_head && end > line;
    }
    must(!is_head && headers == HEADERS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *bytes = g_strndup((const char *)data, size);
    g_auto(GStrv) values = g_strsplit(bytes, BETWEEN_VALUES, 9);
    struct store_alert alert = {
        .id = (char *)(uintptr_t)ID,
        .kind = (char *)(uintptr_t) "alert",
        .rule = (char *)(uintptr_t) "russia-cuba",
        .urgency = (char *)(uintptr_t) "normal",
        .time_ms = INT64_C(1795435200123),
        .published_s = FEED_TIME_NONE,
        .first_seen_s = FEED_TIME_NONE,
    };
    char **const fields[] = {&alert.title,        &alert.link,    &alert.feed_title,  &alert.feed,
                             &alert.matched_text, &alert.summary, &alert.matched_json};
    for (size_t i = 0; i < G_N_ELEMENTS(fields) && values[i]; i++)
        *fields[i] = values[i];
    check_log(&alert);
    check_terminal(&alert);
    check_atom(&alert);
    check_mail(&alert);
    return 0;
}
