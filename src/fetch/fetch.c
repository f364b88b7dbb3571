#include "fetch/fetch.h"

#include "fetch/hash.h"
#include "fetch/pacer.h"
#include "fetch/url.h"
#include "fetch/verdict.h"
#include "http/address.h"

#include <string.h>

#define ACCEPT                                                                   \
    "Accept: application/atom+xml, application/rss+xml, application/feed+json, " \
    "application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
#define SPACING_MS      1000
#define CONNECTIONS_MAX 32
/* What is left of a feed's time for a further hop, at least. */
#define HOP_TIMEOUT_MIN_MS 1000

struct fetcher {
    GSource timer; /* first: GLib allocates and owns the whole */
    GMainContext *context;
    struct http_client *client;
    struct worker *worker;
    const struct clock *clock;
    struct pacer *pacer;
    GQueue fetches;    /* the links are in them */
    GHashTable *holds; /* origin -> int64_t wall seconds */
};

struct fetch {
    GList link;
    struct fetcher *fetcher;
    fetch_done on_done;
    void *user;

    struct fetch_url own; /* as configured */
    struct fetch_url url; /* of this hop */
    struct fetch_validators validators;
    uint64_t body_hash;
    char **headers;
    char *userpwd, *bearer;
    char *user_agent, *proxy;
    int64_t timeout_ms; /* what is left of it */
    int64_t max_bytes;
    bool allows_private;
    bool names_private; /* the configured URL's own host is a private address */
    bool is_urgent;

    unsigned n_hops;
    bool is_permanent_route; /* so far: every hop 301 or 308 */
    bool was_conditional;
    int64_t started_ms;

    /* Where it is: exactly one of these, or a ticket and an exchange. */
    struct pacer_ticket *ticket;
    struct http_exchange *exchange;
    guint64 job;
    GSource *ending;
    struct fetch_result result;
};

void fetch_validators_clear(struct fetch_validators *validators)
{
    g_clear_pointer(&validators->etag, g_free);
    g_clear_pointer(&validators->last_modified, g_free);
}

static struct fetch_validators copy_validators(const struct fetch_validators *validators)
{
    return (struct fetch_validators){g_strdup(validators->etag),
                                     g_strdup(validators->last_modified)};
}

static bool has_validators(const struct fetch_validators *validators)
{
    return validators->etag || validators->last_modified;
}

/* --- the end --- */

static void clear_result(struct fetch_result *result)
{
    fetch_validators_clear(&result->validators);
    g_clear_pointer(&result->doc, feed_doc_free);
    g_clear_pointer(&result->message, g_free);
    g_clear_pointer(&result->permanent_url, g_free);
}

static void stop_waiting(struct fetch *fetch)
{
    if (fetch->exchange)
        http_cancel(fetch->exchange);
    if (fetch->ticket)
        pacer_end(fetch->fetcher->pacer, fetch->ticket);
    if (fetch->job)
        worker_cancel(fetch->fetcher->worker, fetch->job);
    if (fetch->ending) {
        g_source_destroy(fetch->ending);
        g_source_unref(fetch->ending);
    }
}

static void free_fetch(struct fetch *fetch)
{
    stop_waiting(fetch);
    g_queue_unlink(&fetch->fetcher->fetches, &fetch->link);
    clear_result(&fetch->result);
    fetch_url_clear(&fetch->own);
    fetch_url_clear(&fetch->url);
    fetch_validators_clear(&fetch->validators);
    g_strfreev(fetch->headers);
    g_free(fetch->userpwd);
    g_free(fetch->bearer);
    g_free(fetch->user_agent);
    g_free(fetch->proxy);
    g_free(fetch);
}

/* The callback may do anything, also free the fetcher: nothing of ours is touched after it. */
static void finish(struct fetch *fetch)
{
    struct fetch_result result = fetch->result;
    fetch_done on_done = fetch->on_done;
    void *user = fetch->user;
    fetch->result = (struct fetch_result){0};
    if (result.kind == FETCH_FAILED) { /* what was stored stays (E09) */
        g_clear_pointer(&result.permanent_url, g_free);
        fetch_validators_clear(&result.validators);
        result.validators = copy_validators(&fetch->validators);
        result.body_hash = fetch->body_hash;
    }
    result.outcome.has_validator = has_validators(&result.validators);
    result.had_credentials = fetch->userpwd || fetch->bearer;
    free_fetch(fetch);
    on_done(&result, user);
    clear_result(&result);
}

static void fail(struct fetch *fetch, char *message)
{
    fetch->result.kind = FETCH_FAILED;
    g_free(fetch->result.message);
    fetch->result.message = message;
    finish(fetch);
}

static gboolean on_ending(gpointer data)
{
    finish(data);
    return G_SOURCE_REMOVE;
}

/* For a fetch that ends without having been sent, from inside a call of the owner's. */
static void fail_later(struct fetch *fetch, enum schedule_outcome_kind kind, char *message)
{
    fetch->result.kind = FETCH_FAILED;
    fetch->result.outcome = (struct schedule_outcome){.kind = kind, .retry_after_s = -1};
    fetch->result.message = message;
    fetch->ending = g_idle_source_new();
    g_source_set_priority(fetch->ending, G_PRIORITY_DEFAULT);
    g_source_set_callback(fetch->ending, on_ending, fetch, NULL);
    g_source_attach(fetch->ending, fetch->fetcher->context);
}

/* --- origins that asked for silence (E21) --- */

/* Until when; 0: may be asked. */
static int64_t held_until_s(struct fetcher *fetcher, const char *origin)
{
    if (g_hash_table_size(fetcher->holds) == 0)
        return 0;
    const int64_t *until_s = g_hash_table_lookup(fetcher->holds, origin);
    if (!until_s)
        return 0;
    if (*until_s > clock_wall_s(fetcher->clock))
        return *until_s;
    g_hash_table_remove(fetcher->holds, origin);
    return 0;
}

static void end_held(struct fetch *fetch, int64_t until_s)
{
    if (fetch->ticket)
        pacer_end(fetch->fetcher->pacer, fetch->ticket);
    fetch->ticket = NULL;
    fail_later(fetch, SCHEDULE_HELD,
               g_strdup_printf("%s asked for silence, so it was not asked", fetch->url.host));
    fetch->result.outcome.retry_after_s = until_s - clock_wall_s(fetch->fetcher->clock);
}

static void hold(struct fetcher *fetcher, const char *origin, int64_t until_s)
{
    const int64_t *before = g_hash_table_lookup(fetcher->holds, origin);
    if (before && *before >= until_s)
        return;
    int64_t *value = g_new(int64_t, 1);
    *value = until_s;
    g_hash_table_insert(fetcher->holds, g_strdup(origin), value);
    for (GList *link = fetcher->fetches.head; link; link = link->next) {
        struct fetch *fetch = link->data;
        if (fetch->ticket && !fetch->exchange && strcmp(fetch->url.origin, origin) == 0)
            end_held(fetch, until_s);
    }
}

void fetcher_hold(struct fetcher *fetcher, const char *url, int64_t until_s)
{
    struct fetch_url parsed = {0};
    if (until_s > clock_wall_s(fetcher->clock) && fetch_url_parse(url, &parsed, NULL))
        hold(fetcher, parsed.origin, until_s);
    fetch_url_clear(&parsed);
}

static void hold_after(struct fetch *fetch, const struct schedule_outcome *outcome)
{
    int64_t silence_s =
        outcome->retry_after_s < 0
            ? SCHEDULE_THROTTLED_MIN_S
            : CLAMP(outcome->retry_after_s, SCHEDULE_RETRY_AFTER_MIN_S, SCHEDULE_RETRY_AFTER_MAX_S);
    hold(fetch->fetcher, fetch->url.origin, clock_wall_s(fetch->fetcher->clock) + silence_s);
}

/* --- the document --- */

static void take_hints(struct schedule_outcome *outcome, const struct feed_doc *doc)
{
    outcome->ttl_s = doc->ttl_s;
    outcome->update_period_s = doc->update_period_s;
    outcome->skip_hours = doc->skip_hours;
    outcome->skip_days = doc->skip_days;
}

static void on_parsed(struct feed_doc *doc, const GError *error, void *user)
{
    struct fetch *fetch = user;
    fetch->job = 0;
    if (!doc) {
        fetch->result.outcome.kind = SCHEDULE_FAILED;
        fail(fetch, g_strdup(error->message));
        return;
    }
    fetch->result.kind = FETCH_DOCUMENT;
    fetch->result.doc = doc;
    take_hints(&fetch->result.outcome, doc);
    finish(fetch);
}

/* Every hop said it is for ever. A URL with a password in it is not replaced by one without. */
static void note_permanent(struct fetch *fetch)
{
    if (fetch->n_hops > 0 && fetch->is_permanent_route && !fetch->own.userinfo)
        fetch->result.permanent_url = g_strdup(fetch->url.text);
}

static bool is_own_site(const struct fetch *fetch)
{
    return fetch_url_is_same_site(&fetch->own, &fetch->url);
}

static void take_body(struct fetch *fetch, struct http_response *response)
{
    struct fetch_result *result = &fetch->result;
    uint64_t hash = fetch_hash(response->body->data, response->body->len);
    result->body_bytes = response->body->len;
    if (is_own_site(fetch)) /* else our next request would carry a stranger's pair (E24) */
        result->validators = verdict_validators(response);
    note_permanent(fetch);
    result->body_hash = result->is_delta ? fetch->body_hash : hash;
    if (hash == fetch->body_hash && !result->is_delta) {
        result->kind = FETCH_UNCHANGED;
        result->outcome.kind = SCHEDULE_UNCHANGED;
        finish(fetch);
        return;
    }
    const struct feed_options options = {
        .base_url = fetch->url.text,
        .content_type = http_response_header(response, "content-type"),
    };
    g_autoptr(GBytes) body = g_byte_array_free_to_bytes(g_steal_pointer(&response->body));
    fetch->job = worker_submit(fetch->fetcher->worker, body, &options, on_parsed, fetch);
}

static void take_not_modified(struct fetch *fetch, const struct http_response *response)
{
    struct fetch_result *result = &fetch->result;
    result->kind = FETCH_NOT_MODIFIED;
    result->body_hash = fetch->body_hash;
    result->validators = verdict_validators(response);
    if (!has_validators(&result->validators))
        result->validators = copy_validators(&fetch->validators);
    note_permanent(fetch);
    finish(fetch);
}

/* --- hops --- */

static void pump(struct fetcher *fetcher);

static void enqueue(struct fetch *fetch)
{
    struct fetcher *fetcher = fetch->fetcher;
    int64_t until_s = held_until_s(fetcher, fetch->url.origin);
    if (until_s > 0) {
        end_held(fetch, until_s);
        return;
    }
    enum pacer_priority priority = fetch->is_urgent ? PACER_URGENT : PACER_NORMAL;
    if (fetch->n_hops > 0)
        priority = PACER_CONTINUES;
    fetch->ticket =
        pacer_add(fetcher->pacer, fetch->url.host, priority, fetch, clock_real_boot_ms());
}

/* The next hop waits for its turn like any other request. */
static void follow(struct fetch *fetch, const struct http_response *response)
{
    struct fetch_url next = {0};
    g_autoptr(GError) error = NULL;
    fetch->result.outcome.kind = SCHEDULE_FAILED;
    if (fetch->n_hops >= FETCH_HOPS_MAX) {
        fail(fetch, g_strdup_printf("more than %d redirects", FETCH_HOPS_MAX));
        return;
    }
    if (!fetch_url_resolve(&fetch->url, http_response_header(response, "location"), &next,
                           &error)) {
        fail(fetch, g_strdup_printf("a redirect was refused: %s", error->message));
        return;
    }
    fetch->n_hops++;
    fetch->is_permanent_route = fetch->is_permanent_route && verdict_is_permanent(response->status);
    fetch->timeout_ms = MAX(fetch->timeout_ms - response->waited_ms, HOP_TIMEOUT_MIN_MS);
    fetch_url_clear(&fetch->url);
    fetch->url = next;
    enqueue(fetch);
    pump(fetch->fetcher);
}

static void leave_host(struct fetch *fetch, const struct http_response *response)
{
    fetch->exchange = NULL;
    pacer_sent(fetch->ticket, fetch->started_ms + response->setup_ms);
    pacer_end(fetch->fetcher->pacer, fetch->ticket);
    fetch->ticket = NULL;
}

static void on_response(struct http_response *response, void *user)
{
    struct fetch *fetch = user;
    struct fetcher *fetcher = fetch->fetcher;
    const struct verdict_facts facts = {
        .was_conditional = fetch->was_conditional,
        .offered_delta = fetch->was_conditional,
        .is_temporary_route = !fetch->is_permanent_route,
    };
    leave_host(fetch, response);
    clear_result(&fetch->result);
    enum verdict verdict =
        verdict_of(response, &facts, clock_wall_s(fetcher->clock), &fetch->result);
    if (verdict == VERDICT_FAILED && fetch->result.outcome.kind == SCHEDULE_THROTTLED)
        hold_after(fetch, &fetch->result.outcome);
    pump(fetcher); /* now: the end of this fetch may be the end of all */
    switch (verdict) {
    case VERDICT_BODY:
        take_body(fetch, response);
        break;
    case VERDICT_NOT_MODIFIED:
        take_not_modified(fetch, response);
        break;
    case VERDICT_REDIRECT:
        follow(fetch, response);
        break;
    case VERDICT_FAILED:
        fetch->result.kind = FETCH_FAILED;
        finish(fetch);
        break;
    }
}

/* --- requests --- */

static bool names_header(char *const *headers, const char *name)
{
    size_t size = strlen(name);
    for (; headers && *headers; headers++)
        if (g_ascii_strncasecmp(*headers, name, size) == 0 && (*headers)[size] == ':')
            return true;
    return false;
}

static void add_validators(struct fetch *fetch, GPtrArray *headers)
{
    const struct fetch_validators *pair = &fetch->validators;
    fetch->was_conditional = has_validators(pair) && is_own_site(fetch);
    if (!fetch->was_conditional)
        return;
    if (pair->etag)
        g_ptr_array_add(headers, g_strconcat("If-None-Match: ", pair->etag, NULL));
    if (pair->last_modified)
        g_ptr_array_add(headers, g_strconcat("If-Modified-Since: ", pair->last_modified, NULL));
    g_ptr_array_add(headers, g_strdup("A-IM: feed"));
}

/* The feed's own headers may be as secret as a password, and go only where that goes. */
static GPtrArray *headers_of(struct fetch *fetch, bool is_own_origin)
{
    GPtrArray *headers = g_ptr_array_new_with_free_func(g_free);
    for (char **field = fetch->headers; is_own_origin && field && *field; field++)
        g_ptr_array_add(headers, g_strdup(*field));
    if (!is_own_origin || !names_header(fetch->headers, "Accept"))
        g_ptr_array_add(headers, g_strdup(ACCEPT));
    add_validators(fetch, headers);
    g_ptr_array_add(headers, NULL);
    return headers;
}

static void send_request(struct fetch *fetch)
{
    bool is_own_origin = strcmp(fetch->own.origin, fetch->url.origin) == 0;
    g_autoptr(GPtrArray) headers = headers_of(fetch, is_own_origin);
    const struct http_request request = {
        .url = fetch->url.text,
        .headers = (const char *const *)headers->pdata,
        .user_agent = fetch->user_agent,
        .proxy = fetch->proxy,
        .userpwd = is_own_origin ? fetch->userpwd : NULL,
        .bearer = is_own_origin ? fetch->bearer : NULL,
        .timeout_ms = fetch->timeout_ms,
        .max_bytes = fetch->max_bytes,
        .allow_private = fetch->allows_private || (fetch->names_private && is_own_origin),
    };
    fetch->started_ms = clock_real_boot_ms();
    fetch->exchange = http_send(fetch->fetcher->client, &request, on_response, fetch);
}

static void pump(struct fetcher *fetcher)
{
    int64_t now_ms = clock_real_boot_ms();
    struct fetch *fetch;
    while ((fetch = pacer_next(fetcher->pacer, now_ms)) != NULL)
        send_request(fetch);
    int64_t wait_ms = pacer_wait_ms(fetcher->pacer, now_ms);
    int64_t ready_us = wait_ms < 0 ? -1 : g_get_monotonic_time() + wait_ms * 1000;
    if (ready_us >= 0 || g_source_get_ready_time(&fetcher->timer) >= 0)
        g_source_set_ready_time(&fetcher->timer, ready_us);
}

static gboolean on_timer(GSource *source, GSourceFunc unused, gpointer unused_user)
{
    (void)unused;
    (void)unused_user;
    pump((struct fetcher *)source);
    return G_SOURCE_CONTINUE;
}

static void take_credentials(struct fetch *fetch, const char *credentials)
{
    static const char bearer[] = "Bearer ";
    const size_t size = sizeof bearer - 1;
    if (credentials && g_ascii_strncasecmp(credentials, bearer, size) == 0)
        fetch->bearer = g_strdup(credentials + size);
    else
        fetch->userpwd = g_strdup(credentials ? credentials : fetch->own.userinfo);
}

static void take_request(struct fetch *fetch, const struct fetch_request *request)
{
    fetch->validators = copy_validators(&request->validators);
    fetch->body_hash = request->body_hash;
    fetch->headers = g_strdupv((char **)(gintptr)request->headers);
    fetch->user_agent = g_strdup(request->user_agent);
    fetch->proxy = g_strdup(request->proxy);
    fetch->timeout_ms = request->timeout_ms;
    fetch->max_bytes = request->max_bytes;
    fetch->allows_private = request->allow_private;
    fetch->is_urgent = request->is_urgent;
    fetch->is_permanent_route = true;
}

static void begin(struct fetch *fetch, const struct fetch_request *request)
{
    g_autoptr(GError) error = NULL;
    if (!fetch_url_parse(request->url, &fetch->own, &error)) {
        fail_later(fetch, SCHEDULE_FAILED, g_strdup(error->message));
        return;
    }
    fetch->url = (struct fetch_url){.text = g_strdup(fetch->own.text),
                                    .origin = g_strdup(fetch->own.origin),
                                    .host = g_strdup(fetch->own.host)};
    take_credentials(fetch, request->credentials);
    fetch->names_private = address_host_is_private(fetch->own.host);
    enqueue(fetch);
    pump(fetch->fetcher);
}

struct fetch *fetch_start(struct fetcher *fetcher, const struct fetch_request *request,
                          fetch_done on_done, void *user)
{
    struct fetch *fetch = g_new0(struct fetch, 1);
    fetch->link.data = fetch;
    fetch->fetcher = fetcher;
    fetch->on_done = on_done;
    fetch->user = user;
    g_queue_push_tail_link(&fetcher->fetches, &fetch->link);
    take_request(fetch, request);
    begin(fetch, request);
    return fetch;
}

void fetch_cancel(struct fetch *fetch)
{
    struct fetcher *fetcher = fetch->fetcher;
    free_fetch(fetch);
    pump(fetcher);
}

/* --- the fetcher --- */

struct fetcher *fetcher_new(GMainContext *context, struct http_client *client,
                            struct worker *worker, const struct clock *clock)
{
    static GSourceFuncs functions = {.dispatch = on_timer};
    struct fetcher *fetcher = (struct fetcher *)g_source_new(&functions, sizeof *fetcher);
    g_source_set_static_name(&fetcher->timer, "fetch");
    fetcher->context = context;
    fetcher->client = client;
    fetcher->worker = worker;
    fetcher->clock = clock;
    fetcher->pacer = pacer_new();
    fetcher->holds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_queue_init(&fetcher->fetches);
    pacer_set_limits(fetcher->pacer, SPACING_MS, CONNECTIONS_MAX);
    g_source_attach(&fetcher->timer, context);
    return fetcher;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (!fetcher)
        return;
    GList *link;
    while ((link = g_queue_peek_head_link(&fetcher->fetches)) != NULL)
        free_fetch(link->data);
    pacer_free(fetcher->pacer);
    g_hash_table_unref(fetcher->holds);
    g_source_destroy(&fetcher->timer);
    g_source_unref(&fetcher->timer);
}

void fetcher_set_limits(struct fetcher *fetcher, int64_t host_spacing_ms, guint max_connections)
{
    pacer_set_limits(fetcher->pacer, host_spacing_ms, max_connections);
    pump(fetcher);
}
