/* feedwatch check - the configuration and its rules: what is wrong, and with --print what they
 * mean. */
#include "daemon/commands.h"

#include <stdio.h>

static bool option_print;

static const GOptionEntry options[] = {{"print", 0, 0, G_OPTION_ARG_NONE, &option_print,
                                        "print the configuration, every setting with its value",
                                        NULL},
                                       G_OPTION_ENTRY_NULL};

static void print_count(guint n, const char *noun, const char *end)
{
    printf("%u %s%s%s", n, noun, n == 1 ? "" : "s", end);
}

static void print_summary(const struct config *config)
{
    printf("%s: ", config->path);
    print_count(config->feeds->len, "feed", ", ");
    print_count(config->rules->len, "rule", ", ");
    print_count(config->lists->len, "list", ", ");
    print_count(config->sinks->len, "sink", "\n");
}

static void print_all(const struct config *config)
{
    g_autoptr(GString) out = g_string_new(NULL);
    config_print(config, out);
    fputs(out->str, stdout);
}

int cmd_check(const char *config_path, int argc, char **argv)
{
    if (!command_options(command_find("check"), options, &argc, &argv))
        return EXIT_USAGE;
    if (argc > 1)
        return command_usage("check", "check takes no argument %s", argv[1]);
    struct config *config = command_load_config(config_path);
    if (!config)
        return EXIT_CONFIG;
    if (option_print)
        print_all(config);
    else
        print_summary(config);
    check_archive(config);
    config_unref(config);
    return EXIT_OK;
}
