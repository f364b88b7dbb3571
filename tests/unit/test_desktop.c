#include "alert/sink.h"

#include "alert/presenter.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "notify_server.h"
#include <cmocka.h>

struct world {
    struct bus bus;
    struct server *server;
    GMainContext *context;
    struct sink *sink;
    GHashTable *results; /* id -> enum sink_result + 1, the latest */
    guint n_results, n_ready;
    enum sink_result last;
    char *message, *trouble;
    guint n_alerts; /* made so far */
    char *opened;   /* the file into which the stand-in for a browser writes its argument */
};
static struct world world;

static void on_result(const char *const *ids, enum sink_result result, const char *message,
                      void *user)
{
    assert_ptr_equal(user, &world);
    for (; *ids; ids++) {
        g_hash_table_insert(world.results, g_strdup(*ids), GINT_TO_POINTER((int)result + 1));
        world.n_results++;
    }
    world.last = result;
    g_free(world.message);
    world.message = g_strdup(message);
}

static void on_ready(void *user)
{
    (void)user;
    world.n_ready++;
}

static void on_trouble(const char *message, void *user)
{
    (void)user;
    g_free(world.trouble);
    world.trouble = g_strdup(message);
}

static const struct sink_hooks hooks = {on_result, on_ready, on_trouble, &world};

static struct sink *new_sink(void)
{
    const struct sink_settings settings = {.id = "desktop", .type = "desktop"};
    return sink_desktop.create(&settings, &hooks, world.context);
}

static void alert_free(gpointer data)
{
    struct store_alert *alert = data;
    char *const texts[] = {alert->id,   alert->rule,         alert->urgency,
                           alert->feed, alert->feed_title,   alert->title,
                           alert->link, alert->matched_text, alert->summary};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_free(alert);
}

/* n alerts of n items, numbered on from the last. */
static GPtrArray *make_alerts(guint n)
{
    GPtrArray *alerts = g_ptr_array_new_with_free_func(alert_free);
    for (guint i = 0; i < n; i++) {
        struct store_alert *alert = g_new0(struct store_alert, 1);
        guint number = ++world.n_alerts;
        alert->id = g_strdup_printf("%08u", number);
        alert->rule = g_strdup("russia-cuba");
        alert->urgency = g_strdup("low");
        alert->feed = g_strdup("granma");
        alert->feed_title = g_strdup("Granma & more");
        alert->title = g_strdup_printf("Headline <b>%u</b>", number);
        alert->link = g_strdup_printf("https://example.org/%u", number);
        alert->matched_text = g_strdup("cuba: Havana");
        alert->summary = g_strdup("Some <i>text</i>");
        alert->time_ms = clock_real_wall_ms();
        alert->item = number;
        g_ptr_array_add(alerts, alert);
    }
    return alerts;
}

static struct store_alert *alert_at(GPtrArray *alerts, guint index)
{
    return g_ptr_array_index(alerts, index);
}

static void take(GPtrArray *alerts)
{
    sink_desktop.take(world.sink, alerts);
    g_ptr_array_unref(alerts);
}

static gboolean on_tick(gpointer data)
{
    (void)data;
    return G_SOURCE_CONTINUE;
}

#define RUN_UNTIL(condition)                                  \
    do {                                                      \
        int64_t end_ms = clock_real_boot_ms() + 15000;        \
        GSource *tick = g_timeout_source_new(5);              \
        g_source_set_callback(tick, on_tick, NULL, NULL);     \
        g_source_attach(tick, world.context);                 \
        while (!(condition) && clock_real_boot_ms() < end_ms) \
            g_main_context_iteration(world.context, TRUE);    \
        g_source_destroy(tick);                               \
        g_source_unref(tick);                                 \
        assert_true(condition);                               \
    } while (0)

static guint count_results(enum sink_result result)
{
    guint n = 0;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, world.results);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        n += GPOINTER_TO_INT(value) == (int)result + 1;
    return n;
}

static void start_server(const char *const *capabilities)
{
    world.server = server_new(&world.bus, capabilities);
}

static void stop_server(void)
{
    g_clear_pointer(&world.server, server_free);
}

static int set_up_without_bus(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    bus_init(&world.bus);
    g_setenv("DBUS_SESSION_BUS_ADDRESS", world.bus.address, TRUE);
    g_unsetenv("INVOCATION_ID");
    g_unsetenv("FEEDWATCH_OPENER");
    world.context = g_main_context_new();
    world.results = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    world.opened = g_build_filename(world.bus.folder, "opened", NULL);
    world.sink = new_sink();
    return 0;
}

static int set_up_without_server(void **state)
{
    set_up_without_bus(state);
    if (!bus_start(&world.bus))
        return -1;
    GDBusConnection *probe = bus_connect(&world.bus);
    if (!probe)
        return -1;
    g_object_unref(probe);
    return 0;
}

static int set_up(void **state)
{
    if (set_up_without_server(state) != 0)
        return -1;
    start_server(CAPABILITIES_ALL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (world.server)
        server_release(world.server);
    if (world.sink)
        sink_desktop.stop(world.sink, 5000);
    stop_server();
    while (g_main_context_iteration(world.context, FALSE))
        ;
    bus_clear(&world.bus);
    g_main_context_unref(world.context);
    g_hash_table_unref(world.results);
    g_free(world.message);
    g_free(world.trouble);
    g_free(world.opened);
    return 0;
}

static const char *hint_text(const struct notified *notified, const char *name)
{
    g_autoptr(GVariant) value =
        !notified->hints ? NULL
                         : g_variant_lookup_value(notified->hints, name, G_VARIANT_TYPE_STRING);
    return value ? g_intern_string(g_variant_get_string(value, NULL)) : NULL;
}

static guint8 hint_urgency(const struct notified *notified)
{
    guint8 urgency = 99;
    if (notified->hints)
        g_variant_lookup(notified->hints, "urgency", "y", &urgency);
    return urgency;
}

static void test_one_popup(void **state)
{
    (void)state;
    GPtrArray *alerts = make_alerts(2);
    alert_at(alerts, 1)->item = alert_at(alerts, 0)->item;
    g_free(alert_at(alerts, 1)->rule);
    alert_at(alerts, 1)->rule = g_strdup("cuba");
    g_free(alert_at(alerts, 1)->urgency);
    alert_at(alerts, 1)->urgency = g_strdup("critical");
    take(alerts);
    RUN_UNTIL(count_results(SINK_DONE) == 2);
    assert_int_equal(server_count(world.server), 1);
    const struct notified *shown = server_at(world.server, 0);
    assert_string_equal(shown->summary, "Headline <b>1</b>");
    assert_string_equal(shown->body, "Granma &amp; more · russia-cuba, cuba\ncuba: Havana\n"
                                     "Some &lt;i&gt;text&lt;/i&gt;");
    assert_string_equal(shown->icon, "feedwatch");
    assert_int_equal(hint_urgency(shown), 2);
    assert_string_equal(hint_text(shown, "desktop-entry"), "feedwatch");
    assert_string_equal(hint_text(shown, "category"), "x-feedwatch.alert");
    assert_string_equal(hint_text(shown, "x-dunst-stack-tag"), "feedwatch-00000001");
    assert_null(hint_text(shown, "x-canonical-private-synchronous"));
    static const char *const actions[] = {"default", "Open", "open", "Open link", NULL};
    assert_true(g_strv_equal((const char *const *)shown->actions, actions));
}

static void test_three_popups_then_one_digest(void **state)
{
    (void)state;
    take(make_alerts(8));
    RUN_UNTIL(count_results(SINK_DONE) == 8);
    assert_int_equal(server_count(world.server), 4);
    for (guint i = 0; i < 3; i++) {
        g_autofree char *title = g_strdup_printf("Headline <b>%u</b>", i + 1);
        assert_string_equal(server_at(world.server, i)->summary, title);
    }
    const struct notified *digest = server_at(world.server, 3);
    assert_string_equal(digest->summary, "5 new: Headline <b>8</b>");
    assert_non_null(strstr(digest->body, "Headline &lt;b&gt;7&lt;/b&gt;\n"));
    assert_int_equal(digest->actions[0] != NULL, false);
    take(make_alerts(2));
    RUN_UNTIL(count_results(SINK_DONE) == 10);
    assert_int_equal(server_count(world.server), 5);
    const struct notified *update = server_at(world.server, 4);
    assert_int_equal(update->replaces, digest->id);
    assert_string_equal(update->summary, "7 new: Headline <b>10</b>");
    assert_string_equal(hint_text(update, "x-dunst-stack-tag"),
                        hint_text(digest, "x-dunst-stack-tag"));
}

/* S25. The dispatcher hands over full batches as long as there are any. */
static void test_a_flood_is_one_digest(void **state)
{
    (void)state;
    const guint sizes[] = {PRESENTER_BATCH_MAX, PRESENTER_BATCH_MAX, 2000};
    guint sum = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        take(make_alerts(sizes[i]));
        sum += sizes[i];
        RUN_UNTIL(world.n_results == sum);
    }
    assert_int_equal(count_results(SINK_DONE), 10000);
    assert_int_equal(server_count(world.server), 6);
    for (guint i = 4; i < 6; i++)
        assert_int_equal(server_at(world.server, i)->replaces, server_at(world.server, 3)->id);
    assert_string_equal(server_at(world.server, 5)->summary, "9997 new: Headline <b>10000</b>");
}

static void test_capabilities_are_asked_of_each_owner(void **state)
{
    (void)state;
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_DONE) == 1);
    stop_server();
    start_server(CAPABILITIES_NONE);
    RUN_UNTIL(world.n_ready == 2);
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_DONE) == 2);
    const struct notified *shown = server_at(world.server, 0);
    assert_non_null(strstr(shown->body, "Granma & more"));
    assert_non_null(strstr(shown->body, "<i>text</i>"));
    assert_null(shown->actions[0]);
}

static void test_server_comes_later(void **state)
{
    (void)state;
    GPtrArray *alerts = make_alerts(6);
    alert_at(alerts, 0)->time_ms -= OLD_MS + 1000;
    alert_at(alerts, 1)->time_ms -= OLD_MS + 1000;
    take(g_ptr_array_ref(alerts));
    RUN_UNTIL(count_results(SINK_DOWN) == 6);
    assert_string_equal(world.message, "there is no notification server");
    start_server(CAPABILITIES_ALL);
    RUN_UNTIL(world.n_ready == 1);
    take(alerts);
    RUN_UNTIL(count_results(SINK_DONE) == 6);
    assert_int_equal(server_count(world.server), 4);
    assert_string_equal(server_at(world.server, 0)->summary, "Headline <b>3</b>");
    /* Two of yesterday, and the fourth of today. */
    assert_string_equal(server_at(world.server, 3)->summary, "3 new: Headline <b>6</b>");
}

static void test_no_bus(void **state)
{
    (void)state;
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_OFF) == 1);
    assert_string_equal(world.message, "there is no session bus");
    assert_true(bus_start(&world.bus));
    start_server(CAPABILITIES_ALL);
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_DONE) == 1);
}

/* Nobody has to hand over anything: the socket is seen. */
static void test_bus_comes_later(void **state)
{
    (void)state;
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_OFF) == 1);
    assert_true(bus_start(&world.bus));
    start_server(CAPABILITIES_ALL);
    RUN_UNTIL(world.n_ready == 1);
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_DONE) == 1);
}

static void test_no_address_of_a_bus(void **state)
{
    (void)state;
    g_unsetenv("DBUS_SESSION_BUS_ADDRESS");
    g_setenv("XDG_RUNTIME_DIR", world.bus.folder, TRUE);
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_OFF) == 1);
}

/* A session ends and another begins: the process lives on. */
static void test_bus_restarts(void **state)
{
    (void)state;
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_DONE) == 1);
    bus_stop(&world.bus);
    take(make_alerts(1)); /* finds the bus gone, now or in a moment */
    RUN_UNTIL(world.n_results == 2);
    assert_true(world.last == SINK_OFF || world.last == SINK_DOWN);
    stop_server();
    assert_true(bus_start(&world.bus));
    start_server(CAPABILITIES_ALL);
    do {
        guint before = world.n_results;
        take(make_alerts(1));
        RUN_UNTIL(world.n_results == before + 1);
    } while (world.last != SINK_DONE && world.n_results < 20);
    assert_int_equal(world.last, SINK_DONE);
    assert_int_equal(server_count(world.server), 1);
}

static void test_too_fast_is_tried_again(void **state)
{
    (void)state;
    g_mutex_lock(&world.server->lock);
    world.server->n_too_fast = 1;
    g_mutex_unlock(&world.server->lock);
    take(make_alerts(2));
    RUN_UNTIL(count_results(SINK_DONE) == 2);
    assert_int_equal(world.n_results, 2);
    assert_int_equal(server_count(world.server), 2);
    assert_string_equal(server_at(world.server, 0)->summary, "Headline <b>1</b>");
}

/* It dies with the first popup in its hands: none is lost, and what it had shown is not repeated.
 */
static void test_server_dies_in_a_burst(void **state)
{
    (void)state;
    GPtrArray *alerts = make_alerts(5);
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_DONE) == 1);
    server_set(world.server, DIE);
    take(g_ptr_array_ref(alerts));
    RUN_UNTIL(count_results(SINK_DOWN) == 5);
    stop_server();
    start_server(CAPABILITIES_ALL);
    RUN_UNTIL(world.n_ready == 2);
    take(alerts);
    RUN_UNTIL(count_results(SINK_DONE) == 6);
    assert_int_equal(server_count(world.server), 3);
    assert_string_equal(server_at(world.server, 0)->summary, "Headline <b>1</b>");
    assert_string_equal(server_at(world.server, 2)->summary, "3 new: Headline <b>5</b>");
}

/* A call that timed out is no reason to repeat: the server answers a later question, so it has seen
 * the call. */
static void test_in_doubt_and_shown(void **state)
{
    (void)state;
    server_set(world.server, FAIL_NO_REPLY);
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_DONE) == 1);
    assert_int_equal(server_count(world.server), 1);
    take(make_alerts(4));
    RUN_UNTIL(count_results(SINK_DONE) == 5);
    assert_int_equal(server_count(world.server), 4);
}

static void test_stop_does_not_wait_for_a_server_that_hangs(void **state)
{
    (void)state;
    server_set(world.server, HOLD);
    take(make_alerts(1));
    RUN_UNTIL(server_count(world.server) == 1);
    int64_t start_ms = clock_real_boot_ms();
    sink_desktop.stop(world.sink, 200);
    assert_in_range(clock_real_boot_ms() - start_ms, 200, 3000);
    world.sink = new_sink(); /* off, until the thread that was left behind has its answer */
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_OFF) == 1);
    server_release(world.server);
    do {
        guint before = world.n_results;
        take(make_alerts(1));
        RUN_UNTIL(world.n_results == before + 1);
    } while (world.last == SINK_OFF && world.n_results < 10000);
    assert_int_equal(world.last, SINK_DONE);
}

static void test_second_sink_is_off(void **state)
{
    (void)state;
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_DONE) == 1);
    struct sink *first = world.sink;
    world.sink = new_sink();
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_OFF) == 1);
    sink_desktop.stop(world.sink, 1000);
    world.sink = first;
    assert_int_equal(server_count(world.server), 1);
}

/* --- clicks --- */

static void stand_in_opener(void)
{
    g_autofree char *path = g_build_filename(world.bus.folder, "opener", NULL);
    g_autofree char *text = g_strdup_printf("#!/bin/sh\nprintf '%%s|' \"$#\" \"$@\" >>%s\n"
                                            "echo >>%s\n",
                                            world.opened, world.opened);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    assert_int_equal(g_chmod(path, 0700), 0);
    g_setenv("FEEDWATCH_OPENER", path, TRUE);
}

static char *read_opened(void)
{
    char *text = NULL;
    return g_file_get_contents(world.opened, &text, NULL, NULL) ? text : g_strdup("");
}

static bool has_opened(const char *expected)
{
    g_autofree char *text = read_opened();
    return strcmp(text, expected) == 0;
}

static void send_action(GDBusConnection *from, const char *to, GVariant *arguments)
{
    assert_true(g_dbus_connection_emit_signal(from, to, "/org/freedesktop/Notifications",
                                              "org.freedesktop.Notifications", "ActionInvoked",
                                              arguments, NULL));
    g_dbus_connection_flush_sync(from, NULL, NULL);
}

static void test_click_opens_the_link(void **state)
{
    (void)state;
    stand_in_opener();
    take(make_alerts(2));
    RUN_UNTIL(count_results(SINK_DONE) == 2);
    GDBusConnection *bus = world.server->connection;
    send_action(bus, NULL, g_variant_new("(us)", server_at(world.server, 1)->id, "default"));
    RUN_UNTIL(has_opened("1|https://example.org/2|\n"));
    send_action(bus, NULL, g_variant_new("(us)", server_at(world.server, 0)->id, "open"));
    RUN_UNTIL(has_opened("1|https://example.org/2|\n1|https://example.org/1|\n"));
}

/* S23: a forged signal, to everybody or to us alone, opens nothing; nor do wrong types from the
 * owner. A real click after them shows that they had arrived. */
static void test_forged_clicks(void **state)
{
    (void)state;
    stand_in_opener();
    take(make_alerts(2));
    RUN_UNTIL(count_results(SINK_DONE) == 2);
    const struct notified *shown = server_at(world.server, 0);
    GDBusConnection *peer = bus_connect(&world.bus);
    send_action(peer, NULL, g_variant_new("(us)", shown->id, "default"));
    send_action(peer, shown->sender, g_variant_new("(us)", shown->id, "default"));
    send_action(peer, shown->sender, g_variant_new("(s)", "default"));
    GDBusConnection *bus = world.server->connection;
    send_action(bus, NULL, g_variant_new("(su)", "default", shown->id));
    send_action(bus, NULL, g_variant_new("(us)", 4711, "default"));
    send_action(bus, NULL, g_variant_new("(us)", server_at(world.server, 1)->id, "default"));
    RUN_UNTIL(has_opened("1|https://example.org/2|\n"));
    g_object_unref(peer);
}

/* While nobody owns the name, libnotify would believe anybody. */
static void test_forged_click_without_an_owner(void **state)
{
    (void)state;
    stand_in_opener();
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_DONE) == 1);
    g_autofree char *us = g_strdup(server_at(world.server, 0)->sender);
    stop_server();
    GDBusConnection *peer = bus_connect(&world.bus);
    send_action(peer, us, g_variant_new("(us)", 1, "default"));
    start_server(CAPABILITIES_ALL);
    RUN_UNTIL(world.n_ready == 2);
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_DONE) == 2);
    send_action(world.server->connection, NULL, g_variant_new("(us)", 1, "default"));
    RUN_UNTIL(has_opened("1|https://example.org/2|\n"));
    g_object_unref(peer);
}

static void test_links_that_are_none(void **state)
{
    (void)state;
    static const char *const links[] = {"javascript:alert(1)", "file:///etc/passwd", "-option",
                                        "https://good@evil.example/"};
    stand_in_opener();
    for (size_t i = 0; i < G_N_ELEMENTS(links); i++) {
        GPtrArray *alerts = make_alerts(1);
        g_free(alert_at(alerts, 0)->link);
        alert_at(alerts, 0)->link = g_strdup(links[i]);
        take(alerts);
        RUN_UNTIL(world.n_results == i + 1);
        const struct notified *shown = server_at(world.server, (guint)i);
        assert_null(shown->actions[0]);
    }
}

static void test_opener_that_is_missing(void **state)
{
    (void)state;
    g_setenv("FEEDWATCH_OPENER", "/nonexistent/opener", TRUE);
    take(make_alerts(1));
    RUN_UNTIL(count_results(SINK_DONE) == 1);
    send_action(world.server->connection, NULL, g_variant_new("(us)", 1, "default"));
    RUN_UNTIL(world.trouble != NULL);
    assert_true(g_str_has_prefix(world.trouble, "a link was not opened: "));
}

#define TEST(name)          cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_WITH(name, up) cmocka_unit_test_setup_teardown(name, up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_popup),
        TEST(test_three_popups_then_one_digest),
        TEST(test_a_flood_is_one_digest),
        TEST(test_capabilities_are_asked_of_each_owner),
        TEST_WITH(test_server_comes_later, set_up_without_server),
        TEST_WITH(test_no_bus, set_up_without_bus),
        TEST_WITH(test_bus_comes_later, set_up_without_bus),
        TEST_WITH(test_no_address_of_a_bus, set_up_without_bus),
        TEST(test_bus_restarts),
        TEST(test_too_fast_is_tried_again),
        TEST(test_server_dies_in_a_burst),
        TEST(test_in_doubt_and_shown),
        TEST(test_stop_does_not_wait_for_a_server_that_hangs),
        TEST(test_second_sink_is_off),
        TEST(test_click_opens_the_link),
        TEST(test_forged_clicks),
        TEST(test_forged_click_without_an_owner),
        TEST(test_links_that_are_none),
        TEST(test_opener_that_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
