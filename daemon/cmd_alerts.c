/* feedwatch alerts - the alert history, oldest first; -f waits for more. */
#include "daemon/commands.h"
#include "alert/terminal.h"
#include "base/json.h"
#include "daemon/since.h"
#include "store/alert_json.h"
#include "store/alert_line.h"
#include "store/store_read.h"

#include <stdio.h>

#define FOLLOW_PAUSE_US 500000
#define LAST_ALL        G_MAXINT

struct alerts_options {
    gboolean follow, json;
    char *since, *rule, *feed, *kind;
    gint last;
};

struct listing {
    bool json, has_colour;
    char *last_id;
};

static json_t *deliveries_value(const char *const *deliveries)
{
    json_t *object = json_object();
    for (; deliveries && deliveries[0]; deliveries += 2)
        json_set_text(object, deliveries[0], deliveries[1]);
    return object;
}

static void print_json(const struct store_alert *alert, const char *const *deliveries)
{
    json_t *object = alert_json(alert);
    json_object_set_new(object, "deliveries", deliveries_value(deliveries));
    json_print_line(object, stdout);
}

static bool on_alert(const struct store_alert *alert, const char *const *deliveries, void *user)
{
    struct listing *listing = user;
    g_free(listing->last_id);
    listing->last_id = g_strdup(alert->id);
    if (listing->json) {
        print_json(alert, deliveries);
        return true;
    }
    g_autofree char *line =
        listing->has_colour ? terminal_line(alert) : alert_line_render(alert, STORE_LOG_TEXT);
    fputs(line, stdout);
    return true;
}

static bool list(struct store_reader *reader, struct store_filter *filter, struct listing *listing)
{
    g_autoptr(GError) error = NULL;
    if (!store_read_alerts(reader, filter, on_alert, listing, &error)) {
        fprintf(stderr, "feedwatch: %s\n", error->message);
        return false;
    }
    filter->after_id = listing->last_id;
    filter->last = 0;
    return fflush(stdout) == 0;
}

static int run(const struct config *config, const struct alerts_options *options)
{
    g_autoptr(GError) error = NULL;
    struct store_filter filter = {.rule = options->rule,
                                  .feed = options->feed,
                                  .kind = options->kind,
                                  .last = options->last == LAST_ALL ? 0 : options->last};
    if (options->since && !since_parse(options->since, &filter.since_ms))
        return command_usage(
            "alerts", "--since wants a duration such as 12h or 7d, or a date such as 2026-11-30");
    if (options->last < 1)
        return command_usage("alerts", "-n wants how many, 1 or more");
    struct store_reader *reader = store_reader_open(config->state_dir, &error);
    if (!reader) {
        fprintf(stderr, "feedwatch: %s\n", error->message);
        return EXIT_FAILED;
    }
    struct listing listing = {.json = options->json, .has_colour = command_has_colour()};
    bool fine = list(reader, &filter, &listing);
    while (fine && options->follow) {
        g_usleep(FOLLOW_PAUSE_US);
        fine = list(reader, &filter, &listing);
    }
    store_reader_free(reader);
    g_free(listing.last_id);
    return fine ? EXIT_OK : EXIT_FAILED;
}

int cmd_alerts(const char *config_path, int argc, char **argv)
{
    struct alerts_options options = {.last = LAST_ALL};
    const GOptionEntry entries[] = {
        {"follow", 'f', 0, G_OPTION_ARG_NONE, &options.follow, "wait for more", NULL},
        {"since", 0, 0, G_OPTION_ARG_STRING, &options.since,
         "only those after T: 12h, 7d, 2026-11-30", "T"},
        {"rule", 0, 0, G_OPTION_ARG_STRING, &options.rule, "only those of this rule", "RULE"},
        {"feed", 0, 0, G_OPTION_ARG_STRING, &options.feed, "only those of this feed", "FEED"},
        {"kind", 0, 0, G_OPTION_ARG_STRING, &options.kind,
         "only those of this kind: alert, health, gap, test", "KIND"},
        {"last", 'n', 0, G_OPTION_ARG_INT, &options.last, "only the newest N", "N"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "one JSON object a line", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_options(command_find("alerts"), entries, &argc, &argv))
        return EXIT_USAGE;
    if (argc > 1)
        return command_usage("alerts", "there is no argument %s", argv[1]);
    struct config *config = command_load_config(config_path);
    if (!config)
        return EXIT_CONFIG;
    int code = run(config, &options);
    config_unref(config);
    g_free(options.since);
    g_free(options.rule);
    g_free(options.feed);
    g_free(options.kind);
    return code;
}
