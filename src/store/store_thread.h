/* store/store_thread - messages in, transactions, completions out.
 *
 * A task is a message with its answer. The thread takes all tasks that wait into one transaction,
 * in order, runs what follows the commit (log lines), and hands the tasks back: their completions
 * run on the context in the same order. After the first task of an idle time it waits a moment for
 * company, so that feeds that finish close together share a transaction. A transaction that fails
 * is rolled back and run again until it succeeds; a task that fails by itself is put aside.
 *
 * Ownership: a task belongs to the thread from thread_post() on, until its on_done has run. */
#ifndef STORE_STORE_THREAD_H
#define STORE_STORE_THREAD_H

#include "store/storage.h"

struct task {
    struct task *next;
    /* In the transaction; may run several times. May be NULL. */
    void (*run)(struct storage *storage, struct task *task);
    /* On the context. May be NULL. */
    void (*on_done)(struct task *task);
    void (*free)(struct task *task);
    bool needs_flush;  /* its transaction must reach the disk */
    bool is_urgent;    /* do not wait for company */
    bool is_counted;   /* in the backlog */
    bool is_answered;  /* for thread_ask() */
    bool may_overtake; /* need not wait for a transaction that does not succeed; what it writes is
                          dropped */
    bool is_refused;   /* set where the database refused it for what it is, before on_done */
};

struct store_thread;

struct thread_hooks {
    void (*on_trouble)(const char *message, void *user); /* on the context */
    void (*on_deliveries)(void *user);
    void *user;
};

/* Takes the storage over. */
struct store_thread *thread_new(struct storage *storage, GMainContext *context,
                                const struct thread_hooks *hooks);
/* Finishes what waits, for at most deadline_ms; then delivers the completions that are still due.
 * True where everything was written. Where the thread does not end in time it is left alone, with
 * what it uses. */
bool thread_close(struct store_thread *thread, int64_t deadline_ms);
/* False, and the task is freed, where the thread is closing. */
bool thread_post(struct store_thread *thread, struct task *task);
/* Posts and waits until it has run; where the thread is closing or the database is damaged, it
 * comes back without. The task stays the caller's; its free may be NULL. */
void thread_ask(struct store_thread *thread, struct task *task);
guint thread_backlog(struct store_thread *thread);
/* Whether a transaction has failed and not succeeded since. */
bool thread_is_stuck(struct store_thread *thread);

#endif
