#include "rule/problem.h"

#include <string.h>

#define NAME_BYTES_MAX 64

static void clear_problem(gpointer problem)
{
    g_free(((struct rule_problem *)problem)->message);
}

void rule_problems_init(struct rule_problems *problems)
{
    *problems =
        (struct rule_problems){.list = g_array_new(FALSE, TRUE, sizeof(struct rule_problem))};
    g_array_set_clear_func(problems->list, clear_problem);
}

void rule_problems_at(struct rule_problems *problems, enum rule_part part, size_t owner)
{
    problems->part = part;
    problems->owner = owner;
}

static void add(struct rule_problems *problems, bool is_error, size_t offset, char *message)
{
    struct rule_problem problem = {.is_error = is_error,
                                   .part = problems->part,
                                   .owner = problems->owner,
                                   .offset = offset,
                                   .message = message};
    g_array_append_val(problems->list, problem);
    problems->n_errors += is_error;
}

void rule_error(struct rule_problems *problems, size_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, true, offset, g_strdup_vprintf(format, args));
    va_end(args);
}

void rule_warning(struct rule_problems *problems, size_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, false, offset, g_strdup_vprintf(format, args));
    va_end(args);
}

void nearest_init(struct nearest *nearest, const char *text, size_t size)
{
    *nearest = (struct nearest){.text = text, .size = size, .distance = (unsigned)size / 3 + 2};
}

/* Optimal string alignment distance. */
static unsigned distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    unsigned rows[3][NAME_BYTES_MAX + 1];
    for (size_t j = 0; j <= n_b; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n_a; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= n_b; j++) {
            unsigned cost = a[i - 1] != b[j - 1];
            row[j] = MIN(MIN(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
    }
    return rows[n_a % 3][n_b];
}

void nearest_try(struct nearest *nearest, const char *candidate)
{
    size_t size = strlen(candidate);
    if (size > NAME_BYTES_MAX || nearest->size > NAME_BYTES_MAX || nearest->size == 0)
        return;
    unsigned found = distance(nearest->text, nearest->size, candidate, size);
    if (found < nearest->distance && found < MAX(size, nearest->size)) {
        nearest->distance = found;
        nearest->best = candidate;
    }
}

char *nearest_hint(const struct nearest *nearest, const char *prefix)
{
    return nearest->best ? g_strdup_printf("; did you mean %s%s?", prefix, nearest->best)
                         : g_strdup("");
}
