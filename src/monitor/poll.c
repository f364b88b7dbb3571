/* One poll of one feed, from "due" to "committed". Each step hands over to the next through a
 * completion. */
#include "monitor/internal.h"
#include "monitor/judge.h"
#include "monitor/moves.h"

#include <string.h>

struct poll {
    struct monitor_feed *feed; /* NULL once cancelled */
    struct monitor *monitor;
    struct fetch *fetch;
    struct feed_doc *doc;
    struct identity_keys *keys;
    struct store_verdicts *verdicts;
    struct judge *judge;
    GSource *slice;
    struct schedule_outcome outcome;
    struct fetch_validators validators;
    uint64_t body_hash;
};

static void poll_free(struct poll *poll)
{
    if (poll->fetch)
        fetch_cancel(poll->fetch);
    if (poll->slice) {
        g_source_destroy(poll->slice);
        g_source_unref(poll->slice);
    }
    judge_free(poll->judge);
    store_verdicts_free(poll->verdicts);
    g_free(poll->keys);
    feed_doc_free(poll->doc);
    fetch_validators_clear(&poll->validators);
    g_free(poll);
}

static void poll_over(struct poll *poll)
{
    struct monitor_feed *feed = poll->feed;
    poll_free(poll);
    if (!feed)
        return;
    feed->poll = NULL;
    monitor_on_poll_over(feed);
}

/* A completion of the store is still to come for a poll that was cancelled: it frees the poll then.
 */
static bool is_cancelled(struct poll *poll)
{
    if (poll->feed)
        return false;
    poll_free(poll);
    return true;
}

static void take_validators(struct poll *poll)
{
    struct store_feed *state = poll->feed->state;
    g_free(state->etag);
    g_free(state->last_modified);
    state->etag = g_steal_pointer(&poll->validators.etag);
    state->last_modified = g_steal_pointer(&poll->validators.last_modified);
}

static void fold_outcome(struct poll *poll)
{
    struct monitor *monitor = poll->monitor;
    const struct schedule_settings settings = monitor_schedule_settings(poll->feed);
    schedule_after(&settings, &poll->feed->state->schedule, &poll->outcome,
                   clock_wall_s(monitor->parts.clock), g_random_int());
}

static void on_committed(void *user)
{
    struct poll *poll = user;
    if (!is_cancelled(poll))
        poll_over(poll);
}

static void take_document_facts(struct poll *poll)
{
    struct store_feed *state = poll->feed->state;
    for (size_t i = 0; i < poll->verdicts->n_items; i++) {
        const struct feed_item *item = &poll->doc->items[i];
        if (poll->verdicts->items[i].news != STORE_NEW)
            continue;
        poll->outcome.n_new++;
        state->text_items++;
        state->text_bytes += (int64_t)((item->title ? strlen(item->title) : 0) +
                                       (item->summary ? strlen(item->summary) : 0) +
                                       (item->content ? strlen(item->content) : 0));
    }
    poll->outcome.has_gap = state->is_baselined && state->n_items_last > 0 &&
                            poll->doc->n_items > 0 && poll->verdicts->n_known == 0;
    if (!state->is_baselined)
        poll->outcome.n_new = 0;
    state->is_baselined = true;
    state->uses_title_key = state->uses_title_key || poll->verdicts->is_churn;
    state->n_items_last = (uint32_t)poll->doc->n_items;
    state->body_hash = poll->body_hash;
    if (poll->doc->title) {
        g_free(state->title);
        state->title = g_strdup(poll->doc->title);
    }
}

static void commit(struct poll *poll)
{
    struct store_feed *state = poll->feed->state;
    take_document_facts(poll);
    take_validators(poll);
    fold_outcome(poll);
    struct store_commit commit = {
        .feed = state,
        .feed_title = state->title ? state->title : state->id,
        .doc = poll->doc,
        .keys = poll->keys,
        .verdicts = poll->verdicts,
    };
    commit.alerts = judge_alerts(poll->judge, &commit.n_alerts);
    store_commit(poll->monitor->parts.store, &commit, on_committed, poll);
    monitor_on_outcome(poll->feed, true, NULL);
}

static gboolean on_slice(gpointer user)
{
    struct poll *poll = user;
    if (!judge_step(poll->judge))
        return G_SOURCE_CONTINUE;
    g_clear_pointer(&poll->slice, g_source_unref);
    commit(poll);
    return G_SOURCE_REMOVE;
}

static void on_classified(struct store_verdicts *verdicts, void *user)
{
    struct poll *poll = user;
    poll->verdicts = verdicts;
    if (is_cancelled(poll))
        return;
    const struct judge_input input = {
        .rules = poll->monitor->rules,
        .settings = poll->feed->settings,
        .doc = poll->doc,
        .verdicts = verdicts,
        .is_baselined = poll->feed->state->is_baselined,
        .now_s = clock_wall_s(poll->monitor->parts.clock),
    };
    poll->judge = judge_new(&input);
    if (judge_step(poll->judge)) {
        commit(poll);
        return;
    }
    poll->slice = g_idle_source_new();
    g_source_set_callback(poll->slice, on_slice, poll, NULL);
    g_source_attach(poll->slice, poll->monitor->parts.context);
}

/* Nothing new came: only the feed's state is kept. */
static void save_outcome(struct poll *poll, bool ok, const char *message)
{
    struct monitor_feed *feed = poll->feed;
    fold_outcome(poll);
    g_free(feed->state->message);
    feed->state->message = g_strdup(message);
    monitor_on_outcome(feed, ok, message);
    store_save_feed(poll->monitor->parts.store, feed->state, NULL, NULL);
    poll_over(poll);
}

static void on_fetched(struct fetch_result *result, void *user)
{
    struct poll *poll = user;
    poll->fetch = NULL;
    poll->outcome = result->outcome;
    if (result->kind == FETCH_FAILED) {
        save_outcome(poll, false, result->message);
        return;
    }
    poll->validators = result->validators;
    result->validators = (struct fetch_validators){NULL, NULL};
    poll->body_hash = result->body_hash;
    if (moves_note(poll->feed->state, result->permanent_url,
                   clock_wall_s(poll->monitor->parts.clock)))
        monitor_on_moved(poll->feed);
    if (result->kind != FETCH_DOCUMENT) {
        take_validators(poll);
        save_outcome(poll, true, NULL);
        return;
    }
    poll->doc = g_steal_pointer(&result->doc);
    g_clear_pointer(&poll->feed->state->message, g_free);
    poll->keys = identity_keys_of(poll->doc, poll->feed->state->uses_title_key);
    store_classify(poll->monitor->parts.store, poll->feed->state->id, poll->doc, poll->keys,
                   on_classified, poll);
}

static void on_attempt_saved(void *user)
{
    struct poll *poll = user;
    if (is_cancelled(poll))
        return;
    const struct config_feed *settings = poll->feed->settings;
    struct store_feed *state = poll->feed->state;
    bool plain = schedule_is_unconditional(&state->schedule, state->schedule.asked_s);
    const struct fetch_request request = {
        .feed_id = settings->id,
        .url = state->moved_url ? state->moved_url : settings->url,
        .validators = {plain ? NULL : state->etag, plain ? NULL : state->last_modified},
        .body_hash = state->body_hash,
        .headers = (const char *const *)settings->headers,
        .user_agent = settings->user_agent ? settings->user_agent : poll->monitor->user_agent,
        .proxy = settings->proxy ? settings->proxy : poll->monitor->config->proxy,
        .timeout_ms = settings->timeout_ms,
        .max_bytes = settings->max_size_bytes,
        .allow_private = settings->allow_private,
    };
    poll->fetch = fetch_start(poll->monitor->parts.fetcher, &request, on_fetched, poll);
}

void poll_start(struct monitor_feed *feed)
{
    struct monitor *monitor = feed->monitor;
    struct poll *poll = g_new0(struct poll, 1);
    poll->monitor = monitor;
    poll->feed = feed;
    feed->poll = poll;
    int64_t now_s = clock_wall_s(monitor->parts.clock);
    const struct schedule_settings settings = monitor_schedule_settings(feed);
    struct schedule_state *schedule = &feed->state->schedule;
    schedule->due_s = schedule_before_request(&settings, schedule, now_s, g_random_int());
    schedule->asked_s = now_s;
    store_save_feed(monitor->parts.store, feed->state, on_attempt_saved, poll);
}

/* Steps that wait for the store leave the poll to its completion; the others end it here. */
void poll_cancel(struct poll *poll)
{
    bool waits_for_store = !poll->fetch && !poll->slice;
    poll->feed = NULL;
    if (!waits_for_store)
        poll_free(poll);
}
