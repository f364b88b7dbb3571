#include "alert/dispatcher.h"

#include "base/log.h"
#include "base/source.h"

#include <string.h>

#define DOWN_FIRST_MS      5000
#define DOWN_MAX_MS        300000
#define RETRY_FIRST_S      30
#define RETRY_MAX_S        3600
#define EMPTY_DELAY_MS     (RETRY_MAX_S * 1000)
#define RELOAD_DEADLINE_MS 100

/* One sink's way. Completions of the store may come after its end, so they hold a reference. */
struct lane {
    grefcount refs;
    struct dispatcher *dispatcher; /* NULL: it has ended */
    char *id;
    const struct sink_type *type;
    char *fingerprint; /* of its settings */
    struct sink *sink;
    bool is_asking, is_stopping;
    GHashTable *out; /* in the sink's hands: id -> attempts so far */
    guint n_marks;   /* not yet durable */
    bool is_kicked;  /* new deliveries since the store was asked */
    bool is_empty;   /* nothing that is due waited when the store was last asked */
    bool is_down, is_off;
    guint n_downs; /* in a row */
    char *message; /* why it is down */
    bool has_note; /* status may say that something went wrong */
    GSource *timer;
};

struct dispatcher {
    struct dispatcher_parts parts;
    struct dispatcher_hooks hooks;
    GPtrArray *lanes;
    void (*on_drained)(void *user);
    void *drain_user;
    GSource *drain_timer;
};

static void ask(struct lane *lane);
static void check_drained(struct dispatcher *dispatcher);

static void lane_unref(struct lane *lane)
{
    if (!g_ref_count_dec(&lane->refs))
        return;
    g_hash_table_unref(lane->out);
    g_free(lane->message);
    g_free(lane->fingerprint);
    g_free(lane->id);
    g_free(lane);
}

static struct lane *lane_ref(struct lane *lane)
{
    g_ref_count_inc(&lane->refs);
    return lane;
}

static gboolean on_lane_time(gpointer user)
{
    struct lane *lane = user;
    source_end(&lane->timer);
    ask(lane);
    return G_SOURCE_REMOVE;
}

/* Another look after so much of the clock's own time. */
static void rest(struct lane *lane, int64_t delay_ms)
{
    source_end(&lane->timer);
    int64_t real_ms = clock_real_delay_ms(lane->dispatcher->parts.clock, delay_ms);
    lane->timer = source_after(lane->dispatcher->parts.context, real_ms, on_lane_time, lane);
}

/* For status. NULL: all is well. */
static void note(struct lane *lane, const char *message)
{
    if (!message && !lane->has_note)
        return;
    store_note_sink(lane->dispatcher->parts.store, lane->id, message);
    lane->has_note = message != NULL;
}

static void set_message(struct lane *lane, const char *message)
{
    if (g_strcmp0(message, lane->message) == 0)
        return;
    g_free(lane->message);
    lane->message = g_strdup(message);
    lane->dispatcher->hooks.on_sink(lane->id, message, lane->dispatcher->hooks.user);
}

static bool is_busy(const struct lane *lane)
{
    return lane->is_asking || lane->n_marks > 0 || g_hash_table_size(lane->out) > 0;
}

/* What comes after a batch whose results are all in and durable. */
static void go_on(struct lane *lane)
{
    if (is_busy(lane) || lane->is_stopping)
        return;
    if (!lane->is_down) {
        ask(lane);
        return;
    }
    int64_t delay_ms = DOWN_MAX_MS;
    if (lane->n_downs < 8)
        delay_ms = MIN((int64_t)DOWN_FIRST_MS << lane->n_downs, (int64_t)DOWN_MAX_MS);
    lane->n_downs++;
    rest(lane, delay_ms);
    check_drained(lane->dispatcher);
}

static void on_marked(void *user)
{
    struct lane *lane = user;
    lane->n_marks--;
    if (lane->dispatcher)
        go_on(lane);
    lane_unref(lane);
}

static void mark(struct lane *lane, const char *const *ids, enum store_delivery_state state,
                 int64_t next_try_s)
{
    if (!ids[0])
        return;
    lane->n_marks++;
    store_mark(lane->dispatcher->parts.store, lane->id, ids, state, next_try_s, on_marked,
               lane_ref(lane));
}

static void G_GNUC_PRINTF(2, 3) trouble(struct lane *lane, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    note(lane, text);
    lane->dispatcher->hooks.on_trouble(lane->id, text, lane->dispatcher->hooks.user);
}

/* One alert that failed for now. attempts: before this one. */
static void retry(struct lane *lane, const char *id, int attempts, const char *message)
{
    const char *const ids[] = {id, NULL};
    int64_t now_s = clock_wall_s(lane->dispatcher->parts.clock);
    if (attempts + 1 >= DISPATCHER_ATTEMPTS_MAX) {
        trouble(lane, "alert %s was given up after %d attempts: %s", id, attempts + 1, message);
        mark(lane, ids, STORE_DELIVERY_FAILED, 0);
        return;
    }
    log_debug("sink %s: alert %s: %s", lane->id, id, message);
    note(lane, message);
    int64_t delay_s = MIN((int64_t)RETRY_FIRST_S << MIN(attempts, 7), (int64_t)RETRY_MAX_S);
    mark(lane, ids, STORE_DELIVERY_WAITING, now_s + delay_s);
}

static void set_down(struct lane *lane, bool is_off, const char *message)
{
    lane->is_down = true;
    lane->is_off = is_off;
    if (g_strcmp0(message, lane->message) != 0)
        note(lane, message);
    set_message(lane, message);
}

static void set_up(struct lane *lane)
{
    lane->is_down = lane->is_off = false;
    lane->n_downs = 0;
    set_message(lane, NULL);
}

static void on_result(const char *const *ids, enum sink_result result, const char *message,
                      void *user)
{
    struct lane *lane = user;
    g_autoptr(GPtrArray) known = g_ptr_array_new_with_free_func(g_free);
    for (; *ids; ids++) {
        gpointer id, attempts;
        if (!g_hash_table_steal_extended(lane->out, *ids, &id, &attempts))
            continue;
        g_ptr_array_add(known, id);
        if (result == SINK_RETRY)
            retry(lane, id, GPOINTER_TO_INT(attempts), message ? message : "no reason given");
        else if (result == SINK_FAILED)
            trouble(lane, "alert %s was given up: %s", *ids, message ? message : "no reason given");
    }
    g_ptr_array_add(known, NULL);
    const char *const *taken = (const char *const *)(const void *)known->pdata;
    if (result == SINK_DONE || result == SINK_FAILED)
        mark(lane, taken, result == SINK_DONE ? STORE_DELIVERY_DONE : STORE_DELIVERY_FAILED, 0);
    if (result == SINK_DOWN || result == SINK_OFF)
        set_down(lane, result == SINK_OFF, message ? message : "does not work now");
    else
        set_up(lane);
    if (result == SINK_DONE)
        note(lane, NULL);
    go_on(lane);
}

static void on_ready(void *user)
{
    struct lane *lane = user;
    set_up(lane);
    if (!is_busy(lane) && !lane->is_stopping)
        ask(lane);
}

static void on_trouble(const char *message, void *user)
{
    struct lane *lane = user;
    lane->dispatcher->hooks.on_trouble(lane->id, message, lane->dispatcher->hooks.user);
}

/* What of it is due now; the rest is freed. ret_expired: their IDs. ret_next_s: when the first of
 * the others is due, INT64_MAX: none waits. */
static GPtrArray *take_due(const struct lane *lane, GPtrArray *alerts, GPtrArray *ret_expired,
                           int64_t *ret_next_s)
{
    int64_t now_s = clock_wall_s(lane->dispatcher->parts.clock);
    int64_t oldest_ms =
        lane->type->expire_s > 0 ? clock_real_wall_ms() - lane->type->expire_s * 1000 : INT64_MIN;
    GPtrArray *due = g_ptr_array_new_with_free_func((GDestroyNotify)store_alert_free);
    gsize n_alerts;
    g_autofree gpointer *list = g_ptr_array_steal(alerts, &n_alerts);
    *ret_next_s = INT64_MAX;
    for (gsize i = 0; i < n_alerts; i++) {
        struct store_alert *alert = list[i];
        bool is_expired = alert->time_ms < oldest_ms;
        if (!is_expired && alert->next_try_s <= now_s) {
            g_ptr_array_add(due, alert);
            continue;
        }
        if (is_expired)
            g_ptr_array_add(ret_expired, g_strdup(alert->id));
        else
            *ret_next_s = MIN(*ret_next_s, alert->next_try_s);
        store_alert_free(alert);
    }
    return due;
}

static void hand_over(struct lane *lane, GPtrArray *batch)
{
    for (guint i = 0; i < batch->len; i++) {
        const struct store_alert *alert = g_ptr_array_index(batch, i);
        g_hash_table_insert(lane->out, g_strdup(alert->id),
                            GINT_TO_POINTER((int)MIN(alert->attempts, DISPATCHER_ATTEMPTS_MAX)));
    }
    lane->type->take(lane->sink, batch);
}

static void on_pending(GPtrArray *alerts, void *user)
{
    struct lane *lane = user;
    lane->is_asking = false;
    if (!lane->dispatcher || lane->is_stopping) {
        g_ptr_array_unref(alerts);
        lane_unref(lane);
        return;
    }
    int64_t next_s;
    g_autoptr(GPtrArray) expired = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) batch = take_due(lane, alerts, expired, &next_s);
    g_ptr_array_unref(alerts);
    if (expired->len > 0) {
        trouble(lane, "%u alerts had waited too long and were given up", expired->len);
        g_ptr_array_add(expired, NULL);
        mark(lane, (const char *const *)(const void *)expired->pdata, STORE_DELIVERY_EXPIRED, 0);
    }
    lane->is_empty = batch->len == 0;
    if (batch->len > 0)
        hand_over(lane, batch);
    else if (lane->is_kicked && lane->n_marks == 0)
        ask(lane);
    else if (next_s != INT64_MAX)
        rest(lane, MIN((next_s - clock_wall_s(lane->dispatcher->parts.clock)) * 1000,
                       (int64_t)EMPTY_DELAY_MS));
    check_drained(lane->dispatcher);
    lane_unref(lane);
}

static void ask(struct lane *lane)
{
    source_end(&lane->timer);
    if (lane->is_stopping)
        return;
    lane->is_asking = true;
    lane->is_kicked = false;
    store_pending(lane->dispatcher->parts.store, lane->id, lane->type->batch_max, on_pending,
                  lane_ref(lane));
}

static gboolean on_drain_time(gpointer user)
{
    struct dispatcher *dispatcher = user;
    void (*on_drained)(void *) = dispatcher->on_drained;
    source_end(&dispatcher->drain_timer);
    dispatcher->on_drained = NULL;
    on_drained(dispatcher->drain_user);
    return G_SOURCE_REMOVE;
}

static bool is_drained(const struct lane *lane)
{
    return !is_busy(lane) && (lane->is_empty || lane->is_off);
}

static void check_drained(struct dispatcher *dispatcher)
{
    if (!dispatcher->on_drained)
        return;
    for (guint i = 0; i < dispatcher->lanes->len; i++)
        if (!is_drained(g_ptr_array_index(dispatcher->lanes, i)))
            return;
    source_end(&dispatcher->drain_timer);
    dispatcher->drain_timer = source_after(dispatcher->parts.context, 0, on_drain_time, dispatcher);
}

struct dispatcher *dispatcher_new(const struct dispatcher_parts *parts,
                                  const struct dispatcher_hooks *hooks)
{
    struct dispatcher *dispatcher = g_new0(struct dispatcher, 1);
    dispatcher->parts = *parts;
    dispatcher->hooks = *hooks;
    dispatcher->lanes = g_ptr_array_new();
    return dispatcher;
}

static const struct sink_type *find_type(const struct dispatcher *dispatcher, const char *name)
{
    const struct sink_type *const *type = dispatcher->parts.types;
    while (*type && strcmp((*type)->name, name) != 0)
        type++;
    return *type;
}

static void add_lane(struct dispatcher *dispatcher, const struct sink_type *type,
                     const struct sink_settings *settings)
{
    struct lane *lane = g_new0(struct lane, 1);
    const struct sink_hooks hooks = {on_result, on_ready, on_trouble, lane};
    g_ref_count_init(&lane->refs);
    lane->dispatcher = dispatcher;
    lane->id = g_strdup(settings->id);
    lane->type = type;
    lane->fingerprint = sink_fingerprint(settings);
    lane->has_note = true; /* from the run before */
    lane->out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    lane->sink = type->create(settings, &hooks, dispatcher->parts.context);
    g_ptr_array_add(dispatcher->lanes, lane);
    ask(lane);
}

static void end_lane(struct lane *lane, int64_t deadline_ms)
{
    lane->is_stopping = true;
    lane->type->stop(lane->sink, MAX(deadline_ms, (int64_t)0));
    source_end(&lane->timer);
    lane->dispatcher = NULL;
    lane_unref(lane);
}

static bool has_settings(const struct lane *lane, const struct sink_settings *sinks, size_t n_sinks)
{
    for (size_t i = 0; i < n_sinks; i++) {
        g_autofree char *theirs = sink_fingerprint(&sinks[i]);
        if (strcmp(sinks[i].id, lane->id) == 0 && strcmp(theirs, lane->fingerprint) == 0)
            return true;
    }
    return false;
}

static bool has_lane(const struct dispatcher *dispatcher, const char *id)
{
    for (guint i = 0; i < dispatcher->lanes->len; i++)
        if (strcmp(((struct lane *)g_ptr_array_index(dispatcher->lanes, i))->id, id) == 0)
            return true;
    return false;
}

void dispatcher_set_sinks(struct dispatcher *dispatcher, const struct sink_settings *sinks,
                          size_t n_sinks)
{
    for (guint i = dispatcher->lanes->len; i-- > 0;) {
        struct lane *lane = g_ptr_array_index(dispatcher->lanes, i);
        if (has_settings(lane, sinks, n_sinks))
            continue;
        g_ptr_array_remove_index(dispatcher->lanes, i);
        end_lane(lane, RELOAD_DEADLINE_MS);
    }
    for (size_t i = 0; i < n_sinks; i++) {
        const struct sink_type *type = find_type(dispatcher, sinks[i].type);
        if (type && !has_lane(dispatcher, sinks[i].id))
            add_lane(dispatcher, type, &sinks[i]);
    }
}

void dispatcher_kick(struct dispatcher *dispatcher)
{
    for (guint i = 0; i < dispatcher->lanes->len; i++) {
        struct lane *lane = g_ptr_array_index(dispatcher->lanes, i);
        lane->is_kicked = true;
        if (!is_busy(lane) && !lane->is_down)
            ask(lane);
    }
}

void dispatcher_drain(struct dispatcher *dispatcher, int64_t deadline_ms,
                      void (*on_drained)(void *user), void *user)
{
    dispatcher->on_drained = on_drained;
    dispatcher->drain_user = user;
    dispatcher->drain_timer =
        source_after(dispatcher->parts.context, deadline_ms, on_drain_time, dispatcher);
    for (guint i = 0; i < dispatcher->lanes->len; i++) {
        struct lane *lane = g_ptr_array_index(dispatcher->lanes, i);
        lane->is_kicked = true;
        if (!is_busy(lane))
            ask(lane);
    }
    check_drained(dispatcher);
}

void dispatcher_append_state(const struct dispatcher *dispatcher, GString *out)
{
    for (guint i = 0; i < dispatcher->lanes->len; i++) {
        const struct lane *lane = g_ptr_array_index(dispatcher->lanes, i);
        if (lane->message)
            g_string_append_printf(out, "%s%s: %s", out->len > 0 ? "; " : "", lane->id,
                                   lane->message);
    }
}

void dispatcher_finish(struct dispatcher *dispatcher)
{
    for (guint i = 0; i < dispatcher->lanes->len; i++)
        ((struct lane *)g_ptr_array_index(dispatcher->lanes, i))->is_stopping = true;
}

bool dispatcher_is_delivering(const struct dispatcher *dispatcher)
{
    for (guint i = 0; i < dispatcher->lanes->len; i++)
        if (g_hash_table_size(((struct lane *)g_ptr_array_index(dispatcher->lanes, i))->out) > 0)
            return true;
    return false;
}

void dispatcher_free(struct dispatcher *dispatcher, int64_t deadline_ms)
{
    if (!dispatcher)
        return;
    int64_t end_ms = clock_real_boot_ms() + deadline_ms;
    for (guint i = 0; i < dispatcher->lanes->len; i++)
        end_lane(g_ptr_array_index(dispatcher->lanes, i), end_ms - clock_real_boot_ms());
    source_end(&dispatcher->drain_timer);
    g_ptr_array_unref(dispatcher->lanes);
    g_free(dispatcher);
}
