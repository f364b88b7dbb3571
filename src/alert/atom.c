#include "alert/atom.h"

#include "alert/fields.h"
#include "alert/open_link.h"

#include <string.h>

#define SHA1_SIZE 20

static void add_text(GString *out, const char *element, const char *text)
{
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    g_string_append_printf(out, "<%s>%s</%s>\n", element, escaped, element);
}

/* The namespace is not one of the four of RFC 4122, but a kind of our own before the name. */
static void add_id(GString *out, const char *kind, const char *name)
{
    guint8 b[SHA1_SIZE];
    gsize size = sizeof b;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    g_checksum_update(sum, (const guchar *)kind, (gssize)strlen(kind) + 1);
    g_checksum_update(sum, (const guchar *)name, -1);
    g_checksum_get_digest(sum, b, &size);
    b[6] = (guint8)((b[6] & 0x0f) | 0x50); /* version 5 */
    b[8] = (guint8)((b[8] & 0x3f) | 0x80);
    g_string_append(out, "<id>urn:uuid:");
    for (size_t i = 0; i < 16; i++)
        g_string_append_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                               b[i]);
    g_string_append(out, "</id>\n");
}

/* RFC 3339, in UTC. */
static void add_time(GString *out, const char *element, int64_t time_s)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(time_s);
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
    if (text)
        add_text(out, element, text);
}

static void add_attribute(GString *out, const char *before, const char *value, const char *after)
{
    g_autofree char *escaped = g_markup_escape_text(value, -1);
    g_string_append_printf(out, "%s\"%s\"%s", before, escaped, after);
}

static void add_content(GString *out, const struct store_alert *alert)
{
    g_autofree char *matched = alert_field(alert, "matched");
    g_autofree char *summary = alert_field(alert, "summary");
    g_autofree char *text =
        g_strdup_printf("%s%s%s", matched, *matched && *summary ? "\n\n" : "", summary);
    add_text(out, "content", *text ? text : "-"); /* without a link, an entry must have one */
}

static void add_entry(GString *out, const struct store_alert *alert)
{
    g_autofree char *title = alert_field(alert, "title");
    g_autofree char *rule = alert_field(alert, "rule");
    g_autofree char *feed = alert_field(alert, "feed_title");
    g_autofree char *link = open_link_clean(alert->link);
    g_string_append(out, "<entry>\n");
    add_id(out, "alert", alert->id);
    add_text(out, "title", title);
    add_time(out, "updated", alert->time_ms / 1000);
    if (alert->published_s != FEED_TIME_NONE)
        add_time(out, "published", alert->published_s);
    if (link)
        add_attribute(out, "<link rel=\"alternate\" href=", link, "/>\n");
    if (*feed) {
        g_string_append(out, "<author>");
        add_text(out, "name", feed);
        g_string_append(out, "</author>\n");
    }
    if (*rule)
        add_attribute(out, "<category term=", rule, "/>\n");
    add_content(out, alert);
    g_string_append(out, "</entry>\n");
}

GString *atom_render(const char *name, const char *title, const GPtrArray *alerts)
{
    GString *out = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                "<feed xmlns=\"http://www.w3.org/2005/Atom\">\n");
    int64_t updated_s = 0;
    if (alerts->len > 0)
        updated_s = ((const struct store_alert *)g_ptr_array_index(alerts, 0))->time_ms / 1000;
    add_id(out, "feed", name);
    add_text(out, "title", title);
    add_time(out, "updated", updated_s);
    g_string_append(out, "<author><name>feedwatch</name></author>\n"
                         "<generator>feedwatch</generator>\n");
    for (guint i = 0; i < alerts->len; i++)
        add_entry(out, g_ptr_array_index(alerts, i));
    g_string_append(out, "</feed>\n");
    return out;
}
