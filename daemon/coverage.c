#include "daemon/coverage.h"

#include "base/json.h"
#include "schedule/health.h"
#include "store/store_read.h"

#include <stdio.h>
#include <stdlib.h>

#define STILL INT64_MAX /* a gap's end, where there is none yet */

static void gap_free(gpointer data)
{
    struct store_gap *gap = data;
    g_free(gap->feed);
    g_free(gap->reason);
    g_free(gap);
}

static void add(GPtrArray *list, const char *feed, int64_t from_s, int64_t to_s, char *reason)
{
    struct store_gap *gap = g_new(struct store_gap, 1);
    *gap = (struct store_gap){g_strdup(feed), from_s, to_s, reason};
    g_ptr_array_add(list, gap);
}

static void add_failing(GPtrArray *list, const struct coverage *coverage)
{
    for (guint i = 0; i < coverage->feeds->len; i++) {
        const struct store_feed *feed = g_ptr_array_index(coverage->feeds, i);
        const struct config_feed *settings = config_find_feed(coverage->config, feed->id);
        const struct schedule_state *schedule = &feed->schedule;
        if (!settings || !settings->is_enabled || schedule->failing_since_s == 0)
            continue;
        const struct schedule_settings interval = {settings->interval_s, settings->cache_max_s};
        if (schedule->is_gone ||
            schedule_is_outage(&interval, schedule, coverage->now_s - schedule->failing_since_s))
            add(list, feed->id, schedule->failing_since_s, STILL,
                g_strdup_printf("cannot be read: %s", feed->message ? feed->message : "unknown"));
    }
}

/* Nobody knows when the daemon ended; until it asked last, it was there. */
static void add_absence(GPtrArray *list, const struct coverage *coverage)
{
    int64_t asked_s = 0;
    for (guint i = 0; i < coverage->feeds->len; i++) {
        const struct store_feed *feed = g_ptr_array_index(coverage->feeds, i);
        asked_s = MAX(asked_s, feed->schedule.asked_s);
    }
    if (!coverage->is_running && asked_s > 0)
        add(list, NULL, asked_s, STILL, g_strdup("feedwatchd is not running"));
}

static gint by_beginning(gconstpointer a, gconstpointer b)
{
    const struct store_gap *const *x = a, *const *y = b;
    return (*x)->from_s < (*y)->from_s ? -1 : (*x)->from_s > (*y)->from_s;
}

static GPtrArray *gather(const struct coverage *coverage)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(gap_free);
    for (guint i = 0; i < coverage->gaps->len; i++) {
        const struct store_gap *gap = g_ptr_array_index(coverage->gaps, i);
        if (gap->to_s >= coverage->since_s)
            add(list, gap->feed, gap->from_s, gap->to_s, g_strdup(gap->reason));
    }
    add_failing(list, coverage);
    add_absence(list, coverage);
    g_ptr_array_sort(list, by_beginning);
    return list;
}

static char *moment(int64_t time_s)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(time_s);
    return time ? g_date_time_format(time, "%Y-%m-%d %H:%M") : g_strdup("-");
}

static char *length(int64_t span_s)
{
    int64_t minutes = MAX(span_s, 0) / 60;
    if (minutes < 48 * 60)
        return g_strdup_printf("%" G_GINT64_FORMAT "h%02d", minutes / 60, (int)(minutes % 60));
    return g_strdup_printf("%" G_GINT64_FORMAT "d", minutes / (24 * 60));
}

void coverage_print(const struct coverage *coverage)
{
    g_autoptr(GPtrArray) list = gather(coverage);
    if (list->len == 0) {
        printf("everything was looked at\n");
        return;
    }
    printf("%-17s %-17s %-7s %-24s %s\n", "FROM", "TO", "LENGTH", "FEED", "WHY");
    for (guint i = 0; i < list->len; i++) {
        const struct store_gap *gap = g_ptr_array_index(list, i);
        bool is_over = gap->to_s != STILL;
        g_autofree char *from = moment(gap->from_s);
        g_autofree char *to = is_over ? moment(gap->to_s) : g_strdup("now");
        g_autofree char *span = length((is_over ? gap->to_s : coverage->now_s) - gap->from_s);
        printf("%-17s %-17s %-7s %-24s %s\n", from, to, span, gap->feed ? gap->feed : "(all)",
               gap->reason);
    }
}

void coverage_print_json(const struct coverage *coverage)
{
    g_autoptr(GPtrArray) list = gather(coverage);
    for (guint i = 0; i < list->len; i++) {
        const struct store_gap *gap = g_ptr_array_index(list, i);
        json_t *object = json_object();
        json_set_text(object, "feed", gap->feed);
        json_set_time(object, "from", gap->from_s, 0);
        json_set_time(object, "to", gap->to_s, STILL);
        json_set_text(object, "reason", gap->reason);
        json_print_line(object, stdout);
    }
}
