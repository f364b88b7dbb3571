/* feedwatchd - the daemon: reads the configuration, brings the parts up in order of need, runs the
 * loop, and takes them down in reverse. */
#include "daemon/commands.h"
#include "daemon/load.h"
#include "daemon/service.h"
#include "daemon/sinks.h"
#include "alert/dispatcher.h"
#include "base/clock.h"
#include "base/log.h"
#include "monitor/control.h"
#include "monitor/control_poll.h"
#include "monitor/control_test.h"
#include "monitor/monitor.h"

#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define TIME_SCALE_MAX 1000000
/* A stop takes at most 10 s. */
#define FINISH_DEADLINE_MS 1000
#define SINKS_DEADLINE_MS  1000
#define FLUSH_DEADLINE_MS  7500
#define DRAIN_DEADLINE_MS                                                  \
    10000 /* --once: for a sink that is down, or a store that cannot write \
           */

struct options {
    char *config_path;
    gboolean once;
    gboolean version;
    double time_scale;
};

struct daemon {
    struct options options;
    GMainLoop *loop;
    struct clock *clock;
    struct config *config;
    struct store *store;
    struct service *service;
    struct dispatcher *dispatcher;
    struct http_client *http;
    struct worker *worker;
    struct fetcher *fetcher;
    struct monitor *monitor;
    struct control_command commands[3]; /* the last one is the end */
    struct control *control;
    guint patience;        /* source */
    bool is_loading;       /* a new configuration, in a thread */
    bool is_reload_wanted; /* once that is done */
    bool is_ending;
};

/* A run with --once does not wait for ever for a disk that stays full. */
static gboolean on_out_of_patience(gpointer user)
{
    struct daemon *daemon = user;
    daemon->patience = 0;
    if (store_is_stuck(daemon->store))
        g_main_loop_quit(daemon->loop);
    return G_SOURCE_REMOVE;
}

/* "12 feeds, 1 failing; 2 changes wait for the disk; alerts wait: desktop: …" */
static void show_status(struct daemon *daemon)
{
    struct monitor_count count;
    if (!daemon->monitor || !daemon->dispatcher)
        return; /* still coming up, or going down */
    monitor_counts(daemon->monitor, &count);
    g_autoptr(GString) sinks = g_string_new(NULL);
    dispatcher_append_state(daemon->dispatcher, sinks);
    guint backlog = store_backlog(daemon->store);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_printf(text, "%u feed%s, %u failing", count.feeds, count.feeds == 1 ? "" : "s",
                    count.failing);
    if (count.is_offline)
        g_string_append(text, "; no network");
    if (backlog > 0)
        g_string_append_printf(text, "; %u change%s for the disk", backlog,
                               backlog == 1 ? " waits" : "s wait");
    if (sinks->len > 0)
        g_string_append_printf(text, "; alerts wait: %s", sinks->str);
    service_set_status(daemon->service, text->str);
}

static void on_status_due(void *user)
{
    show_status(user);
}

static void on_trouble(const char *message, void *user)
{
    struct daemon *daemon = user;
    log_error("%s", message);
    if (daemon->options.once && daemon->patience == 0)
        daemon->patience = g_timeout_add(DRAIN_DEADLINE_MS, on_out_of_patience, daemon);
}

/* May come from the store until it is closed. */
static void on_deliveries(void *user)
{
    struct daemon *daemon = user;
    if (daemon->dispatcher)
        dispatcher_kick(daemon->dispatcher);
}

static void on_sink(const char *sink, const char *message, void *user)
{
    if (message)
        log_info("sink %s: %s; its alerts wait", sink, message);
    else
        log_info("sink %s: delivers again", sink);
    show_status(user);
}

static void on_sink_trouble(const char *sink, const char *message, void *user)
{
    (void)user;
    log_warning("sink %s: %s", sink, message);
}

static void on_feed(const char *feed_id, const char *message, void *user)
{
    if (message)
        log_warning("feed %s: %s", feed_id, message);
    else
        log_info("feed %s: can be read again", feed_id);
    show_status(user);
}

static void on_moved(const char *feed_id, const char *url, void *user)
{
    (void)user;
    log_warning("feed %s has moved for good: from now on it is read from %s; put that in its url",
                feed_id, url);
}

static void on_network(bool is_away, void *user)
{
    if (is_away)
        log_info("there is no network: feeds wait for it");
    else
        log_info("the network is back");
    show_status(user);
}

static void on_drained(void *user)
{
    struct daemon *daemon = user;
    g_main_loop_quit(daemon->loop);
}

static void on_finished(void *user)
{
    struct daemon *daemon = user;
    dispatcher_drain(daemon->dispatcher, DRAIN_DEADLINE_MS, on_drained, daemon);
}

static gboolean on_terminate(gpointer user)
{
    struct daemon *daemon = user;
    log_info("stopping");
    g_main_loop_quit(daemon->loop);
    return G_SOURCE_CONTINUE;
}

/* "12 feeds, 1 rule" */
static char *describe_size(const struct config *config)
{
    guint feeds = config->feeds->len, rules = config->rules->len;
    return g_strdup_printf("%u feed%s, %u rule%s", feeds, feeds == 1 ? "" : "s", rules,
                           rules == 1 ? "" : "s");
}

/* Whether a new configuration may take the place of the old one; else says why not. Paths with %S
 * would lead out of the directory that is in use. */
static bool is_acceptable(const struct daemon *daemon, const struct config *config)
{
    if (!config)
        log_error("the new configuration has errors; the old one stays in force");
    else if (strcmp(config->state_dir, daemon->config->state_dir) != 0)
        log_error("another state_dir needs a restart; the old configuration stays in force");
    else
        return true;
    return false;
}

static void adopt(struct daemon *daemon, struct config *config)
{
    config_unref(daemon->config);
    daemon->config = config;
    sinks_apply(config, daemon->store, daemon->dispatcher);
    monitor_reload(daemon->monitor, config);
    g_autofree char *size = describe_size(config);
    log_info("configuration reloaded: %s", size);
}

static void start_reload(struct daemon *daemon);

/* On the main loop again. An item that is being judged keeps the rules it began with. */
static void on_loaded(GObject *source, GAsyncResult *result, gpointer user)
{
    struct daemon *daemon = user;
    struct config *config = g_task_propagate_pointer(G_TASK(result), NULL);
    (void)source;
    daemon->is_loading = false;
    if (!daemon->is_ending && is_acceptable(daemon, config))
        adopt(daemon, g_steal_pointer(&config));
    if (config)
        config_unref(config);
    if (daemon->is_ending)
        return;
    show_status(daemon);
    if (daemon->is_reload_wanted)
        start_reload(daemon);
    else
        service_ready(daemon->service);
}

static void load_in_thread(GTask *task, gpointer source, gpointer path, GCancellable *cancellable)
{
    (void)source, (void)cancellable;
    g_task_return_pointer(task, load_config("feedwatchd", path), NULL);
}

/* Many rules take seconds to compile: meanwhile the loop goes on with the old ones. */
static void start_reload(struct daemon *daemon)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, on_loaded, daemon);
    daemon->is_reload_wanted = false;
    daemon->is_loading = true;
    g_task_set_task_data(task, g_strdup(daemon->options.config_path), g_free);
    g_task_run_in_thread(task, load_in_thread);
}

/* What is changed while a configuration is being read is read once more behind it. */
static gboolean on_reload(gpointer user)
{
    struct daemon *daemon = user;
    if (daemon->is_ending)
        return G_SOURCE_CONTINUE;
    daemon->is_reload_wanted = true;
    if (!daemon->is_loading) {
        service_reloading(daemon->service);
        start_reload(daemon);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean on_reopen(gpointer user)
{
    struct daemon *daemon = user;
    store_reopen_logs(daemon->store);
    return G_SOURCE_CONTINUE;
}

static bool parse_options(struct options *options, int *argc, char ***argv)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config_path, "the configuration",
         "FILE"},
        {"once", 0, 0, G_OPTION_ARG_NONE, &options->once, "poll every feed now, deliver, and exit",
         NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "print the version", NULL},
        {"time-scale", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_DOUBLE, &options->time_scale, NULL,
         NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- watch news feeds and raise alerts");
    g_autoptr(GError) error = NULL;
    g_option_context_add_main_entries(context, entries, NULL);
    bool fine = g_option_context_parse(context, argc, argv, &error);
    if (!fine)
        log_error("%s; try --help", error->message);
    else if (*argc > 1)
        log_error("there is no argument %s; try --help", (*argv)[1]);
    else if (options->time_scale != 0 &&
             !(options->time_scale >= 1 && options->time_scale <= TIME_SCALE_MAX))
        log_error("--time-scale wants a number from 1 to %d", TIME_SCALE_MAX);
    else
        return true;
    return false;
}

static int open_store(struct daemon *daemon)
{
    g_autoptr(GError) error = NULL;
    const struct store_hooks hooks = {on_trouble, on_deliveries, daemon};
    int64_t now_s = clock_real_wall_ms() / 1000;
    daemon->clock = daemon->options.time_scale > 1
                        ? clock_new_scaled(now_s, daemon->options.time_scale)
                        : clock_new_real();
    daemon->store = store_open(daemon->config->state_dir, daemon->clock,
                               daemon->config->retention_s, &hooks, NULL, &error);
    if (!daemon->store) {
        log_error("%s", error->message);
        return g_error_matches(error, STORE_ERROR, STORE_ERROR_BUSY) ? EXIT_BUSY : EXIT_FAILED;
    }
    if (daemon->options.time_scale > 1)
        clock_set_origin(daemon->clock, store_time_origin(daemon->store, now_s));
    return EXIT_OK;
}

/* Without it everything goes on, but nobody can ask for anything. */
static void open_control(struct daemon *daemon)
{
    g_autoptr(GError) error = NULL;
    daemon->commands[0] = (struct control_command){"poll", control_poll, daemon->monitor};
    daemon->commands[1] =
        (struct control_command){"test-alert", control_test_alert, daemon->monitor};
    daemon->control = control_new(NULL, daemon->config->state_dir, daemon->commands, &error);
    if (!daemon->control)
        log_warning(
            "no control socket, so `feedwatch poll` and `feedwatch test-alert` will not work: %s",
            error->message);
}

static void start(struct daemon *daemon)
{
    const struct dispatcher_hooks sink_hooks = {on_sink, on_sink_trouble, daemon};
    const struct dispatcher_parts sink_parts = {NULL, daemon->clock, daemon->store, sink_types};
    const struct monitor_hooks hooks = {on_feed, on_moved, on_network, on_finished, daemon};
    daemon->service = service_new(daemon->store, on_status_due, daemon);
    daemon->dispatcher = dispatcher_new(&sink_parts, &sink_hooks);
    sinks_apply(daemon->config, daemon->store, daemon->dispatcher);
    /* The same variable that OpenSSL's own tools obey. */
    daemon->http = http_client_new(NULL, getenv("SSL_CERT_FILE"));
    daemon->worker = worker_new(NULL);
    daemon->fetcher = fetcher_new(NULL, daemon->http, daemon->worker, daemon->clock);
    const struct monitor_parts parts = {NULL, daemon->clock, daemon->store, daemon->fetcher};
    daemon->monitor = monitor_new(&parts, daemon->config, &hooks);
    g_unix_signal_add(SIGTERM, on_terminate, daemon);
    g_unix_signal_add(SIGINT, on_terminate, daemon);
    g_autofree char *size = describe_size(daemon->config);
    log_info("feedwatchd %s: %s, state in %s", FEEDWATCH_VERSION, size, daemon->config->state_dir);
    monitor_start(daemon->monitor, daemon->options.once);
    if (!daemon->options.once)
        open_control(daemon);
    show_status(daemon);
    service_ready(daemon->service);
}

static void end_loading(struct daemon *daemon)
{
    daemon->is_ending = true;
    while (daemon->is_loading)
        g_main_context_iteration(NULL, TRUE);
}

static gboolean on_late(gpointer user)
{
    *(bool *)user = true;
    return G_SOURCE_CONTINUE;
}

/* What a sink has taken and not confirmed is told again after the next start, so it gets a moment.
 */
static void finish_deliveries(struct daemon *daemon)
{
    bool is_late = false;
    guint timer = g_timeout_add(FINISH_DEADLINE_MS, on_late, &is_late);
    dispatcher_finish(daemon->dispatcher);
    while (!is_late && dispatcher_is_delivering(daemon->dispatcher))
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(timer);
}

static int stop(struct daemon *daemon)
{
    struct monitor_count count;
    service_stopping(daemon->service);
    monitor_counts(daemon->monitor, &count);
    control_free(daemon->control);
    monitor_free(g_steal_pointer(&daemon->monitor));
    fetcher_free(daemon->fetcher);
    worker_free(daemon->worker);
    http_client_free(daemon->http);
    finish_deliveries(daemon);
    dispatcher_free(g_steal_pointer(&daemon->dispatcher), SINKS_DEADLINE_MS);
    bool flushed = store_close(daemon->store, FLUSH_DEADLINE_MS);
    if (!flushed)
        log_error("not everything could be written; it will be fetched again");
    service_free(daemon->service);
    bool all_failed = daemon->options.once && count.polled > 0 && count.failed_now == count.polled;
    return !flushed || all_failed ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv)
{
    struct daemon daemon = {0};
    setlocale(LC_ALL, "");
    /* NetworkManager would be asked over a bus that may hang; routes say enough. */
    g_setenv("GIO_USE_NETWORK_MONITOR", "netlink", FALSE);
    signal(SIGPIPE, SIG_IGN);
    log_init("feedwatchd", LOG_LEVEL_INFO);
    if (!parse_options(&daemon.options, &argc, &argv)) {
        g_free(daemon.options.config_path);
        return EXIT_USAGE;
    }
    if (daemon.options.version) {
        g_print("feedwatchd %s\n", FEEDWATCH_VERSION);
        return EXIT_OK;
    }
    /* From now on, so that none of them ends a daemon that is coming up; the loop hears of it. */
    g_unix_signal_add(SIGHUP, on_reload, &daemon);
    g_unix_signal_add(SIGUSR1, on_reopen, &daemon);
    daemon.config = load_config("feedwatchd", daemon.options.config_path);
    if (!daemon.config) {
        g_free(daemon.options.config_path);
        return EXIT_CONFIG;
    }
    daemon.loop = g_main_loop_new(NULL, FALSE);
    int code = open_store(&daemon);
    if (code == EXIT_OK) {
        start(&daemon);
        g_main_loop_run(daemon.loop);
        end_loading(&daemon);
        code = stop(&daemon);
    }
    clock_free(daemon.clock);
    config_unref(daemon.config);
    g_main_loop_unref(daemon.loop);
    g_free(daemon.options.config_path);
    return code;
}
