/* config/load, the step from sections and settings to a struct config. */
#include "config/load.h"
#include "base/suggest.h"

#include <string.h>

struct build {
    struct config *config;
    const struct source *source;
    struct report *report;
    struct settings_context context;
    struct config_feed defaults;
    GHashTable *sinks; /* ID -> struct config_sink, borrowed */
    struct rule_sources rule_sources;
};

static void report_fault(struct build *build, const struct source_setting *setting,
                         struct parse_fault *fault)
{
    report_error(build->report, source_place(setting, fault->offset), "%s", fault->message);
    parse_fault_clear(fault);
}

static void apply(struct build *build, const struct source_setting *setting,
                  const struct setting *row, void *object)
{
    struct parse_fault fault = {0};
    if (setting->is_broken)
        return;
    if (!setting_read(row, setting->value->str, &build->context, object, &fault))
        report_fault(build, setting, &fault);
    else if (row->is_unbuilt)
        report_warning(build->report, setting->place, "'%s' is accepted, but not built yet",
                       row->key);
}

/* A password is better off in a file of its own, but whoever writes it here shall know (S11). */
static void check_exposed(struct build *build, const struct source_setting *setting)
{
    bool may_be_secret =
        setting->row->type == SETTING_HEADERS || setting->row->type == SETTING_PROXY ||
        setting->row->type == SETTING_FEED_URL || setting->row->type == SETTING_WEB_URL ||
        setting->row->type == SETTING_MQTT_URL;
    if (setting->is_exposed && may_be_secret && parse_has_secret(setting->value->str))
        report_warning(build->report, source_place(setting, 0),
                       "there is a secret in '%s', and others can read this file: chmod 600 it",
                       setting->row->key);
}

/* Every setting that the section has, of all types of sinks or of one. */
static void apply_section(struct build *build, const struct source_section *section, void *object,
                          unsigned sinks)
{
    for (const struct source_setting *setting = section->settings; setting;
         setting = setting->next) {
        const struct setting *row = settings_find(section->kind, setting->row->key, sinks);
        if (row)
            apply(build, setting, row, object);
        check_exposed(build, setting);
    }
}

static void reset(struct build *build, enum section_kind kind, void *object, unsigned sinks)
{
    size_t n;
    const struct setting *rows = settings_table(&n);
    for (size_t i = 0; i < n; i++)
        if (setting_is_in(&rows[i], kind) && (!sinks || !rows[i].sinks || (rows[i].sinks & sinks)))
            setting_reset(&rows[i], &build->context, object);
}

/* False where something that must be set is not. */
static bool check_required(struct build *build, const struct source_section *section,
                           unsigned sinks)
{
    size_t n;
    const struct setting *rows = settings_table(&n);
    bool is_complete = true;
    for (size_t i = 0; i < n; i++) {
        const struct setting *row = &rows[i];
        if (!setting_is_in(row, section->kind) || !row->is_required || row->fallback ||
            (row->sinks && !(row->sinks & sinks)) || source_find(section, row->key))
            continue;
        g_autofree char *title = source_section_title(section);
        report_error(build->report, section->place, "%s has no '%s': %s", title, row->key,
                     row->help);
        is_complete = false;
    }
    return is_complete;
}

static char *default_state_dir(void)
{
    const char *xdg = g_getenv("XDG_STATE_HOME");
    if (xdg && g_path_is_absolute(xdg))
        return g_build_filename(xdg, "feedwatch", NULL);
    return g_build_filename(g_get_home_dir(), ".local", "state", "feedwatch", NULL);
}

typedef void (*build_section)(struct build *build, const struct source_section *section);

static void each_section(struct build *build, enum section_kind kind, build_section build_one)
{
    for (guint i = 0; i < build->source->sections->len; i++) {
        const struct source_section *section = g_ptr_array_index(build->source->sections, i);
        if (section->kind == kind)
            build_one(build, section);
    }
}

static void build_feedwatch(struct build *build, const struct source_section *section)
{
    apply_section(build, section, build->config, 0);
}

static void build_defaults(struct build *build, const struct source_section *section)
{
    apply_section(build, section, &build->defaults, 0);
}

/* Its URL was checked when it was read. */
static void take_local_source(struct config_feed *feed)
{
    struct parse_fault ignored = {0};
    if (!feed->url)
        return;
    if (g_ascii_strncasecmp(feed->url, "file:", 5) == 0)
        feed->path = parse_file_url(feed->url);
    else if (g_ascii_strncasecmp(feed->url, "exec:", 5) == 0)
        parse_argv(feed->url + 5, &feed->argv, &ignored);
    parse_fault_clear(&ignored);
}

static void build_feed(struct build *build, const struct source_section *section)
{
    struct config_feed *feed = g_new0(struct config_feed, 1);
    size_t n;
    const struct setting *rows = settings_table(&n);
    feed->id = g_strdup(section->id);
    for (size_t i = 0; i < n; i++)
        if (setting_is_in(&rows[i], SECTION_DEFAULTS))
            setting_copy(&rows[i], &build->defaults, feed);
    apply_section(build, section, feed, 0);
    take_local_source(feed);
    check_required(build, section, 0);
    g_ptr_array_add(build->config->feeds, feed);
}

/* The type that the section says, or that its ID is. */
static bool find_sink_type(struct build *build, const struct source_section *section,
                           struct config_sink *sink)
{
    const struct source_setting *setting = source_find(section, "type");
    size_t type;
    struct parse_fault fault = {0};
    if (!parse_choice(setting ? setting->value->str : section->id, settings_sink_types, &type,
                      &fault)) {
        g_autofree char *types = g_strjoinv(", ", (char **)(uintptr_t)settings_sink_types);
        if (setting)
            report_fault(build, setting, &fault);
        else
            report_error(build->report, section->place, "[sink %s] has no 'type': one of %s",
                         section->id, types);
        parse_fault_clear(&fault);
        return false;
    }
    sink->type = (enum config_sink_type)type;
    return true;
}

static void check_sink_settings(struct build *build, const struct source_section *section,
                                enum config_sink_type type)
{
    for (const struct source_setting *setting = section->settings; setting; setting = setting->next)
        if (!settings_find(SECTION_SINK, setting->row->key, 1u << type))
            report_error(build->report, setting->place, "a sink of the type %s has no setting '%s'",
                         settings_sink_types[type], setting->row->key);
}

static const char *default_sink_path(enum config_sink_type type)
{
    return type == CONFIG_SINK_LOG    ? "%S/alerts.log"
           : type == CONFIG_SINK_FEED ? "%S/alerts.xml"
                                      : NULL;
}

static struct config_sink *new_sink(struct build *build, const char *id, enum config_sink_type type)
{
    struct config_sink *sink = g_new0(struct config_sink, 1);
    struct parse_fault fault = {0};
    const char *path = default_sink_path(type);
    sink->id = g_strdup(id);
    sink->type = type;
    reset(build, SECTION_SINK, sink, 1u << type);
    if (path)
        setting_read(settings_find(SECTION_SINK, "path", 1u << type), path, &build->context, sink,
                     &fault);
    return sink;
}

static void add_sink(struct build *build, struct config_sink *sink)
{
    g_ptr_array_add(build->config->sinks, sink);
    g_hash_table_insert(build->sinks, sink->id, sink);
}

static void build_sink(struct build *build, const struct source_section *section)
{
    struct config_sink typed = {0};
    bool has_type = find_sink_type(build, section, &typed);
    if (!has_type)
        typed.type = CONFIG_SINK_DESKTOP; /* any without settings: the error is told */
    struct config_sink *sink = new_sink(build, section->id, typed.type);
    add_sink(build, sink);
    if (!has_type)
        return;
    check_sink_settings(build, section, sink->type);
    apply_section(build, section, sink, 1u << sink->type);
    check_required(build, section, 1u << sink->type);
}

static void add_missing_sinks(struct build *build)
{
    static const enum config_sink_type types[] = {CONFIG_SINK_LOG, CONFIG_SINK_DESKTOP};
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        const char *id = settings_sink_types[types[i]];
        if (!g_hash_table_contains(build->sinks, id))
            add_sink(build, new_sink(build, id, types[i]));
    }
}

/* Two writers of one file would tear each other's lines. */
static void check_sink_paths(struct build *build, const struct source_section *section)
{
    const struct config_sink *sink = g_hash_table_lookup(build->sinks, section->id);
    for (guint i = 0; sink && sink->path && i < build->config->sinks->len; i++) {
        const struct config_sink *other = g_ptr_array_index(build->config->sinks, i);
        if (other == sink || !other->path || strcmp(other->path, sink->path) != 0 ||
            !sink->is_enabled || !other->is_enabled)
            continue;
        const struct source_setting *setting = source_find(section, "path");
        report_error(build->report, setting ? source_place(setting, 0) : section->place,
                     "the sinks '%s' and '%s' write to the same file", sink->id, other->id);
        return;
    }
}

static void check_alert(struct build *build, const struct source_setting *setting,
                        const struct parse_item *item)
{
    const struct config_sink *sink = g_hash_table_lookup(build->sinks, item->text);
    struct place place = source_place(setting, item->offset);
    if (sink && sink->is_enabled)
        return;
    if (sink) {
        report_warning(build->report, place, "the sink '%s' is not enabled", item->text);
        return;
    }
    struct suggest suggest;
    suggest_init(&suggest, item->text);
    for (guint i = 0; i < build->config->sinks->len; i++)
        suggest_offer(&suggest,
                      ((const struct config_sink *)g_ptr_array_index(build->config->sinks, i))->id);
    if (suggest.best)
        report_error(build->report, place, "there is no sink '%s'; did you mean '%s'?", item->text,
                     suggest.best);
    else
        report_error(build->report, place, "there is no sink '%s': no section [sink %s]",
                     item->text, item->text);
}

static void check_alerts(struct build *build, const struct source_section *section)
{
    const struct source_setting *setting = source_find(section, "alert");
    struct parse_fault fault = {0};
    g_autoptr(GArray) items =
        setting && setting->value->len > 0 ? parse_list(setting->value->str, &fault) : NULL;
    for (guint i = 0; items && i < items->len; i++) {
        const struct parse_item *item = &g_array_index(items, struct parse_item, i);
        struct parse_fault ignored = {0};
        if (parse_id(item->text, &ignored))
            check_alert(build, setting, item);
        parse_fault_clear(&ignored);
    }
    parse_fault_clear(&fault);
}

static void build_rule(struct build *build, const struct source_section *section)
{
    struct config_rule *rule = g_new0(struct config_rule, 1);
    rule->id = g_strdup(section->id);
    rule->file = g_strdup(section->place.file);
    rule->line = section->place.line;
    rule->column = section->place.column;
    rule->stories = build->config->stories;
    reset(build, SECTION_RULE, rule, 0);
    apply_section(build, section, rule, 0);
    check_alerts(build, section);
    check_required(build, section, 0);
    g_ptr_array_add(build->config->rules, rule);
    g_ptr_array_add(build->rule_sources.rules, (gpointer)(uintptr_t)section);
}

static void build_list(struct build *build, const struct source_section *section)
{
    struct rule_list_def *list = g_new0(struct rule_list_def, 1);
    list->id = g_strdup(section->id);
    apply_section(build, section, list, 0);
    check_required(build, section, 0);
    g_ptr_array_add(build->config->lists, list);
    g_ptr_array_add(build->rule_sources.lists, (gpointer)(uintptr_t)section);
}

static void warn_of_nothing(const struct build *build)
{
    struct place place = {.file = build->config->path};
    if (build->config->feeds->len == 0)
        report_warning(build->report, place, "there is no [feed ID]: nothing is polled");
    if (build->config->rules->len == 0)
        report_warning(build->report, place, "there is no [rule ID]: nothing is matched");
}

/* In this order, since paths need state_dir, feeds need the defaults, and rules all of them. */
static void build_all(struct build *build)
{
    struct config *config = build->config;
    config->state_dir = default_state_dir();
    reset(build, SECTION_FEEDWATCH, config, 0);
    each_section(build, SECTION_FEEDWATCH, build_feedwatch);
    build->context.state_dir = config->state_dir;
    reset(build, SECTION_DEFAULTS, &build->defaults, 0);
    build->defaults.proxy = g_strdup(config->proxy);
    each_section(build, SECTION_DEFAULTS, build_defaults);
    each_section(build, SECTION_FEED, build_feed);
    each_section(build, SECTION_LIST, build_list);
    each_section(build, SECTION_SINK, build_sink);
    add_missing_sinks(build);
    each_section(build, SECTION_SINK, check_sink_paths);
    each_section(build, SECTION_RULE, build_rule);
    warn_of_nothing(build);
    rules_compile(config, &build->rule_sources, build->report);
}

void build_config(struct config *config, const struct source *source, bool checks_files)
{
    struct build build = {
        .config = config,
        .source = source,
        .report = source->report,
        .context = {.checks_files = checks_files},
        .sinks = g_hash_table_new(g_str_hash, g_str_equal),
        .rule_sources = {g_ptr_array_new(), g_ptr_array_new()},
    };
    build_all(&build);
    settings_clear(SECTION_DEFAULTS, &build.defaults);
    g_hash_table_unref(build.sinks);
    g_ptr_array_unref(build.rule_sources.rules);
    g_ptr_array_unref(build.rule_sources.lists);
}
