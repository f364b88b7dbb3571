/* http/http - one HTTP client on libcurl's multi interface and the GLib main loop.
 *
 * A request is one exchange: no redirect is followed here, no cookie kept, no credentials guessed.
 * Only http and https. The body is counted after decoding and cut at max_bytes; headers at
 * max_header_bytes. The address is checked where the socket opens and again before the request is
 * sent (a reused connection opens none); through a proxy only a host that is written as an address
 * can be checked. Values with control characters are refused before anything is sent (RFC 9110
 * 5.5). Where no proxy is given, the standard variables hold (proxy.h); "" means none at all.
 *
 * Connections are kept for the next request to the same server, but not for longer than a minute
 * in which there is none to any.
 *
 * One thread: everything happens on the context given at birth; on_done never comes from within
 * http_send(). */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define HTTP_HEADER_BYTES_MAX (256 * 1024)

struct http_client;
struct http_exchange;

enum http_failure {
    HTTP_NO_FAILURE,
    HTTP_FAILED_DNS,
    HTTP_FAILED_CONNECT,
    HTTP_FAILED_TLS,
    HTTP_FAILED_TIMEOUT,   /* once connected; before that it is one of the first two */
    HTTP_FAILED_TOO_LARGE, /* body, headers */
    HTTP_FAILED_ADDRESS,   /* a private address that nobody asked for (S09) */
    HTTP_FAILED_REQUEST,   /* refused before it was sent: scheme, bad value */
    HTTP_FAILED_TRANSFER,  /* reset, short body, bad encoding, … */
};

struct http_request {           /* borrowed until http_send() returns; NULL: leave out */
    const char *url;            /* absolute, http or https */
    const char *method;         /* NULL: GET */
    const char *const *headers; /* "Name: value", NULL-terminated */
    GBytes *body;
    const char *user_agent;
    const char *proxy;
    const char *userpwd; /* "user:password", Basic */
    const char *bearer;  /* token */
    int64_t timeout_ms;  /* the whole exchange */
    int64_t max_bytes;   /* of the decoded body */
    bool allow_private;  /* else a private, loopback or link-local address is refused */
};

struct http_response {
    int status; /* 0 where failure is set and no status line came */
    enum http_failure failure;
    char *message;           /* NULL, or a sentence for a person; never credentials */
    struct headers *headers; /* of the final response (headers.h); NULL: there are none */
    GByteArray *body;        /* decoded; never NULL */
    int64_t waited_ms;
    int64_t setup_ms; /* the part of it before the request could be sent */
    bool is_new_connection;
};

/* The response is borrowed; g_steal_pointer(&response->body) takes the body. */
typedef void (*http_done)(struct http_response *response, void *user);

/* ca_file: NULL for the system's authorities (tests bring their own). */
struct http_client *http_client_new(GMainContext *context, const char *ca_file);
/* After how long without an exchange idle connections are closed (tests; MULTI_REST_MS). */
void http_client_set_rest_ms(struct http_client *client, guint rest_ms);
/* Exchanges under way end without a callback. */
void http_client_free(struct http_client *client);
struct http_exchange *http_send(struct http_client *client, const struct http_request *request,
                                http_done on_done, void *user);
/* Ends it without a callback. Valid until on_done is called. */
void http_cancel(struct http_exchange *exchange);
/* "feedwatch/VERSION (+CONTACT)"; contact may be NULL. Newly allocated. */
char *http_user_agent(const char *contact);
/* The first header of that lower-case name, or NULL. */
const char *http_response_header(const struct http_response *response, const char *name);

#endif
