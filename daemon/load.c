/* daemon/load - loading a configuration the way both programs do. */
#include "daemon/load.h"

#include <stdio.h>

struct config *load_config(const char *program, const char *path)
{
    g_autofree char *found = path ? g_strdup(path) : config_find();
    if (!found) {
        fprintf(stderr,
                "%s: no configuration: neither $XDG_CONFIG_HOME/feedwatch/feedwatch.conf nor "
                "/etc/feedwatch/feedwatch.conf is there; write one or name one with -c FILE\n",
                program);
        return NULL;
    }
    g_autoptr(GPtrArray) problems = NULL;
    struct config *config = config_load(found, &problems);
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *text = config_problem_text(g_ptr_array_index(problems, i));
        fprintf(stderr, "%s\n", text);
    }
    return config;
}
