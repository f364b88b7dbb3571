#include "alert/mail_message.h"

#include "alert/fields.h"
#include "text/clean.h"
#include "text/mime.h"

#include <string.h>

#define SUBJECT_BYTES_MAX 200

static const char *domain_of(const struct mail_envelope *envelope)
{
    return strchr(envelope->from.address, '@') + 1;
}

/* RFC 5322 3.3: names of days and months are English whatever the locale. */
static char *date_text(int64_t time_ms)
{
    static const char days[][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(time_ms / 1000);
    g_autofree char *rest = g_date_time_format(time, "%Y %H:%M:%S %z");
    return g_strdup_printf("%s, %d %s %s", days[g_date_time_get_day_of_week(time) - 1],
                           g_date_time_get_day_of_month(time),
                           months[g_date_time_get_month(time) - 1], rest);
}

static char *subject_of(const struct store_alert *alert, guint n)
{
    g_autofree char *rule = alert_field(alert, "rule");
    g_autofree char *title = alert_field(alert, "title");
    g_autofree char *cut = clean_shorten(title, SUBJECT_BYTES_MAX);
    if (n > 1)
        return g_strdup_printf("%u alerts: %s, ...", n, cut);
    return g_strdup_printf("[%s] %s", *rule ? rule : alert->kind, cut);
}

static char *message_id(const struct mail_envelope *envelope, const struct store_alert *first,
                        const struct store_alert *last, guint n)
{
    if (n == 1)
        return g_strdup_printf("<%s@%s>", first->id, domain_of(envelope));
    return g_strdup_printf("<%s.%s.%u@%s>", first->id, last->id, n, domain_of(envelope));
}

static const char *most_urgent(const GPtrArray *alerts, guint first, guint n)
{
    const char *most = "low";
    for (guint i = first; i < first + n; i++) {
        const struct store_alert *alert = g_ptr_array_index(alerts, i);
        if (g_strcmp0(alert->urgency, "critical") == 0)
            return "high";
        if (g_strcmp0(alert->urgency, "low") != 0)
            most = "normal";
    }
    return most;
}

static void add_headers(GString *out, const struct mail_envelope *envelope, const GPtrArray *alerts,
                        guint first, guint n)
{
    const struct store_alert *head = g_ptr_array_index(alerts, first);
    const struct store_alert *last = g_ptr_array_index(alerts, first + n - 1);
    const struct mail_address *from = &envelope->from;
    g_autofree char *from_text = mime_address(from->name ? from->name : "feedwatch", from->address);
    const char *const froms[] = {from_text, NULL};
    g_autofree char *date = date_text(last->time_ms);
    g_autofree char *subject = subject_of(head, n);
    g_autofree char *id = message_id(envelope, head, last, n);
    mime_append_header(out, "Date", date);
    mime_append_addresses(out, "From", froms);
    mime_append_addresses(out, "To", envelope->to);
    mime_append_header(out, "Subject", subject);
    g_string_append_printf(out, "Message-ID: %s\r\n", id); /* never folded nor encoded */
    mime_append_header(out, "Importance", most_urgent(alerts, first, n));
    mime_append_header(out, "Auto-Submitted", "auto-generated"); /* RFC 3834 */
    if (n == 1)
        mime_append_header(out, "X-Feedwatch-Rule", head->rule ? head->rule : head->kind);
    g_string_append(out, "MIME-Version: 1.0\r\n"
                         "Content-Type: text/plain; charset=utf-8\r\n"
                         "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
}

static void add_line(GString *out, const struct store_alert *alert, const char *label,
                     const char *field)
{
    g_autofree char *value = alert_field(alert, field);
    if (*value)
        g_string_append_printf(out, "%s%s\n", label, value);
}

static void add_alert(GString *out, const struct store_alert *alert)
{
    add_line(out, alert, "", "title");
    add_line(out, alert, "", "link");
    g_string_append_c(out, '\n');
    add_line(out, alert, "Feed:    ", "feed_title");
    add_line(out, alert, "Rule:    ", "rule");
    add_line(out, alert, "Matched: ", "matched");
    add_line(out, alert, "Time:    ", "time");
    add_line(out, alert, "Alert:   ", "id");
    if (alert->summary && *alert->summary)
        g_string_append_c(out, '\n');
    add_line(out, alert, "", "summary");
}

GString *mail_message(const struct mail_envelope *envelope, const GPtrArray *alerts, guint first,
                      guint n)
{
    GString *out = g_string_new(NULL);
    g_autoptr(GString) body = g_string_new(NULL);
    add_headers(out, envelope, alerts, first, n);
    for (guint i = first; i < first + n; i++) {
        if (i > first)
            g_string_append(body, "\n----------------------------------------\n\n");
        add_alert(body, g_ptr_array_index(alerts, i));
    }
    mime_append_body(out, body->str);
    return out;
}
