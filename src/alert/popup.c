#include "alert/popup.h"

#include "text/clean.h"

#include <string.h>

#define FEED_LINE_CHARS_MAX 100
#define MATCHED_CHARS_MAX   100
#define DIGEST_LINES        5
#define DIGEST_CHARS_MAX    58 /* DIGEST_LINES of them with their newlines stay under the body's */

void popup_free(struct popup *popup)
{
    if (!popup)
        return;
    g_free(popup->summary);
    g_free(popup->body);
    g_free(popup->link);
    g_free(popup->tag);
    g_strfreev(popup->ids);
    g_free(popup);
}

/* One clean line of at most chars characters; NULL is "". Newly allocated. */
static char *line_of(const char *text, glong chars)
{
    g_autofree char *clean = clean_line(text ? text : "");
    if (g_utf8_strlen(clean, -1) <= chars)
        return g_steal_pointer(&clean);
    /* The bytes of the first characters hold the ellipsis too: it is no longer than what it
     * replaces, as far as characters go. */
    size_t bytes = (size_t)(g_utf8_offset_to_pointer(clean, chars) - clean);
    return clean_shorten(clean, bytes);
}

static void append_line(GString *body, const char *line)
{
    if (!line[0])
        return;
    if (body->len > 0)
        g_string_append_c(body, '\n');
    g_string_append(body, line);
}

static enum popup_urgency urgency_of(const struct store_alert *alert)
{
    if (g_strcmp0(alert->urgency, "critical") == 0)
        return POPUP_CRITICAL;
    return g_strcmp0(alert->urgency, "low") == 0 ? POPUP_LOW : POPUP_NORMAL;
}

guint popup_group(const GPtrArray *alerts, guint first)
{
    const struct store_alert *head = g_ptr_array_index(alerts, first);
    guint n = 1;
    for (; head->item != 0 && first + n < alerts->len; n++) {
        const struct store_alert *next = g_ptr_array_index(alerts, first + n);
        if (next->item != head->item)
            break;
    }
    return n;
}

/* Each text of a member once, in order. */
static void add_once(GString *out, GHashTable *seen, const char *text, const char *separator)
{
    if (!text || !text[0] || !g_hash_table_add(seen, (gpointer)(gsize)text))
        return;
    if (out->len > 0)
        g_string_append(out, separator);
    g_string_append(out, text);
}

static char *body_of(const GPtrArray *alerts, guint first, guint n)
{
    const struct store_alert *head = g_ptr_array_index(alerts, first);
    g_autoptr(GHashTable) seen_rules = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) seen_words = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GString) rules = g_string_new(NULL);
    g_autoptr(GString) words = g_string_new(NULL);
    for (guint i = first; i < first + n; i++) {
        const struct store_alert *alert = g_ptr_array_index(alerts, i);
        add_once(rules, seen_rules, alert->rule, ", ");
        add_once(words, seen_words, alert->matched_text, "; ");
    }
    const char *feed = head->feed_title && head->feed_title[0] ? head->feed_title : head->feed;
    g_autofree char *origin = g_strdup_printf("%s%s%s", feed ? feed : "",
                                              feed && rules->len > 0 ? " · " : "", rules->str);
    g_autofree char *origin_line = line_of(origin, FEED_LINE_CHARS_MAX);
    g_autofree char *matched_line = line_of(words->str, MATCHED_CHARS_MAX);
    GString *body = g_string_new(NULL);
    append_line(body, origin_line);
    append_line(body, matched_line);
    /* An item without a headline shows its text as one. */
    g_autofree char *title = line_of(head->title, POPUP_SUMMARY_CHARS_MAX);
    glong left = POPUP_BODY_CHARS_MAX - g_utf8_strlen(body->str, -1) - 1;
    g_autofree char *piece = line_of(title[0] ? head->summary : NULL, left);
    append_line(body, piece);
    return g_string_free(body, FALSE);
}

static char *headline_of(const struct store_alert *alert)
{
    const char *const choices[] = {alert->title, alert->summary, alert->link, alert->feed_title,
                                   alert->feed};
    for (size_t i = 0; i < G_N_ELEMENTS(choices); i++) {
        g_autofree char *line = line_of(choices[i], POPUP_SUMMARY_CHARS_MAX);
        if (line[0])
            return g_steal_pointer(&line);
    }
    return g_strdup("feedwatch");
}

struct popup *popup_new(const GPtrArray *alerts, guint first, guint n)
{
    const struct store_alert *head = g_ptr_array_index(alerts, first);
    struct popup *popup = g_new0(struct popup, 1);
    popup->summary = headline_of(head);
    popup->body = body_of(alerts, first, n);
    popup->link = g_strdup(head->link);
    popup->tag = g_strdup_printf("feedwatch-%s", head->id);
    popup->time_ms = head->time_ms;
    popup->ids = g_new0(char *, n + 1);
    for (guint i = 0; i < n; i++) {
        const struct store_alert *alert = g_ptr_array_index(alerts, first + i);
        popup->ids[i] = g_strdup(alert->id);
        popup->urgency = MAX(popup->urgency, urgency_of(alert));
        popup->time_ms = MIN(popup->time_ms, alert->time_ms);
    }
    return popup;
}

char *popup_body(const struct popup *popup, bool has_markup)
{
    return has_markup ? g_markup_escape_text(popup->body, -1) : g_strdup(popup->body);
}

struct digest {
    guint count;
    char *headlines[DIGEST_LINES + 1]; /* the newest first */
    struct popup *only;                /* while count is 1 */
    char *tag;
    enum popup_urgency urgency;
    int64_t time_ms;
};

struct digest *digest_new(void)
{
    return g_new0(struct digest, 1);
}

void digest_free(struct digest *digest)
{
    if (!digest)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(digest->headlines); i++)
        g_free(digest->headlines[i]);
    popup_free(digest->only);
    g_free(digest->tag);
    g_free(digest);
}

static struct popup *copy_without_ids(const struct popup *popup)
{
    struct popup *copy = g_new0(struct popup, 1);
    copy->summary = g_strdup(popup->summary);
    copy->body = g_strdup(popup->body);
    copy->link = g_strdup(popup->link);
    copy->tag = g_strdup(popup->tag);
    copy->urgency = popup->urgency;
    copy->time_ms = popup->time_ms;
    return copy;
}

void digest_add(struct digest *digest, const struct popup *popup)
{
    g_clear_pointer(&digest->only, popup_free);
    if (digest->count == 0) {
        digest->only = copy_without_ids(popup);
        digest->tag = g_strdup(popup->tag);
        digest->urgency = popup->urgency;
        digest->time_ms = popup->time_ms;
    }
    digest->count++;
    g_free(digest->headlines[DIGEST_LINES]);
    memmove(digest->headlines + 1, digest->headlines, DIGEST_LINES * sizeof *digest->headlines);
    digest->headlines[0] = g_strdup(popup->summary);
    digest->urgency = MAX(digest->urgency, popup->urgency);
    digest->time_ms = MIN(digest->time_ms, popup->time_ms);
}

guint digest_count(const struct digest *digest)
{
    return digest->count;
}

struct popup *digest_popup(const struct digest *digest)
{
    if (digest->only)
        return copy_without_ids(digest->only);
    struct popup *popup = g_new0(struct popup, 1);
    g_autofree char *summary = g_strdup_printf("%u new: %s", digest->count, digest->headlines[0]);
    g_autoptr(GString) body = g_string_new(NULL);
    for (size_t i = 1; i <= DIGEST_LINES && digest->headlines[i]; i++) {
        g_autofree char *line = line_of(digest->headlines[i], DIGEST_CHARS_MAX);
        append_line(body, line);
    }
    popup->summary = line_of(summary, POPUP_SUMMARY_CHARS_MAX);
    popup->body = g_strdup(body->str);
    popup->tag = g_strdup(digest->tag);
    popup->urgency = digest->urgency;
    popup->time_ms = digest->time_ms;
    return popup;
}
