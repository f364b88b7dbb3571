#include "fetch/pacer.h"

#include "schedule/queue.h"

/* A server sees our starts through the network's jitter; the spacing is to hold there, too. */
#define JITTER_MS 20

struct host {
    char *name;
    GQueue waiting[PACER_PRIORITIES]; /* struct pacer_ticket */
    guint n_waiting;
    bool is_active;
    int64_t started_ms; /* the last one */
};

struct pacer_ticket {
    GList link; /* in the host's queue while it waits */
    struct host *host;
    enum pacer_priority priority;
    bool is_active;
    void *user;
};

/* Every host that is not active is in `ready`, due when its next start may be: equal times come in
 * order, so hosts take turns. One that comes up with nobody waiting is forgotten. */
struct pacer {
    GHashTable *hosts; /* name -> struct host */
    struct schedule_queue *ready;
    int64_t spacing_ms;
    int64_t gap_ms, gap_until_ms; /* between any two starts */
    int64_t started_ms;           /* the last of all */
    guint max_active, n_active, n_waiting;
};

static void free_host(gpointer data)
{
    struct host *host = data;
    for (int i = 0; i < PACER_PRIORITIES; i++)
        for (GList *link; (link = g_queue_pop_head_link(&host->waiting[i]));)
            g_free(link->data);
    g_free(host->name);
    g_free(host);
}

struct pacer *pacer_new(void)
{
    struct pacer *pacer = g_new0(struct pacer, 1);
    pacer->hosts = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_host);
    pacer->ready = schedule_queue_new();
    pacer->max_active = 1;
    pacer->started_ms = INT64_MIN / 2;
    return pacer;
}

void pacer_free(struct pacer *pacer)
{
    if (!pacer)
        return;
    g_hash_table_unref(pacer->hosts);
    schedule_queue_free(pacer->ready);
    g_free(pacer);
}

void pacer_set_limits(struct pacer *pacer, int64_t spacing_ms, guint max_active)
{
    pacer->spacing_ms = spacing_ms > 0 ? spacing_ms + JITTER_MS : 0;
    pacer->max_active = MAX(max_active, 1);
}

void pacer_set_gap(struct pacer *pacer, int64_t gap_ms, int64_t until_ms)
{
    pacer->gap_ms = gap_ms > 0 ? gap_ms + JITTER_MS : 0;
    pacer->gap_until_ms = until_ms;
}

/* How long until any request may start, for the gap's sake. */
static int64_t gap_left_ms(const struct pacer *pacer, int64_t now_ms)
{
    if (now_ms >= pacer->gap_until_ms)
        return 0;
    return MAX(pacer->started_ms + pacer->gap_ms - now_ms, 0);
}

static struct host *find_host(struct pacer *pacer, const char *name, int64_t now_ms)
{
    struct host *host = g_hash_table_lookup(pacer->hosts, name);
    if (host)
        return host;
    host = g_new0(struct host, 1);
    host->name = g_strdup(name);
    host->started_ms = now_ms - pacer->spacing_ms;
    g_hash_table_insert(pacer->hosts, host->name, host);
    schedule_queue_set(pacer->ready, host, now_ms);
    return host;
}

struct pacer_ticket *pacer_add(struct pacer *pacer, const char *name, enum pacer_priority priority,
                               void *user, int64_t now_ms)
{
    struct pacer_ticket *ticket = g_new0(struct pacer_ticket, 1);
    ticket->host = find_host(pacer, name, now_ms);
    ticket->priority = priority;
    ticket->user = user;
    ticket->link.data = ticket;
    g_queue_push_tail_link(&ticket->host->waiting[priority], &ticket->link);
    ticket->host->n_waiting++;
    pacer->n_waiting++;
    return ticket;
}

static struct pacer_ticket *take_ticket(struct pacer *pacer, struct host *host)
{
    for (int i = 0; i < PACER_PRIORITIES; i++) {
        GList *link = g_queue_pop_head_link(&host->waiting[i]);
        if (!link)
            continue;
        host->n_waiting--;
        pacer->n_waiting--;
        return link->data;
    }
    return NULL;
}

void *pacer_next(struct pacer *pacer, int64_t now_ms)
{
    if (gap_left_ms(pacer, now_ms) > 0)
        return NULL;
    while (pacer->n_active < pacer->max_active && pacer->n_waiting > 0) {
        struct host *host = schedule_queue_pop_due(pacer->ready, now_ms);
        if (!host)
            return NULL;
        struct pacer_ticket *ticket = take_ticket(pacer, host);
        if (!ticket) {
            g_hash_table_remove(pacer->hosts, host->name);
            continue;
        }
        ticket->is_active = host->is_active = true;
        host->started_ms = pacer->started_ms = now_ms;
        pacer->n_active++;
        return ticket->user;
    }
    return NULL;
}

int64_t pacer_wait_ms(const struct pacer *pacer, int64_t now_ms)
{
    int64_t due_ms;
    if (pacer->n_waiting == 0 || pacer->n_active >= pacer->max_active ||
        !schedule_queue_next(pacer->ready, &due_ms))
        return -1;
    return MAX(due_ms - now_ms, gap_left_ms(pacer, now_ms));
}

void pacer_sent(struct pacer_ticket *ticket, int64_t sent_ms)
{
    ticket->host->started_ms = MAX(ticket->host->started_ms, sent_ms);
}

void pacer_end(struct pacer *pacer, struct pacer_ticket *ticket)
{
    struct host *host = ticket->host;
    if (ticket->is_active) {
        host->is_active = false;
        pacer->n_active--;
        schedule_queue_set(pacer->ready, host, host->started_ms + pacer->spacing_ms);
    } else {
        g_queue_unlink(&host->waiting[ticket->priority], &ticket->link);
        host->n_waiting--;
        pacer->n_waiting--;
    }
    g_free(ticket);
}

bool pacer_has_room(const struct pacer *pacer, int64_t now_ms)
{
    return pacer->n_active < pacer->max_active && gap_left_ms(pacer, now_ms) == 0;
}

guint pacer_n_waiting(const struct pacer *pacer)
{
    return pacer->n_waiting;
}
