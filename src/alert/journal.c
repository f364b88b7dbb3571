/* The journal sink: one structured entry an alert (systemd-journald's native protocol). An entry
 * carries MESSAGE_ID, so that `journalctl MESSAGE_ID=…` lists alerts alone, and FEEDWATCH_ID, by
 * which a repeat after a crash can be told. Nothing says whether the journal has it on disk. */
#include "alert/background.h"
#include "alert/fields.h"
#include "text/template.h"

#include <string.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#define MESSAGE_ID  "MESSAGE_ID=7c1f0f4b3f0e4c6d9a5d2e8b6a90c3d4"
#define SOCKET_PATH "/run/systemd/journal/socket"
#define BATCH_MAX   64

static void *journal_open(const struct sink_settings *settings)
{
    (void)settings;
    return NULL;
}

static void journal_close(void *state)
{
    (void)state;
}

static int priority_of(const struct store_alert *alert)
{
    if (g_strcmp0(alert->urgency, "critical") == 0)
        return LOG_WARNING;
    return g_strcmp0(alert->urgency, "low") == 0 ? LOG_INFO : LOG_NOTICE;
}

static char *message_of(const struct store_alert *alert)
{
    g_autofree char *rule = alert_field(alert, "rule");
    g_autofree char *title = alert_field(alert, "title");
    g_autofree char *link = alert_field(alert, "link");
    return g_strdup_printf("MESSAGE=[%s] %s | %s", *rule ? rule : alert->kind, title,
                           *link ? link : "-");
}

/* 0 or a negative errno. */
static int send_entry(const struct store_alert *alert)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(lines, message_of(alert));
    g_ptr_array_add(lines, g_strdup(MESSAGE_ID));
    g_ptr_array_add(lines, g_strdup_printf("PRIORITY=%d", priority_of(alert)));
    g_ptr_array_add(lines, g_strdup("SYSLOG_IDENTIFIER=feedwatch"));
    for (const char *const *name = template_names; *name; name++) {
        g_autofree char *value = alert_field(alert, *name);
        g_autofree char *upper = g_ascii_strup(*name, -1);
        if (*value)
            g_ptr_array_add(lines, g_strdup_printf("FEEDWATCH_%s=%s", upper, value));
    }
    g_autofree struct iovec *parts = g_new(struct iovec, lines->len);
    for (guint i = 0; i < lines->len; i++) {
        char *line = g_ptr_array_index(lines, i);
        parts[i] = (struct iovec){line, strlen(line)};
    }
    return sd_journal_sendv(parts, (int)lines->len);
}

static void journal_deliver(void *state, GPtrArray *alerts, struct background *background)
{
    (void)state;
    /* Without a journal sd_journal_sendv() says that all is well. */
    if (access(SOCKET_PATH, F_OK) != 0) {
        background_report_rest(background, alerts, 0, SINK_OFF,
                               "there is no systemd journal here (" SOCKET_PATH ")");
        return;
    }
    for (guint i = 0; i < alerts->len && !background_is_stopping(background); i++) {
        int code = send_entry(g_ptr_array_index(alerts, i));
        if (code < 0) {
            g_autofree char *message =
                g_strdup_printf("the journal takes nothing: %s", g_strerror(-code));
            background_report_rest(background, alerts, i, SINK_DOWN, message);
            return;
        }
        background_report(background, g_ptr_array_index(alerts, i), SINK_DONE, NULL);
    }
}

static struct sink *journal_create(const struct sink_settings *settings,
                                   const struct sink_hooks *hooks, GMainContext *context)
{
    static const struct background_work work = {
        .open = journal_open, .deliver = journal_deliver, .close = journal_close};
    return background_create(&work, settings, hooks, context);
}

const struct sink_type sink_journal = {
    .name = "journal",
    .batch_max = BATCH_MAX,
    .create = journal_create,
    .take = background_take,
    .stop = background_stop,
};
