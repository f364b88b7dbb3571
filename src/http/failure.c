#include "http/failure.h"

/* A time-out before there is a connection is a failure to connect: it says nothing about the
 * publisher's server, and the network may soon be back. */
static enum http_failure timeout_of(CURL *easy)
{
    curl_off_t resolved_us = 0, connected_us = 0;
    curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved_us);
    curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected_us);
    if (resolved_us == 0)
        return HTTP_FAILED_DNS;
    return connected_us == 0 ? HTTP_FAILED_CONNECT : HTTP_FAILED_TIMEOUT;
}

enum http_failure failure_of(CURLcode result, CURL *easy)
{
    switch (result) {
    case CURLE_OK:
        return HTTP_NO_FAILURE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return HTTP_FAILED_DNS;
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
        return HTTP_FAILED_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return timeout_of(easy);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return HTTP_FAILED_TLS;
    case CURLE_FILESIZE_EXCEEDED:
        return HTTP_FAILED_TOO_LARGE;
    case CURLE_URL_MALFORMAT:
        return HTTP_FAILED_REQUEST;
    default:
        return HTTP_FAILED_TRANSFER;
    }
}

static const char *summary_of(enum http_failure failure)
{
    switch (failure) {
    case HTTP_FAILED_DNS:
        return "the host's name could not be resolved";
    case HTTP_FAILED_CONNECT:
        return "no connection";
    case HTTP_FAILED_TLS:
        return "the server's certificate or TLS was refused";
    case HTTP_FAILED_TIMEOUT:
        return "the server was too slow";
    case HTTP_FAILED_TOO_LARGE:
        return "the answer is larger than allowed";
    case HTTP_FAILED_ADDRESS:
        return "the host has a private address (allow_private is not set)";
    case HTTP_FAILED_REQUEST:
        return "the request was not sent";
    default:
        return "the transfer failed";
    }
}

char *failure_message(enum http_failure failure, CURLcode result, const char *detail)
{
    if (failure == HTTP_FAILED_ADDRESS || failure == HTTP_FAILED_TOO_LARGE)
        return g_strdup(summary_of(failure));
    if (!detail || !*detail)
        detail = curl_easy_strerror(result);
    return g_strdup_printf("%s: %s", summary_of(failure), detail);
}
