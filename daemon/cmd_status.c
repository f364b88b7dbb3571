/* feedwatch status - feeds, rules, sinks and gaps; exit 1 where silence may not mean "no news". */
#include "daemon/commands.h"
#include "daemon/coverage.h"
#include "daemon/since.h"
#include "base/clock.h"
#include "base/json.h"
#include "schedule/health.h"
#include "store/store_read.h"

#include <stdio.h>
#include <string.h>

/* A feed that was not looked at for longer than this, and than three times its interval, is
 * unlooked-at. */
#define UNLOOKED_S (12 * 3600)

struct snapshot {
    struct config *config;
    bool is_running;
    int64_t now_s;
    GPtrArray *feeds, *rules, *sinks, *gaps;
    GHashTable *states; /* ID -> struct store_feed, of feeds */
};

static const struct store_feed *state_of(const struct snapshot *snapshot, const char *id)
{
    return g_hash_table_lookup(snapshot->states, id);
}

static bool is_unlooked(const struct snapshot *snapshot, const struct config_feed *settings,
                        const struct store_feed *state)
{
    if (!settings->is_enabled || (state && state->schedule.is_gone))
        return false;
    if (!state || state->schedule.asked_s == 0)
        return false;
    int64_t limit_s = MAX(UNLOOKED_S, 3 * settings->interval_s);
    int64_t since_s =
        state->schedule.looked_s > 0 ? state->schedule.looked_s : state->schedule.failing_since_s;
    return snapshot->now_s - since_s > limit_s;
}

static const char *health(const struct snapshot *snapshot, const struct config_feed *settings,
                          const struct store_feed *state)
{
    const struct schedule_settings schedule = {settings->interval_s, settings->cache_max_s};
    if (!settings->is_enabled)
        return "disabled";
    if (!state || state->schedule.asked_s == 0)
        return "new";
    if (state->schedule.is_gone)
        return "gone";
    if (is_unlooked(snapshot, settings, state))
        return "stale";
    if (schedule_health(&schedule, &state->schedule) == SCHEDULE_SILENT)
        return "silent";
    return state->schedule.failures + state->schedule.throttles > 0 ? "failing" : "ok";
}

static void set_time(json_t *object, const char *key, int64_t time_s)
{
    json_set_time(object, key, time_s, 0);
}

/* 0: never. */
static int64_t next_due_s(const struct config_feed *settings, const struct store_feed *state)
{
    return settings->is_enabled && !state->schedule.is_gone ? state->schedule.due_s : 0;
}

static json_t *feed_value(const struct snapshot *snapshot, const struct config_feed *settings)
{
    static const struct store_feed nothing;
    const struct store_feed *state = state_of(snapshot, settings->id);
    json_t *object = json_object();
    json_set_text(object, "id", settings->id);
    json_set_text(object, "health", health(snapshot, settings, state));
    state = state ? state : &nothing;
    json_set_text(object, "title", state->title);
    set_time(object, "last_look", state->schedule.looked_s);
    set_time(object, "last_news", state->schedule.new_item_s);
    set_time(object, "next_due", next_due_s(settings, state));
    const struct schedule_settings schedule = {settings->interval_s, settings->cache_max_s};
    json_set_int(object, "interval", schedule_interval_s(&schedule, &state->schedule));
    set_time(object, "rhythm", state->schedule.rhythm_s);
    set_time(object, "failing_since", state->schedule.failing_since_s);
    json_set_int(object, "failures", state->schedule.failures);
    json_set_text(object, "message", state->message);
    json_set_int(object, "items", state->n_items_last);
    json_set_int(object, "mean_text_bytes",
                 state->text_items > 0 ? state->text_bytes / state->text_items : 0);
    return object;
}

static json_t *rule_value(const struct store_rule_stats *rule)
{
    json_t *object = json_object();
    json_set_text(object, "id", rule->id);
    json_set_int(object, "hits", rule->hits);
    set_time(object, "last_hit", rule->last_hit_ms / 1000);
    return object;
}

static json_t *sink_value(const struct store_sink_stats *sink)
{
    json_t *object = json_object();
    json_set_text(object, "id", sink->id);
    json_set_int(object, "waiting", sink->waiting);
    json_set_int(object, "done", sink->done);
    json_set_int(object, "failed", sink->failed);
    set_time(object, "last_done", sink->last_done_ms / 1000);
    json_set_text(object, "last_error", sink->last_error);
    return object;
}

static json_t *gap_value(const struct store_gap *gap)
{
    json_t *object = json_object();
    json_set_text(object, "feed", gap->feed);
    set_time(object, "from", gap->from_s);
    set_time(object, "to", gap->to_s);
    json_set_text(object, "reason", gap->reason);
    return object;
}

static void print_json(const struct snapshot *snapshot)
{
    json_t *feeds = json_array(), *rules = json_array(), *sinks = json_array(),
           *gaps = json_array();
    for (guint i = 0; i < snapshot->config->feeds->len; i++)
        json_array_append_new(feeds,
                              feed_value(snapshot, g_ptr_array_index(snapshot->config->feeds, i)));
    for (guint i = 0; i < snapshot->rules->len; i++)
        json_array_append_new(rules, rule_value(g_ptr_array_index(snapshot->rules, i)));
    for (guint i = 0; i < snapshot->sinks->len; i++)
        json_array_append_new(sinks, sink_value(g_ptr_array_index(snapshot->sinks, i)));
    for (guint i = 0; i < snapshot->gaps->len; i++)
        json_array_append_new(gaps, gap_value(g_ptr_array_index(snapshot->gaps, i)));
    json_t *object = json_object();
    json_object_set_new(object, "running", json_boolean(snapshot->is_running));
    json_object_set_new(object, "feeds", feeds);
    json_object_set_new(object, "rules", rules);
    json_object_set_new(object, "sinks", sinks);
    json_object_set_new(object, "gaps", gaps);
    json_print_line(object, stdout);
}

/* "5m ago", "in 2h", "-" for never. */
static char *relative(int64_t time_s, int64_t now_s)
{
    if (time_s == 0)
        return g_strdup("-");
    int64_t off = time_s > now_s ? time_s - now_s : now_s - time_s;
    char unit = off < 120 ? 's' : off < 7200 ? 'm' : off < 172800 ? 'h' : 'd';
    int64_t size = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 86400;
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT "%c", off / size, unit);
    return g_strdup_printf(time_s > now_s ? "in %s" : "%s ago", number);
}

static void print_feed(const struct snapshot *snapshot, const struct config_feed *settings)
{
    static const struct store_feed nothing;
    const struct store_feed *state = state_of(snapshot, settings->id);
    const char *word = health(snapshot, settings, state);
    const struct schedule_settings schedule = {settings->interval_s, settings->cache_max_s};
    state = state ? state : &nothing;
    g_autofree char *looked = relative(state->schedule.looked_s, snapshot->now_s);
    g_autofree char *news = relative(state->schedule.new_item_s, snapshot->now_s);
    g_autofree char *next = relative(next_due_s(settings, state), snapshot->now_s);
    int64_t every_min = schedule_interval_s(&schedule, &state->schedule) / 60;
    int64_t mean = state->text_items > 0 ? state->text_bytes / state->text_items : 0;
    printf("%-24s %-9s %-10s %-10s %-10s %4" G_GINT64_FORMAT "m  %" G_GINT64_FORMAT "B%s%s\n",
           settings->id, word, looked, news, next, every_min, mean, state->message ? "  " : "",
           state->message ? state->message : "");
}

static void print_feeds(const struct snapshot *snapshot)
{
    printf("%-24s %-9s %-10s %-10s %-10s %-6s %s\n", "FEED", "HEALTH", "LOOKED", "NEWS", "NEXT",
           "EVERY", "TEXT");
    for (guint i = 0; i < snapshot->config->feeds->len; i++)
        print_feed(snapshot, g_ptr_array_index(snapshot->config->feeds, i));
}

static void print_rules_and_sinks(const struct snapshot *snapshot)
{
    printf("\n%-24s %-9s %s\n", "RULE", "HITS", "LAST");
    for (guint i = 0; i < snapshot->rules->len; i++) {
        const struct store_rule_stats *rule = g_ptr_array_index(snapshot->rules, i);
        g_autofree char *last = relative(rule->last_hit_ms / 1000, clock_real_wall_ms() / 1000);
        printf("%-24s %-9" G_GINT64_FORMAT " %s\n", rule->id, rule->hits, last);
    }
    printf("\n%-24s %-9s %-9s %-9s\n", "SINK", "WAITING", "DONE", "FAILED");
    for (guint i = 0; i < snapshot->sinks->len; i++) {
        const struct store_sink_stats *sink = g_ptr_array_index(snapshot->sinks, i);
        printf("%-24s %-9" G_GINT64_FORMAT " %-9" G_GINT64_FORMAT " %-9" G_GINT64_FORMAT " %s\n",
               sink->id, sink->waiting, sink->done, sink->failed,
               sink->last_error ? sink->last_error : "");
    }
    for (guint i = 0; i < snapshot->gaps->len; i++) {
        const struct store_gap *gap = g_ptr_array_index(snapshot->gaps, i);
        g_autofree char *when = relative(gap->to_s, snapshot->now_s);
        printf("%sgap: %s, %s: %s\n", i == 0 ? "\n" : "", gap->feed ? gap->feed : "all feeds", when,
               gap->reason);
    }
}

static bool all_is_well(const struct snapshot *snapshot)
{
    for (guint i = 0; i < snapshot->config->feeds->len; i++) {
        const struct config_feed *settings = g_ptr_array_index(snapshot->config->feeds, i);
        if (is_unlooked(snapshot, settings, state_of(snapshot, settings->id)))
            return false;
    }
    return snapshot->is_running;
}

static bool take_snapshot(struct snapshot *snapshot, GError **error)
{
    struct store_reader *reader = store_reader_open(snapshot->config->state_dir, error);
    if (!reader)
        return false;
    snapshot->now_s = clock_real_wall_ms() / 1000;
    snapshot->is_running = store_is_running(snapshot->config->state_dir);
    bool fine = (snapshot->feeds = store_read_feeds(reader, error)) != NULL &&
                (snapshot->rules = store_read_rules(reader, error)) != NULL &&
                (snapshot->sinks = store_read_sinks(reader, error)) != NULL &&
                (snapshot->gaps = store_read_gaps(reader, 0, error)) != NULL;
    store_reader_free(reader);
    snapshot->states = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; fine && i < snapshot->feeds->len; i++) {
        struct store_feed *feed = g_ptr_array_index(snapshot->feeds, i);
        g_hash_table_insert(snapshot->states, feed->id, feed);
    }
    return fine;
}

static void drop_snapshot(struct snapshot *snapshot)
{
    g_clear_pointer(&snapshot->states, g_hash_table_unref);
    g_clear_pointer(&snapshot->feeds, g_ptr_array_unref);
    g_clear_pointer(&snapshot->rules, g_ptr_array_unref);
    g_clear_pointer(&snapshot->sinks, g_ptr_array_unref);
    g_clear_pointer(&snapshot->gaps, g_ptr_array_unref);
    config_unref(snapshot->config);
}

static void print_snapshot(const struct snapshot *snapshot, bool json)
{
    if (json) {
        print_json(snapshot);
        return;
    }
    print_feeds(snapshot);
    print_rules_and_sinks(snapshot);
    if (!snapshot->is_running)
        printf("\nno daemon is running: nothing is being looked at\n");
}

static void print_coverage(const struct snapshot *snapshot, int64_t since_s, bool json)
{
    const struct coverage coverage = {
        .config = snapshot->config,
        .feeds = snapshot->feeds,
        .gaps = snapshot->gaps,
        .is_running = snapshot->is_running,
        .now_s = snapshot->now_s,
        .since_s = since_s,
    };
    if (json)
        coverage_print_json(&coverage);
    else
        coverage_print(&coverage);
}

int cmd_status(const char *config_path, int argc, char **argv)
{
    gboolean json = FALSE, coverage = FALSE;
    g_autofree char *since = NULL;
    int64_t since_ms = 0;
    const GOptionEntry entries[] = {
        {"coverage", 0, 0, G_OPTION_ARG_NONE, &coverage, "list when what was not looked at", NULL},
        {"since", 0, 0, G_OPTION_ARG_STRING, &since, "with --coverage: what ended since then", "T"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json,
         "one JSON object; with --coverage, one object a line", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_options(command_find("status"), entries, &argc, &argv))
        return EXIT_USAGE;
    if (argc > 1)
        return command_usage("status", "there is no argument %s", argv[1]);
    if (since && !coverage)
        return command_usage("status", "--since goes with --coverage");
    if (since && !since_parse(since, &since_ms))
        return command_usage("status", "--since wants a time (12h, 2026-11-30), not %s", since);
    struct snapshot snapshot = {.config = command_load_config(config_path)};
    if (!snapshot.config)
        return EXIT_CONFIG;
    g_autoptr(GError) error = NULL;
    int code = EXIT_FAILED;
    if (!take_snapshot(&snapshot, &error)) {
        fprintf(stderr, "feedwatch: %s\n", error->message);
    } else {
        if (coverage)
            print_coverage(&snapshot, since_ms / 1000, json);
        else
            print_snapshot(&snapshot, json);
        code = all_is_well(&snapshot) ? EXIT_OK : EXIT_FAILED;
    }
    drop_snapshot(&snapshot);
    return code;
}
