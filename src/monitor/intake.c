#include "monitor/intake.h"

#include "base/source.h"
#include "monitor/notices.h"

#include <string.h>

/* Documents whose bodies had so many bytes may wait for the store; then no request is started until
 * it has caught up. */
#define TAKING_IN_BYTES_MAX (2 << 20)

struct intake {
    struct monitor_feed *feed; /* NULL once cancelled */
    struct monitor *monitor;   /* NULL once cancelled: it may be gone before the store answers */
    struct shared_doc *shared;
    struct identity_keys *keys;
    struct store_verdicts *verdicts;
    struct judge *judge;
    struct notices *notices;
    GArray *alerts; /* struct store_new_alert: of the items, and the notices */
    struct store_gap gap;
    bool was_baselined; /* before this document */
    bool is_refused;    /* it was not stored */
    GSource *slice;
    intake_done on_done;
    void *user;
};

struct shared_doc *shared_doc_steal(struct fetch_result *result)
{
    struct shared_doc *shared = g_new0(struct shared_doc, 1);
    g_ref_count_init(&shared->refs);
    shared->doc = g_steal_pointer(&result->doc);
    shared->validators = result->validators;
    result->validators = (struct fetch_validators){NULL, NULL};
    shared->body_hash = result->body_hash;
    shared->outcome = result->outcome;
    shared->body_bytes = result->body_bytes;
    shared->is_delta = result->is_delta;
    return shared;
}

void shared_doc_unref(struct shared_doc *shared)
{
    if (!shared || !g_ref_count_dec(&shared->refs))
        return;
    feed_doc_free(shared->doc);
    fetch_validators_clear(&shared->validators);
    g_free(shared);
}

void intake_limit_fetching(struct monitor *monitor)
{
    fetcher_set_limits(monitor->parts.fetcher, monitor->config->host_spacing_ms,
                       monitor->is_choked ? 0 : monitor->config->max_connections);
}

/* What is taken in (bytes > 0) and what is done (< 0). */
static void count_bytes(struct monitor *monitor, int64_t bytes)
{
    monitor->taking_in_bytes += bytes;
    bool is_full = monitor->taking_in_bytes > TAKING_IN_BYTES_MAX;
    if (is_full == monitor->is_choked || monitor->is_stopped)
        return;
    monitor->is_choked = is_full;
    intake_limit_fetching(monitor);
}

static void uncount(struct intake *intake)
{
    if (intake->monitor)
        count_bytes(intake->monitor, -intake->shared->body_bytes);
    intake->monitor = NULL;
}

static void intake_free(struct intake *intake)
{
    source_end(&intake->slice);
    uncount(intake);
    judge_free(intake->judge);
    notices_free(intake->notices);
    if (intake->alerts)
        g_array_unref(intake->alerts);
    g_free(intake->gap.feed);
    store_verdicts_free(intake->verdicts);
    g_free(intake->keys);
    shared_doc_unref(intake->shared);
    g_free(intake);
}

/* The store still owes a completion to an intake that was cancelled: it is freed then. */
static bool is_cancelled(struct intake *intake)
{
    if (intake->feed)
        return false;
    intake_free(intake);
    return true;
}

/* What was not stored is asked for once more: nobody may know its validators. */
static void forget_document(const struct intake *intake)
{
    struct store_feed *state = intake->feed->state;
    g_clear_pointer(&state->etag, g_free);
    g_clear_pointer(&state->last_modified, g_free);
    state->body_hash = 0;
    state->is_baselined = intake->was_baselined;
    intake->feed->is_changed = true;
}

static void on_committed(void *user)
{
    struct intake *intake = user;
    if (is_cancelled(intake))
        return;
    struct monitor_feed *feed = intake->feed;
    if (intake->is_refused)
        forget_document(intake);
    intake_done on_done = intake->on_done;
    void *done_user = intake->user;
    feed->intake = NULL;
    intake_free(intake);
    on_done(feed, done_user);
}

static size_t text_bytes(const struct feed_item *item)
{
    const char *const texts[] = {item->title, item->summary, item->content};
    size_t sum = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        sum += texts[i] ? strlen(texts[i]) : 0;
    return sum;
}

/* Nothing that was known is left in the document: what came and went in between was not seen (E41).
 */
static void note_gap(struct intake *intake)
{
    static char reason[] = "its list of items rolled over between two looks";
    struct monitor_feed *feed = intake->feed;
    intake->gap = (struct store_gap){g_strdup(feed->state->id), feed->state->schedule.looked_s,
                                     clock_wall_s(intake->monitor->parts.clock), reason};
    notices_on_gap(feed, &feed->state->schedule);
}

/* What the document says about the feed goes into the feed's state; returns the outcome as it is
 * for this feed. */
static struct schedule_outcome take_facts(struct intake *intake)
{
    struct store_feed *state = intake->feed->state;
    const struct feed_doc *doc = intake->shared->doc;
    struct schedule_outcome outcome = intake->shared->outcome;
    for (size_t i = 0; i < doc->n_items; i++) {
        if (intake->verdicts->items[i].news != STORE_NEW)
            continue;
        outcome.n_new++;
        state->text_items++;
        state->text_bytes += (int64_t)text_bytes(&doc->items[i]);
    }
    outcome.has_gap = state->is_baselined && !intake->shared->is_delta && state->n_items_last > 0 &&
                      doc->n_items > 0 && intake->verdicts->n_known == 0;
    if (outcome.has_gap)
        note_gap(intake);
    if (!state->is_baselined)
        outcome.n_new = 0;
    intake->was_baselined = state->is_baselined;
    state->is_baselined = true;
    state->uses_title_key = state->uses_title_key || intake->verdicts->is_churn;
    state->n_items_last = (uint32_t)doc->n_items;
    state->body_hash = intake->shared->body_hash;
    if (doc->title) {
        g_free(state->title);
        state->title = g_strdup(doc->title);
    }
    return outcome;
}

static void gather_alerts(struct intake *intake)
{
    size_t n;
    const struct store_new_alert *alerts = judge_alerts(intake->judge, &n);
    intake->feed->last.n_alerts = (guint)n;
    intake->alerts = g_array_new(FALSE, FALSE, sizeof *alerts);
    g_array_append_vals(intake->alerts, alerts, (guint)n);
    intake->notices = notices_take(intake->feed);
    alerts = notices_alerts(intake->notices, &n);
    g_array_append_vals(intake->alerts, alerts, (guint)n);
}

static void commit(struct intake *intake)
{
    struct monitor_feed *feed = intake->feed;
    struct store_feed *state = feed->state;
    const struct schedule_outcome outcome = take_facts(intake);
    monitor_take_validators(state, &intake->shared->validators);
    monitor_fold_outcome(feed, &outcome, NULL);
    gather_alerts(intake);
    const struct store_commit commit = {
        .feed = state,
        .feed_title = state->title ? state->title : state->id,
        .doc = intake->shared->doc,
        .keys = intake->keys,
        .verdicts = intake->verdicts,
        .alerts = (const struct store_new_alert *)(const void *)intake->alerts->data,
        .n_alerts = intake->alerts->len,
        .gap = intake->gap.feed ? &intake->gap : NULL,
        .ret_is_refused = &intake->is_refused,
    };
    monitor_on_outcome(feed, true, NULL);
    unsaved_remove(feed);
    store_commit(intake->monitor->parts.store, &commit, on_committed, intake);
    feed->is_changed = false;
}

static gboolean on_slice(gpointer user)
{
    struct intake *intake = user;
    if (!judge_step(intake->judge))
        return G_SOURCE_CONTINUE;
    g_clear_pointer(&intake->slice, g_source_unref);
    commit(intake);
    return G_SOURCE_REMOVE;
}

static void on_classified(struct store_verdicts *verdicts, void *user)
{
    struct intake *intake = user;
    intake->verdicts = verdicts;
    if (is_cancelled(intake))
        return;
    if (!verdicts) { /* nothing is taken in: the attempt stays stored as one that failed */
        on_committed(intake);
        return;
    }
    const struct judge_input input = {
        .rules = intake->monitor->rules,
        .settings = intake->feed->settings,
        .doc = intake->shared->doc,
        .verdicts = verdicts,
        .is_baselined = intake->feed->state->is_baselined,
        .is_silent = intake->feed->state->is_silent,
        .now_s = clock_wall_s(intake->monitor->parts.clock),
    };
    intake->judge = judge_new(&input);
    if (judge_step(intake->judge)) {
        commit(intake);
        return;
    }
    intake->slice = g_idle_source_new();
    g_source_set_callback(intake->slice, on_slice, intake, NULL);
    g_source_attach(intake->slice, intake->monitor->parts.context);
}

void intake_start(struct monitor_feed *feed, struct shared_doc *shared, intake_done on_done,
                  void *user)
{
    struct intake *intake = g_new0(struct intake, 1);
    g_ref_count_inc(&shared->refs);
    intake->feed = feed;
    intake->monitor = feed->monitor;
    intake->shared = shared;
    intake->on_done = on_done;
    intake->user = user;
    intake->keys = identity_keys_of(shared->doc, feed->state->uses_title_key);
    feed->intake = intake;
    count_bytes(intake->monitor, shared->body_bytes);
    store_classify(feed->monitor->parts.store, feed->state->id, shared->doc, intake->keys,
                   on_classified, intake);
}

/* Between two slices nobody else knows the intake; else the store does, and its completion frees
 * it. */
void intake_cancel(struct intake *intake)
{
    struct monitor_feed *feed = intake->feed;
    intake_done on_done = intake->on_done;
    void *user = intake->user;
    feed->intake = NULL;
    intake->feed = NULL;
    uncount(intake);
    if (intake->slice)
        intake_free(intake);
    on_done(feed, user);
}
