#include "fetch/verdict.h"

#include "fetch/hints.h"

#include <string.h>

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {204, "No Content"},
    {206, "Partial Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {406, "Not Acceptable"},
    {410, "Gone"},
    {429, "Too Many Requests"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

static char *status_message(int status)
{
    for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
        if (reasons[i].status == status)
            return g_strdup_printf("the server answered %d (%s)", status, reasons[i].reason);
    return g_strdup_printf("the server answered %d", status);
}

static enum verdict failed(struct fetch_result *result, enum schedule_outcome_kind kind,
                           char *message)
{
    result->outcome.kind = kind;
    result->message = message;
    return VERDICT_FAILED;
}

static enum verdict not_transferred(const struct http_response *response,
                                    struct fetch_result *result)
{
    bool is_net = response->failure == HTTP_FAILED_DNS || response->failure == HTTP_FAILED_CONNECT;
    return failed(result, is_net ? SCHEDULE_FAILED_NET : SCHEDULE_FAILED,
                  g_strdup(response->message));
}

static enum verdict refused(int status, const struct verdict_facts *facts,
                            struct fetch_result *result)
{
    enum schedule_outcome_kind kind = SCHEDULE_FAILED;
    if (status == 429 || (status >= 400 && result->outcome.retry_after_s >= 0))
        kind = SCHEDULE_THROTTLED;
    if (status == 410 && !facts->is_temporary_route)
        kind = SCHEDULE_GONE;
    return failed(result, kind, status_message(status));
}

static bool is_redirect(const struct http_response *response)
{
    static const int statuses[] = {301, 302, 303, 307, 308};
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
        if (response->status == statuses[i])
            return http_response_header(response, "location") != NULL;
    return false;
}

/* RFC 3229 3.3.2: the response names the manipulation. */
static bool is_feed_delta(const struct http_response *response)
{
    const char *manipulation = http_response_header(response, "im");
    return !manipulation || strstr(manipulation, "feed") != NULL;
}

enum verdict verdict_of(const struct http_response *response, const struct verdict_facts *facts,
                        int64_t now_s, struct fetch_result *result)
{
    int status = response->status;
    result->status = status;
    result->outcome = (struct schedule_outcome){.retry_after_s = -1};
    if (response->failure != HTTP_NO_FAILURE)
        return not_transferred(response, result);
    if (is_redirect(response))
        return VERDICT_REDIRECT;
    if (status >= 400) {
        result->outcome.retry_after_s = hints_retry_after_s(response, now_s);
        return refused(status, facts, result);
    }
    result->outcome.fresh_for_s = hints_fresh_for_s(response, now_s);
    if (status == 304 && facts->was_conditional) {
        result->outcome.kind = SCHEDULE_NOT_MODIFIED;
        return VERDICT_NOT_MODIFIED;
    }
    result->is_delta = status == 226 && facts->offered_delta && is_feed_delta(response);
    if (status == 200 || status == 203 || result->is_delta) {
        result->outcome.kind = SCHEDULE_OK;
        return VERDICT_BODY;
    }
    return failed(result, SCHEDULE_FAILED, status_message(status));
}

static char *usable_validator(const char *value)
{
    if (!value || !*value || strlen(value) > FETCH_VALIDATOR_BYTES_MAX)
        return NULL;
    for (const char *p = value; *p; p++)
        if (*p != '\t' && g_ascii_iscntrl(*p))
            return NULL;
    return g_strdup(value);
}

struct fetch_validators verdict_validators(const struct http_response *response)
{
    return (struct fetch_validators){
        .etag = usable_validator(http_response_header(response, "etag")),
        .last_modified = usable_validator(http_response_header(response, "last-modified")),
    };
}

bool verdict_is_permanent(int status)
{
    return status == 301 || status == 308;
}
