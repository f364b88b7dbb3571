#include "alert/fields.h"

#include "text/clean.h"

#include <string.h>

static char *time_text(const struct store_alert *alert)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(alert->time_ms / 1000);
    return time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S%:z") : g_strdup("");
}

char *alert_field(const struct store_alert *alert, const char *name)
{
    const struct {
        const char *name, *value;
    } fields[] = {
        {"id", alert->id},           {"kind", alert->kind},
        {"rule", alert->rule},       {"urgency", alert->urgency},
        {"feed", alert->feed},       {"feed_title", alert->feed_title},
        {"title", alert->title},     {"link", alert->link},
        {"summary", alert->summary}, {"matched", alert->matched_text},
    };
    if (strcmp(name, "time") == 0)
        return time_text(alert);
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        if (strcmp(fields[i].name, name) == 0 && fields[i].value)
            return clean_line(fields[i].value);
    return g_strdup("");
}
