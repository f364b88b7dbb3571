/* config/config, the part that writes a configuration down. */
#include "config/config.h"
#include "config/settings.h"

#include <string.h>

/* A value that begins with `;` must not stand behind a blank: it would be a comment. */
static void print_line(GString *out, const char *prefix, const char *key, const char *value)
{
    g_string_append_printf(out, "%s%s =", prefix, key);
    if (*value)
        g_string_append_printf(out, "%s%s", *value == ';' ? "" : " ", value);
    g_string_append_c(out, '\n');
}

/* What is not built yet stands as a comment unless it was changed: a file that was printed gives no
 * more warnings than the one it came from. */
static bool is_comment(const struct setting *row, const char *value, const struct config *config)
{
    const char *fallback = row->fallback ? row->fallback : config->stories ? "on" : "off";
    return row->is_unbuilt && strcmp(value, fallback) == 0;
}

static void print_section(GString *out, const struct config *config, enum section_kind kind,
                          const char *id, const void *object, unsigned sinks)
{
    size_t n;
    const struct setting *rows = settings_table(&n);
    g_autoptr(GString) value = g_string_new(NULL);
    if (id)
        g_string_append_printf(out, "\n[%s %s]\n", section_name(kind), id);
    else
        g_string_append_printf(out, "[%s]\n", section_name(kind));
    for (size_t i = 0; i < n; i++) {
        if (!setting_is_in(&rows[i], kind) || (rows[i].sinks && !(rows[i].sinks & sinks)))
            continue;
        g_string_truncate(value, 0);
        setting_print(&rows[i], object, value);
        print_line(out, is_comment(&rows[i], value->str, config) ? "; " : "", rows[i].key,
                   value->str);
    }
}

void config_print(const struct config *config, GString *out)
{
    print_section(out, config, SECTION_FEEDWATCH, NULL, config, 0);
    for (guint i = 0; i < config->feeds->len; i++) {
        const struct config_feed *feed = g_ptr_array_index(config->feeds, i);
        print_section(out, config, SECTION_FEED, feed->id, feed, 0);
    }
    for (guint i = 0; i < config->lists->len; i++) {
        const struct rule_list_def *list = g_ptr_array_index(config->lists, i);
        print_section(out, config, SECTION_LIST, list->id, list, 0);
    }
    for (guint i = 0; i < config->rules->len; i++) {
        const struct config_rule *rule = g_ptr_array_index(config->rules, i);
        print_section(out, config, SECTION_RULE, rule->id, rule, 0);
    }
    for (guint i = 0; i < config->sinks->len; i++) {
        const struct config_sink *sink = g_ptr_array_index(config->sinks, i);
        print_section(out, config, SECTION_SINK, sink->id, sink, 1u << sink->type);
    }
}
