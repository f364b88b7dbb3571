/* fetch/hints - what a response's headers say about the next request.
 *
 * Cache-Control, Age, Expires (RFC 9111), Retry-After (RFC 9110 10.2.3). Dates count from the
 * server's own Date; now_s stands in where it sends none. Pure. */
#ifndef FETCH_HINTS_H
#define FETCH_HINTS_H

#include "http/http.h"

#include <stdint.h>

/* How long the answer is fresh: max-age less Age, else Expires less Date; 0: nothing said, or
 * no-cache, no-store, a time that is over. */
int64_t hints_fresh_for_s(const struct http_response *response, int64_t now_s);
/* Seconds from now, 0 for what is over; -1: absent or rubbish. */
int64_t hints_retry_after_s(const struct http_response *response, int64_t now_s);

#endif
