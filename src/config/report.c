#include "config/report.h"
#include "text/clean.h"

#include <stdarg.h>
#include <string.h>

#define QUOTED_BYTES_MAX 60

struct report {
    GPtrArray *files; /* char *, in the order of reading */
    GPtrArray *list;  /* struct config_problem */
    bool has_error;
};

static void problem_free(gpointer data)
{
    struct config_problem *problem = data;
    g_free(problem->file);
    g_free(problem->message);
    g_free(problem);
}

struct report *report_new(void)
{
    struct report *report = g_new0(struct report, 1);
    report->files = g_ptr_array_new_with_free_func(g_free);
    report->list = g_ptr_array_new_with_free_func(problem_free);
    return report;
}

void report_free(struct report *report)
{
    if (!report)
        return;
    g_ptr_array_unref(report->files);
    g_ptr_array_unref(report->list);
    g_free(report);
}

const char *report_add_file(struct report *report, const char *name)
{
    char *copy = g_strdup(name);
    g_ptr_array_add(report->files, copy);
    return copy;
}

static void G_GNUC_PRINTF(4, 0)
    add(struct report *report, bool is_error, struct place place, const char *format, va_list args)
{
    report->has_error |= is_error;
    if (report->list->len > REPORT_PROBLEMS_MAX)
        return;
    struct config_problem *problem = g_new0(struct config_problem, 1);
    problem->is_error = is_error;
    problem->file = g_strdup(place.file);
    problem->line = place.line;
    problem->column = place.column;
    problem->message = report->list->len < REPORT_PROBLEMS_MAX
                           ? g_strdup_vprintf(format, args)
                           : g_strdup("there are more problems than are shown here");
    g_ptr_array_add(report->list, problem);
}

void report_error(struct report *report, struct place place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(report, true, place, format, args);
    va_end(args);
}

void report_warning(struct report *report, struct place place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(report, false, place, format, args);
    va_end(args);
}

bool report_has_error(const struct report *report)
{
    return report->has_error;
}

static guint file_index(const GPtrArray *files, const char *name)
{
    guint i = 0;
    while (i < files->len && strcmp(g_ptr_array_index(files, i), name) != 0)
        i++;
    return i;
}

static int by_place(gconstpointer a, gconstpointer b, gpointer files)
{
    const struct config_problem *x = *(struct config_problem *const *)a;
    const struct config_problem *y = *(struct config_problem *const *)b;
    guint file_x = file_index(files, x->file), file_y = file_index(files, y->file);
    if (file_x != file_y)
        return file_x < file_y ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return (x->column > y->column) - (x->column < y->column);
}

GPtrArray *report_finish(struct report *report)
{
    GPtrArray *list = g_steal_pointer(&report->list);
    report->list = g_ptr_array_new();
    g_ptr_array_sort_with_data(list, by_place, report->files);
    report_free(report);
    return list;
}

char *report_quote(const char *text)
{
    g_autofree char *line = clean_line(text);
    g_autofree char *shortened = clean_shorten(line, QUOTED_BYTES_MAX);
    return g_strdup_printf("'%s'", shortened);
}

char *config_problem_text(const struct config_problem *problem)
{
    const char *kind = problem->is_error ? "error" : "warning";
    if (problem->line == 0)
        return g_strdup_printf("%s: %s: %s", problem->file, kind, problem->message);
    return g_strdup_printf("%s:%u:%u: %s: %s", problem->file, problem->line, problem->column, kind,
                           problem->message);
}
