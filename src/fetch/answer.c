#include "fetch/internal.h"

#include <xxhash.h>

/* A fingerprint of a body, to see that it is the one we know. 0 is kept for "none". Whoever could
 * make two bodies collide is the publisher, who could as well not publish. */
static uint64_t body_hash_of(const GByteArray *body)
{
    return MAX(XXH3_64bits(body->data, body->len), 1);
}

static void take_hints(struct schedule_outcome *outcome, const struct feed_doc *doc)
{
    outcome->ttl_s = doc->ttl_s;
    outcome->update_period_s = doc->update_period_s;
    outcome->skip_hours = doc->skip_hours;
    outcome->skip_days = doc->skip_days;
}

/* Of a document that ended too early we have seen a part: what it brought is taken in, but the next
 * request asks as if this answer had not been (E09), and its body is read even if it is the same.
 */
static void forget_answer(struct fetch *fetch)
{
    struct fetch_result *result = &fetch->result;
    fetch_validators_clear(&result->validators);
    result->validators = fetch_validators_copy(&fetch->validators);
    result->body_hash = fetch->body_hash;
}

static void on_parsed(struct feed_doc *doc, const GError *error, void *user)
{
    struct fetch *fetch = user;
    fetch->job = 0;
    if (!doc) {
        fetch->result.outcome.kind = SCHEDULE_FAILED;
        fetch_fail(fetch, g_strdup(error->message));
        return;
    }
    fetch->result.kind = FETCH_DOCUMENT;
    fetch->result.doc = doc;
    take_hints(&fetch->result.outcome, doc);
    if (doc->is_truncated)
        forget_answer(fetch);
    fetch_finish(fetch);
}

static bool has_secret(const struct fetch *fetch)
{
    return fetch->userpwd || fetch->bearer || (fetch->headers && *fetch->headers);
}

/* Every hop said it is for ever. A URL with a password in it is not replaced by one without; and a
 * stranger whose URL became the feed's own would get what is secret with the next request (S11). */
static void note_permanent(struct fetch *fetch)
{
    bool may_move = !fetch->own.userinfo && (!has_secret(fetch) || fetch_is_own_site(fetch));
    if (fetch->n_hops > 0 && fetch->is_permanent_route && may_move)
        fetch->result.permanent_url = g_strdup(fetch->url.text);
}

void fetch_take_body(struct fetch *fetch, struct http_response *response)
{
    struct fetch_result *result = &fetch->result;
    uint64_t hash = body_hash_of(response->body);
    result->body_bytes = response->body->len;
    if (fetch_is_own_site(fetch)) /* else our next request would carry a stranger's pair (E24) */
        result->validators = verdict_validators(response);
    note_permanent(fetch);
    result->body_hash = result->is_delta ? fetch->body_hash : hash;
    if (hash == fetch->body_hash && !result->is_delta) {
        result->kind = FETCH_UNCHANGED;
        result->outcome.kind = SCHEDULE_UNCHANGED;
        fetch_finish(fetch);
        return;
    }
    const struct feed_options options = {
        .base_url = fetch->url.text,
        .content_type = http_response_header(response, "content-type"),
    };
    g_autoptr(GBytes) body = g_byte_array_free_to_bytes(g_steal_pointer(&response->body));
    fetch->job = worker_submit(fetch->fetcher->worker, body, &options, on_parsed, fetch);
}

void fetch_take_not_modified(struct fetch *fetch, const struct http_response *response)
{
    struct fetch_result *result = &fetch->result;
    result->kind = FETCH_NOT_MODIFIED;
    result->body_hash = fetch->body_hash;
    result->validators = verdict_validators(response);
    if (!fetch_validators_any(&result->validators))
        result->validators = fetch_validators_copy(&fetch->validators);
    note_permanent(fetch);
    fetch_finish(fetch);
}
