#include "http/date.h"

#include <curl/curl.h>
#include <string.h>

/* Longer ones are no dates, and the parser's time grows with them. */
#define DATE_BYTES_MAX 64

bool http_date_parse(const char *text, int64_t *ret_s)
{
    if (strlen(text) > DATE_BYTES_MAX)
        return false;
    time_t seconds = curl_getdate(text, NULL);
    if (seconds == -1)
        return false;
    *ret_s = (int64_t)seconds;
    return true;
}
