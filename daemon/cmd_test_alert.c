/* feedwatch test-alert - one harmless alert through the daemon's real sinks, and what became of it
 * at each. */
#include "daemon/commands.h"
#include "daemon/ask.h"
#include "daemon/since.h"
#include "base/clock.h"
#include "store/store_read.h"

#include <stdio.h>
#include <string.h>

#define WAIT_DEFAULT_MS 10000
#define LOOK_PAUSE_US   100000

struct delivery {
    char *sink;
    char *state;   /* waiting, done, failed, expired */
    char *message; /* why not, as far as that is known */
};

struct trial {
    GPtrArray *deliveries; /* struct delivery */
    struct store_filter filter;
};

static void delivery_free(gpointer data)
{
    struct delivery *delivery = data;
    g_free(delivery->sink);
    g_free(delivery->state);
    g_free(delivery->message);
    g_free(delivery);
}

static bool is_waiting(const struct delivery *delivery)
{
    return strcmp(delivery->state, "waiting") == 0;
}

static bool has_waiting(const struct trial *trial)
{
    for (guint i = 0; i < trial->deliveries->len; i++)
        if (is_waiting(g_ptr_array_index(trial->deliveries, i)))
            return true;
    return false;
}

static void on_line(const json_t *line, void *user)
{
    struct trial *trial = user;
    const char *sink = json_string_value(json_object_get(line, "sink"));
    const char *state = json_string_value(json_object_get(line, "state"));
    if (!sink || !state)
        return;
    struct delivery *delivery = g_new0(struct delivery, 1);
    delivery->sink = g_strdup(sink);
    delivery->state = g_strdup(strcmp(state, "stored") == 0 ? "waiting" : state);
    g_ptr_array_add(trial->deliveries, delivery);
}

static bool on_alert(const struct store_alert *alert, const char *const *states, void *user)
{
    const struct trial *trial = user;
    for (; strcmp(alert->kind, "test") == 0 && states && states[0]; states += 2) {
        for (guint i = 0; i < trial->deliveries->len; i++) {
            struct delivery *delivery = g_ptr_array_index(trial->deliveries, i);
            if (strcmp(delivery->sink, states[0]) != 0)
                continue;
            g_free(delivery->state);
            delivery->state = g_strdup(states[1]);
        }
    }
    return true;
}

static void note_reasons(const struct trial *trial, GPtrArray *sinks)
{
    for (guint i = 0; i < trial->deliveries->len; i++) {
        struct delivery *delivery = g_ptr_array_index(trial->deliveries, i);
        for (guint n = 0; n < sinks->len; n++) {
            const struct store_sink_stats *stats = g_ptr_array_index(sinks, n);
            if (!delivery->message && strcmp(stats->id, delivery->sink) == 0 &&
                strcmp(delivery->state, "done") != 0)
                delivery->message = g_strdup(stats->last_error);
        }
    }
}

/* Looks into the store until every delivery has had its result, at most wait_ms. */
static bool follow(struct trial *trial, const char *state_dir, int64_t wait_ms, GError **error)
{
    struct store_reader *reader = store_reader_open(state_dir, error);
    int64_t end_ms = clock_real_boot_ms() + wait_ms;
    bool fine = reader != NULL;
    while (fine) {
        fine = store_read_alerts(reader, &trial->filter, on_alert, trial, error);
        if (!fine || !has_waiting(trial) || clock_real_boot_ms() >= end_ms)
            break;
        g_usleep(LOOK_PAUSE_US);
    }
    g_autoptr(GPtrArray) sinks = fine ? store_read_sinks(reader, error) : NULL;
    if (sinks)
        note_reasons(trial, sinks);
    if (reader)
        store_reader_free(reader);
    return sinks != NULL;
}

static void print_json(const struct delivery *delivery)
{
    json_t *object = json_object();
    json_set_text(object, "sink", delivery->sink);
    json_set_text(object, "state", delivery->state);
    json_set_text(object, "message", delivery->message);
    json_print_line(object, stdout);
}

static void print_text(const struct delivery *delivery)
{
    bool is_done = strcmp(delivery->state, "done") == 0;
    printf("%-12s %s%s%s\n", delivery->sink, is_done ? "delivered" : delivery->state,
           delivery->message ? ": " : "", delivery->message ? delivery->message : "");
}

/* Whether all were delivered. */
static bool print(const struct trial *trial, bool json)
{
    bool all = true;
    for (guint i = 0; i < trial->deliveries->len; i++) {
        const struct delivery *delivery = g_ptr_array_index(trial->deliveries, i);
        all = all && strcmp(delivery->state, "done") == 0;
        if (json)
            print_json(delivery);
        else
            print_text(delivery);
    }
    if (trial->deliveries->len == 0)
        fprintf(stderr, "feedwatch: no sink is enabled\n");
    return all && trial->deliveries->len > 0;
}

static int run(const struct config *config, char *const *sinks, int64_t wait_ms, bool json)
{
    g_autoptr(GError) error = NULL;
    struct trial trial = {.deliveries = g_ptr_array_new_with_free_func(delivery_free),
                          .filter = {.since_ms = clock_real_wall_ms()}};
    json_t *request = json_object();
    json_set_text(request, "command", "test-alert");
    json_set_texts(request, "sinks", (const char *const *)sinks);
    bool fine = ask_daemon(config->state_dir, request, on_line, &trial);
    if (fine && !follow(&trial, config->state_dir, wait_ms, &error)) {
        fprintf(stderr, "feedwatch: %s\n", error->message);
        fine = false;
    }
    fine = fine && print(&trial, json);
    g_ptr_array_unref(trial.deliveries);
    return fine ? EXIT_OK : EXIT_FAILED;
}

int cmd_test_alert(const char *config_path, int argc, char **argv)
{
    gboolean json = FALSE;
    g_autofree char *wait = NULL;
    int64_t wait_ms = WAIT_DEFAULT_MS;
    const GOptionEntry entries[] = {
        {"wait", 0, 0, G_OPTION_ARG_STRING, &wait,
         "for how long deliveries are waited for (default 10s)", "T"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "one JSON object a line", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_options(command_find("test-alert"), entries, &argc, &argv))
        return EXIT_USAGE;
    if (wait && !since_parse_duration(wait, &wait_ms))
        return command_usage("test-alert", "--wait wants a duration such as 0s, 30s or 5m");
    struct config *config = command_load_config(config_path);
    if (!config)
        return EXIT_CONFIG;
    int code = run(config, argv + 1, wait_ms, json);
    config_unref(config);
    return code;
}
