/* fetch/verdict - what a response means for a feed.
 *
 * Pure functions of the request's facts and the response. Source: polling.md E06-E09, E16-E27,
 * E29. */
#ifndef FETCH_VERDICT_H
#define FETCH_VERDICT_H

#include "fetch/fetch.h"

enum verdict {
    VERDICT_BODY,         /* a document, perhaps: parse it */
    VERDICT_NOT_MODIFIED, /* 304 to what we asked */
    VERDICT_REDIRECT,     /* follow Location */
    VERDICT_FAILED,       /* outcome and message are set */
};

struct verdict_facts {
    bool was_conditional;    /* this hop carried a validator */
    bool offered_delta;      /* A-IM was sent */
    bool is_temporary_route; /* a hop on the way here may be another one tomorrow */
};

/* Fills result's status, outcome (fresh_for_s, retry_after_s, kind), is_delta and message. */
enum verdict verdict_of(const struct http_response *response, const struct verdict_facts *facts,
                        int64_t now_s, struct fetch_result *result);
/* The pair of a response; a value that could not be sent back is dropped (S10). */
struct fetch_validators verdict_validators(const struct http_response *response);
bool verdict_is_permanent(int status); /* a redirect: 301 or 308 */

#endif
