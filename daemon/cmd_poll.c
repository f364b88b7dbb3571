/* feedwatch poll - asks the daemon to poll feeds now, and shows what came of it. */
#include "daemon/commands.h"
#include "daemon/ask.h"
#include "daemon/since.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A request may take a minute, and waits for its turn at its host. */
#define WAIT_DEFAULT_S 90

struct polling {
    bool json, shows_start;
    bool is_bad; /* a feed failed, or its outcome is not known */
};

static char *time_text(const json_t *line, const char *key)
{
    int64_t time_s = json_integer_value(json_object_get(line, key));
    g_autoptr(GDateTime) moment = g_date_time_new_from_unix_local(time_s);
    return moment ? g_date_time_format(moment, "%F %T") : g_strdup("-");
}

static char *describe_news(const json_t *line)
{
    gint64 n_new = json_integer_value(json_object_get(line, "new"));
    gint64 n_alerts = json_integer_value(json_object_get(line, "alerts"));
    return g_strdup_printf("%" G_GINT64_FORMAT " new, %" G_GINT64_FORMAT " alert%s", n_new,
                           n_alerts, n_alerts == 1 ? "" : "s");
}

static char *describe(const char *state, const json_t *line)
{
    const char *message = json_string_value(json_object_get(line, "message"));
    if (strcmp(state, "news") == 0)
        return describe_news(line);
    if (strcmp(state, "failed") == 0)
        return g_strdup_printf("failed: %s", message ? message : "-");
    if (strcmp(state, "silent") == 0) {
        g_autofree char *until = time_text(line, "until");
        return g_strdup_printf("not asked: its server wants silence until %s", until);
    }
    if (strcmp(state, "recent") == 0) {
        g_autofree char *asked = time_text(line, "asked");
        return g_strdup_printf("asked moments ago, at %s%s%s", asked, message ? ": " : "",
                               message ? message : "");
    }
    if (strcmp(state, "gone") == 0)
        return g_strdup("not asked: its server said that it is gone for good");
    if (strcmp(state, "disabled") == 0)
        return g_strdup("not asked: it is not enabled");
    if (strcmp(state, "unfinished") == 0)
        return g_strdup("still being polled");
    return g_strdup(state); /* polling, unchanged, and what a newer daemon says */
}

static void on_line(const json_t *line, void *user)
{
    struct polling *polling = user;
    const char *feed = json_string_value(json_object_get(line, "feed"));
    const char *state = json_string_value(json_object_get(line, "state"));
    if (!feed || !state || (strcmp(state, "polling") == 0 && !polling->shows_start))
        return;
    bool is_bad = strcmp(state, "failed") == 0 || strcmp(state, "unfinished") == 0;
    polling->is_bad = polling->is_bad || is_bad;
    if (polling->json) {
        g_autofree char *text = json_to_text(line);
        printf("%s\n", text);
    } else {
        g_autofree char *text = describe(state, line);
        printf("%-24s %s\n", feed, text);
    }
}

static json_t *request_for(char *const *feeds, int64_t wait_s)
{
    json_t *request = json_object();
    json_set_text(request, "command", "poll");
    json_set_texts(request, "feeds", (const char *const *)feeds);
    json_set_int(request, "wait", wait_s);
    return request;
}

int cmd_poll(const char *config_path, int argc, char **argv)
{
    gboolean json = FALSE;
    g_autofree char *wait = NULL;
    int64_t wait_s = WAIT_DEFAULT_S, since_ms;
    const GOptionEntry entries[] = {
        {"wait", 0, 0, G_OPTION_ARG_STRING, &wait,
         "for how long outcomes are waited for (0s: not at all; default 90s)", "T"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "one JSON object a line", NULL},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_options(command_find("poll"), entries, &argc, &argv))
        return EXIT_USAGE;
    if (wait && !since_parse_duration(wait, &since_ms))
        return command_usage("poll", "--wait wants a duration such as 0s, 30s or 5m");
    if (wait)
        wait_s = since_ms / 1000;
    struct config *config = command_load_config(config_path);
    if (!config)
        return EXIT_CONFIG;
    struct polling polling = {.json = json, .shows_start = wait_s == 0};
    bool fine = ask_daemon(config->state_dir, request_for(argv + 1, wait_s), on_line, &polling);
    config_unref(config);
    return fine && !polling.is_bad ? EXIT_OK : EXIT_FAILED;
}
