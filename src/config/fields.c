/* config/settings, the part that moves values: into the fields of a struct, from one to another,
 * out again as text. */
#include "config/types.h"

#include <inttypes.h>

static void *field(const struct setting *row, void *object)
{
    return (char *)object + row->offset;
}

static const void *const_field(const struct setting *row, const void *object)
{
    return (const char *)object + row->offset;
}

static void set_number(const struct setting *row, void *object, int64_t number)
{
    void *at = field(row, object);
    if (row->size == sizeof(bool))
        *(bool *)at = number != 0;
    else if (row->size == sizeof(uint32_t))
        *(uint32_t *)at = (uint32_t)number;
    else
        *(int64_t *)at = number;
}

int64_t field_number(const struct setting *row, const void *object)
{
    const void *at = const_field(row, object);
    if (row->size == sizeof(bool))
        return *(const bool *)at;
    if (row->size == sizeof(uint32_t))
        return *(const uint32_t *)at;
    return *(const int64_t *)at;
}

char *field_string(const struct setting *row, const void *object)
{
    return *(char *const *)const_field(row, object);
}

char **field_strings(const struct setting *row, const void *object)
{
    return *(char **const *)const_field(row, object);
}

enum scan_mode setting_scan_mode(const struct setting *row)
{
    return setting_types[row->type].mode;
}

const char *setting_type_name(const struct setting *row)
{
    return setting_types[row->type].name;
}

bool setting_allows_none(const struct setting *row)
{
    return (row->fallback && !*row->fallback) || (row->type == SETTING_PROXY && !row->is_required);
}

/* The field takes over what value holds. */
static void store(const struct setting *row, void *object, struct value *value)
{
    switch (setting_types[row->type].storage) {
    case STORAGE_NUMBER:
        set_number(row, object, value->number);
        break;
    case STORAGE_STRING:
        g_free(field_string(row, object));
        *(char **)field(row, object) = g_steal_pointer(&value->string);
        break;
    case STORAGE_STRINGS:
        g_strfreev(field_strings(row, object));
        *(char ***)field(row, object) = g_steal_pointer(&value->strings);
        break;
    }
    if (row->type == SETTING_INITIAL)
        ((struct config_feed *)object)->initial_value = value->second;
}

static void store_none(const struct setting *row, void *object)
{
    struct value value = {0};
    if (setting_types[row->type].storage == STORAGE_STRINGS)
        value.strings = g_new0(char *, 1);
    store(row, object, &value);
}

bool setting_read(const struct setting *row, const char *text,
                  const struct settings_context *context, void *object, struct parse_fault *fault)
{
    if (*text == '\0') {
        if (!setting_allows_none(row))
            return parse_fail(fault, 0, "'%s' has no value", row->key);
        store_none(row, object);
        return true;
    }
    struct value value = {0};
    const struct reading reading = {row, text, context, fault};
    bool done = setting_types[row->type].read(&reading, &value);
    if (done)
        store(row, object, &value);
    g_free(value.string);
    g_strfreev(value.strings);
    return done;
}

void setting_reset(const struct setting *row, const struct settings_context *context, void *object)
{
    struct parse_fault fault = {0};
    if (!row->fallback)
        return;
    bool done = setting_read(row, row->fallback, context, object, &fault);
    g_assert(done);
}

void setting_copy(const struct setting *row, const void *from, void *to)
{
    struct value value = {0};
    switch (setting_types[row->type].storage) {
    case STORAGE_NUMBER:
        value.number = field_number(row, from);
        break;
    case STORAGE_STRING:
        value.string = g_strdup(field_string(row, from));
        break;
    case STORAGE_STRINGS:
        value.strings = g_strdupv(field_strings(row, from));
        break;
    }
    if (row->type == SETTING_INITIAL)
        value.second = ((const struct config_feed *)from)->initial_value;
    store(row, to, &value);
}

void setting_print(const struct setting *row, const void *object, GString *out)
{
    setting_types[row->type].print(row, object, out);
}

static void print_limits(const struct setting *row, GString *out,
                         void (*format)(GString *, int64_t))
{
    format(out, row->min);
    g_string_append(out, " to ");
    format(out, row->max);
}

void setting_print_range(const struct setting *row, GString *out)
{
    if (row->type == SETTING_COUNT)
        g_string_append_printf(out, "%" PRId64 " to %" PRId64, row->min, row->max);
    else if (row->type == SETTING_SIZE)
        print_limits(row, out, format_size);
    else if (row->max > 0)
        print_limits(row, out, format_duration);
    for (size_t i = 0; row->choices && row->choices[i]; i++)
        g_string_append_printf(out, "%s%s", i > 0 ? ", " : "", row->choices[i]);
}

void settings_clear(enum section_kind section, void *object)
{
    size_t n;
    const struct setting *rows = settings_table(&n);
    for (size_t i = 0; i < n; i++) {
        if (!setting_is_in(&rows[i], section))
            continue;
        struct value nothing = {0};
        if (setting_types[rows[i].type].storage != STORAGE_NUMBER)
            store(&rows[i], object, &nothing);
    }
}
