#include "monitor/notices.h"

#include "schedule/health.h"
#include "text/clean.h"

#include <string.h>

#define TITLE_BYTES_MAX 500

struct notices {
    GArray *alerts;      /* struct store_new_alert */
    GStringChunk *texts; /* theirs */
    char *link;
    char **sinks;
};

/* ---- texts ---- */

/* "45 minutes", "13 hours", "3 days". */
static char *span_text(int64_t span_s)
{
    static const struct {
        int64_t below_s, unit_s;
        const char *name;
    } units[] = {{2 * 3600, 60, "minute"}, {3 * 86400, 3600, "hour"}, {INT64_MAX, 86400, "day"}};
    size_t i = 0;
    while (span_s >= units[i].below_s)
        i++;
    int64_t n = MAX(span_s, 0) / units[i].unit_s;
    return g_strdup_printf("%" G_GINT64_FORMAT " %s%s", n, units[i].name, n == 1 ? "" : "s");
}

static void add(struct monitor_feed *feed, const char *kind, const char *text)
{
    if (!feed->notices) {
        feed->notices = g_new0(struct notices, 1);
        feed->notices->alerts = g_array_new(FALSE, TRUE, sizeof(struct store_new_alert));
        feed->notices->texts = g_string_chunk_new(512);
    }
    g_autofree char *clean = clean_line(text);
    g_autofree char *title = clean_shorten(clean, TITLE_BYTES_MAX);
    const struct store_new_alert alert = {
        .item = SIZE_MAX,
        .kind = kind,
        .urgency = "normal",
        .title = g_string_chunk_insert(feed->notices->texts, title),
    };
    g_array_append_val(feed->notices->alerts, alert);
}

/* ---- health ---- */

static char *trouble_text(const struct monitor_feed *feed, enum schedule_health health)
{
    const struct schedule_state *schedule = &feed->state->schedule;
    const char *message = feed->state->message ? feed->state->message : "no reason was given";
    g_autofree char *failing = span_text(schedule->asked_s - schedule->failing_since_s);
    g_autofree char *silent = span_text(schedule->looked_s - schedule->new_item_s);
    switch (health) {
    case SCHEDULE_LOST:
        return g_strdup_printf("Gone for good, and not asked any more: %s", message);
    case SCHEDULE_SILENT:
        return g_strdup_printf("No news for %s, longer than this feed's pauses are", silent);
    default:
        if (schedule->throttles > 0 && schedule->allowed_s > schedule->asked_s) {
            g_autofree char *wait = span_text(schedule->allowed_s - schedule->asked_s);
            return g_strdup_printf("Cannot be read, and is not asked for %s: %s", wait, message);
        }
        return g_strdup_printf("Cannot be read for %s now: %s", failing, message);
    }
}

static char *recovery_text(const struct monitor_feed *feed, const struct schedule_state *before)
{
    const struct schedule_state *schedule = &feed->state->schedule;
    if (before->failing_since_s != 0) {
        g_autofree char *span = span_text(schedule->looked_s - before->failing_since_s);
        return g_strdup_printf("Can be read again, after %s", span);
    }
    g_autofree char *span = span_text(schedule->looked_s - before->new_item_s);
    return schedule->new_item_s > before->new_item_s && before->new_item_s > 0
               ? g_strdup_printf("Has news again, after %s", span)
               : g_strdup("Can be read again");
}

/* The remedy is the user's: whom he offends is his choice. */
static void note_window(struct monitor_feed *feed)
{
    struct store_feed *state = feed->state;
    const struct schedule_settings settings = monitor_schedule_settings(feed);
    int64_t now_s = clock_wall_s(feed->monitor->parts.clock), hint_s;
    bool was_told =
        state->window_told_s != 0 && ABS(now_s - state->window_told_s) < NOTICES_WINDOW_S;
    if (was_told ||
        !schedule_outlasts_window(&settings, &state->schedule, state->n_items_last, &hint_s))
        return;
    state->window_told_s = now_s;
    g_autofree char *wait = span_text(hint_s);
    g_autofree char *text = g_strdup_printf(
        "Items may be missed: its server asks not to be asked for %s, and its list of %u items "
        "lasts less; a shorter cache_max would ask sooner",
        wait, state->n_items_last);
    add(feed, "health", text);
}

/* A feed that is away for long and then silent is told of once, and once that it is back. */
void notices_on_outcome(struct monitor_feed *feed, const struct schedule_state *before)
{
    struct store_feed *state = feed->state;
    const struct schedule_settings settings = monitor_schedule_settings(feed);
    note_window(feed);
    enum schedule_health health = schedule_health(&settings, &state->schedule);
    bool was_told = state->health_told_s != 0;
    bool is_trouble = health != SCHEDULE_WELL && health != SCHEDULE_FAILING;
    if (was_told ? health != SCHEDULE_WELL : !is_trouble)
        return;
    g_autofree char *text = is_trouble ? trouble_text(feed, health) : recovery_text(feed, before);
    state->health_told_s = is_trouble ? clock_wall_s(feed->monitor->parts.clock) : 0;
    add(feed, "health", text);
}

void notices_on_moved(struct monitor_feed *feed)
{
    g_autofree char *url = fetch_url_shown(feed->state->moved_url);
    g_autofree char *text =
        g_strdup_printf("Has moved for good: it is read from %s now; put that into its url", url);
    add(feed, "health", text);
}

/* ---- gaps ---- */

void notices_on_gap(struct monitor_feed *feed, const struct schedule_state *before)
{
    int64_t now_s = clock_wall_s(feed->monitor->parts.clock);
    if (feed->state->gap_told_s != 0 && ABS(now_s - feed->state->gap_told_s) < NOTICES_GAP_S)
        return;
    feed->state->gap_told_s = now_s;
    g_autofree char *span = span_text(now_s - before->looked_s);
    bool was_sent_away = before->allowed_s - before->looked_s > SCHEDULE_DEFAULT_S;
    g_autofree char *text = g_strdup_printf(
        "Items may be missed: nothing that was known is left in its list after %s%s", span,
        was_sent_away ? "; its server asks not to be asked more often" : "");
    add(feed, "gap", text);
}

/* ---- on their way ---- */

static void add_sink(GPtrArray *sinks, const struct config *config, const char *id)
{
    const struct config_sink *sink = config_find_sink(config, id);
    for (guint i = 0; i < sinks->len; i++)
        if (strcmp(g_ptr_array_index(sinks, i), id) == 0)
            return;
    if (sink && sink->is_enabled)
        g_ptr_array_add(sinks, g_strdup(id));
}

static char **sinks_for(const struct config *config, const struct config_feed *settings)
{
    g_autoptr(GPtrArray) sinks = g_ptr_array_new_with_free_func(g_free);
    bool has_rule = false;
    for (guint i = 0; i < config->rules->len; i++) {
        const struct config_rule *rule = g_ptr_array_index(config->rules, i);
        if (!ruleset_in_scope(config->ruleset, i, settings->id,
                              (const char *const *)settings->tags))
            continue;
        has_rule = true;
        for (char **id = rule->alert; *id; id++)
            add_sink(sinks, config, *id);
    }
    if (!has_rule) {
        add_sink(sinks, config, "desktop");
        add_sink(sinks, config, "log");
    }
    g_ptr_array_add(sinks, NULL);
    return (char **)g_ptr_array_steal(sinks, NULL);
}

static char *link_of(const struct monitor_feed *feed)
{
    if (feed->settings->path || feed->settings->argv)
        return NULL;
    return fetch_url_shown(feed->state->moved_url ? feed->state->moved_url : feed->settings->url);
}

struct notices *notices_take(struct monitor_feed *feed)
{
    struct notices *notices = g_steal_pointer(&feed->notices);
    if (!notices)
        return NULL;
    notices->link = link_of(feed);
    notices->sinks = sinks_for(feed->monitor->config, feed->settings);
    for (guint i = 0; i < notices->alerts->len; i++) {
        struct store_new_alert *alert = &g_array_index(notices->alerts, struct store_new_alert, i);
        alert->link = notices->link;
        alert->sinks = (const char *const *)notices->sinks;
    }
    return notices;
}

void notices_free(struct notices *notices)
{
    if (!notices)
        return;
    g_array_unref(notices->alerts);
    g_string_chunk_free(notices->texts);
    g_free(notices->link);
    g_strfreev(notices->sinks);
    g_free(notices);
}

const struct store_new_alert *notices_alerts(const struct notices *notices, size_t *ret_n)
{
    *ret_n = notices ? notices->alerts->len : 0;
    return notices ? (const struct store_new_alert *)(const void *)notices->alerts->data : NULL;
}
