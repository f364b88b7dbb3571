#include "fetch/hints.h"

#include "http/date.h"
#include "http/headers.h"

#include <string.h>

/* More digits than this are a number too, the largest: no overflow, and nobody waits that long. */
#define SECONDS_MAX (INT64_C(100) * 366 * 86400)

/* All digits, nothing else; false otherwise. */
static bool parse_seconds(const char *text, size_t size, int64_t *ret_s)
{
    int64_t seconds = 0;
    if (size == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!g_ascii_isdigit(text[i]))
            return false;
        seconds = MIN(seconds * 10 + (text[i] - '0'), SECONDS_MAX);
    }
    *ret_s = seconds;
    return true;
}

static int64_t date_of(const struct http_response *response, int64_t now_s)
{
    const char *date = http_response_header(response, "date");
    int64_t date_s = now_s;
    if (date)
        http_date_parse(date, &date_s);
    return date_s;
}

struct cache_control {
    bool is_forbidden; /* no-cache, no-store */
    bool has_max_age;
    int64_t max_age_s;
};

static void read_directive(const char *text, size_t size, struct cache_control *control)
{
    static const char max_age[] = "max-age=";
    const size_t prefix = sizeof max_age - 1;
    while (size > 0 && (*text == ' ' || *text == '\t'))
        text++, size--;
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        size--;
    if (size == 8 && (g_ascii_strncasecmp(text, "no-cache", size) == 0 ||
                      g_ascii_strncasecmp(text, "no-store", size) == 0))
        control->is_forbidden = true;
    if (size <= prefix || g_ascii_strncasecmp(text, max_age, prefix) != 0 || control->has_max_age)
        return;
    text += prefix;
    size -= prefix;
    if (size >= 2 && text[0] == '"' && text[size - 1] == '"')
        text++, size -= 2;
    control->has_max_age = parse_seconds(text, size, &control->max_age_s);
}

/* Commas in quoted strings separate nothing. */
static void read_cache_control(const char *value, struct cache_control *control)
{
    const char *start = value;
    bool is_quoted = false;
    for (const char *p = value;; p++) {
        if (*p == '"')
            is_quoted = !is_quoted;
        if (*p != '\0' && (*p != ',' || is_quoted))
            continue;
        read_directive(start, (size_t)(p - start), control);
        if (*p == '\0')
            return;
        start = p + 1;
    }
}

static int64_t age_of(const struct http_response *response)
{
    const char *age = http_response_header(response, "age");
    int64_t age_s = 0;
    if (age)
        parse_seconds(age, strlen(age), &age_s);
    return age_s;
}

int64_t hints_fresh_for_s(const struct http_response *response, int64_t now_s)
{
    struct cache_control control = {0};
    const char *name, *value;
    for (size_t place = 0;
         response->headers && headers_next(response->headers, &place, &name, &value);)
        if (strcmp(name, "cache-control") == 0)
            read_cache_control(value, &control);
    if (control.is_forbidden)
        return 0;
    if (control.has_max_age)
        return MAX(control.max_age_s - age_of(response), 0);
    const char *expires = http_response_header(response, "expires");
    int64_t expires_s;
    if (!expires || !http_date_parse(expires, &expires_s))
        return 0;
    return CLAMP(expires_s - date_of(response, now_s), 0, SECONDS_MAX);
}

int64_t hints_retry_after_s(const struct http_response *response, int64_t now_s)
{
    const char *value = http_response_header(response, "retry-after");
    int64_t seconds;
    if (!value)
        return -1;
    bool is_negative = *value == '-';
    if (parse_seconds(value + is_negative, strlen(value + is_negative), &seconds))
        return is_negative ? 0 : seconds;
    if (!http_date_parse(value, &seconds))
        return -1;
    return CLAMP(seconds - date_of(response, now_s), 0, SECONDS_MAX);
}
