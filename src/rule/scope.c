#include "rule/scope.h"

#include <string.h>

#define TAG "tag:"

struct scope {
    GPtrArray *patterns; /* char * */
};

bool scope_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *star_text = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            star_text = text;
        } else if (*pattern == '?' ||
                   (*pattern && g_ascii_tolower(*pattern) == g_ascii_tolower(*text))) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++star_text;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool pattern_has(const char *pattern, const char *feed, const char *const *tags)
{
    if (!g_str_has_prefix(pattern, TAG))
        return scope_glob(pattern, feed);
    for (; tags && *tags; tags++)
        if (scope_glob(pattern + strlen(TAG), *tags))
            return true;
    return false;
}

bool scope_has(const struct scope *scope, const char *feed, const char *const *tags)
{
    if (!feed)
        return false;
    for (guint i = 0; i < scope->patterns->len; i++)
        if (pattern_has(g_ptr_array_index(scope->patterns, i), feed, tags))
            return true;
    return false;
}

static void unknown_feed(struct rule_problems *problems, size_t offset, const char *pattern,
                         const struct rule_feed_def *feeds, size_t n_feeds)
{
    struct nearest nearest;
    bool is_tag = g_str_has_prefix(pattern, TAG);
    const char *name = is_tag ? pattern + strlen(TAG) : pattern;
    nearest_init(&nearest, name, strlen(name));
    for (size_t i = 0; i < n_feeds; i++) {
        if (!is_tag)
            nearest_try(&nearest, feeds[i].id);
        for (const char *const *tag = feeds[i].tags; is_tag && tag && *tag; tag++)
            nearest_try(&nearest, *tag);
    }
    g_autofree char *hint = nearest_hint(&nearest, is_tag ? TAG : "");
    rule_error(problems, offset, "%s matches no feed%s", pattern, hint);
}

static bool check(struct rule_problems *problems, size_t offset, const char *pattern,
                  const struct rule_feed_def *feeds, size_t n_feeds)
{
    if (strcmp(pattern, TAG) == 0) {
        rule_error(problems, offset, "tag: expected a tag behind the colon");
        return false;
    }
    if (!feeds)
        return true;
    for (size_t i = 0; i < n_feeds; i++)
        if (pattern_has(pattern, feeds[i].id, feeds[i].tags))
            return true;
    unknown_feed(problems, offset, pattern, feeds, n_feeds);
    return false;
}

struct scope *scope_parse(const char *text, const struct rule_feed_def *feeds, size_t n_feeds,
                          struct rule_problems *problems)
{
    static const char separators[] = ", \t\r\n";
    struct scope *scope = g_new0(struct scope, 1);
    size_t before = problems->n_errors;
    scope->patterns = g_ptr_array_new_with_free_func(g_free);
    for (const char *at = text + strspn(text, separators); *at;) {
        size_t size = strcspn(at, separators);
        char *pattern = g_strndup(at, size);
        g_ptr_array_add(scope->patterns, pattern);
        check(problems, (size_t)(at - text), pattern, feeds, n_feeds);
        at += size;
        at += strspn(at, separators);
    }
    if (scope->patterns->len == 0)
        rule_error(problems, 0, "expected feed IDs, globs or tag:T");
    if (problems->n_errors == before)
        return scope;
    scope_free(scope);
    return NULL;
}

void scope_free(struct scope *scope)
{
    if (!scope)
        return;
    g_ptr_array_unref(scope->patterns);
    g_free(scope);
}
