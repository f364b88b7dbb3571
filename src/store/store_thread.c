#include "store/store_thread.h"

#include "base/log.h"
#include "store/store_outbox.h"
#include "store/store_purge.h"

#include <malloc.h>
#include <string.h>

/* How long the first task waits for others, and how many are company enough. */
#define GATHER_US    4000
#define GATHER_MAX   128
#define RETRY_MIN_MS 200
#define RETRY_MAX_MS 10000
/* At the end, what has come in meanwhile gets a last chance more often. */
#define RETRY_CLOSING_MS 100
#define ABANDON_GRACE_US 500000
#define FOREVER          INT64_MAX
/* After this long what a burst of work took goes back to the system. */
#define TIDY_US (20 * G_USEC_PER_SEC)

struct task_queue {
    struct task *head, **tail;
    guint n, n_urgent, n_overtaking;
};

struct store_thread {
    GThread *thread;
    GMutex lock;
    GCond wake;                      /* the thread waits */
    GCond answered;                  /* thread_ask() and thread_close() wait */
    struct task_queue waiting, done; /* under the lock, like the next six */
    guint backlog;
    bool is_closing, is_abandoned, is_over;
    bool is_mute; /* answers nobody any more */
    bool is_stuck;
    bool wrote_all;
    GSource *source; /* delivers done */
    GMainContext *context;
    struct thread_hooks hooks;
    struct storage *storage; /* the thread's, as what follows */
    GHashTable *troubles;    /* kind -> message: told and not over */
    bool is_damaged;
    int64_t tidy_us; /* monotonic: when memory is given back; FOREVER: nothing was done since */
};

static void queue_init(struct task_queue *queue)
{
    memset(queue, 0, sizeof *queue);
    queue->tail = &queue->head;
}

static void queue_push(struct task_queue *queue, struct task *task)
{
    task->next = NULL;
    *queue->tail = task;
    queue->tail = &task->next;
    queue->n++;
    queue->n_urgent += task->is_urgent;
    queue->n_overtaking += task->may_overtake;
}

/* Returns the first of the chain. */
static struct task *queue_take(struct task_queue *queue)
{
    struct task *head = queue->head;
    queue_init(queue);
    return head;
}

static void task_free(struct task *task)
{
    if (task->free)
        task->free(task);
}

/* ---- completions ---- */

static void deliver(struct store_thread *thread)
{
    g_mutex_lock(&thread->lock);
    struct task *task = queue_take(&thread->done);
    g_mutex_unlock(&thread->lock);
    while (task) {
        struct task *next = task->next;
        if (task->on_done)
            task->on_done(task);
        task_free(task);
        task = next;
    }
}

struct done_source {
    GSource source;
    struct store_thread *thread;
};

static gboolean on_done_source(GSource *source, GSourceFunc callback, gpointer user)
{
    (void)callback;
    (void)user;
    g_source_set_ready_time(source, -1);
    deliver(((struct done_source *)source)->thread);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs done_source_funcs = {.dispatch = on_done_source};

static void hand_back(struct store_thread *thread, struct task *chain)
{
    if (!chain)
        return;
    bool has_asked = false;
    g_mutex_lock(&thread->lock);
    while (chain) {
        struct task *next = chain->next;
        thread->backlog -= chain->is_counted;
        if (chain->is_answered) {
            has_asked = true;
            chain->is_answered = false;
        } else {
            queue_push(&thread->done, chain);
        }
        chain = next;
    }
    if (has_asked)
        g_cond_broadcast(&thread->answered);
    bool has_done = thread->done.head != NULL;
    g_mutex_unlock(&thread->lock);
    if (has_done)
        g_source_set_ready_time(thread->source, 0);
}

/* ---- words for the user ---- */

struct notice {
    struct task task;
    struct store_thread *thread;
    char *message; /* NULL: there are deliveries */
};

static void on_notice(struct task *task)
{
    const struct notice *notice = (struct notice *)task;
    const struct thread_hooks *hooks = &notice->thread->hooks;
    if (notice->message && hooks->on_trouble)
        hooks->on_trouble(notice->message, hooks->user);
    else if (!notice->message && hooks->on_deliveries)
        hooks->on_deliveries(hooks->user);
}

static void notice_free(struct task *task)
{
    g_free(((struct notice *)task)->message);
    g_free(task);
}

static void send_notice(struct store_thread *thread, const char *message)
{
    struct notice *notice = g_new0(struct notice, 1);
    notice->task.on_done = on_notice;
    notice->task.free = notice_free;
    notice->thread = thread;
    notice->message = g_strdup(message);
    hand_back(thread, &notice->task);
}

/* Each state of affairs is told once. */
static void on_trouble(const char *kind, const char *message, void *user)
{
    struct store_thread *thread = user;
    if (!message) {
        g_hash_table_remove(thread->troubles, kind);
        return;
    }
    const char *told = g_hash_table_lookup(thread->troubles, kind);
    if (told && strcmp(told, message) == 0)
        return;
    g_hash_table_replace(thread->troubles, g_strdup(kind), g_strdup(message));
    send_notice(thread, message);
}

/* ---- a batch ---- */

enum run_result { RUN_DONE, RUN_AGAIN, RUN_BROKEN };

/* Whatever has met it, a transaction or what is done beside them. */
static bool find_damage(struct store_thread *thread)
{
    struct db *db = thread->storage->db;
    if (thread->is_damaged || !db_has_seen_damage(db))
        return thread->is_damaged;
    thread->is_damaged = true;
    db_mark_suspect(db);
    on_trouble("database",
               "the database is damaged: nothing more is stored; start feedwatchd again to set it "
               "aside and begin a new one",
               thread);
    return true;
}

static enum run_result failed(struct store_thread *thread)
{
    struct db *db = thread->storage->db;
    int code = db_code(db);
    log_debug("storing failed: %s", db_message(db));
    g_autofree char *why = g_strdup(db_message(db));
    db_rollback(db);
    if (find_damage(thread))
        return RUN_AGAIN;
    storage_forget(thread->storage);
    if (!db_is_passing(code))
        return RUN_BROKEN;
    g_autofree char *message = g_strdup_printf(
        "the database cannot be written: %s; it is tried again and nothing is lost", why);
    on_trouble("database", message, thread);
    return RUN_AGAIN;
}

/* Runs the chain up to `end` (NULL: all of it) in one transaction. */
static enum run_result run_chain(struct store_thread *thread, struct task *chain, struct task *end)
{
    struct storage *storage = thread->storage;
    bool flush = false;
    for (struct task *task = chain; task != end; task = task->next)
        flush = flush || task->needs_flush;
    db_begin(storage->db, flush);
    storage_remember(storage);
    for (struct task *task = chain; task != end; task = task->next)
        if (task->run && db_code(storage->db) == SQLITE_OK)
            task->run(storage, task);
    if (!db_commit(storage->db))
        return failed(thread);
    on_trouble("database", NULL, thread);
    outbox_flush_all(storage);
    if (storage->made_deliveries)
        send_notice(thread, NULL);
    storage->made_deliveries = false;
    return RUN_DONE;
}

/* One of them is refused for what it is: the others must not suffer for it. */
static enum run_result run_singly(struct store_thread *thread, struct task *chain)
{
    for (struct task *task = chain; task; task = task->next) {
        enum run_result result = run_chain(thread, task, task->next);
        if (result == RUN_AGAIN)
            return RUN_AGAIN;
        if (result == RUN_BROKEN) {
            task->is_refused = true;
            storage_on_refused(thread->storage);
        }
        task->run = NULL;
    }
    return RUN_DONE;
}

static enum run_result run_batch(struct store_thread *thread, struct task *chain)
{
    enum run_result result = run_chain(thread, chain, NULL);
    return result == RUN_BROKEN ? run_singly(thread, chain) : result;
}

static bool may_overtake(const struct task *task)
{
    return task->may_overtake;
}

static bool is_asked(const struct task *task)
{
    return task->is_answered;
}

/* Moves those of the chain that are wanted to the front of *picked; returns the rest. */
static struct task *pick(struct task *chain, bool (*is_wanted)(const struct task *),
                         struct task **picked)
{
    struct task_queue rest;
    queue_init(&rest);
    while (chain) {
        struct task *next = chain->next;
        if (is_wanted(chain)) {
            chain->next = *picked;
            *picked = chain;
        } else {
            queue_push(&rest, chain);
        }
        chain = next;
    }
    return queue_take(&rest);
}

/* The same of those that wait; under the lock. */
static void pick_waiting(struct store_thread *thread, bool (*is_wanted)(const struct task *),
                         struct task **picked)
{
    struct task *waiting = pick(queue_take(&thread->waiting), is_wanted, picked);
    while (waiting) {
        struct task *next = waiting->next;
        queue_push(&thread->waiting, waiting);
        waiting = next;
    }
}

/* Questions that only read are answered while a transaction is stuck: those in it and those behind
 * it. One that fails itself stays. Returns what is left of it. */
static struct task *answer_overtakers(struct store_thread *thread, struct task *chain)
{
    struct db *db = thread->storage->db;
    struct task *overtakers = NULL, *answered = NULL;
    chain = pick(chain, may_overtake, &overtakers);
    g_mutex_lock(&thread->lock);
    pick_waiting(thread, may_overtake, &overtakers);
    g_mutex_unlock(&thread->lock);
    for (struct task *task = overtakers, *next; task; task = next) {
        next = task->next;
        if (task->run)
            task->run(thread->storage, task);
        struct task **place = db_code(db) == SQLITE_OK ? &answered : &chain;
        task->next = *place;
        *place = task;
        db_rollback(db);
    }
    hand_back(thread, answered);
    return chain;
}

/* A damaged database answers nobody. Who stands and waits for it, as the main loop does at the
 * start, goes on without an answer: else nobody would hear of the damage. Returns what is left. */
static struct task *fall_mute(struct store_thread *thread, struct task *chain)
{
    struct task *askers = NULL;
    chain = pick(chain, is_asked, &askers);
    g_mutex_lock(&thread->lock);
    thread->is_mute = true;
    pick_waiting(thread, is_asked, &askers);
    g_mutex_unlock(&thread->lock);
    hand_back(thread, askers);
    return chain;
}

/* Sleeps before the next try; false where there is to be none. */
static bool wait_for_retry(struct store_thread *thread, int64_t pause_ms)
{
    g_mutex_lock(&thread->lock);
    int64_t end_us = g_get_monotonic_time() + pause_ms * 1000;
    while (!thread->is_abandoned && (thread->is_damaged || thread->waiting.n_overtaking == 0)) {
        int64_t until_us =
            thread->is_closing
                ? MIN(end_us, g_get_monotonic_time() + (int64_t)RETRY_CLOSING_MS * 1000)
                : end_us;
        bool was_closing = thread->is_closing;
        if (!g_cond_wait_until(&thread->wake, &thread->lock, until_us) || was_closing)
            break;
    }
    bool goes_on = !thread->is_abandoned && !(thread->is_closing && thread->is_damaged);
    g_mutex_unlock(&thread->lock);
    return goes_on;
}

static void drop(struct task *chain)
{
    while (chain) {
        struct task *next = chain->next;
        task_free(chain);
        chain = next;
    }
}

static void set_stuck(struct store_thread *thread, bool is_stuck)
{
    g_mutex_lock(&thread->lock);
    thread->is_stuck = is_stuck;
    g_mutex_unlock(&thread->lock);
}

/* False where it was given up. */
static bool process(struct store_thread *thread, struct task *chain)
{
    int64_t pause_ms = RETRY_MIN_MS;
    while (find_damage(thread) || run_batch(thread, chain) != RUN_DONE) {
        set_stuck(thread, true);
        chain = thread->is_damaged ? fall_mute(thread, chain) : answer_overtakers(thread, chain);
        if (!wait_for_retry(thread, pause_ms)) {
            drop(chain);
            return false;
        }
        pause_ms = MIN(pause_ms * 2, RETRY_MAX_MS);
    }
    set_stuck(thread, false);
    hand_back(thread, chain);
    return true;
}

/* ---- the thread ---- */

static int64_t next_wake_us(const struct store_thread *thread)
{
    const struct storage *storage = thread->storage;
    if (thread->is_damaged)
        return FOREVER;
    int64_t wake_ms = MIN(outbox_next_try_ms(storage), storage->next_purge_ms);
    if (storage->purge)
        wake_ms = 0;
    if (wake_ms == FOREVER)
        return thread->tidy_us;
    int64_t now_us = g_get_monotonic_time();
    return MIN(now_us + MAX(0, wake_ms - clock_real_boot_ms()) * 1000, thread->tidy_us);
}

/* Waits under the lock; false when the time is there. */
static bool wait_until(struct store_thread *thread, int64_t until_us)
{
    if (until_us == FOREVER) {
        g_cond_wait(&thread->wake, &thread->lock);
        return true;
    }
    return g_cond_wait_until(&thread->wake, &thread->lock, until_us);
}

/* The next batch; NULL where it is time for something else or to end. */
static struct task *take_batch(struct store_thread *thread)
{
    int64_t wake_us = next_wake_us(thread);
    g_mutex_lock(&thread->lock);
    while (!thread->waiting.head && !thread->is_closing)
        if (!wait_until(thread, wake_us))
            break;
    int64_t gather_us = g_get_monotonic_time() + GATHER_US;
    while (thread->waiting.head && thread->waiting.n < GATHER_MAX && !thread->waiting.n_urgent &&
           !thread->is_closing)
        if (!wait_until(thread, gather_us))
            break;
    struct task *chain = queue_take(&thread->waiting);
    g_mutex_unlock(&thread->lock);
    return chain;
}

static bool is_to_end(struct store_thread *thread)
{
    g_mutex_lock(&thread->lock);
    bool end = thread->is_closing && !thread->waiting.head;
    g_mutex_unlock(&thread->lock);
    return end;
}

/* The thread has done something: what that took is given back a while later. */
static void tidy_later(struct store_thread *thread)
{
    if (thread->tidy_us == FOREVER)
        thread->tidy_us = g_get_monotonic_time() + TIDY_US;
}

static void tidy_when_due(struct store_thread *thread)
{
    if (g_get_monotonic_time() < thread->tidy_us)
        return;
    thread->tidy_us = FOREVER;
    db_release_memory(thread->storage->db);
    malloc_trim(0); /* of every thread */
}

static bool run_until_closed(struct store_thread *thread)
{
    while (!is_to_end(thread)) {
        find_damage(thread);
        struct task *chain = take_batch(thread);
        tidy_when_due(thread);
        if (chain)
            tidy_later(thread);
        if (chain && !process(thread, chain))
            return false;
        if (chain || thread->is_damaged)
            continue;
        outbox_flush_all(thread->storage);
        if (purge_is_due(thread->storage)) {
            purge_step(thread->storage);
            tidy_later(thread);
        }
    }
    return !thread->is_damaged;
}

static gpointer thread_main(gpointer user)
{
    struct store_thread *thread = user;
    bool wrote_all = run_until_closed(thread);
    /* A last try for logs that could not be written. */
    if (wrote_all && outbox_next_try_ms(thread->storage) != FOREVER) {
        outbox_reopen_all(thread->storage);
        outbox_flush_all(thread->storage);
        wrote_all = outbox_next_try_ms(thread->storage) == FOREVER;
    }
    storage_free(thread->storage);
    g_mutex_lock(&thread->lock);
    thread->wrote_all = wrote_all;
    thread->is_over = true;
    g_cond_broadcast(&thread->answered);
    g_mutex_unlock(&thread->lock);
    return NULL;
}

/* ---- from outside ---- */

struct store_thread *thread_new(struct storage *storage, GMainContext *context,
                                const struct thread_hooks *hooks)
{
    struct store_thread *thread = g_new0(struct store_thread, 1);
    thread->tidy_us = g_get_monotonic_time() + TIDY_US;
    g_mutex_init(&thread->lock);
    g_cond_init(&thread->wake);
    g_cond_init(&thread->answered);
    queue_init(&thread->waiting);
    queue_init(&thread->done);
    thread->hooks = *hooks;
    thread->storage = storage;
    storage->on_trouble = on_trouble;
    storage->user = thread;
    thread->troubles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    thread->context = context ? g_main_context_ref(context) : g_main_context_ref_thread_default();
    thread->source = g_source_new(&done_source_funcs, sizeof(struct done_source));
    ((struct done_source *)thread->source)->thread = thread;
    g_source_set_name(thread->source, "store completions");
    g_source_set_priority(thread->source, G_PRIORITY_HIGH);
    g_source_attach(thread->source, thread->context);
    thread->thread = g_thread_new("storage", thread_main, thread);
    return thread;
}

bool thread_post(struct store_thread *thread, struct task *task)
{
    g_mutex_lock(&thread->lock);
    if (thread->is_closing) {
        g_mutex_unlock(&thread->lock);
        task_free(task);
        return false;
    }
    bool was_idle = !thread->waiting.head;
    queue_push(&thread->waiting, task);
    thread->backlog += task->is_counted;
    if (was_idle || task->is_urgent || thread->waiting.n == GATHER_MAX)
        g_cond_signal(&thread->wake);
    g_mutex_unlock(&thread->lock);
    return true;
}

void thread_ask(struct store_thread *thread, struct task *task)
{
    task->is_urgent = true;
    task->is_answered = true;
    g_mutex_lock(&thread->lock);
    if (!thread->is_closing && !thread->is_mute) {
        queue_push(&thread->waiting, task);
        g_cond_signal(&thread->wake);
        while (task->is_answered && !thread->is_over)
            g_cond_wait(&thread->answered, &thread->lock);
    }
    g_mutex_unlock(&thread->lock);
}

guint thread_backlog(struct store_thread *thread)
{
    g_mutex_lock(&thread->lock);
    guint backlog = thread->backlog;
    g_mutex_unlock(&thread->lock);
    return backlog;
}

bool thread_is_stuck(struct store_thread *thread)
{
    g_mutex_lock(&thread->lock);
    bool is_stuck = thread->is_stuck;
    g_mutex_unlock(&thread->lock);
    return is_stuck;
}

static bool wait_for_end(struct store_thread *thread, int64_t deadline_ms)
{
    int64_t end_us = g_get_monotonic_time() + deadline_ms * 1000;
    g_mutex_lock(&thread->lock);
    thread->is_closing = true;
    g_cond_signal(&thread->wake);
    while (!thread->is_over && g_cond_wait_until(&thread->answered, &thread->lock, end_us))
        ;
    thread->is_abandoned = true;
    g_cond_signal(&thread->wake);
    end_us = g_get_monotonic_time() + ABANDON_GRACE_US;
    while (!thread->is_over && g_cond_wait_until(&thread->answered, &thread->lock, end_us))
        ;
    bool is_over = thread->is_over;
    g_mutex_unlock(&thread->lock);
    return is_over;
}

bool thread_close(struct store_thread *thread, int64_t deadline_ms)
{
    bool is_over = wait_for_end(thread, deadline_ms);
    g_source_destroy(thread->source);
    deliver(thread);
    if (!is_over)
        return false;
    bool wrote_all = thread->wrote_all;
    g_thread_join(thread->thread);
    drop(queue_take(&thread->waiting));
    drop(queue_take(&thread->done));
    g_source_unref(thread->source);
    g_main_context_unref(thread->context);
    g_hash_table_unref(thread->troubles);
    g_mutex_clear(&thread->lock);
    g_cond_clear(&thread->wake);
    g_cond_clear(&thread->answered);
    g_free(thread);
    return wrote_all;
}
