#include "config/problems.h"
#include "text/clean.h"

#include <stdarg.h>
#include <string.h>

#define QUOTED_BYTES_MAX 60

struct problems {
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

struct problems *problems_new(void)
{
    struct problems *problems = g_new0(struct problems, 1);
    problems->files = g_ptr_array_new_with_free_func(g_free);
    problems->list = g_ptr_array_new_with_free_func(problem_free);
    return problems;
}

void problems_free(struct problems *problems)
{
    if (!problems)
        return;
    g_ptr_array_unref(problems->files);
    g_ptr_array_unref(problems->list);
    g_free(problems);
}

const char *problems_add_file(struct problems *problems, const char *name)
{
    char *copy = g_strdup(name);
    g_ptr_array_add(problems->files, copy);
    return copy;
}

static void G_GNUC_PRINTF(4, 0) add(struct problems *problems, bool is_error, struct place place,
                                    const char *format, va_list args)
{
    problems->has_error |= is_error;
    if (problems->list->len > PROBLEMS_MAX)
        return;
    struct config_problem *problem = g_new0(struct config_problem, 1);
    problem->is_error = is_error;
    problem->file = g_strdup(place.file);
    problem->line = place.line;
    problem->column = place.column;
    problem->message = problems->list->len < PROBLEMS_MAX
                           ? g_strdup_vprintf(format, args)
                           : g_strdup("there are more problems than are shown here");
    g_ptr_array_add(problems->list, problem);
}

void problems_error(struct problems *problems, struct place place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, true, place, format, args);
    va_end(args);
}

void problems_warning(struct problems *problems, struct place place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, false, place, format, args);
    va_end(args);
}

bool problems_has_error(const struct problems *problems)
{
    return problems->has_error;
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

GPtrArray *problems_finish(struct problems *problems)
{
    GPtrArray *list = g_steal_pointer(&problems->list);
    problems->list = g_ptr_array_new();
    g_ptr_array_sort_with_data(list, by_place, problems->files);
    problems_free(problems);
    return list;
}

char *problems_quote(const char *text)
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
