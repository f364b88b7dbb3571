/* Any bytes as feedwatch.conf: no crash, and what is understood prints to what is understood the
 * same. */
#include "config/config.h"
#include "config/load.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *load(const char *text, size_t size)
{
    g_autoptr(GPtrArray) problems = NULL;
    struct config *config = config_load_bytes("f", text, size, &problems);
    bool has_error = false;
    for (guint i = 0; i < problems->len; i++) {
        const struct config_problem *problem = g_ptr_array_index(problems, i);
        g_autofree char *line = config_problem_text(problem);
        has_error |= problem->is_error;
        if (strpbrk(line, "\n\x1b") || !g_utf8_validate(line, -1, NULL))
            abort();
    }
    if (has_error != (config == NULL))
        abort();
    return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = load((const char *)data, size);
    if (!config)
        return 0;
    GString *first = g_string_new(NULL), *second = g_string_new(NULL);
    config_print(config, first);
    struct config *again = load(first->str, first->len);
    if (!again)
        abort();
    config_print(again, second);
    if (!g_string_equal(first, second))
        abort();
    g_string_free(first, TRUE);
    g_string_free(second, TRUE);
    config_unref(again);
    config_unref(config);
    return 0;
}
