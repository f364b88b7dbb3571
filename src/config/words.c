/* config/parse, the part that deals in text: quoted strings, lists, the words of a command. */
#include "config/parse.h"
#include "config/report.h"
#include "config/scan.h"

#include <string.h>

static bool fail_unclosed(size_t offset, struct parse_fault *fault)
{
    return parse_fail(fault, offset,
                      "the quotation mark is never closed; to mean the character itself, put the "
                      "whole in quotes and write \\\"");
}

/* Whether the first size bytes are one string in quotes, and nothing else. */
static bool is_quoted(const char *text, size_t size)
{
    struct scan scan;
    if (size < 2 || text[0] != '"')
        return false;
    scan_init(&scan, SCAN_TEXT);
    for (size_t i = 0; i < size; i++) {
        scan_step(&scan, text[i]);
        if (!scan.inside)
            return i == size - 1;
    }
    return false;
}

static char *unquote(const char *text, size_t size)
{
    GString *out = g_string_sized_new(size);
    for (size_t i = 1; i + 1 < size; i++) {
        if (text[i] == '\\' && (text[i + 1] == '"' || text[i + 1] == '\\') && i + 2 < size)
            i++;
        g_string_append_c(out, text[i]);
    }
    return g_string_free(out, FALSE);
}

static void append_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
}

bool parse_text(const char *text, char **ret, struct parse_fault *fault)
{
    size_t unclosed = scan_unclosed(SCAN_TEXT, text), size = strlen(text);
    if (unclosed != SIZE_MAX)
        return fail_unclosed(unclosed, fault);
    *ret = is_quoted(text, size) ? unquote(text, size) : g_strdup(text);
    return true;
}

void format_text(GString *out, const char *text)
{
    if (*text && !is_quoted(text, strlen(text)) && scan_survives(SCAN_TEXT, text))
        g_string_append(out, text);
    else
        append_quoted(out, text);
}

static void item_clear(gpointer data)
{
    g_free(((struct parse_item *)data)->text);
}

/* One entry, text[start, end): false where it is empty. */
static bool add_item(GArray *items, const char *text, size_t start, size_t end)
{
    while (start < end && scan_is_blank(text[start]))
        start++;
    while (end > start && scan_is_blank(text[end - 1]))
        end--;
    if (start == end)
        return false;
    bool quoted = is_quoted(text + start, end - start);
    struct parse_item item = {.text = quoted ? unquote(text + start, end - start)
                                             : g_strndup(text + start, end - start),
                              .offset = start + quoted};
    g_array_append_val(items, item);
    return item.text[0] != '\0';
}

GArray *parse_list(const char *text, struct parse_fault *fault)
{
    size_t unclosed = scan_unclosed(SCAN_TEXT, text);
    if (unclosed != SIZE_MAX) {
        fail_unclosed(unclosed, fault);
        return NULL;
    }
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(struct parse_item));
    g_array_set_clear_func(items, item_clear);
    struct scan scan;
    scan_init(&scan, SCAN_TEXT);
    for (size_t i = 0, start = 0;; i++) {
        if (text[i] == '\0' || (text[i] == ',' && !scan.inside)) {
            if (!add_item(items, text, start, i)) {
                parse_fail(fault, start, "there is an empty entry in the list");
                return NULL;
            }
            start = i + 1;
        }
        if (text[i] == '\0')
            return g_steal_pointer(&items);
        scan_step(&scan, text[i]);
    }
}

static bool fits_in_list(const char *item)
{
    struct scan scan;
    scan_init(&scan, SCAN_TEXT);
    for (const char *p = item; *p; p++) {
        if (*p == ',' && !scan.inside)
            return false;
        scan_step(&scan, *p);
    }
    return *item != '\0' && *item != ';' && !is_quoted(item, strlen(item)) &&
           scan_survives(SCAN_TEXT, item);
}

void format_list(GString *out, const char *const *items)
{
    for (size_t i = 0; items && items[i]; i++) {
        if (i > 0)
            g_string_append(out, ", ");
        if (fits_in_list(items[i]))
            g_string_append(out, items[i]);
        else
            append_quoted(out, items[i]);
    }
}

/* g_shell_parse_argv() takes `#` for a comment, as a shell does; here it is a character. */
static char *escape_hashes(const char *text)
{
    GString *out = g_string_new(NULL);
    struct scan scan;
    scan_init(&scan, SCAN_ARGV);
    for (; *text; text++) {
        if (*text == '#' && !scan.inside && !scan.is_escaped)
            g_string_append_c(out, '\\');
        g_string_append_c(out, *text);
        scan_step(&scan, *text);
    }
    return g_string_free(out, FALSE);
}

bool parse_argv(const char *text, char ***ret, struct parse_fault *fault)
{
    size_t unclosed = scan_unclosed(SCAN_ARGV, text);
    if (unclosed != SIZE_MAX)
        return parse_fail(fault, unclosed, "the quotation mark is never closed");
    g_autofree char *escaped = escape_hashes(text);
    g_auto(GStrv) argv = NULL;
    if (!g_shell_parse_argv(escaped, NULL, &argv, NULL)) {
        g_autofree char *quoted = report_quote(text);
        return parse_fail(fault, 0, "%s is not a command with its arguments", quoted);
    }
    if (argv[0][0] == '\0')
        return parse_fail(fault, 0, "the command's name is empty");
    *ret = g_steal_pointer(&argv);
    return true;
}

void format_argv(GString *out, const char *const *argv)
{
    for (size_t i = 0; argv && argv[i]; i++) {
        if (i > 0)
            g_string_append_c(out, ' ');
        bool is_plain = argv[i][0] && argv[i][strspn(argv[i], "abcdefghijklmnopqrstuvwxyz"
                                                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                              "0123456789._-+/:=@%,")] == '\0';
        if (is_plain) {
            g_string_append(out, argv[i]);
            continue;
        }
        g_string_append_c(out, '"');
        for (const char *p = argv[i]; *p; p++) {
            if (strchr("\"\\$`", *p))
                g_string_append_c(out, '\\');
            g_string_append_c(out, *p);
        }
        g_string_append_c(out, '"');
    }
}
