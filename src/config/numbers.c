/* config/parse, the part that deals in numbers: counts, durations, sizes, times of the day. */
#include "config/parse.h"
#include "config/report.h"

#include <inttypes.h>
#include <string.h>

#define SURGE_ALERTS_MAX 1000000

/* Digits at *text, which advances past them; -1 where there are none or too many. */
static int64_t take_number(const char **text)
{
    int64_t value = 0;
    const char *p = *text;
    if (!g_ascii_isdigit(*p))
        return -1;
    for (; g_ascii_isdigit(*p); p++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *p - '0', &value))
            return -1;
    *text = p;
    return value;
}

bool parse_count(const char *text, int64_t min, int64_t max, int64_t *ret,
                 struct parse_fault *fault)
{
    const char *end = text;
    int64_t value = take_number(&end);
    if (value >= min && value <= max && *end == '\0') {
        *ret = value;
        return true;
    }
    g_autofree char *quoted = report_quote(text);
    return parse_fail(fault, 0, "%s is not a whole number from %" PRId64 " to %" PRId64, quoted,
                      min, max);
}

struct unit {
    const char *name;
    int64_t size;
};

static const struct unit time_units[] = {{"w", 604800000}, {"d", 86400000}, {"h", 3600000},
                                         {"m", 60000},     {"s", 1000},     {"ms", 1}};
static const struct unit size_units[] = {{"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"", 1}};

static const struct unit *find_unit(const struct unit *units, size_t n, const char *name,
                                    size_t size)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(units[i].name) == size && strncmp(units[i].name, name, size) == 0)
            return &units[i];
    return NULL;
}

static bool fail_duration(const char *text, size_t offset, struct parse_fault *fault)
{
    g_autofree char *quoted = report_quote(text);
    if (g_ascii_isdigit(text[0]) && strspn(text, "0123456789") == strlen(text))
        return parse_fail(fault, offset, "%s has no unit: %ss, %sm, %sh or %sd?", quoted, text,
                          text, text, text);
    return parse_fail(
        fault, offset,
        "%s is not a duration such as 90s, 15m, 1h30m or 2d (units: ms, s, m, h, d, w)", quoted);
}

static bool fail_range(const char *text, const char *what, void (*format)(GString *, int64_t),
                       int64_t min, int64_t max, struct parse_fault *fault)
{
    g_autofree char *quoted = report_quote(text);
    g_autoptr(GString) range = g_string_new(NULL);
    format(range, min);
    g_string_append(range, " to ");
    format(range, max);
    return parse_fail(fault, 0, "%s is out of range: %s from %s", quoted, what, range->str);
}

bool parse_duration(const char *text, int64_t min_ms, int64_t max_ms, int64_t *ret_ms,
                    struct parse_fault *fault)
{
    int64_t sum = 0;
    const char *p = text;
    bool is_huge = false;
    if (strcmp(text, "0") != 0) {
        do {
            const char *number = p;
            int64_t value = take_number(&p);
            if (p == number && g_ascii_isdigit(*p)) {
                is_huge = true;
                p += strspn(p, "0123456789");
            }
            size_t letters = 0;
            while (g_ascii_isalpha(p[letters]))
                letters++;
            const struct unit *unit = find_unit(time_units, G_N_ELEMENTS(time_units), p, letters);
            if (p == number || !unit)
                return fail_duration(text, (size_t)(number - text), fault);
            is_huge |= __builtin_mul_overflow(value, unit->size, &value) ||
                       __builtin_add_overflow(sum, value, &sum);
            p += letters;
            if (*p == ' ')
                p++;
        } while (*p);
    }
    if (is_huge || sum < min_ms || sum > max_ms)
        return fail_range(text, "a duration", format_duration, min_ms, max_ms, fault);
    *ret_ms = sum;
    return true;
}

bool parse_size(const char *text, int64_t min, int64_t max, int64_t *ret, struct parse_fault *fault)
{
    const char *p = text;
    int64_t value = take_number(&p);
    bool is_huge = p == text && g_ascii_isdigit(*p);
    if (is_huge)
        p += strspn(p, "0123456789");
    char upper[2] = {g_ascii_toupper(*p), '\0'};
    const struct unit *unit =
        p[0] && p[1] ? NULL : find_unit(size_units, G_N_ELEMENTS(size_units), upper, strlen(upper));
    if (p == text || !unit) {
        g_autofree char *quoted = report_quote(text);
        return parse_fail(fault, 0, "%s is not a size such as 512K, 16M or 1G", quoted);
    }
    if (is_huge || __builtin_mul_overflow(value, unit->size, &value) || value < min || value > max)
        return fail_range(text, "a size", format_size, min, max, fault);
    *ret = value;
    return true;
}

void format_duration(GString *out, int64_t ms)
{
    if (ms == 0) {
        g_string_append(out, "0s");
        return;
    }
    /* Weeks are left out: 90d reads better than 12w6d. */
    for (size_t i = 1; i < G_N_ELEMENTS(time_units); i++) {
        if (ms >= time_units[i].size)
            g_string_append_printf(out, "%" PRId64 "%s", ms / time_units[i].size,
                                   time_units[i].name);
        ms %= time_units[i].size;
    }
}

void format_size(GString *out, int64_t bytes)
{
    size_t i = 0;
    while (bytes % size_units[i].size != 0 || (bytes == 0 && size_units[i].size > 1))
        i++;
    g_string_append_printf(out, "%" PRId64 "%s", bytes / size_units[i].size, size_units[i].name);
}

/* "22:00" or "22" at *text, which advances past it: minutes of the day, or -1. */
static int take_hour(const char **text)
{
    const char *p = *text;
    int hour = 0, minute = 0;
    size_t digits = strspn(p, "0123456789");
    if (digits < 1 || digits > 2)
        return -1;
    for (; g_ascii_isdigit(*p); p++)
        hour = hour * 10 + g_ascii_digit_value(*p);
    if (*p == ':') {
        if (strspn(p + 1, "0123456789") != 2)
            return -1;
        minute = g_ascii_digit_value(p[1]) * 10 + g_ascii_digit_value(p[2]);
        p += 3;
    }
    *text = p;
    return hour > 24 || minute > 59 || (hour == 24 && minute > 0) ? -1 : hour * 60 + minute;
}

static bool is_hours(const char *text)
{
    int from = take_hour(&text);
    if (from < 0 || *text++ != '-')
        return false;
    int to = take_hour(&text);
    return to >= 0 && to != from && *text == '\0';
}

bool parse_quiet(const char *text, struct parse_fault *fault)
{
    g_autoptr(GArray) items = parse_list(text, fault);
    for (guint i = 0; items && i < items->len; i++) {
        const struct parse_item *item = &g_array_index(items, struct parse_item, i);
        g_autofree char *quoted = report_quote(item->text);
        if (!is_hours(item->text))
            return parse_fail(fault, item->offset, "%s is not a time such as 22:00-07:00", quoted);
    }
    return items != NULL;
}

bool parse_surge(const char *text, int64_t min_ms, int64_t max_ms, struct parse_fault *fault)
{
    g_auto(GStrv) parts = g_strsplit(text, " in ", 2);
    int64_t ignored;
    if (g_strv_length(parts) != 2 || !g_ascii_isdigit(parts[0][0])) {
        g_autofree char *quoted = report_quote(text);
        return parse_fail(fault, 0, "%s is not a number of alerts in a time such as '20 in 1h'",
                          quoted);
    }
    if (!parse_count(parts[0], 2, SURGE_ALERTS_MAX, &ignored, fault))
        return false;
    if (parse_duration(parts[1], min_ms, max_ms, &ignored, fault))
        return true;
    fault->offset += strlen(parts[0]) + strlen(" in ");
    return false;
}
