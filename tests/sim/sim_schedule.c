/* A year of 300 feeds in virtual time: publishers with every habit of polling.md, nights in which
 * the laptop sleeps, clocks that step, restarts. What is checked at every request: never before the
 * server allowed it nor before it was due, one in flight for a host, starts apart, unconditional
 * only where E40 says so, at most two a second after a resume. At the end: how late news were seen,
 * and that none were lost where neither the publisher nor sleep kept us away (bursts aside: one
 * larger than the window cannot be held). */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

#include "fetch/pacer.h"
#include "schedule/queue.h"
#include "schedule/schedule.h"
#include "schedule/spread.h"
#include "tests/sim/publisher.h"

#define FEEDS      300
#define HOSTS      60
#define DAYS       365
#define SPACING_MS 1000
#define START_S    INT64_C(1790000000) /* what the clock shows when it all begins */
#define NEVER      INT64_MIN
#define LATE_BINS  400 /* hundredths of an interval, up to four */

/* Why items left a feed's window between two looks, so that nobody who asks politely could see
 * them. Each such time is a recorded gap (E41). Ours must be none. */
enum loss {
    LOST_ABSENT,    /* the machine slept or was off */
    LOST_PUBLISHER, /* he kept us away: hints, silence, outages, a broken cache, no validators */
    LOST_BURST,     /* more at once than the window holds */
    LOST_OURS,      /* the schedule was too slow */
    LOSSES
};

struct feed {
    struct publisher publisher;
    struct schedule_state state; /* as stored */
    char host[8];
    bool is_under_way, is_sent, is_urgent, is_conditional;
    struct pacer_ticket *ticket;
    int64_t allowed_ms;      /* true time: what the server asked for */
    int64_t due_s;           /* true time: what the schedule said */
    int64_t run_s;           /* true time: first of an unbroken run of 304s */
    int64_t unconditional_s; /* true time */
    int64_t last_start_s, longest_s;
    int64_t n_requests;
    bool missed_time; /* since the last look the machine slept or was off */
};

/* The world has a true time in ms. The clock on the wall shows it plus an offset that steps; the
 * daemon reads the wall once, when it starts, and counts on by itself. */
static struct {
    struct feed feeds[FEEDS];
    int64_t now_ms;
    int64_t wall_offset_s;
    int64_t steady_offset_s; /* the daemon's */
    bool is_running, is_asleep;
    struct schedule_queue *due;     /* struct feed by the daemon's seconds */
    struct schedule_queue *answers; /* struct feed by true ms */
    struct pacer *pacer;
    GRand *rand;
    int64_t resumed_s; /* true time; rate is checked for ten minutes from then */
    int64_t second, n_in_second, most_in_second;
    GHashTable *in_flight;    /* names of hosts */
    GHashTable *last_by_host; /* name -> true ms of the last start */
    int64_t n_requests, n_304, n_unconditional, n_news, n_gaps;
    int64_t n_lost[LOSSES];
    int64_t late[LATE_BINS];
} world;

static const struct schedule_settings settings = {.interval_s = 0, .cache_max_s = 2 * DAY_S};

static int64_t now_s(void)
{
    return world.now_ms / 1000;
}

static int64_t steady_s(void)
{
    return now_s() + world.steady_offset_s;
}

static void set_due(struct feed *feed)
{
    schedule_queue_set(world.due, feed, feed->state.due_s);
}

/* --- requests --- */

static void check_rate(void)
{
    if (now_s() != world.second)
        world.n_in_second = 0;
    world.second = now_s();
    world.n_in_second++;
    if (world.resumed_s >= 0 && now_s() - world.resumed_s < SPREAD_SPAN_S) {
        world.most_in_second = MAX(world.most_in_second, world.n_in_second);
        assert_true(world.n_in_second <= SPREAD_PER_SECOND);
    }
}

static void check_unconditional(struct feed *feed)
{
    if (feed->is_conditional || !feed->state.has_validator)
        return;
    world.n_unconditional++;
    assert_true(feed->run_s != NEVER && now_s() - feed->run_s >= 14 * DAY_S);
    assert_true(feed->unconditional_s == NEVER || now_s() - feed->unconditional_s >= 7 * DAY_S);
    feed->unconditional_s = now_s();
}

/* The request leaves. */
static void start(struct feed *feed)
{
    int64_t *last_ms = g_hash_table_lookup(world.last_by_host, feed->host);
    if (last_ms) {
        assert_true(world.now_ms - *last_ms >= SPACING_MS);
    } else {
        last_ms = g_new(int64_t, 1);
        g_hash_table_insert(world.last_by_host, feed->host, last_ms);
    }
    *last_ms = world.now_ms;
    assert_true(g_hash_table_add(world.in_flight, feed->host)); /* false: there was one */
    feed->is_sent = true;
    assert_true(world.now_ms >= feed->allowed_ms);
    assert_true(now_s() >= feed->due_s);
    check_rate();
    check_unconditional(feed);
    if (feed->n_requests > 0 && !feed->missed_time)
        feed->longest_s = MAX(feed->longest_s, now_s() - feed->last_start_s);
    feed->last_start_s = now_s();
    feed->n_requests++;
    world.n_requests++;
    int64_t latency_ms = g_rand_int_range(world.rand, 20, 900);
    schedule_queue_set(world.answers, feed, world.now_ms + latency_ms);
}

/* The feed is due: the attempt is stored, then it waits for its host. */
static void begin(struct feed *feed)
{
    bool is_plain = schedule_start(&settings, &feed->state, steady_s(), g_rand_int(world.rand));
    feed->is_conditional = feed->state.has_validator && !is_plain;
    feed->is_under_way = true;
    feed->ticket = pacer_add(world.pacer, feed->host, feed->is_urgent ? PACER_URGENT : PACER_NORMAL,
                             feed, world.now_ms);
}

static void leave_host(struct feed *feed)
{
    if (feed->is_sent)
        g_hash_table_remove(world.in_flight, feed->host);
    feed->is_under_way = feed->is_sent = false;
    pacer_end(world.pacer, feed->ticket);
    feed->ticket = NULL;
}

/* Whether nothing but our own schedule can make us late. */
static bool is_free(const struct feed *feed)
{
    return feed->publisher.manner <= MANNER_SHORT_CACHE && !feed->missed_time;
}

static enum loss loss_of(const struct feed *feed)
{
    if (feed->missed_time)
        return LOST_ABSENT;
    if (!is_free(feed))
        return LOST_PUBLISHER;
    return feed->publisher.habit == HABIT_BURSTS ? LOST_BURST : LOST_OURS;
}

static void note_lateness(struct feed *feed, const struct answer *answer, int64_t interval_s)
{
    const struct publisher *publisher = &feed->publisher;
    for (int64_t i = MAX(publisher->n_seen, answer->first_item); i < publisher->n_items; i++) {
        world.n_news++;
        int64_t late_s = now_s() - publisher->published_s[i % WINDOW_MAX];
        if (is_free(feed))
            world.late[MIN(late_s * 100 / interval_s, LATE_BINS - 1)]++;
    }
}

static void take_answer(struct feed *feed)
{
    struct publisher *publisher = &feed->publisher;
    int64_t interval_s = schedule_interval_s(&settings, &feed->state);
    struct answer answer = publisher_answer(publisher, now_s(), feed->is_conditional, world.rand);
    struct schedule_outcome *outcome = &answer.outcome;
    leave_host(feed);
    if (outcome->kind == SCHEDULE_OK && feed->state.looked_s != 0) {
        int64_t from = MAX(publisher->n_seen, answer.first_item);
        outcome->n_new = (uint32_t)(publisher->n_items - from);
        outcome->has_gap = answer.first_item > publisher->n_seen;
        world.n_gaps += outcome->has_gap;
        world.n_lost[loss_of(feed)] += MAX(answer.first_item - publisher->n_seen, 0);
        note_lateness(feed, &answer, interval_s);
    }
    if (outcome->kind == SCHEDULE_OK)
        publisher->n_seen = publisher->n_items;
    if (outcome->kind == SCHEDULE_NOT_MODIFIED) {
        world.n_304++;
        feed->run_s = feed->run_s == NEVER ? now_s() : feed->run_s;
    } else if (outcome->kind == SCHEDULE_OK && feed->is_conditional) {
        feed->run_s = NEVER;
    }
    feed->missed_time = false;
    schedule_after(&settings, &feed->state, outcome, steady_s(), g_rand_int(world.rand));
    feed->allowed_ms = world.now_ms + answer.silence_s * 1000;
    feed->due_s = feed->state.due_s == SCHEDULE_NEVER ? SCHEDULE_NEVER
                                                      : feed->state.due_s - world.steady_offset_s;
    set_due(feed);
}

/* --- what happens to the machine --- */

static void spread_due(void)
{
    struct spread_feed spread[FEEDS];
    for (int i = 0; i < FEEDS; i++)
        spread[i] = (struct spread_feed){world.feeds[i].state.due_s, world.feeds[i].is_urgent};
    schedule_spread(spread, FEEDS, steady_s(), g_rand_int(world.rand));
    for (int i = 0; i < FEEDS; i++)
        schedule_queue_set(world.due, &world.feeds[i], spread[i].due_s);
    world.resumed_s = now_s();
    pacer_set_gap(world.pacer, SPREAD_GAP_MS, world.now_ms + SPREAD_SPAN_S * 1000);
}

/* Requests under way die with the process or the connection; their due times were stored before. */
static void drop_requests(bool is_off)
{
    for (int i = 0; i < FEEDS; i++) {
        struct feed *feed = &world.feeds[i];
        feed->missed_time = feed->missed_time || is_off;
        if (!feed->is_under_way)
            continue;
        schedule_queue_remove(world.answers, feed);
        leave_host(feed);
        feed->due_s = feed->state.due_s - world.steady_offset_s;
        set_due(feed);
    }
}

/* A clock that went forward while nobody watched makes all that is stored look older than it is.
 * That cannot be known; what can be held is the rate. */
static void start_daemon(bool is_clock_forward)
{
    world.steady_offset_s = world.wall_offset_s;
    for (int i = 0; i < FEEDS; i++) {
        struct feed *feed = &world.feeds[i];
        feed->state.due_s = schedule_restored_due(&settings, &feed->state, steady_s());
        if (is_clock_forward && feed->state.due_s != SCHEDULE_NEVER) {
            feed->allowed_ms = MIN(feed->allowed_ms, world.now_ms);
            feed->due_s = MIN(feed->due_s, now_s());
            feed->run_s -= feed->run_s == NEVER ? 0 : DAY_S;
            feed->unconditional_s -= feed->unconditional_s == NEVER ? 0 : DAY_S;
        }
        set_due(feed);
    }
    spread_due();
}

enum event { SLEEP, WAKE, RESTART, STOP, BEGIN, STEP_BACK, STEP_FORWARD };

static void happen(enum event event)
{
    static bool was_forward;
    if (event == STEP_BACK || event == STEP_FORWARD) {
        world.wall_offset_s += event == STEP_BACK ? -DAY_S : DAY_S;
        was_forward = event == STEP_FORWARD || (was_forward && event != STEP_BACK);
    }
    if (event == SLEEP || event == STOP || event == RESTART)
        drop_requests(event != RESTART);
    if (event == SLEEP)
        world.is_asleep = true;
    if (event == STOP)
        world.is_running = false;
    if (event == WAKE) {
        world.is_asleep = false;
        spread_due();
    }
    if (event == RESTART || event == BEGIN) {
        world.is_running = true;
        start_daemon(was_forward);
        was_forward = false;
    }
}

struct script {
    int64_t at_s;
    enum event event;
};

static void add_event(GArray *script, int64_t at_s, enum event event)
{
    struct script entry = {at_s, event};
    g_array_append_val(script, entry);
}

/* Always on with steps and restarts; then a laptop that sleeps at night; then days off. */
static GArray *write_script(void)
{
    GArray *script = g_array_new(FALSE, FALSE, sizeof(struct script));
    for (int i = 0; i < 20; i++) /* E34 */
        add_event(script, 20 * DAY_S + i * 30, RESTART);
    add_event(script, 30 * DAY_S, STEP_BACK);
    add_event(script, 33 * DAY_S, STEP_FORWARD);
    add_event(script, 40 * DAY_S, STEP_BACK);
    add_event(script, 40 * DAY_S + 3600, RESTART);
    add_event(script, 50 * DAY_S, STEP_FORWARD);
    add_event(script, 50 * DAY_S + 3600, RESTART);
    for (int day = 90; day < 270; day++) {
        add_event(script, day * DAY_S + 23 * 3600, SLEEP);
        add_event(script, (day + 1) * DAY_S + 7 * 3600, WAKE);
    }
    for (int day = 280; day < DAYS - 5; day += 10) {
        add_event(script, day * DAY_S + 40000, RESTART);
        add_event(script, (day + 3) * DAY_S, STOP);
        add_event(script, (day + 5) * DAY_S, BEGIN);
    }
    return script;
}

/* --- the loop --- */

static void run_due(void)
{
    struct feed *feed;
    while ((feed = schedule_queue_pop_due(world.due, steady_s())) != NULL)
        begin(feed);
    while ((feed = schedule_queue_pop_due(world.answers, world.now_ms)) != NULL)
        take_answer(feed);
    while ((feed = pacer_next(world.pacer, world.now_ms)) != NULL)
        start(feed);
}

static int64_t next_time_ms(int64_t event_ms)
{
    int64_t next_ms = event_ms, due;
    if (!world.is_running || world.is_asleep)
        return next_ms;
    if (schedule_queue_next(world.due, &due) && due != SCHEDULE_NEVER)
        next_ms = MIN(next_ms, (due - world.steady_offset_s) * 1000);
    if (schedule_queue_next(world.answers, &due))
        next_ms = MIN(next_ms, due);
    int64_t wait_ms = pacer_wait_ms(world.pacer, world.now_ms);
    if (wait_ms >= 0)
        next_ms = MIN(next_ms, world.now_ms + wait_ms);
    return MAX(next_ms, world.now_ms);
}

static void run(void)
{
    g_autoptr(GArray) script = write_script();
    const int64_t end_ms = DAYS * DAY_S * 1000;
    for (guint i = 0; world.now_ms < end_ms;) {
        const struct script *entry =
            i < script->len ? &g_array_index(script, struct script, i) : NULL;
        int64_t event_ms = entry ? entry->at_s * 1000 : end_ms;
        world.now_ms = next_time_ms(event_ms);
        if (world.now_ms >= event_ms) {
            if (entry)
                happen(entry->event);
            i++;
        } else {
            run_due();
        }
    }
}

static void set_up_world(void)
{
    world.rand = g_rand_new_with_seed(20261123);
    world.due = schedule_queue_new();
    world.answers = schedule_queue_new();
    world.pacer = pacer_new();
    world.in_flight = g_hash_table_new(g_str_hash, g_str_equal);
    world.last_by_host = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    world.wall_offset_s = world.steady_offset_s = START_S;
    world.is_running = true;
    world.resumed_s = -1;
    pacer_set_limits(world.pacer, SPACING_MS, 32);
    for (int i = 0; i < FEEDS; i++) {
        struct feed *feed = &world.feeds[i];
        publisher_init(&feed->publisher, i, world.rand);
        /* A tenth on one host, the others where they fall. */
        int host = i % 10 == 0 ? 0 : g_rand_int_range(world.rand, 1, HOSTS);
        g_snprintf(feed->host, sizeof feed->host, "h%d", host);
        feed->is_urgent = i % 7 == 0;
        feed->run_s = feed->unconditional_s = NEVER;
        set_due(feed);
    }
}

static void clear_world(void)
{
    schedule_queue_free(world.due);
    schedule_queue_free(world.answers);
    pacer_free(world.pacer);
    g_hash_table_unref(world.in_flight);
    g_hash_table_unref(world.last_by_host);
    g_rand_free(world.rand);
}

static double median_lateness(void)
{
    int64_t total = 0, sum = 0;
    for (int i = 0; i < LATE_BINS; i++)
        total += world.late[i];
    for (int i = 0; i < LATE_BINS; i++)
        if ((sum += world.late[i]) * 2 >= total)
            return (i + 0.5) / 100;
    return 0;
}

/* Nobody waits longer than the longest thing that may keep us away: a server's two days, a day of
 * back-off, a weekend that is skipped; twice that where a clock that was set back hides how long
 * ago the last request was. */
static void check_stalls(void)
{
    for (int i = 0; i < FEEDS; i++) {
        const struct feed *feed = &world.feeds[i];
        assert_true(feed->n_requests > 30);
        if (feed->publisher.manner == MANNER_GONE) {
            assert_true(feed->state.is_gone);
            assert_in_range(feed->last_start_s, 100 * DAY_S, 102 * DAY_S);
            continue;
        }
        assert_true(feed->longest_s <= 5 * DAY_S);
        if (feed->publisher.manner <= MANNER_SHORT_CACHE)
            assert_true(feed->longest_s <= 2 * SCHEDULE_DEFAULT_S + SPREAD_SPAN_S);
        assert_true(DAYS * DAY_S - feed->last_start_s <= 3 * DAY_S);
    }
}

static void print_notes(void)
{
    print_message("# note: %" G_GINT64_FORMAT " requests, %" G_GINT64_FORMAT
                  " answered 304; 0 too early, 0 side by side on one host; %" G_GINT64_FORMAT
                  " unconditional, all by E40; at most %" G_GINT64_FORMAT
                  " a second after a resume\n",
                  world.n_requests, world.n_304, world.n_unconditional, world.most_in_second);
    print_message("# note: %" G_GINT64_FORMAT " news seen, median lateness %.2f of the interval\n",
                  world.n_news, median_lateness());
    print_message("# note: never seen, in %" G_GINT64_FORMAT " recorded gaps: %" G_GINT64_FORMAT
                  " items while the machine slept or was off, %" G_GINT64_FORMAT
                  " while the publisher kept us away, %" G_GINT64_FORMAT
                  " in bursts beyond the window, %" G_GINT64_FORMAT " by our own fault\n",
                  world.n_gaps, world.n_lost[LOST_ABSENT], world.n_lost[LOST_PUBLISHER],
                  world.n_lost[LOST_BURST], world.n_lost[LOST_OURS]);
}

static void test_year(void **state)
{
    (void)state;
    set_up_world();
    run();
    print_notes();
    check_stalls();
    assert_true(world.n_unconditional > 10);
    assert_true(median_lateness() <= 0.5);
    assert_int_equal(world.n_lost[LOST_OURS], 0);
    assert_in_range(world.most_in_second, 1, SPREAD_PER_SECOND);
    clear_world();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_year),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
