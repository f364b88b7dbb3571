/* http/failure - what libcurl's result means to us, and a sentence for a person. */
#ifndef HTTP_FAILURE_H
#define HTTP_FAILURE_H

#include "http/http.h"

#include <curl/curl.h>

/* The easy handle tells how far a transfer came that timed out. */
enum http_failure failure_of(CURLcode result, CURL *easy);
/* detail: libcurl's own words, may be empty. Newly allocated. */
char *failure_message(enum http_failure failure, CURLcode result, const char *detail);

#endif
