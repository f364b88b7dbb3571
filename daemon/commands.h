/* daemon/commands - the subcommands of feedwatch(1), one cmd_*.c each.
 *
 * A command gets the arguments from its own name on, with -c FILE already taken out, and returns an
 * exit code: 0 done, 1 failed, 2 usage, 75 busy, 78 bad or missing configuration. */
#ifndef DAEMON_COMMANDS_H
#define DAEMON_COMMANDS_H

#include "config/config.h"

enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_BUSY = 75, EXIT_CONFIG = 78 };

struct command {
    const char *name;
    const char *arguments; /* for --help */
    const char *help;
    int (*run)(const char *config_path, int argc, char **argv);
};

int cmd_alerts(const char *config_path, int argc, char **argv);
int cmd_backtest(const char *config_path, int argc, char **argv);
int cmd_check(const char *config_path, int argc, char **argv);
int cmd_match(const char *config_path, int argc, char **argv);
int cmd_parse(const char *config_path, int argc, char **argv);
int cmd_poll(const char *config_path, int argc, char **argv);
int cmd_status(const char *config_path, int argc, char **argv);
int cmd_test_alert(const char *config_path, int argc, char **argv);
int cmd_why(const char *config_path, int argc, char **argv);

/* Warns on stderr of rules that hold for no item of the archive, or for more than a quarter. */
void check_archive(const struct config *config);
/* config_path, or where the configuration is found, loaded; its problems go to stderr. NULL after
 * saying why. */
struct config *command_load_config(const char *config_path);
/* Prints "feedwatch: text" and "try feedwatch COMMAND --help" on stderr; returns EXIT_USAGE. */
int command_usage(const char *command, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Whether standard output is a terminal that may be written to in colours (no NO_COLOR). */
bool command_has_colour(void);
/* Parses argv by GOption entries (allowing --help). What is left stays in argv, *argc counts it.
 * False after saying what is wrong; the caller returns EXIT_USAGE. */
bool command_options(const struct command *command, const GOptionEntry *entries, int *argc,
                     char ***argv);
const struct command *command_find(const char *name);

#endif
