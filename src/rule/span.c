#include "rule/span.h"

#include <glib.h>
#include <stdlib.h>

void spans_clear(struct spans *spans)
{
    g_free(spans->items);
    *spans = (struct spans){0};
}

void spans_add(struct spans *spans, uint32_t start, uint32_t end)
{
    if (spans->n == spans->size) {
        spans->size = spans->size ? spans->size * 2 : 16;
        spans->items = g_renew(struct span, spans->items, spans->size);
    }
    spans->items[spans->n++] = (struct span){start, end};
}

static int compare(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

static int compare_ends(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return x->start < y->start ? -1 : x->start > y->start;
}

void spans_sort(struct spans *spans)
{
    bool is_sorted = true;
    size_t kept = 1;
    for (size_t i = 1; i < spans->n && is_sorted; i++)
        is_sorted = compare(&spans->items[i - 1], &spans->items[i]) < 0;
    if (is_sorted)
        return;
    qsort(spans->items, spans->n, sizeof *spans->items, compare);
    for (size_t i = 1; i < spans->n; i++)
        if (compare(&spans->items[kept - 1], &spans->items[i]) != 0)
            spans->items[kept++] = spans->items[i];
    spans->n = kept;
}

size_t spans_lower_bound(const struct spans *spans, uint32_t position)
{
    size_t low = 0, high = spans->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (spans->items[middle].start < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Pairs of a span of first and one of second that begins behind it. */
static bool join(const struct spans *first, const struct spans *second, uint32_t distance,
                 struct spans *out, uint32_t *work)
{
    bool found = false;
    for (size_t i = 0; i < first->n; i++) {
        const struct span *a = &first->items[i];
        size_t at = spans_lower_bound(second, a->end + 1);
        for (; at < second->n && second->items[at].start - a->end - 1 <= distance; at++) {
            found = true;
            if (!out || *work == 0)
                return true;
            --*work;
            spans_add(out, a->start, second->items[at].end);
        }
        if (*work == 0)
            return found;
        --*work;
    }
    return found;
}

bool spans_near(const struct spans *left, const struct spans *right, uint32_t distance,
                bool is_ordered, struct spans *out, uint32_t *work)
{
    bool found = join(left, right, distance, out, work);
    if (is_ordered || (found && !out))
        return found;
    return join(right, left, distance, out, work) || found;
}

size_t spans_disjoint(struct spans *spans)
{
    size_t n = 0;
    uint32_t free_from = 0;
    qsort(spans->items, spans->n, sizeof *spans->items, compare_ends);
    for (size_t i = 0; i < spans->n; i++)
        if (spans->items[i].start >= free_from) {
            n++;
            free_from = spans->items[i].end + 1;
        }
    return n;
}
