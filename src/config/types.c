#include "config/types.h"
#include "config/report.h"
#include "base/file.h"
#include "base/suggest.h"
#include "text/template.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INITIAL_ITEMS_MAX 20000

static bool read_bool(const struct reading *in, struct value *ret)
{
    bool value;
    if (!parse_bool(in->text, &value, in->fault))
        return false;
    ret->number = value;
    return true;
}

static bool read_choice(const struct reading *in, struct value *ret)
{
    size_t value;
    if (!parse_choice(in->text, in->row->choices, &value, in->fault))
        return false;
    ret->number = (int64_t)value;
    return true;
}

static bool read_count(const struct reading *in, struct value *ret)
{
    return parse_count(in->text, in->row->min, in->row->max, &ret->number, in->fault);
}

static bool read_seconds(const struct reading *in, struct value *ret)
{
    int64_t ms;
    if (!parse_duration(in->text, in->row->min, in->row->max, &ms, in->fault))
        return false;
    if (ms % 1000 != 0)
        return parse_fail(in->fault, 0, "'%s' must be whole seconds", in->text);
    ret->number = ms / 1000;
    return true;
}

static bool read_milliseconds(const struct reading *in, struct value *ret)
{
    return parse_duration(in->text, in->row->min, in->row->max, &ret->number, in->fault);
}

static bool read_size(const struct reading *in, struct value *ret)
{
    return parse_size(in->text, in->row->min, in->row->max, &ret->number, in->fault);
}

static bool read_initial(const struct reading *in, struct value *ret)
{
    if (strcmp(in->text, "none") == 0 || strcmp(in->text, "all") == 0) {
        ret->number = in->text[0] == 'n' ? CONFIG_INITIAL_NONE : CONFIG_INITIAL_ALL;
        return true;
    }
    if (g_str_has_prefix(in->text, "last ")) {
        const char *count = in->text + strspn(in->text + 4, " ") + 4;
        ret->number = CONFIG_INITIAL_LAST;
        if (parse_count(count, 1, INITIAL_ITEMS_MAX, &ret->second, in->fault))
            return true;
        in->fault->offset += (size_t)(count - in->text);
        return false;
    }
    struct value seconds = {0};
    if (!g_ascii_isdigit(in->text[0])) {
        g_autofree char *quoted = report_quote(in->text);
        return parse_fail(in->fault, 0, "%s is none of: none, all, last N, a duration", quoted);
    }
    if (!read_seconds(in, &seconds))
        return false;
    ret->number = CONFIG_INITIAL_SINCE;
    ret->second = seconds.number;
    return true;
}

static bool read_text(const struct reading *in, struct value *ret)
{
    return parse_text(in->text, &ret->string, in->fault);
}

static bool read_header_text(const struct reading *in, struct value *ret)
{
    return read_text(in, ret) && parse_header_text(ret->string, in->fault);
}

static bool read_template(const struct reading *in, struct value *ret)
{
    size_t offset;
    g_autofree char *unknown = template_find_unknown(in->text, &offset);
    if (!unknown)
        return read_text(in, ret);
    struct suggest suggest;
    suggest_init(&suggest, unknown);
    for (const char *const *name = template_names; *name; name++)
        suggest_offer(&suggest, *name);
    g_autofree char *names = g_strjoinv("} {", (char **)(uintptr_t)template_names);
    if (suggest.best)
        return parse_fail(in->fault, offset, "an alert has no {%s}; did you mean {%s}?", unknown,
                          suggest.best);
    return parse_fail(in->fault, offset, "an alert has no {%s}; it has {%s}", unknown, names);
}

static bool read_topic(const struct reading *in, struct value *ret)
{
    const char *wildcard = strpbrk(in->text, "+#");
    if (wildcard)
        return parse_fail(in->fault, (size_t)(wildcard - in->text),
                          "'%c' is for subscribers: nothing is published under it", *wildcard);
    return read_template(in, ret);
}

static bool check_escapes(const char *path, bool knows_state_dir, struct parse_fault *fault)
{
    for (const char *p = strchr(path, '%'); p; p = strchr(p + 2, '%')) {
        if (!p[1] || !strchr("Sh%", p[1]))
            return parse_fail(fault, 0,
                              "'%%' begins %%S (state directory) or %%h (home); write %%%% for the "
                              "character itself");
        if (p[1] == 'S' && !knows_state_dir)
            return parse_fail(fault, 0, "%%S is the state directory itself, and not known here");
    }
    return true;
}

static bool read_path(const struct reading *in, struct value *ret)
{
    g_autofree char *path = NULL;
    if (!parse_text(in->text, &path, in->fault))
        return false;
    if (!check_escapes(path, in->context->state_dir != NULL, in->fault))
        return false;
    ret->string = file_expand(path, in->context->state_dir);
    if (g_path_is_absolute(ret->string))
        return true;
    g_autofree char *quoted = report_quote(path);
    return parse_fail(in->fault, 0, "the path %s must begin with /, ~/, %%h or %%S", quoted);
}

/* It holds a password: nobody else may read it (S11). */
static bool check_secret(const char *path, struct parse_fault *fault)
{
    struct stat st;
    g_autofree char *quoted = report_quote(path);
    if (stat(path, &st) != 0)
        return parse_fail(fault, 0, "cannot read %s: %s", quoted, g_strerror(errno));
    if (!S_ISREG(st.st_mode))
        return parse_fail(fault, 0, "%s is not a regular file", quoted);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return parse_fail(fault, 0, "%s belongs to somebody else", quoted);
    if (st.st_mode & 077)
        return parse_fail(fault, 0, "others can read %s (mode %04o): chmod 600 it", quoted,
                          st.st_mode & 07777u);
    return true;
}

static bool read_secret(const struct reading *in, struct value *ret)
{
    return read_path(in, ret) &&
           (!in->context->checks_files || check_secret(ret->string, in->fault));
}

static bool read_url(const struct reading *in, unsigned schemes, struct value *ret)
{
    if (!parse_url(in->text, schemes, in->fault))
        return false;
    ret->string = g_strdup(in->text);
    return true;
}

static bool read_feed_url(const struct reading *in, struct value *ret)
{
    return read_url(in, PARSE_URL_HTTP | PARSE_URL_LOCAL, ret);
}

static bool read_web_url(const struct reading *in, struct value *ret)
{
    return read_url(in, PARSE_URL_HTTP, ret);
}

static bool read_mqtt_url(const struct reading *in, struct value *ret)
{
    return read_url(in, PARSE_URL_MQTT, ret);
}

static bool read_proxy(const struct reading *in, struct value *ret)
{
    return read_url(in, PARSE_URL_PROXY, ret);
}

static bool read_language(const struct reading *in, struct value *ret)
{
    if (!parse_language(in->text, in->fault))
        return false;
    ret->string = g_strdup(in->text);
    return true;
}

static bool read_quiet(const struct reading *in, struct value *ret)
{
    if (!parse_quiet(in->text, in->fault))
        return false;
    ret->string = g_strdup(in->text);
    return true;
}

static bool read_surge(const struct reading *in, struct value *ret)
{
    if (!parse_surge(in->text, in->row->min, in->row->max, in->fault))
        return false;
    ret->string = g_strdup(in->text);
    return true;
}

typedef bool (*check_item)(const char *text, struct parse_fault *fault);

static bool read_list(const struct reading *in, check_item check, bool is_set, struct value *ret)
{
    g_autoptr(GArray) items = parse_list(in->text, in->fault);
    if (!items)
        return false;
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < items->len; i++) {
        const struct parse_item *item = &g_array_index(items, struct parse_item, i);
        if (!check(item->text, in->fault)) {
            in->fault->offset += item->offset;
            return false;
        }
        if (!g_hash_table_add(seen, item->text) && is_set)
            return parse_fail(in->fault, item->offset, "'%s' stands twice in the list", item->text);
        g_strv_builder_add(builder, item->text);
    }
    ret->strings = g_strv_builder_end(builder);
    return true;
}

static bool read_names(const struct reading *in, struct value *ret)
{
    return read_list(in, parse_id, true, ret);
}

static bool read_headers(const struct reading *in, struct value *ret)
{
    return read_list(in, parse_header, false, ret);
}

static bool read_addresses(const struct reading *in, struct value *ret)
{
    return read_list(in, parse_mail_address, true, ret);
}

static bool read_address(const struct reading *in, struct value *ret)
{
    return read_text(in, ret) && parse_mail_address(ret->string, in->fault);
}

static bool read_server(const struct reading *in, struct value *ret)
{
    if (!parse_mail_server(in->text, in->fault))
        return false;
    ret->string = g_strdup(in->text);
    return true;
}

static bool read_argv(const struct reading *in, struct value *ret)
{
    return parse_argv(in->text, &ret->strings, in->fault);
}

static bool read_query(const struct reading *in, struct value *ret)
{
    ret->string = g_strdup(in->text);
    return true;
}

static void print_bool(const struct setting *row, const void *object, GString *out)
{
    g_string_append(out, field_number(row, object) ? "yes" : "no");
}

static void print_switch(const struct setting *row, const void *object, GString *out)
{
    g_string_append(out, field_number(row, object) ? "on" : "off");
}

static void print_choice(const struct setting *row, const void *object, GString *out)
{
    g_string_append(out, row->choices[field_number(row, object)]);
}

static void print_count(const struct setting *row, const void *object, GString *out)
{
    g_string_append_printf(out, "%" PRId64, field_number(row, object));
}

static void print_seconds(const struct setting *row, const void *object, GString *out)
{
    int64_t seconds = field_number(row, object);
    if (seconds != 0 || !setting_allows_none(row))
        format_duration(out, seconds * 1000);
}

static void print_milliseconds(const struct setting *row, const void *object, GString *out)
{
    format_duration(out, field_number(row, object));
}

static void print_size(const struct setting *row, const void *object, GString *out)
{
    format_size(out, field_number(row, object));
}

static void print_initial(const struct setting *row, const void *object, GString *out)
{
    (void)row;
    const struct config_feed *feed = object;
    switch (feed->initial) {
    case CONFIG_INITIAL_NONE:
        g_string_append(out, "none");
        break;
    case CONFIG_INITIAL_ALL:
        g_string_append(out, "all");
        break;
    case CONFIG_INITIAL_LAST:
        g_string_append_printf(out, "last %" PRId64, feed->initial_value);
        break;
    case CONFIG_INITIAL_SINCE:
        format_duration(out, feed->initial_value * 1000);
        break;
    }
}

static void print_raw(const struct setting *row, const void *object, GString *out)
{
    const char *text = field_string(row, object);
    g_string_append(out, text ? text : "");
}

static void print_text(const struct setting *row, const void *object, GString *out)
{
    const char *text = field_string(row, object);
    if (text)
        format_text(out, text);
}

static void print_path(const struct setting *row, const void *object, GString *out)
{
    const char *path = field_string(row, object);
    if (!path)
        return;
    g_auto(GStrv) parts = g_strsplit(path, "%", -1);
    g_autofree char *escaped = g_strjoinv("%%", parts);
    format_text(out, escaped);
}

static void print_list(const struct setting *row, const void *object, GString *out)
{
    format_list(out, (const char *const *)field_strings(row, object));
}

static void print_url(const struct setting *row, const void *object, GString *out)
{
    const char *text = field_string(row, object);
    g_autofree char *masked = url_masked(text ? text : "");
    g_string_append(out, masked);
}

static void print_headers(const struct setting *row, const void *object, GString *out)
{
    g_auto(GStrv) masked = g_strdupv(field_strings(row, object));
    for (char **field = masked; field && *field; field++) {
        char *shown = header_masked(*field);
        g_free(*field);
        *field = shown;
    }
    format_list(out, (const char *const *)masked);
}

static void print_argv(const struct setting *row, const void *object, GString *out)
{
    format_argv(out, (const char *const *)field_strings(row, object));
}

const struct setting_type_info setting_types[SETTING_TYPES] = {
    [SETTING_BOOL] = {"yes or no", STORAGE_NUMBER, SCAN_TEXT, read_bool, print_bool},
    [SETTING_SWITCH] = {"on or off", STORAGE_NUMBER, SCAN_TEXT, read_bool, print_switch},
    [SETTING_CHOICE] = {"word", STORAGE_NUMBER, SCAN_TEXT, read_choice, print_choice},
    [SETTING_COUNT] = {"number", STORAGE_NUMBER, SCAN_TEXT, read_count, print_count},
    [SETTING_SECONDS] = {"duration", STORAGE_NUMBER, SCAN_TEXT, read_seconds, print_seconds},
    [SETTING_MILLISECONDS] = {"duration", STORAGE_NUMBER, SCAN_TEXT, read_milliseconds,
                              print_milliseconds},
    [SETTING_SIZE] = {"size", STORAGE_NUMBER, SCAN_TEXT, read_size, print_size},
    [SETTING_INITIAL] = {"items", STORAGE_NUMBER, SCAN_TEXT, read_initial, print_initial},
    [SETTING_TEXT] = {"text", STORAGE_STRING, SCAN_TEXT, read_text, print_text},
    [SETTING_TEMPLATE] = {"text", STORAGE_STRING, SCAN_TEXT, read_template, print_text},
    [SETTING_TOPIC] = {"text", STORAGE_STRING, SCAN_TEXT, read_topic, print_text},
    [SETTING_HEADER_TEXT] = {"text", STORAGE_STRING, SCAN_TEXT, read_header_text, print_text},
    [SETTING_PATH] = {"path", STORAGE_STRING, SCAN_TEXT, read_path, print_path},
    [SETTING_SECRET] = {"path", STORAGE_STRING, SCAN_TEXT, read_secret, print_path},
    [SETTING_FEED_URL] = {"URL", STORAGE_STRING, SCAN_TEXT, read_feed_url, print_url},
    [SETTING_WEB_URL] = {"URL", STORAGE_STRING, SCAN_TEXT, read_web_url, print_url},
    [SETTING_MQTT_URL] = {"URL", STORAGE_STRING, SCAN_TEXT, read_mqtt_url, print_url},
    [SETTING_PROXY] = {"URL", STORAGE_STRING, SCAN_TEXT, read_proxy, print_url},
    [SETTING_LANGUAGE] = {"language", STORAGE_STRING, SCAN_TEXT, read_language, print_raw},
    [SETTING_QUIET] = {"hours", STORAGE_STRING, SCAN_TEXT, read_quiet, print_raw},
    [SETTING_SURGE] = {"number in duration", STORAGE_STRING, SCAN_TEXT, read_surge, print_raw},
    [SETTING_NAMES] = {"names", STORAGE_STRINGS, SCAN_TEXT, read_names, print_list},
    [SETTING_HEADERS] = {"headers", STORAGE_STRINGS, SCAN_TEXT, read_headers, print_headers},
    [SETTING_ARGV] = {"command", STORAGE_STRINGS, SCAN_ARGV, read_argv, print_argv},
    [SETTING_ADDRESSES] = {"addresses", STORAGE_STRINGS, SCAN_TEXT, read_addresses, print_list},
    [SETTING_ADDRESS] = {"address", STORAGE_STRING, SCAN_TEXT, read_address, print_text},
    [SETTING_SERVER] = {"server", STORAGE_STRING, SCAN_TEXT, read_server, print_raw},
    [SETTING_QUERY] = {"query", STORAGE_STRING, SCAN_QUERY, read_query, print_raw},
};
