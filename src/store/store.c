#include "store/store.h"

#include "base/file.h"
#include "store/store_alert.h"
#include "store/store_feed.h"
#include "store/store_item.h"
#include "store/store_outbox.h"
#include "store/store_thread.h"

#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_QUARK(store - error - quark, store_error)

struct store {
    struct store_thread *thread;
    int lock_fd;
    char *reset_path;  /* NULL: the database is the one it always was */
    guint n_documents; /* of which something has been asked and not answered */
};

/* ---- tasks ---- */

struct call { /* what most tasks need */
    struct task task;
    store_done on_done;
    void *user;
    struct store_feed *feed;
    char *text, *other_text;
    char **ids;
    enum store_delivery_state state;
    int64_t number, other_number;
};

static void on_call_done(struct task *task)
{
    const struct call *call = (struct call *)task;
    if (call->on_done)
        call->on_done(call->user);
}

static void call_free(struct task *task)
{
    struct call *call = (struct call *)task;
    g_free(call->feed);
    g_free(call->text);
    g_free(call->other_text);
    g_strfreev(call->ids);
    g_free(call);
}

static struct call *call_new(void (*run)(struct storage *, struct task *))
{
    struct call *call = g_new0(struct call, 1);
    call->task.run = run;
    call->task.on_done = on_call_done;
    call->task.free = call_free;
    return call;
}

static void post(struct store *store, struct call *call)
{
    thread_post(store->thread, &call->task);
}

/* ---- opening and closing ---- */

static bool prepare_directory(const char *state_dir, GError **error)
{
    g_autoptr(GError) cause = NULL;
    struct stat st;
    if (!file_make_dir(state_dir, &cause)) {
        g_set_error_literal(error, STORE_ERROR, STORE_ERROR_OPEN, cause->message);
        return false;
    }
    if (stat(state_dir, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) != 0)
        (void)chmod(state_dir, 0700);
    return true;
}

static int take_lock(const char *state_dir, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *path = g_build_filename(state_dir, STORE_LOCK_FILE, NULL);
    bool is_held = false;
    int fd = file_lock(path, &is_held, &cause);
    if (fd < 0 && is_held)
        g_set_error(error, STORE_ERROR, STORE_ERROR_BUSY, "another feedwatchd uses %s", state_dir);
    else if (fd < 0)
        g_set_error_literal(error, STORE_ERROR, STORE_ERROR_OPEN, cause->message);
    return fd;
}

struct notice { /* what the opening has to say, once there is a context to say it on */
    struct task task;
    struct store_hooks hooks;
    char *message;
};

static void on_notice(struct task *task)
{
    const struct notice *notice = (struct notice *)task;
    if (notice->hooks.on_trouble)
        notice->hooks.on_trouble(notice->message, notice->hooks.user);
}

static void notice_free(struct task *task)
{
    g_free(((struct notice *)task)->message);
    g_free(task);
}

static void post_notice(struct store *store, const struct store_hooks *hooks, const char *message)
{
    struct notice *notice = g_new0(struct notice, 1);
    notice->task.on_done = on_notice;
    notice->task.free = notice_free;
    notice->hooks = *hooks;
    notice->message = g_strdup(message);
    thread_post(store->thread, &notice->task);
}

static struct store_hooks hooks_or_none(const struct store_hooks *hooks)
{
    const struct store_hooks none = {NULL, NULL, NULL};
    return hooks ? *hooks : none;
}

struct store *store_open(const char *state_dir, const struct clock *clock, int64_t retention_s,
                         const struct store_hooks *hooks, GMainContext *context, GError **error)
{
    if (!prepare_directory(state_dir, error))
        return NULL;
    int lock_fd = take_lock(state_dir, error);
    if (lock_fd < 0)
        return NULL;
    g_autofree char *message = NULL;
    struct db *db = db_open(state_dir, &message, error);
    if (!db) {
        close(lock_fd);
        return NULL;
    }
    struct store_hooks given = hooks_or_none(hooks);
    const struct thread_hooks thread_hooks = {given.on_trouble, given.on_deliveries, given.user};
    struct store *store = g_new0(struct store, 1);
    store->lock_fd = lock_fd;
    g_autofree char *reset_path = db_reset_path(state_dir);
    if (message || access(reset_path, F_OK) == 0)
        store->reset_path = g_steal_pointer(&reset_path);
    store->thread = thread_new(storage_new(db, clock, retention_s), context, &thread_hooks);
    if (message)
        post_notice(store, &given, message);
    return store;
}

bool store_close(struct store *store, int64_t deadline_ms)
{
    if (!store)
        return true;
    bool wrote_all = thread_close(store->thread, deadline_ms);
    close(store->lock_fd);
    g_free(store->reset_path);
    g_free(store);
    return wrote_all;
}

bool store_was_reset(const struct store *store)
{
    return store->reset_path != NULL;
}

static void run_nothing(struct storage *storage, struct task *task)
{
    (void)storage;
    (void)task;
}

static void on_reset_over(struct task *task)
{
    (void)unlink(((struct call *)task)->text);
}

/* The file goes once the transaction with what was saved before is on the disk. */
void store_end_reset(struct store *store)
{
    struct call *call = call_new(run_nothing);
    call->text = g_steal_pointer(&store->reset_path);
    call->task.needs_flush = true;
    call->task.on_done = on_reset_over;
    post(store, call);
}

guint store_backlog(struct store *store)
{
    return thread_backlog(store->thread);
}

bool store_is_stuck(struct store *store)
{
    return thread_is_stuck(store->thread);
}

/* ---- logs ---- */

struct set_logs {
    struct task task;
    GArray *logs; /* struct store_log, with copies */
};

static void run_set_logs(struct storage *storage, struct task *task)
{
    const GArray *logs = ((struct set_logs *)task)->logs;
    outbox_set_all(storage, (const struct store_log *)(const void *)logs->data, logs->len);
}

static void clear_log(void *data)
{
    const struct store_log *log = data;
    g_free((gpointer)(uintptr_t)log->sink);
    g_free((gpointer)(uintptr_t)log->path);
}

static void set_logs_free(struct task *task)
{
    g_array_unref(((struct set_logs *)task)->logs);
    g_free(task);
}

void store_set_logs(struct store *store, const struct store_log *logs, size_t n_logs)
{
    struct set_logs *call = g_new0(struct set_logs, 1);
    call->task.run = run_set_logs;
    call->task.free = set_logs_free;
    call->logs = g_array_new(FALSE, FALSE, sizeof(struct store_log));
    g_array_set_clear_func(call->logs, clear_log);
    for (size_t i = 0; i < n_logs; i++) {
        struct store_log copy = {g_strdup(logs[i].sink), g_strdup(logs[i].path), logs[i].format};
        g_array_append_val(call->logs, copy);
    }
    thread_post(store->thread, &call->task);
}

static void run_reopen(struct storage *storage, struct task *task)
{
    (void)task;
    outbox_reopen_all(storage);
}

void store_reopen_logs(struct store *store)
{
    post(store, call_new(run_reopen));
}

/* ---- feeds ---- */

struct load_feeds {
    struct task task;
    GPtrArray *feeds;
};

static void run_load_feeds(struct storage *storage, struct task *task)
{
    struct load_feeds *call = (struct load_feeds *)task;
    g_clear_pointer(&call->feeds, g_ptr_array_unref);
    call->feeds = feed_load_all(storage->db);
    if (db_code(storage->db) != SQLITE_OK)
        g_clear_pointer(&call->feeds, g_ptr_array_unref);
}

GPtrArray *store_load_feeds(struct store *store)
{
    struct load_feeds call = {.task = {.run = run_load_feeds, .may_overtake = true}};
    thread_ask(store->thread, &call.task);
    return call.feeds ? call.feeds
                      : g_ptr_array_new_with_free_func((GDestroyNotify)store_feed_free);
}

static void run_time_origin(struct storage *storage, struct task *task)
{
    struct call *call = (struct call *)task;
    int64_t origin_s = db_meta(storage->db, "time_origin_s", INT64_MIN);
    if (origin_s == INT64_MIN)
        db_set_meta(storage->db, "time_origin_s", call->number);
    call->other_number = origin_s == INT64_MIN ? call->number : origin_s;
}

int64_t store_time_origin(struct store *store, int64_t now_s)
{
    struct call call = {.task = {.run = run_time_origin, .may_overtake = true},
                        .number = now_s,
                        .other_number = now_s};
    thread_ask(store->thread, &call.task);
    return call.other_number;
}

static void run_save_feed(struct storage *storage, struct task *task)
{
    feed_save(storage, ((struct call *)task)->feed);
}

void store_save_feed(struct store *store, const struct store_feed *feed, store_done on_done,
                     void *user)
{
    struct call *call = call_new(run_save_feed);
    call->task.is_counted = true;
    call->feed = feed_pack(feed);
    call->on_done = on_done;
    call->user = user;
    post(store, call);
}

struct saved_schedule {
    const struct feed_slot *slot; /* while it runs; NULL: not stored */
    const char *id;
    struct schedule_state schedule;
};

struct save_schedules { /* in one block with its entries and their IDs */
    struct task task;
    store_done on_done;
    void *user;
    size_t n_feeds;
    struct saved_schedule feeds[];
};

static int compare_rows(const void *a, const void *b)
{
    const struct feed_slot *slot_a = ((const struct saved_schedule *)a)->slot;
    const struct feed_slot *slot_b = ((const struct saved_schedule *)b)->slot;
    int64_t row_a = slot_a ? slot_a->row : 0, row_b = slot_b ? slot_b->row : 0;
    return (row_a > row_b) - (row_a < row_b);
}

/* One that is refused must not keep the others from what a crash needs them for. */
static void save_schedule(struct storage *storage, const struct saved_schedule *saved)
{
    feed_save_schedule(storage, saved->slot, &saved->schedule);
    if (db_leave_out(storage->db))
        storage_on_refused(storage);
}

static void run_save_schedules(struct storage *storage, struct task *task)
{
    struct save_schedules *call = (struct save_schedules *)task;
    for (size_t i = 0; i < call->n_feeds; i++)
        call->feeds[i].slot = feed_find_slot(storage, call->feeds[i].id);
    qsort(call->feeds, call->n_feeds, sizeof *call->feeds, compare_rows);
    for (size_t i = 0; i < call->n_feeds; i++)
        if (call->feeds[i].slot)
            save_schedule(storage, &call->feeds[i]);
}

static void on_schedules_saved(struct task *task)
{
    const struct save_schedules *call = (struct save_schedules *)task;
    if (call->on_done)
        call->on_done(call->user);
}

static void save_schedules_free(struct task *task)
{
    g_free(task);
}

void store_save_schedules(struct store *store, const struct store_feed *const *feeds,
                          size_t n_feeds, store_done on_done, void *user)
{
    struct save_schedules *call;
    size_t size = sizeof *call + n_feeds * sizeof *call->feeds, texts = 0;
    for (size_t i = 0; i < n_feeds; i++)
        texts += strlen(feeds[i]->id) + 1;
    call = g_malloc(size + texts);
    *call = (struct save_schedules){
        .task = {.run = run_save_schedules,
                 .on_done = on_schedules_saved,
                 .free = save_schedules_free,
                 .is_counted = true},
        .on_done = on_done,
        .user = user,
        .n_feeds = n_feeds,
    };
    char *text = (char *)call + size;
    for (size_t i = 0; i < n_feeds; i++) {
        call->feeds[i] = (struct saved_schedule){NULL, text, feeds[i]->schedule};
        text = g_stpcpy(text, feeds[i]->id) + 1;
    }
    thread_post(store->thread, &call->task);
}

static void run_rename_feed(struct storage *storage, struct task *task)
{
    const struct call *call = (struct call *)task;
    feed_rename(storage, call->text, call->other_text);
}

void store_rename_feed(struct store *store, const char *old_id, const char *new_id)
{
    struct call *call = call_new(run_rename_feed);
    call->text = g_strdup(old_id);
    call->other_text = g_strdup(new_id);
    post(store, call);
}

/* ---- items ---- */

/* Somebody may be waiting for the alert of a single document; many are cheaper together. */
static bool is_alone(const struct store *store)
{
    return store->n_documents < 2;
}

struct classify {
    struct task task;
    struct store *store;
    char *feed_id;
    const struct feed_doc *doc;
    const struct identity_keys *keys;
    struct store_verdicts *verdicts;
    store_classified on_done;
    void *user;
};

static void run_classify(struct storage *storage, struct task *task)
{
    struct classify *call = (struct classify *)task;
    store_verdicts_free(call->verdicts);
    call->verdicts = item_classify(storage, call->feed_id, call->doc, call->keys);
}

static void on_classified(struct task *task)
{
    struct classify *call = (struct classify *)task;
    call->store->n_documents--;
    call->on_done(g_steal_pointer(&call->verdicts), call->user);
}

static void classify_free(struct task *task)
{
    struct classify *call = (struct classify *)task;
    store_verdicts_free(call->verdicts);
    g_free(call->feed_id);
    g_free(call);
}

void store_classify(struct store *store, const char *feed_id, const struct feed_doc *doc,
                    const struct identity_keys *keys, store_classified on_done, void *user)
{
    struct classify *call = g_new0(struct classify, 1);
    call->task.run = run_classify;
    call->task.on_done = on_classified;
    call->task.free = classify_free;
    call->task.is_urgent = is_alone(store);
    call->store = store;
    store->n_documents++;
    call->feed_id = g_strdup(feed_id);
    call->doc = doc;
    call->keys = keys;
    call->on_done = on_done;
    call->user = user;
    thread_post(store->thread, &call->task);
}

struct commit {
    struct task task;
    struct store *store;
    struct store_commit what; /* feed and feed_title are copies */
    store_done on_done;
    void *user;
};

static void run_commit(struct storage *storage, struct task *task)
{
    const struct store_commit *what = &((struct commit *)task)->what;
    struct feed_slot *slot = what->feed ? feed_save(storage, what->feed) : NULL;
    g_autofree int64_t *rows = what->doc ? g_new0(int64_t, what->doc->n_items + 1) : NULL;
    if (slot && what->doc)
        item_store(storage, slot, what, rows);
    if (slot || !what->feed)
        alert_store(storage, slot, what, rows);
    if (slot && what->gap)
        alert_add_gap(storage, what->gap);
}

static void on_committed(struct task *task)
{
    const struct commit *call = (struct commit *)task;
    call->store->n_documents--;
    if (task->is_refused && call->what.ret_is_refused)
        *call->what.ret_is_refused = true;
    if (call->on_done)
        call->on_done(call->user);
}

static void commit_free(struct task *task)
{
    g_free(((struct commit *)task)->what.feed);
    g_free((gpointer)(uintptr_t)((struct commit *)task)->what.feed_title);
    g_free(task);
}

/* Without alerts a flush protects nothing: what a power loss takes back, it takes back together
 * with the validators, and the same items are found again. */
void store_commit(struct store *store, const struct store_commit *commit, store_done on_done,
                  void *user)
{
    struct commit *call = g_new0(struct commit, 1);
    call->task.run = run_commit;
    call->task.on_done = on_committed;
    call->task.free = commit_free;
    call->task.is_counted = true;
    call->task.needs_flush = commit->n_alerts > 0;
    call->task.is_urgent = commit->n_alerts > 0 && is_alone(store);
    call->store = store;
    store->n_documents++;
    call->what = *commit;
    call->what.feed = commit->feed ? feed_pack(commit->feed) : NULL;
    call->what.feed_title = g_strdup(commit->feed_title);
    call->on_done = on_done;
    call->user = user;
    thread_post(store->thread, &call->task);
}

/* ---- deliveries ---- */

struct pending {
    struct task task;
    char *sink;
    guint limit;
    GPtrArray *alerts;
    store_pending_done on_done;
    void *user;
};

static void run_pending(struct storage *storage, struct task *task)
{
    struct pending *call = (struct pending *)task;
    g_clear_pointer(&call->alerts, g_ptr_array_unref);
    call->alerts = alert_pending(storage, call->sink, call->limit);
}

/* Where the database refused the question. */
static GPtrArray *no_alerts(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)store_alert_free);
}

static void on_pending(struct task *task)
{
    struct pending *call = (struct pending *)task;
    GPtrArray *alerts = g_steal_pointer(&call->alerts);
    call->on_done(alerts ? alerts : no_alerts(), call->user);
}

static void pending_free(struct task *task)
{
    struct pending *call = (struct pending *)task;
    g_clear_pointer(&call->alerts, g_ptr_array_unref);
    g_free(call->sink);
    g_free(call);
}

void store_pending(struct store *store, const char *sink, guint limit, store_pending_done on_done,
                   void *user)
{
    struct pending *call = g_new0(struct pending, 1);
    call->task.run = run_pending;
    call->task.on_done = on_pending;
    call->task.free = pending_free;
    call->task.is_urgent = true;
    call->sink = g_strdup(sink);
    call->limit = limit;
    call->on_done = on_done;
    call->user = user;
    thread_post(store->thread, &call->task);
}

static void run_recent(struct storage *storage, struct task *task)
{
    struct pending *call = (struct pending *)task;
    g_clear_pointer(&call->alerts, g_ptr_array_unref);
    call->alerts = alert_recent(storage, call->sink, call->limit);
    if (db_code(storage->db) != SQLITE_OK)
        g_clear_pointer(&call->alerts, g_ptr_array_unref);
}

GPtrArray *store_recent(struct store *store, const char *sink, guint limit)
{
    g_autofree char *copy = g_strdup(sink);
    struct pending call = {
        .task = {.run = run_recent, .may_overtake = true}, .sink = copy, .limit = limit};
    thread_ask(store->thread, &call.task);
    return call.alerts;
}

static void run_mark(struct storage *storage, struct task *task)
{
    const struct call *call = (struct call *)task;
    alert_mark(storage, call->text, (const char *const *)call->ids, call->state, call->number);
}

void store_mark(struct store *store, const char *sink, const char *const *ids,
                enum store_delivery_state state, int64_t next_try_s, store_done on_done, void *user)
{
    struct call *call = call_new(run_mark);
    call->task.is_counted = true;
    call->task.needs_flush = true;
    call->text = g_strdup(sink);
    call->ids = g_strdupv((char **)(uintptr_t)ids);
    call->state = state;
    call->number = next_try_s;
    call->on_done = on_done;
    call->user = user;
    post(store, call);
}

static void run_note_sink(struct storage *storage, struct task *task)
{
    const struct call *call = (struct call *)task;
    alert_note_sink(storage, call->text, call->other_text);
}

void store_note_sink(struct store *store, const char *sink, const char *message)
{
    struct call *call = call_new(run_note_sink);
    call->text = g_strdup(sink);
    call->other_text = g_strdup(message);
    post(store, call);
}

static void run_ping(struct storage *storage, struct task *task)
{
    (void)storage;
    (void)task;
}

void store_ping(struct store *store, store_done on_done, void *user)
{
    struct call *call = call_new(run_ping);
    call->task.may_overtake = true;
    call->on_done = on_done;
    call->user = user;
    post(store, call);
}

static void run_add_gap(struct storage *storage, struct task *task)
{
    const struct call *call = (struct call *)task;
    const struct store_gap gap = {call->text, call->number, call->other_number, call->other_text};
    alert_add_gap(storage, &gap);
}

void store_add_gap(struct store *store, const struct store_gap *gap)
{
    struct call *call = call_new(run_add_gap);
    call->task.is_counted = true;
    call->text = g_strdup(gap->feed);
    call->other_text = g_strdup(gap->reason);
    call->number = gap->from_s;
    call->other_number = gap->to_s;
    post(store, call);
}
