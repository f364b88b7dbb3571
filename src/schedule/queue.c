#include "schedule/queue.h"

struct entry {
    void *key;
    int64_t due;
    uint64_t order;
};

struct schedule_queue {
    GArray *heap;      /* struct entry */
    GHashTable *place; /* key -> index + 1 */
    uint64_t next_order;
};

static struct entry *at(const struct schedule_queue *queue, guint index)
{
    return &g_array_index(queue->heap, struct entry, index);
}

static bool is_before(const struct entry *a, const struct entry *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void put(struct schedule_queue *queue, guint index, const struct entry *entry)
{
    *at(queue, index) = *entry;
    g_hash_table_insert(queue->place, entry->key, GUINT_TO_POINTER(index + 1));
}

static void sift(struct schedule_queue *queue, guint index)
{
    struct entry entry = *at(queue, index);
    while (index > 0 && is_before(&entry, at(queue, (index - 1) / 2))) {
        put(queue, index, at(queue, (index - 1) / 2));
        index = (index - 1) / 2;
    }
    for (guint child = 2 * index + 1; child < queue->heap->len; child = 2 * index + 1) {
        if (child + 1 < queue->heap->len && is_before(at(queue, child + 1), at(queue, child)))
            child++;
        if (!is_before(at(queue, child), &entry))
            break;
        put(queue, index, at(queue, child));
        index = child;
    }
    put(queue, index, &entry);
}

struct schedule_queue *schedule_queue_new(void)
{
    struct schedule_queue *queue = g_new0(struct schedule_queue, 1);
    queue->heap = g_array_new(FALSE, FALSE, sizeof(struct entry));
    queue->place = g_hash_table_new(NULL, NULL);
    return queue;
}

void schedule_queue_free(struct schedule_queue *queue)
{
    if (!queue)
        return;
    g_array_unref(queue->heap);
    g_hash_table_unref(queue->place);
    g_free(queue);
}

void schedule_queue_set(struct schedule_queue *queue, void *key, int64_t due)
{
    guint place = GPOINTER_TO_UINT(g_hash_table_lookup(queue->place, key));
    struct entry entry = {.key = key, .due = due, .order = queue->next_order++};
    if (place == 0) {
        g_array_append_val(queue->heap, entry);
        place = queue->heap->len;
    } else {
        *at(queue, place - 1) = entry;
    }
    sift(queue, place - 1);
}

void schedule_queue_remove(struct schedule_queue *queue, void *key)
{
    guint place = GPOINTER_TO_UINT(g_hash_table_lookup(queue->place, key));
    if (place == 0)
        return;
    g_hash_table_remove(queue->place, key);
    struct entry last = *at(queue, queue->heap->len - 1);
    g_array_set_size(queue->heap, queue->heap->len - 1);
    if (last.key == key)
        return;
    *at(queue, place - 1) = last;
    sift(queue, place - 1);
}

bool schedule_queue_next(const struct schedule_queue *queue, int64_t *ret_due)
{
    if (queue->heap->len == 0)
        return false;
    *ret_due = at(queue, 0)->due;
    return true;
}

void *schedule_queue_pop_due(struct schedule_queue *queue, int64_t now)
{
    if (queue->heap->len == 0 || at(queue, 0)->due > now)
        return NULL;
    void *key = at(queue, 0)->key;
    schedule_queue_remove(queue, key);
    return key;
}

guint schedule_queue_size(const struct schedule_queue *queue)
{
    return queue->heap->len;
}
