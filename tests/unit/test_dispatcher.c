#include "alert/dispatcher.h"

#include <setjmp.h>
#include <string.h>
#include <stdarg.h>
#include <cmocka.h>

/* A store of rows in memory, in place of store/: completions come from the loop, as there. */

#define T0_S 1800000000

struct row {
    const char *sink;
    char *id;
    enum store_delivery_state state;
    int64_t attempts, next_try_s, time_ms;
};

struct world {
    GMainContext *context;
    struct clock *clock;
    struct dispatcher *dispatcher;
    GArray *rows;
    GPtrArray *sinks; /* struct fake, alive or not */
    bool holds_marks; /* a full disk: marks are accepted and not durable */
    GPtrArray *held;  /* struct completion */
    GString *said;    /* what the hooks were told */
    char *noted;      /* the last error, for status */
    bool is_drained;
};
static struct world world;

struct completion {
    store_done on_done;
    store_pending_done on_pending;
    GPtrArray *alerts;
    void *user;
    char **ids;
    enum store_delivery_state state;
    int64_t next_try_s;
    char *sink;
};

static void completion_free(gpointer data)
{
    struct completion *completion = data;
    g_strfreev(completion->ids);
    g_free(completion->sink);
    g_free(completion);
}

static void post(GSourceFunc run, gpointer data, GDestroyNotify notify)
{
    GSource *source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, run, data, notify);
    g_source_attach(source, world.context);
    g_source_unref(source);
}

void store_alert_free(struct store_alert *alert)
{
    g_free(alert->id);
    g_free(alert);
}

static gboolean run_pending(gpointer data)
{
    struct completion *completion = data;
    completion->on_pending(completion->alerts, completion->user);
    return G_SOURCE_REMOVE;
}

void store_pending(struct store *store, const char *sink, guint limit, store_pending_done on_done,
                   void *user)
{
    (void)store;
    struct completion *completion = g_new0(struct completion, 1);
    completion->on_pending = on_done;
    completion->user = user;
    completion->alerts = g_ptr_array_new_with_free_func((GDestroyNotify)store_alert_free);
    for (guint i = 0; i < world.rows->len && completion->alerts->len < limit; i++) {
        const struct row *row = &g_array_index(world.rows, struct row, i);
        if (strcmp(row->sink, sink) != 0 || row->state != STORE_DELIVERY_WAITING)
            continue;
        struct store_alert *alert = g_new0(struct store_alert, 1);
        alert->id = g_strdup(row->id);
        alert->attempts = row->attempts;
        alert->next_try_s = row->next_try_s;
        alert->time_ms = row->time_ms;
        g_ptr_array_add(completion->alerts, alert);
    }
    post(run_pending, completion, completion_free);
}

static struct row *find_row(const char *sink, const char *id)
{
    for (guint i = 0; i < world.rows->len; i++) {
        struct row *row = &g_array_index(world.rows, struct row, i);
        if (strcmp(row->sink, sink) == 0 && strcmp(row->id, id) == 0)
            return row;
    }
    fail_msg("no delivery of %s to %s", id, sink);
    return NULL;
}

static gboolean run_mark(gpointer data)
{
    struct completion *completion = data;
    for (char **id = completion->ids; *id; id++) {
        struct row *row = find_row(completion->sink, *id);
        assert_int_equal(row->state, STORE_DELIVERY_WAITING);
        row->state = completion->state;
        row->next_try_s = completion->next_try_s;
        row->attempts += completion->state == STORE_DELIVERY_WAITING;
    }
    completion->on_done(completion->user);
    return G_SOURCE_REMOVE;
}

void store_mark(struct store *store, const char *sink, const char *const *ids,
                enum store_delivery_state state, int64_t next_try_s, store_done on_done, void *user)
{
    (void)store;
    struct completion *completion = g_new0(struct completion, 1);
    *completion = (struct completion){.on_done = on_done,
                                      .user = user,
                                      .ids = g_strdupv((char **)(gsize)ids),
                                      .state = state,
                                      .next_try_s = next_try_s,
                                      .sink = g_strdup(sink)};
    if (world.holds_marks)
        g_ptr_array_add(world.held, completion);
    else
        post(run_mark, completion, completion_free);
}

void store_note_sink(struct store *store, const char *sink, const char *message)
{
    (void)store;
    (void)sink;
    g_free(world.noted);
    world.noted = g_strdup(message);
}

static void release_marks(void)
{
    world.holds_marks = false;
    for (guint i = 0; i < world.held->len; i++)
        post(run_mark, g_ptr_array_index(world.held, i), completion_free);
    g_ptr_array_set_size(world.held, 0);
}

/* A sink that does as it is told. */

enum conduct { ANSWER, HANG };

struct fake {
    char *id;
    struct sink_hooks hooks;
    enum conduct conduct;
    enum sink_result result;
    GPtrArray *batch; /* in hand */
    GString *taken;   /* IDs, a blank after each, "| " after each batch */
    guint n_takes;
    bool is_stopped, answers_at_stop;
};

static void answer(struct fake *fake, enum sink_result result)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    g_autoptr(GPtrArray) batch = g_steal_pointer(&fake->batch);
    for (guint i = 0; i < batch->len; i++)
        g_ptr_array_add(ids, ((struct store_alert *)g_ptr_array_index(batch, i))->id);
    g_ptr_array_add(ids, NULL);
    fake->hooks.on_result((const char *const *)(const void *)ids->pdata, result,
                          result == SINK_DONE ? NULL : "it said no", fake->hooks.user);
}

static gboolean run_answer(gpointer data)
{
    struct fake *fake = data;
    if (fake->batch && !fake->is_stopped)
        answer(fake, fake->result);
    return G_SOURCE_REMOVE;
}

static struct sink *fake_create(const struct sink_settings *settings,
                                const struct sink_hooks *hooks, GMainContext *context)
{
    assert_ptr_equal(context, world.context);
    struct fake *fake = g_new0(struct fake, 1);
    fake->id = g_strdup(settings->id);
    fake->hooks = *hooks;
    fake->taken = g_string_new(NULL);
    g_ptr_array_add(world.sinks, fake);
    return (struct sink *)fake;
}

static void fake_take(struct sink *sink, GPtrArray *alerts)
{
    struct fake *fake = (struct fake *)sink;
    assert_null(fake->batch);
    assert_true(alerts->len > 0 && alerts->len <= 3);
    fake->batch = g_ptr_array_ref(alerts);
    fake->n_takes++;
    for (guint i = 0; i < alerts->len; i++)
        g_string_append_printf(fake->taken, "%s ",
                               ((struct store_alert *)g_ptr_array_index(alerts, i))->id);
    g_string_append(fake->taken, "| ");
    if (fake->conduct == ANSWER)
        post(run_answer, fake, NULL);
}

static void fake_stop(struct sink *sink, int64_t deadline_ms)
{
    struct fake *fake = (struct fake *)sink;
    assert_true(deadline_ms >= 0);
    if (fake->batch && fake->answers_at_stop)
        answer(fake, SINK_DONE);
    fake->is_stopped = true;
    g_clear_pointer(&fake->batch, g_ptr_array_unref);
}

static void fake_free(gpointer data)
{
    struct fake *fake = data;
    g_free(fake->id);
    g_string_free(fake->taken, TRUE);
    g_free(fake);
}

static const struct sink_type fake_type = {"fake", 3, 3600, fake_create, fake_take, fake_stop};
static const struct sink_type *const types[] = {&fake_type, NULL};

static void on_sink(const char *sink, const char *message, void *user)
{
    (void)user;
    g_string_append_printf(world.said, "[%s %s]", sink, message ? message : "ok");
}

static void on_trouble(const char *sink, const char *message, void *user)
{
    (void)user;
    g_string_append_printf(world.said, "{%s %s}", sink, message);
}

static void on_drained(void *user)
{
    assert_ptr_equal(user, &world);
    assert_false(world.is_drained);
    world.is_drained = true;
}

static int set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world.context = g_main_context_new();
    world.clock = clock_new_scaled(clock_real_wall_ms() / 1000, 1000);
    world.rows = g_array_new(FALSE, FALSE, sizeof(struct row));
    world.sinks = g_ptr_array_new_with_free_func(fake_free);
    world.held = g_ptr_array_new();
    world.said = g_string_new(NULL);
    const struct dispatcher_parts parts = {world.context, world.clock, NULL, types};
    const struct dispatcher_hooks hooks = {on_sink, on_trouble, NULL};
    world.dispatcher = dispatcher_new(&parts, &hooks);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dispatcher_free(world.dispatcher, 100);
    release_marks();
    while (g_main_context_iteration(world.context, FALSE))
        ;
    for (guint i = 0; i < world.rows->len; i++)
        g_free(g_array_index(world.rows, struct row, i).id);
    g_array_unref(world.rows);
    g_ptr_array_unref(world.sinks);
    g_ptr_array_unref(world.held);
    g_string_free(world.said, TRUE);
    g_free(world.noted);
    g_main_context_unref(world.context);
    clock_free(world.clock);
    return 0;
}

static struct row *add_row(const char *sink, const char *id)
{
    struct row row = {sink, g_strdup(id), STORE_DELIVERY_WAITING, 0, 0, clock_real_wall_ms()};
    g_array_append_val(world.rows, row);
    return &g_array_index(world.rows, struct row, world.rows->len - 1);
}

static void set_sinks(const char *first, const char *second)
{
    const struct sink_settings sinks[] = {{.id = first, .type = "fake"},
                                          {.id = second, .type = "fake"}};
    dispatcher_set_sinks(world.dispatcher, sinks, second ? 2 : 1);
}

static struct fake *fake_at(guint index)
{
    assert_true(index < world.sinks->len);
    return g_ptr_array_index(world.sinks, index);
}

static gboolean on_tick(gpointer data)
{
    (void)data;
    return G_SOURCE_CONTINUE;
}

/* Runs the loop until the condition holds; the tick bounds a turn that waits for nothing. */
#define RUN_UNTIL(condition)                                  \
    do {                                                      \
        int64_t end_ms = clock_real_boot_ms() + 10000;        \
        GSource *tick = g_timeout_source_new(2);              \
        g_source_set_callback(tick, on_tick, NULL, NULL);     \
        g_source_attach(tick, world.context);                 \
        while (!(condition) && clock_real_boot_ms() < end_ms) \
            g_main_context_iteration(world.context, TRUE);    \
        g_source_destroy(tick);                               \
        g_source_unref(tick);                                 \
        assert_true(condition);                               \
    } while (0)

static void settle(void)
{
    while (g_main_context_iteration(world.context, FALSE))
        ;
}

static guint count_state(const char *sink, enum store_delivery_state state)
{
    guint n = 0;
    for (guint i = 0; i < world.rows->len; i++) {
        const struct row *row = &g_array_index(world.rows, struct row, i);
        n += strcmp(row->sink, sink) == 0 && row->state == state;
    }
    return n;
}

static void test_all_in_order_in_batches(void **state)
{
    (void)state;
    static const char *const ids[] = {"a", "b", "c", "d", "e", "f", "g"};
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
        add_row("one", ids[i]);
    set_sinks("one", NULL);
    settle();
    assert_string_equal(fake_at(0)->taken->str, "a b c | d e f | g | ");
    assert_int_equal(count_state("one", STORE_DELIVERY_DONE), 7);
    add_row("one", "h");
    dispatcher_kick(world.dispatcher);
    settle();
    assert_string_equal(fake_at(0)->taken->str, "a b c | d e f | g | h | ");
    assert_string_equal(world.said->str, "");
}

static void test_kicked_while_asking(void **state)
{
    (void)state;
    set_sinks("one", NULL); /* asks: the store reads now, and finds nothing */
    add_row("one", "a");
    dispatcher_kick(world.dispatcher);
    settle();
    assert_int_equal(count_state("one", STORE_DELIVERY_DONE), 1);
}

static void test_hanging_sink_delays_nobody(void **state)
{
    (void)state;
    add_row("one", "a");
    add_row("two", "a");
    set_sinks("one", "two");
    fake_at(0)->conduct = HANG;
    settle();
    assert_int_equal(count_state("one", STORE_DELIVERY_WAITING), 1);
    assert_int_equal(count_state("two", STORE_DELIVERY_DONE), 1);
    add_row("two", "b");
    dispatcher_kick(world.dispatcher);
    settle();
    assert_int_equal(count_state("two", STORE_DELIVERY_DONE), 2);
    assert_int_equal(fake_at(0)->n_takes, 1);
    answer(fake_at(0), SINK_DONE);
    settle();
    assert_int_equal(count_state("one", STORE_DELIVERY_DONE), 1);
}

static void test_down_is_not_counted(void **state)
{
    (void)state;
    add_row("one", "a");
    set_sinks("one", NULL);
    fake_at(0)->result = SINK_DOWN;
    RUN_UNTIL(fake_at(0)->n_takes >= DISPATCHER_ATTEMPTS_MAX - 7); /* 5 s, 10 s, … of scaled time */
    assert_int_equal(find_row("one", "a")->attempts, 0);
    assert_string_equal(world.said->str, "[one it said no]");
    g_autoptr(GString) states = g_string_new(NULL);
    dispatcher_append_state(world.dispatcher, states);
    assert_string_equal(states->str, "one: it said no");
    assert_string_equal(world.noted, "it said no");
    fake_at(0)->result = SINK_DONE;
    RUN_UNTIL(count_state("one", STORE_DELIVERY_DONE) == 1);
    assert_string_equal(world.said->str, "[one it said no][one ok]");
    g_string_truncate(states, 0);
    dispatcher_append_state(world.dispatcher, states);
    assert_string_equal(states->str, "");
    assert_null(world.noted);
}

static void test_new_deliveries_do_not_cut_the_back_off(void **state)
{
    (void)state;
    add_row("one", "a");
    set_sinks("one", NULL);
    fake_at(0)->result = SINK_OFF;
    settle();
    for (int i = 0; i < 20; i++) {
        dispatcher_kick(world.dispatcher);
        settle();
    }
    assert_int_equal(fake_at(0)->n_takes, 1);
}

static void test_ready_ends_the_back_off(void **state)
{
    (void)state;
    add_row("one", "a");
    set_sinks("one", NULL);
    fake_at(0)->result = SINK_OFF;
    settle();
    assert_int_equal(fake_at(0)->n_takes, 1);
    fake_at(0)->result = SINK_DONE;
    fake_at(0)->hooks.on_ready(fake_at(0)->hooks.user);
    settle(); /* no waiting: five minutes of scaled time are 300 ms */
    assert_int_equal(count_state("one", STORE_DELIVERY_DONE), 1);
}

static void test_retries_and_gives_up(void **state)
{
    (void)state;
    find_row(add_row("one", "a")->sink, "a")->attempts = DISPATCHER_ATTEMPTS_MAX - 3;
    add_row("one", "b");
    set_sinks("one", NULL);
    fake_at(0)->result = SINK_RETRY;
    settle();
    assert_string_equal(fake_at(0)->taken->str, "a b | ");
    assert_int_equal(find_row("one", "b")->attempts, 1);
    assert_string_equal(world.noted, "it said no");
    int64_t wait_s = find_row("one", "b")->next_try_s - clock_wall_s(world.clock);
    assert_true(wait_s > 0 && wait_s <= 30);
    fake_at(0)->conduct = HANG; /* what is due first comes back first, alone */
    RUN_UNTIL(fake_at(0)->n_takes == 2);
    assert_string_equal(fake_at(0)->taken->str, "a b | b | ");
    answer(fake_at(0), SINK_DONE);
    fake_at(0)->conduct = ANSWER;
    find_row("one", "a")->next_try_s = 0;
    dispatcher_kick(world.dispatcher);
    RUN_UNTIL(find_row("one", "a")->attempts == DISPATCHER_ATTEMPTS_MAX - 1);
    find_row("one", "a")->next_try_s = 0;
    dispatcher_kick(world.dispatcher);
    RUN_UNTIL(find_row("one", "a")->state == STORE_DELIVERY_FAILED);
    assert_non_null(strstr(world.said->str, "alert a was given up after 12 attempts: it said no"));
}

static void test_failed_and_expired(void **state)
{
    (void)state;
    add_row("one", "old")->time_ms -= 3601 * 1000;
    add_row("one", "bad");
    set_sinks("one", NULL);
    fake_at(0)->result = SINK_FAILED;
    settle();
    assert_int_equal(find_row("one", "old")->state, STORE_DELIVERY_EXPIRED);
    assert_int_equal(find_row("one", "bad")->state, STORE_DELIVERY_FAILED);
    assert_string_equal(fake_at(0)->taken->str, "bad | ");
    assert_non_null(strstr(world.said->str, "1 alerts had waited too long"));
    assert_non_null(strstr(world.said->str, "alert bad was given up: it said no"));
}

static void test_full_disk_repeats_nothing(void **state)
{
    (void)state;
    add_row("one", "a");
    world.holds_marks = true;
    set_sinks("one", NULL);
    settle();
    add_row("one", "b");
    for (int i = 0; i < 5; i++) {
        dispatcher_kick(world.dispatcher);
        settle();
    }
    assert_string_equal(fake_at(0)->taken->str, "a | ");
    release_marks();
    settle();
    assert_string_equal(fake_at(0)->taken->str, "a | b | ");
    assert_int_equal(count_state("one", STORE_DELIVERY_DONE), 2);
}

static void test_drain(void **state)
{
    (void)state;
    for (const char *const *id = (const char *const[]){"a", "b", "c", "d", NULL}; *id; id++)
        add_row("one", *id);
    add_row("two", "a");
    set_sinks("one", "two");
    fake_at(1)->result = SINK_OFF; /* nobody waits for it */
    dispatcher_drain(world.dispatcher, 8000, on_drained, &world);
    assert_false(world.is_drained);
    int64_t start_ms = clock_real_boot_ms();
    RUN_UNTIL(world.is_drained);
    assert_true(clock_real_boot_ms() - start_ms < 4000);
    assert_int_equal(count_state("one", STORE_DELIVERY_DONE), 4);
    assert_int_equal(count_state("two", STORE_DELIVERY_WAITING), 1);
}

static void test_drain_waits_for_one_that_is_down(void **state)
{
    (void)state;
    add_row("one", "a");
    set_sinks("one", NULL);
    fake_at(0)->result = SINK_DOWN;
    int64_t start_ms = clock_real_boot_ms();
    dispatcher_drain(world.dispatcher, 150, on_drained, &world);
    RUN_UNTIL(world.is_drained);
    assert_true(clock_real_boot_ms() - start_ms >= 150);
    assert_int_equal(count_state("one", STORE_DELIVERY_WAITING), 1);
}

static void test_drain_of_nothing(void **state)
{
    (void)state;
    dispatcher_drain(world.dispatcher, 8000, on_drained, &world);
    assert_false(world.is_drained);
    RUN_UNTIL(world.is_drained);
}

static void test_sinks_change(void **state)
{
    (void)state;
    const struct sink_settings unbuilt[] = {{.id = "one", .type = "fake"},
                                            {.id = "hook", .type = "webhook"}};
    add_row("hook", "a");
    dispatcher_set_sinks(world.dispatcher, unbuilt, 2);
    settle();
    assert_int_equal(world.sinks->len, 1);
    assert_int_equal(count_state("hook", STORE_DELIVERY_WAITING), 1);
    set_sinks("one", "two");
    assert_int_equal(world.sinks->len, 2);
    assert_false(fake_at(0)->is_stopped);
    set_sinks("two", NULL);
    assert_true(fake_at(0)->is_stopped);
    assert_false(fake_at(1)->is_stopped);
    settle();
    add_row("one", "a");
    dispatcher_kick(world.dispatcher);
    settle();
    assert_int_equal(count_state("one", STORE_DELIVERY_WAITING), 1);
    set_sinks("two", "one");
    settle();
    assert_int_equal(count_state("one", STORE_DELIVERY_DONE), 1);
}

static void test_stop_marks_what_is_known(void **state)
{
    (void)state;
    add_row("one", "a");
    add_row("two", "a");
    set_sinks("one", "two");
    fake_at(0)->conduct = fake_at(1)->conduct = HANG;
    fake_at(0)->answers_at_stop = true;
    settle();
    dispatcher_free(g_steal_pointer(&world.dispatcher), 1000);
    settle();
    assert_int_equal(count_state("one", STORE_DELIVERY_DONE), 1);
    assert_int_equal(count_state("two", STORE_DELIVERY_WAITING), 1);
    assert_int_equal(fake_at(0)->n_takes, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_in_order_in_batches),
        TEST(test_kicked_while_asking),
        TEST(test_hanging_sink_delays_nobody),
        TEST(test_down_is_not_counted),
        TEST(test_new_deliveries_do_not_cut_the_back_off),
        TEST(test_ready_ends_the_back_off),
        TEST(test_retries_and_gives_up),
        TEST(test_failed_and_expired),
        TEST(test_full_disk_repeats_nothing),
        TEST(test_drain),
        TEST(test_drain_waits_for_one_that_is_down),
        TEST(test_drain_of_nothing),
        TEST(test_sinks_change),
        TEST(test_stop_marks_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
