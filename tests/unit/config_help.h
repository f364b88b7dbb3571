/* What the tests of config/ share. */
#include "config/config.h"
#include "config/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* All problems as lines, without the file's name where it is f. */
static inline char *problem_lines(const GPtrArray *problems)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *text = config_problem_text(g_ptr_array_index(problems, i));
        g_string_append_printf(out, "%s\n", g_str_has_prefix(text, "f:") ? text + 2 : text);
    }
    return g_string_free(out, FALSE);
}

/* Problems as expected, where * stands for what rule/ says in its own words. */
static inline void check_problems(const char *lines, const char *expected)
{
    if (!g_pattern_match_simple(expected, lines))
        assert_string_equal(lines, expected);
}

/* The configuration of a text as file f, or NULL; its problems as lines. */
static inline struct config *load_sized(const char *text, size_t size, char **ret_lines)
{
    g_autoptr(GPtrArray) problems = NULL;
    struct config *config = config_load_bytes("f", text, size, &problems);
    *ret_lines = problem_lines(problems);
    return config;
}

static inline struct config *load_text(const char *text, char **ret_lines)
{
    return load_sized(text, strlen(text), ret_lines);
}

/* A feed and a rule, so that nothing is missed. */
#define FEED_AND_RULE "[feed a]\nurl = http://a/\n[rule r]\nmatch = habana\n"

/* Loads a text that must be right. */
static inline struct config *load_good(const char *text)
{
    g_autofree char *lines = NULL;
    struct config *config = load_text(text, &lines);
    assert_string_equal(lines, "");
    assert_non_null(config);
    return config;
}

static inline char *printed(const struct config *config)
{
    GString *out = g_string_new(NULL);
    config_print(config, out);
    return g_string_free(out, FALSE);
}
