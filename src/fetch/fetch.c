#include "fetch/internal.h"

#include "base/pack.h"
#include "base/source.h"
#include "http/address.h"

#include <string.h>

#define SPACING_MS      1000
#define CONNECTIONS_MAX 32

void fetch_validators_clear(struct fetch_validators *validators)
{
    g_clear_pointer(&validators->etag, g_free);
    g_clear_pointer(&validators->last_modified, g_free);
}

struct fetch_validators fetch_validators_copy(const struct fetch_validators *validators)
{
    return (struct fetch_validators){g_strdup(validators->etag),
                                     g_strdup(validators->last_modified)};
}

bool fetch_validators_any(const struct fetch_validators *validators)
{
    return validators->etag || validators->last_modified;
}

/* --- the end --- */

void fetch_result_clear(struct fetch_result *result)
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
    fetch_stop_local(fetch);
    if (fetch->job)
        worker_cancel(fetch->fetcher->worker, fetch->job);
    source_end(&fetch->ending);
}

static void free_fetch(struct fetch *fetch)
{
    stop_waiting(fetch);
    g_queue_unlink(&fetch->fetcher->fetches, &fetch->link);
    fetch_result_clear(&fetch->result);
    if (fetch->n_hops > 0)
        fetch_url_clear(&fetch->url);
    g_strfreev(fetch->argv);
    g_strfreev(fetch->headers);
    g_free(fetch);
}

/* The callback may do anything, also free the fetcher: nothing of ours is touched after it. */
void fetch_finish(struct fetch *fetch)
{
    struct fetch_result result = fetch->result;
    fetch_done on_done = fetch->on_done;
    void *user = fetch->user;
    fetch->result = (struct fetch_result){0};
    if (result.kind == FETCH_FAILED) { /* what was stored stays (E09) */
        g_clear_pointer(&result.permanent_url, g_free);
        fetch_validators_clear(&result.validators);
        result.validators = fetch_validators_copy(&fetch->validators);
        result.body_hash = fetch->body_hash;
    }
    /* To look at a file again costs nobody anything. */
    result.outcome.has_validator = fetch_validators_any(&result.validators) || fetch->path;
    result.had_credentials = fetch->userpwd || fetch->bearer;
    struct fetcher *fetcher = fetch->fetcher;
    bool frees_place = fetch->ticket != NULL;
    free_fetch(fetch);
    if (frees_place)
        fetcher_pump(fetcher);
    on_done(&result, user);
    fetch_result_clear(&result);
}

void fetch_fail(struct fetch *fetch, char *message)
{
    fetch->result.kind = FETCH_FAILED;
    g_free(fetch->result.message);
    fetch->result.message = message;
    fetch_finish(fetch);
}

static gboolean on_ending(gpointer data)
{
    fetch_finish(data);
    return G_SOURCE_REMOVE;
}

void fetch_fail_later(struct fetch *fetch, enum schedule_outcome_kind kind, char *message)
{
    fetch->result.kind = FETCH_FAILED;
    fetch->result.outcome = (struct schedule_outcome){.kind = kind, .retry_after_s = -1};
    fetch->result.message = message;
    fetch->ending = g_idle_source_new();
    g_source_set_priority(fetch->ending, G_PRIORITY_DEFAULT);
    g_source_set_callback(fetch->ending, on_ending, fetch, NULL);
    g_source_attach(fetch->ending, fetch->fetcher->context);
}

/* --- the beginning --- */

static void take_credentials(struct fetch *fetch, const char *credentials)
{
    static const char bearer[] = "Bearer ";
    const size_t size = sizeof bearer - 1;
    if (credentials && g_ascii_strncasecmp(credentials, bearer, size) == 0)
        fetch->bearer = credentials + size;
    else
        fetch->userpwd = credentials ? credentials : fetch->own.userinfo;
}

/* In one block: there may be thousands of them, and all but a few wait. */
static struct fetch *pack(const struct fetch *fetch)
{
    static const size_t texts[] = {
        offsetof(struct fetch, own.text),
        offsetof(struct fetch, own.origin),
        offsetof(struct fetch, own.host),
        offsetof(struct fetch, own.userinfo),
        offsetof(struct fetch, validators.etag),
        offsetof(struct fetch, validators.last_modified),
        offsetof(struct fetch, path),
        offsetof(struct fetch, userpwd),
        offsetof(struct fetch, bearer),
        offsetof(struct fetch, user_agent),
        offsetof(struct fetch, proxy),
    };
    return pack_new(fetch, sizeof *fetch, texts, G_N_ELEMENTS(texts));
}

/* Its own URL, or a local feed's name in its place: that waits for nobody but its own last run, and
 * is no address that a document's links could be relative to. */
static bool name_own(const struct fetch_request *request, struct fetch_url *ret_own, GError **error)
{
    if (!request->path && !request->argv)
        return fetch_url_parse(request->url, ret_own, error);
    ret_own->origin = g_strdup(request->url);
    ret_own->host = g_strdup(request->url);
    return true;
}

struct fetch *fetch_start(struct fetcher *fetcher, const struct fetch_request *request,
                          fetch_done on_done, void *user)
{
    g_autoptr(GError) error = NULL;
    struct fetch it = {
        .fetcher = fetcher,
        .on_done = on_done,
        .user = user,
        .validators = request->validators,
        .body_hash = request->body_hash,
        .path = request->path,
        .user_agent = request->user_agent,
        .proxy = request->proxy,
        .timeout_ms = request->timeout_ms,
        .max_bytes = request->max_bytes,
        .allows_private = request->allow_private,
        .is_urgent = request->is_urgent,
        .is_permanent_route = true,
    };
    bool is_fine = name_own(request, &it.own, &error);
    take_credentials(&it, request->credentials);
    struct fetch *fetch = pack(&it);
    fetch_url_clear(&it.own);
    fetch->url = fetch->own;
    fetch->argv = g_strdupv((char **)(gintptr)request->argv);
    fetch->headers = g_strdupv((char **)(gintptr)request->headers);
    fetch->link.data = fetch;
    g_queue_push_tail_link(&fetcher->fetches, &fetch->link);
    if (!is_fine) {
        fetch_fail_later(fetch, SCHEDULE_FAILED, g_strdup(error->message));
        return fetch;
    }
    fetch->names_private = !fetch_is_local(fetch) && address_host_is_private(fetch->own.host);
    fetch_enqueue(fetch);
    fetcher_pump(fetcher);
    return fetch;
}

void fetch_cancel(struct fetch *fetch)
{
    struct fetcher *fetcher = fetch->fetcher;
    free_fetch(fetch);
    fetcher_pump(fetcher);
}

/* --- the fetcher --- */

static gboolean on_timer(GSource *source, GSourceFunc unused, gpointer unused_user)
{
    (void)unused;
    (void)unused_user;
    fetcher_pump((struct fetcher *)source);
    return G_SOURCE_CONTINUE;
}

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
    fetcher_pump(fetcher);
}

bool fetcher_has_room(const struct fetcher *fetcher)
{
    return pacer_has_room(fetcher->pacer, clock_real_boot_ms());
}

void fetcher_limit_rate(struct fetcher *fetcher, int64_t gap_ms, int64_t for_ms)
{
    pacer_set_gap(fetcher->pacer, clock_real_delay_ms(fetcher->clock, gap_ms),
                  clock_real_boot_ms() + clock_real_delay_ms(fetcher->clock, for_ms));
}
