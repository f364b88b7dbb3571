/* One poll of one address: the attempt is stored, the publisher asked, and what it answered goes to
 * every feed that has this address. */
#include "monitor/intake.h"
#include "base/file.h"
#include "base/log.h"
#include "fetch/url.h"
#include "monitor/moves.h"
#include "monitor/notices.h"
#include "monitor/offline.h"

struct poll {
    struct monitor_feed *feed; /* the leader; NULL once cancelled */
    struct fetch *fetch;
    guint intakes; /* under way */
    bool is_attempt_saved;
    bool
        is_plain; /* goes without validators: the server has said 304 for suspiciously long (E40) */
};

static void poll_over(struct poll *poll)
{
    struct monitor_feed *feed = poll->feed;
    g_free(poll);
    feed->poll = NULL;
    feed->monitor->polls--;
    feed->monitor->on_poll_over(feed);
}

static void on_taken_in(struct monitor_feed *feed, void *user)
{
    struct poll *poll = user;
    (void)feed;
    if (--poll->intakes > 0)
        return;
    if (poll->feed)
        poll_over(poll);
    else
        g_free(poll);
}

static void note_move(struct monitor_feed *feed, const char *permanent_url)
{
    if (moves_note(feed->state, permanent_url, clock_wall_s(feed->monitor->parts.clock)))
        monitor_on_moved(feed);
}

static void on_told(void *user)
{
    notices_free(user);
}

static void save(struct monitor_feed *feed)
{
    const struct store_feed *state = feed->state;
    struct notices *notices = notices_take(feed);
    if (!notices) {
        unsaved_add(feed);
        return;
    }
    unsaved_remove(feed);
    struct store_commit commit = {
        .feed = feed->state,
        .feed_title = state->title ? state->title : state->id,
    };
    commit.alerts = notices_alerts(notices, &commit.n_alerts);
    store_commit(feed->monitor->parts.store, &commit, on_told, notices);
    feed->is_changed = false;
}

/* Of what is remembered beside the schedule, this changes nothing. */
static bool is_plain(const struct store_feed *state, const struct fetch_result *result)
{
    return result->kind != FETCH_FAILED && !state->message && !state->candidate_url &&
           !result->permanent_url && g_strcmp0(state->etag, result->validators.etag) == 0 &&
           g_strcmp0(state->last_modified, result->validators.last_modified) == 0;
}

/* Nothing new came: only the feed's state is kept. */
static void save_outcome(struct monitor_feed *feed, const struct fetch_result *result)
{
    bool ok = result->kind != FETCH_FAILED;
    feed->is_changed = feed->is_changed || !is_plain(feed->state, result);
    if (ok) {
        monitor_take_validators(feed->state, &result->validators);
        note_move(feed, result->permanent_url);
    }
    monitor_fold_outcome(feed, &result->outcome, ok ? NULL : result->message);
    if (monitor_is_asked(&result->outcome))
        monitor_on_outcome(feed, ok, result->message);
    save(feed);
}

static void share(struct poll *poll, struct fetch_result *result, const GPtrArray *group)
{
    struct shared_doc *shared = shared_doc_steal(result);
    for (guint i = 0; i < group->len; i++) {
        struct monitor_feed *feed = g_ptr_array_index(group, i);
        feed->is_changed = true;
        note_move(feed, result->permanent_url);
        if (feed->intake) /* of a poll that a reload cut off from its feed */
            continue;
        poll->intakes++;
        intake_start(feed, shared, on_taken_in, poll);
    }
    shared_doc_unref(shared);
}

static void on_fetched(struct fetch_result *result, void *user)
{
    struct poll *poll = user;
    poll->fetch = NULL;
    offline_on_fetched(poll->feed, result);
    g_autoptr(GPtrArray) group = groups_of(poll->feed);
    if (result->kind == FETCH_DOCUMENT)
        share(poll, result, group);
    else
        for (guint i = 0; i < group->len; i++)
            save_outcome(g_ptr_array_index(group, i), result);
    if (poll->intakes == 0)
        poll_over(poll);
}

/* A feed that has not taken in a document yet needs one: then nobody's validators are sent. */
static bool needs_document(struct monitor_feed *leader)
{
    g_autoptr(GPtrArray) group = groups_of(leader);
    for (guint i = 0; i < group->len; i++) {
        const struct monitor_feed *feed = g_ptr_array_index(group, i);
        if (!feed->state->is_baselined)
            return true;
    }
    return false;
}

/* Read for each poll, so that a changed password needs no reload. Without them the server says what
 * it thinks of it. */
static char *read_credentials(const struct config_feed *settings)
{
    g_autoptr(GError) error = NULL;
    if (!settings->credentials || !*settings->credentials)
        return NULL;
    char *text = file_read_secret(settings->credentials, &error);
    if (!text)
        log_warning("feed %s: %s", settings->id, error->message);
    return text;
}

static bool is_same_site(const char *from, const char *to)
{
    struct fetch_url a = {0}, b = {0};
    bool same = fetch_url_parse(from, &a, NULL) && fetch_url_parse(to, &b, NULL) &&
                fetch_url_is_same_site(&a, &b);
    fetch_url_clear(&a);
    fetch_url_clear(&b);
    return same;
}

/* What is secret was given for the configured site, also where the feed had moved elsewhere before
 * there was a secret (S11). */
static const char *address_of(const struct monitor_feed *feed)
{
    const struct config_feed *settings = feed->settings;
    const char *moved = feed->state->moved_url;
    bool has_secret = (settings->credentials && *settings->credentials) ||
                      (settings->headers && *settings->headers);
    if (!moved || settings->path || settings->argv)
        return settings->url;
    return has_secret && !is_same_site(settings->url, moved) ? settings->url : moved;
}

static void ask(struct poll *poll)
{
    struct monitor *monitor = poll->feed->monitor;
    const struct config_feed *settings = poll->feed->settings;
    const struct store_feed *state = poll->feed->state;
    poll->is_attempt_saved = true;
    monitor->attempts--;
    bool whole = needs_document(poll->feed);
    bool plain = whole || poll->is_plain;
    g_autofree char *credentials = read_credentials(settings);
    const struct fetch_request request = {
        .feed_id = settings->id,
        .url = address_of(poll->feed),
        .path = settings->path,
        .argv = (const char *const *)settings->argv,
        .validators = {plain ? NULL : state->etag, plain ? NULL : state->last_modified},
        .body_hash = whole ? 0 : state->body_hash,
        .headers = (const char *const *)settings->headers,
        .credentials = credentials,
        .user_agent = settings->user_agent ? settings->user_agent : monitor->user_agent,
        .proxy = settings->proxy ? settings->proxy : monitor->config->proxy,
        .timeout_ms = settings->timeout_ms,
        .max_bytes = settings->max_size_bytes,
        .allow_private = settings->allow_private,
        .is_urgent = poll->feed->is_urgent,
    };
    poll->fetch = fetch_start(monitor->parts.fetcher, &request, on_fetched, poll);
}

static void on_attempts_saved(void *user)
{
    g_autoptr(GPtrArray) polls = user;
    struct monitor *monitor = NULL; /* gone, it may be, where all are cancelled */
    for (guint i = 0; i < polls->len; i++) {
        struct poll *poll = g_ptr_array_index(polls, i);
        if (!poll->feed) {
            g_free(poll);
            continue;
        }
        monitor = poll->feed->monitor;
        ask(poll);
    }
    if (monitor)
        pending_start(monitor);
}

static struct poll *attempt(struct monitor_feed *feed)
{
    struct monitor *monitor = feed->monitor;
    monitor->polls++;
    monitor->attempts++;
    struct poll *poll = g_new0(struct poll, 1);
    poll->feed = feed;
    feed->poll = poll;
    const struct schedule_settings settings = monitor_schedule_settings(feed);
    poll->is_plain = schedule_start(&settings, &feed->state->schedule,
                                    clock_wall_s(monitor->parts.clock), g_random_int());
    return poll;
}

void polls_start(struct monitor *monitor, struct monitor_feed *const *feeds, size_t n_feeds)
{
    if (n_feeds == 0)
        return;
    GPtrArray *polls = g_ptr_array_sized_new((guint)n_feeds);
    for (size_t i = 0; i < n_feeds; i++)
        g_ptr_array_add(polls, attempt(feeds[i]));
    unsaved_store(monitor, feeds, n_feeds, on_attempts_saved, polls);
}

void poll_now(struct monitor_feed *leader)
{
    schedule_queue_remove(leader->monitor->queue, leader);
    pending_remove(leader);
    polls_start(leader->monitor, &leader, 1);
}

/* Where the store or an intake still knows the poll, their completion frees it. */
void poll_cancel(struct poll *poll)
{
    poll->feed->poll = NULL;
    poll->feed->monitor->polls--;
    poll->feed->monitor->attempts -= !poll->is_attempt_saved;
    poll->feed = NULL;
    if (poll->fetch) {
        fetch_cancel(poll->fetch);
        g_free(poll);
    }
}
