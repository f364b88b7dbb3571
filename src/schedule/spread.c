#include "schedule/spread.h"

#include <glib.h>

static gint compare_due(gconstpointer a, gconstpointer b)
{
    const struct spread_feed *const *left = a, *const *right = b;
    if ((*left)->due_s != (*right)->due_s)
        return (*left)->due_s < (*right)->due_s ? -1 : 1;
    return *left < *right ? -1 : *left > *right; /* no two runs differ */
}

static void shuffle(GPtrArray *feeds, GRand *rand)
{
    for (guint i = feeds->len; i > 1; i--) {
        guint k = (guint)g_rand_int_range(rand, 0, (gint32)i);
        gpointer swapped = feeds->pdata[i - 1];
        feeds->pdata[i - 1] = feeds->pdata[k];
        feeds->pdata[k] = swapped;
    }
}

/* Evenly from now on; with span >= n / SPREAD_PER_SECOND no second gets more than it may. */
static void lay_out(GPtrArray *feeds, guint from, guint total, int64_t now_s, int64_t span_s,
                    uint8_t *taken)
{
    for (guint i = 0; i < feeds->len; i++) {
        int64_t at_s = (int64_t)(from + i) * span_s / total;
        taken[at_s]++;
        ((struct spread_feed *)feeds->pdata[i])->due_s = now_s + at_s;
    }
}

/* taken is long enough for all of them to queue up behind the span. */
static void make_room(GPtrArray *later, int64_t now_s, uint8_t *taken)
{
    for (guint i = 0; i < later->len; i++) {
        struct spread_feed *feed = later->pdata[i];
        int64_t at_s = feed->due_s - now_s;
        while (taken[at_s] >= SPREAD_PER_SECOND)
            at_s++;
        taken[at_s]++;
        feed->due_s = now_s + at_s;
    }
}

void schedule_spread(struct spread_feed *feeds, size_t n_feeds, int64_t now_s, uint32_t random)
{
    g_autoptr(GPtrArray) urgent = g_ptr_array_new();
    g_autoptr(GPtrArray) others = g_ptr_array_new();
    g_autoptr(GPtrArray) later = g_ptr_array_new();
    for (size_t i = 0; i < n_feeds; i++)
        if (feeds[i].due_s <= now_s)
            g_ptr_array_add(feeds[i].is_urgent ? urgent : others, &feeds[i]);
    guint total = urgent->len + others->len;
    int64_t span_s = MAX(SPREAD_SPAN_S, (total + SPREAD_PER_SECOND - 1) / SPREAD_PER_SECOND);
    for (size_t i = 0; i < n_feeds; i++)
        if (feeds[i].due_s > now_s && feeds[i].due_s - now_s < span_s + (int64_t)n_feeds)
            g_ptr_array_add(later, &feeds[i]);
    g_ptr_array_sort(later, compare_due);

    g_autoptr(GRand) rand = g_rand_new_with_seed(random);
    shuffle(urgent, rand);
    shuffle(others, rand);
    g_autofree uint8_t *taken = g_new0(uint8_t, (gsize)span_s + n_feeds + later->len + 1);
    lay_out(urgent, 0, total, now_s, span_s, taken);
    lay_out(others, urgent->len, total, now_s, span_s, taken);
    make_room(later, now_s, taken);
}
