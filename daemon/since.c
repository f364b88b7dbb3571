#include "daemon/since.h"

#include "base/clock.h"

#include <string.h>

static int64_t unit_ms(char unit)
{
    switch (unit) {
    case 's':
        return 1000;
    case 'm':
        return 60 * 1000;
    case 'h':
        return 3600 * 1000;
    case 'd':
        return INT64_C(86400) * 1000;
    case 'w':
        return INT64_C(7) * 86400 * 1000;
    default:
        return 0;
    }
}

static bool parse_moment(const char *text, int64_t *ret_ms)
{
    g_autofree char *full =
        strchr(text, 'T') ? g_strdup(text) : g_strconcat(text, "T00:00:00", NULL);
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    g_autoptr(GDateTime) moment = g_date_time_new_from_iso8601(full, zone);
    if (!moment)
        return false;
    *ret_ms = g_date_time_to_unix(moment) * 1000;
    return true;
}

bool since_parse_duration(const char *text, int64_t *ret_ms)
{
    char *end = NULL;
    guint64 count = g_ascii_strtoull(text, &end, 10);
    int64_t unit = *end ? unit_ms(*end) : 0;
    if (end == text || !g_ascii_isdigit(text[0]) || unit == 0 || end[1] != '\0' || count > 100000)
        return false;
    *ret_ms = (int64_t)count * unit;
    return true;
}

bool since_parse(const char *text, int64_t *ret_ms)
{
    int64_t ago_ms;
    if (!since_parse_duration(text, &ago_ms))
        return parse_moment(text, ret_ms);
    *ret_ms = clock_real_wall_ms() - ago_ms;
    return true;
}
