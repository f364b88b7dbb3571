/* schedule/queue - which feed is due first.
 *
 * A binary heap of opaque keys (borrowed, compared by address) with a due time each, in whatever
 * unit the caller has; equal times come in the order in which they were set. Setting, removing and
 * popping are O(log n). Pure. */
#ifndef SCHEDULE_QUEUE_H
#define SCHEDULE_QUEUE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct schedule_queue;

struct schedule_queue *schedule_queue_new(void);
void schedule_queue_free(struct schedule_queue *queue);
/* Adds the key or moves it. */
void schedule_queue_set(struct schedule_queue *queue, void *key, int64_t due);
/* A key that is not there is ignored. */
void schedule_queue_remove(struct schedule_queue *queue, void *key);
/* When the first key is due; false where the queue is empty. */
bool schedule_queue_next(const struct schedule_queue *queue, int64_t *ret_due);
/* Removes and returns the first key if it is due; else NULL. */
void *schedule_queue_pop_due(struct schedule_queue *queue, int64_t now);
guint schedule_queue_size(const struct schedule_queue *queue);

#endif
