#include "fetch/internal.h"

#include <string.h>

#define ACCEPT                                                                   \
    "Accept: application/atom+xml, application/rss+xml, application/feed+json, " \
    "application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
/* What is left of a feed's time for a further hop, at least. */
#define HOP_TIMEOUT_MIN_MS 1000

static void on_response(struct http_response *response, void *user);

/* --- requests --- */

bool fetch_is_own_site(const struct fetch *fetch)
{
    return fetch_url_is_same_site(&fetch->own, &fetch->url);
}

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
    fetch->was_conditional = fetch_validators_any(pair) && fetch_is_own_site(fetch);
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
    if (fetch_is_local(fetch)) {
        fetch_start_local(fetch);
        return;
    }
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

void fetcher_pump(struct fetcher *fetcher)
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

/* --- hops --- */

void fetch_enqueue(struct fetch *fetch)
{
    struct fetcher *fetcher = fetch->fetcher;
    int64_t until_s = fetch_held_until_s(fetcher, fetch->url.origin);
    if (until_s > 0) {
        fetch_end_held(fetch, until_s);
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
        fetch_fail(fetch, g_strdup_printf("more than %d redirects", FETCH_HOPS_MAX));
        return;
    }
    if (!fetch_url_resolve(&fetch->url, http_response_header(response, "location"), &next,
                           &error)) {
        fetch_fail(fetch, g_strdup_printf("a redirect was refused: %s", error->message));
        return;
    }
    if (fetch->n_hops++ > 0)
        fetch_url_clear(&fetch->url);
    fetch->is_permanent_route = fetch->is_permanent_route && verdict_is_permanent(response->status);
    fetch->timeout_ms = MAX(fetch->timeout_ms - response->waited_ms, HOP_TIMEOUT_MIN_MS);
    fetch->url = next;
    fetch_enqueue(fetch);
    fetcher_pump(fetch->fetcher);
}

void fetch_leave_host(struct fetch *fetch)
{
    pacer_end(fetch->fetcher->pacer, fetch->ticket);
    fetch->ticket = NULL;
}

static void on_response(struct http_response *response, void *user)
{
    struct fetch *fetch = user;
    fetch->exchange = NULL;
    fetch_take_response(fetch, response);
}

void fetch_take_response(struct fetch *fetch, struct http_response *response)
{
    struct fetcher *fetcher = fetch->fetcher;
    const struct verdict_facts facts = {
        .was_conditional = fetch->was_conditional,
        .offered_delta = fetch->was_conditional,
        .is_temporary_route = !fetch->is_permanent_route,
    };
    pacer_sent(fetch->ticket, fetch->started_ms + response->setup_ms);
    fetch_result_clear(&fetch->result);
    enum verdict verdict =
        verdict_of(response, &facts, clock_wall_s(fetcher->clock), &fetch->result);
    if (verdict != VERDICT_BODY) /* a body keeps its place until it is parsed, so that few wait */
        fetch_leave_host(fetch);
    if (verdict == VERDICT_FAILED && fetch->result.outcome.kind == SCHEDULE_THROTTLED)
        fetch_hold_after(fetch, &fetch->result.outcome);
    fetcher_pump(fetcher); /* now: the end of this fetch may be the end of all */
    switch (verdict) {
    case VERDICT_BODY:
        fetch_take_body(fetch, response);
        break;
    case VERDICT_NOT_MODIFIED:
        fetch_take_not_modified(fetch, response);
        break;
    case VERDICT_REDIRECT:
        follow(fetch, response);
        break;
    case VERDICT_FAILED:
        fetch->result.kind = FETCH_FAILED;
        fetch_finish(fetch);
        break;
    }
}
