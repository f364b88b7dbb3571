#include "config/parse.h"
#include "config/config.h"
#include "config/report.h"
#include "base/suggest.h"
#include "text/utf8.h"

#include <stdarg.h>
#include <string.h>

void parse_fault_clear(struct parse_fault *fault)
{
    g_clear_pointer(&fault->message, g_free);
    fault->offset = 0;
}

bool parse_fail(struct parse_fault *fault, size_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_free(fault->message);
    fault->message = g_strdup_vprintf(format, args);
    fault->offset = offset;
    va_end(args);
    return false;
}

bool parse_bool(const char *text, bool *ret, struct parse_fault *fault)
{
    static const char *const words[] = {"no", "yes", "off", "on", "false", "true"};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret = i % 2 == 1;
            return true;
        }
    }
    g_autofree char *quoted = report_quote(text);
    return parse_fail(fault, 0, "%s is neither yes nor no", quoted);
}

bool parse_choice(const char *text, const char *const *choices, size_t *ret,
                  struct parse_fault *fault)
{
    struct suggest suggest;
    suggest_init(&suggest, text);
    for (size_t i = 0; choices[i]; i++) {
        if (strcmp(choices[i], text) == 0) {
            *ret = i;
            return true;
        }
        suggest_offer(&suggest, choices[i]);
    }
    g_autofree char *quoted = report_quote(text);
    g_autofree char *all = g_strjoinv(", ", (char **)(uintptr_t)choices);
    if (suggest.best)
        return parse_fail(fault, 0, "%s is none of: %s; did you mean '%s'?", quoted, all,
                          suggest.best);
    return parse_fail(fault, 0, "%s is none of: %s", quoted, all);
}

bool parse_id(const char *text, struct parse_fault *fault)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    g_autofree char *quoted = report_quote(text);
    if (text[length]) {
        size_t end = 0;
        utf8_next(text + length, strlen(text + length), &end);
        g_autofree char *written = g_strndup(text + length, end);
        g_autofree char *bad = report_quote(written);
        return parse_fail(
            fault, length, "%s cannot stand in an ID: 1 to %d of a-z 0-9 . _ - (in %s)",
            strcmp(bad, "''") == 0 ? "a blank or control character" : bad, CONFIG_ID_MAX, quoted);
    }
    if (length == 0)
        return parse_fail(fault, 0, "an ID is 1 to %d of a-z 0-9 . _ -", CONFIG_ID_MAX);
    if (length > CONFIG_ID_MAX)
        return parse_fail(fault, CONFIG_ID_MAX,
                          "the ID %s has %zu characters; at most %d are allowed", quoted, length,
                          CONFIG_ID_MAX);
    return true;
}
