/* fetch/pacer - who may send a request now.
 *
 * At most one request under way for each host, starts at least the spacing apart, hosts in turn, at
 * most so many in all. Among those that wait for one host, the higher priority goes first, equal
 * ones in order. Source: polling.md E32. Pure: time comes as a parameter (ms of a clock that never
 * steps). */
#ifndef FETCH_PACER_H
#define FETCH_PACER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum pacer_priority {
    PACER_CONTINUES, /* a redirect of what is under way already */
    PACER_URGENT,
    PACER_NORMAL,
    PACER_PRIORITIES
};

struct pacer;
struct pacer_ticket;

struct pacer *pacer_new(void);
/* With the tickets that wait; started ones must have ended. */
void pacer_free(struct pacer *pacer);
void pacer_set_limits(struct pacer *pacer, int64_t spacing_ms, guint max_active);
/* Until then, all starts of all hosts are at least the gap apart (E35). */
void pacer_set_gap(struct pacer *pacer, int64_t gap_ms, int64_t until_ms);
struct pacer_ticket *pacer_add(struct pacer *pacer, const char *host, enum pacer_priority priority,
                               void *user, int64_t now_ms);
/* The user of a ticket that starts now; NULL where none may. */
void *pacer_next(struct pacer *pacer, int64_t now_ms);
/* How long until pacer_next() may have one; -1: not before a ticket is added or ends. */
int64_t pacer_wait_ms(const struct pacer *pacer, int64_t now_ms);
/* When the request of a started ticket really left, where that was later than its start. */
void pacer_sent(struct pacer_ticket *ticket, int64_t sent_ms);
/* Ends a ticket, started or not, and frees it. */
void pacer_end(struct pacer *pacer, struct pacer_ticket *ticket);
/* Whether more might start now, if only there were one whose host's turn it is. */
bool pacer_has_room(const struct pacer *pacer, int64_t now_ms);
guint pacer_n_waiting(const struct pacer *pacer);

#endif
