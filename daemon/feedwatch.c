/* feedwatch - the command beside feedwatchd: finds the subcommand and runs it. */
#include "daemon/commands.h"
#include "daemon/load.h"
#include "base/log.h"

#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_WIDTH 44

static const struct command commands[] = {
    {"check", "[--print]", "check the configuration and its rules", cmd_check},
    {"parse", "[--base URL] [--content-type T] FILE|-|URL", "show a feed as it is read", cmd_parse},
    {"match", "[-q QUERY]… [--ids] [--stats] [FILE|-]", "items in, matches out", cmd_match},
    {"backtest", "RULE|-q QUERY [--since T] [--diff OTHER]", "what a rule would have caught",
     cmd_backtest},
    {"why", "[--json] ALERT-ID|LINK [RULE]", "why a rule matched an item, or did not", cmd_why},
    {"alerts", "[-f] [-n N] [--since T] [--rule R] [--feed F] [--kind K] [--json]",
     "list the alerts", cmd_alerts},
    {"poll", "[--wait T] [--json] [FEED…]", "ask the daemon to poll feeds now", cmd_poll},
    {"status", "[--json] [--coverage [--since T]]",
     "show feeds, rules and sinks, and what was missed", cmd_status},
    {"test-alert", "[--wait T] [--json] [SINK…]", "try the daemon's sinks", cmd_test_alert},
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

struct config *command_load_config(const char *config_path)
{
    return load_config("feedwatch", config_path);
}

int command_usage(const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    fprintf(stderr, "feedwatch: %s\ntry: feedwatch%s%s --help\n", text, command ? " " : "",
            command ? command : "");
    return EXIT_USAGE;
}

bool command_options(const struct command *command, const GOptionEntry *entries, int *argc,
                     char ***argv)
{
    g_autofree char *title = g_strdup_printf("%s - %s", command->arguments, command->help);
    g_autofree char *program = g_strdup_printf("feedwatch %s", command->name);
    g_autoptr(GOptionContext) context = g_option_context_new(title);
    g_autoptr(GError) error = NULL;
    g_set_prgname(program);
    g_option_context_add_main_entries(context, entries, NULL);
    if (g_option_context_parse(context, argc, argv, &error))
        return true;
    command_usage(command->name, "%s", error->message);
    return false;
}

/* https://no-color.org: set to anything but nothing. */
bool command_has_colour(void)
{
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && !(no_colour && *no_colour) &&
           g_strcmp0(terminal, "dumb") != 0;
}

static int help(void)
{
    printf("usage: feedwatch [-c FILE] COMMAND …\n\n");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        int width = (int)g_utf8_strlen(commands[i].arguments, -1);
        printf("  %-10s %s%*s %s\n", commands[i].name, commands[i].arguments,
               MAX(ARGUMENTS_WIDTH - width, 0), "", commands[i].help);
    }
    printf("\n  -c FILE    the configuration; else $XDG_CONFIG_HOME/feedwatch/feedwatch.conf,\n"
           "             else /etc/feedwatch/feedwatch.conf\n  --version  print the version\n");
    return EXIT_OK;
}

/* Takes the -c FILE (or --config FILE) out of argv wherever it stands before a lone "--". False:
 * FILE is missing. */
static bool take_config_path(int *argc, char **argv, const char **ret_path)
{
    int kept = 0;
    bool options = true;
    for (int i = 0; i < *argc; i++) {
        options = options && strcmp(argv[i], "--") != 0;
        if (!options || (strcmp(argv[i], "-c") != 0 && strcmp(argv[i], "--config") != 0)) {
            argv[kept++] = argv[i];
            continue;
        }
        if (++i == *argc)
            return false;
        *ret_path = argv[i];
    }
    *argc = kept;
    argv[kept] = NULL;
    return true;
}

int main(int argc, char **argv)
{
    const char *config_path = NULL;
    setlocale(LC_ALL, "");
    signal(SIGPIPE, SIG_IGN);
    log_init("feedwatch", LOG_LEVEL_INFO);
    if (!take_config_path(&argc, argv, &config_path))
        return command_usage(NULL, "-c wants a file");
    if (argc < 2)
        return command_usage(NULL, "no command given");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return help();
    if (strcmp(argv[1], "--version") == 0) {
        printf("feedwatch %s\n", FEEDWATCH_VERSION);
        return EXIT_OK;
    }
    const struct command *command = command_find(argv[1]);
    if (!command)
        return command_usage(NULL, "there is no command %s", argv[1]);
    return command->run(config_path, argc - 1, argv + 1);
}
