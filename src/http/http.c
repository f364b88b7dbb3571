#include "http/http.h"

#include "base/source.h"
#include "http/address.h"
#include "http/failure.h"
#include "http/headers.h"
#include "http/multi.h"
#include "http/proxy.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 30000L
/* Slower than this for so long is a server that holds us (E37). */
#define LOW_SPEED_BYTES_S 32L
#define LOW_SPEED_S       45L
/* Handles that wait for the next request; each holds a buffer. */
#define IDLE_HANDLES_MAX 8

struct http_client {
    GMainContext *context;
    struct multi *multi;
    char *ca_file;
    struct proxy_environment environment;
    GQueue active; /* the links are in the exchanges */
    GQueue idle;
};

/* Lives as long as its handle: it is used again for the next request. */
struct http_exchange {
    GList link; /* in the client's active or idle */
    struct http_client *client;
    CURL *easy;
    struct http_response response;
    http_done on_done;
    void *user;
    struct curl_slist *headers;
    GBytes *body;
    GSource *refusal; /* set: nothing was sent, and this brings the news */
    int64_t max_bytes;
    size_t header_bytes;
    bool is_in_head;
    bool allows_private;
    bool is_proxied;
    bool is_address_refused;
    bool is_too_large;
    char detail[CURL_ERROR_SIZE];
};

/* --- what libcurl calls during a transfer --- */

static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct http_exchange *exchange = user;
    if (!exchange->allows_private && !exchange->is_proxied && address_is_private(&address->addr)) {
        exchange->is_address_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A reused connection was opened for somebody with other permissions, perhaps. */
static int on_before_request(void *user, char *remote, char *local, int remote_port, int local_port)
{
    (void)local;
    (void)remote_port;
    (void)local_port;
    struct http_exchange *exchange = user;
    if (exchange->allows_private || exchange->is_proxied || !address_text_is_private(remote))
        return CURL_PREREQFUNC_OK;
    exchange->is_address_refused = true;
    return CURL_PREREQFUNC_ABORT;
}

static size_t on_header(char *line, size_t one, size_t size, void *user)
{
    struct http_exchange *exchange = user;
    (void)one;
    exchange->header_bytes += size;
    if (exchange->header_bytes > HTTP_HEADER_BYTES_MAX) {
        exchange->is_too_large = true;
        return 0;
    }
    if (!exchange->is_in_head) {
        if (size < 5 || memcmp(line, "HTTP/", 5) != 0)
            return size; /* a trailer: whoever reads headers has read them by then */
        exchange->is_in_head = true;
        headers_clear(exchange->response.headers); /* after 1xx */
        return size;
    }
    if (*line == '\r' || *line == '\n') {
        exchange->is_in_head = false;
        return size;
    }
    exchange->is_too_large = !headers_add_line(exchange->response.headers, line, size);
    return exchange->is_too_large ? 0 : size;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *user)
{
    struct http_exchange *exchange = user;
    (void)one;
    if ((int64_t)exchange->response.body->len + (int64_t)size > exchange->max_bytes) {
        exchange->is_too_large = true;
        return 0;
    }
    g_byte_array_append(exchange->response.body, (const guint8 *)bytes, (guint)size);
    return size;
}

/* --- handles --- */

static void set_constant_options(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->detail);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, ""); /* all that it can decode */
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, ""); /* proxy_for() has decided already */
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES_S);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_S);
    /* Else the end of a transfer waits for the resolver's thread, and the main loop with it. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    if (exchange->client->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, exchange->client->ca_file);
}

static struct http_exchange *take_handle(struct http_client *client)
{
    GList *link = g_queue_pop_head_link(&client->idle);
    struct http_exchange *exchange = link ? link->data : NULL;
    if (!exchange) {
        exchange = g_new0(struct http_exchange, 1);
        exchange->link.data = exchange;
        exchange->client = client;
        exchange->easy = curl_easy_init();
        g_assert(exchange->easy != NULL);
        set_constant_options(exchange);
    }
    g_queue_push_tail_link(&client->active, &exchange->link);
    return exchange;
}

static void free_handle(struct http_exchange *exchange)
{
    curl_easy_cleanup(exchange->easy);
    g_free(exchange);
}

static void clear_response(struct http_response *response)
{
    g_clear_pointer(&response->message, g_free);
    g_clear_pointer(&response->headers, headers_free);
    g_clear_pointer(&response->body, g_byte_array_unref);
}

static void release_handle(struct http_exchange *exchange)
{
    struct http_client *client = exchange->client;
    if (exchange->refusal)
        source_end(&exchange->refusal);
    else
        multi_remove(client->multi, exchange->easy);
    clear_response(&exchange->response);
    g_clear_pointer(&exchange->headers, curl_slist_free_all);
    g_clear_pointer(&exchange->body, g_bytes_unref);
    g_queue_unlink(&client->active, &exchange->link);
    if (client->idle.length >= IDLE_HANDLES_MAX)
        free_handle(exchange);
    else
        g_queue_push_head_link(&client->idle, &exchange->link);
}

/* --- the end of an exchange --- */

/* The handle is free again before the callback runs, which may send the next request with it. */
static void finish(struct http_exchange *exchange)
{
    struct http_response response = exchange->response;
    exchange->response = (struct http_response){0};
    http_done on_done = exchange->on_done;
    void *user = exchange->user;
    release_handle(exchange);
    on_done(&response, user);
    clear_response(&response);
}

static void on_finished(CURL *easy, CURLcode result, void *user)
{
    (void)user;
    char *private = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    struct http_exchange *exchange = (struct http_exchange *)(void *)private;
    struct http_response *response = &exchange->response;
    long status = 0, connects = 0;
    curl_off_t total_us = 0, setup_us = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &total_us);
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &setup_us);
    response->status = (int)status;
    response->is_new_connection = connects > 0;
    response->waited_ms = total_us / 1000;
    response->setup_ms = setup_us / 1000;
    response->failure = failure_of(result, easy);
    if (result != CURLE_OK && exchange->is_address_refused)
        response->failure = HTTP_FAILED_ADDRESS;
    else if (result != CURLE_OK && exchange->is_too_large)
        response->failure = HTTP_FAILED_TOO_LARGE;
    if (response->failure != HTTP_NO_FAILURE)
        response->message = failure_message(response->failure, result, exchange->detail);
    finish(exchange);
}

static gboolean on_refusal(gpointer data)
{
    finish(data);
    return G_SOURCE_REMOVE;
}

static void refuse(struct http_exchange *exchange, enum http_failure failure, const char *why)
{
    exchange->response.failure = failure;
    exchange->response.message = failure_message(failure, CURLE_OK, why);
    exchange->refusal = g_idle_source_new();
    g_source_set_priority(exchange->refusal, G_PRIORITY_DEFAULT);
    g_source_set_callback(exchange->refusal, on_refusal, exchange, NULL);
    g_source_attach(exchange->refusal, exchange->client->context);
}

/* --- sending --- */

static const char *reason_to_refuse(const struct http_request *request)
{
    const char *url = request->url;
    if (g_ascii_strncasecmp(url, "http://", 7) != 0 && g_ascii_strncasecmp(url, "https://", 8) != 0)
        return "the URL is neither http nor https";
    for (const char *p = url; *p; p++)
        if (*p == ' ' || g_ascii_iscntrl(*p))
            return "the URL has a blank or control character in it";
    const char *values[] = {request->user_agent, request->proxy, request->userpwd, request->bearer,
                            request->method};
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
        if (values[i] && !headers_is_value(values[i]))
            return "a setting has a control character in it";
    for (const char *const *field = request->headers; field && *field; field++)
        if (!headers_is_sendable(*field))
            return "a header is malformed or has a control character in it";
    return NULL;
}

static void add_header(struct http_exchange *exchange, const char *field)
{
    struct curl_slist *longer = curl_slist_append(exchange->headers, field);
    g_assert(longer != NULL);
    exchange->headers = longer;
}

static void set_headers(struct http_exchange *exchange, const struct http_request *request)
{
    for (const char *const *field = request->headers; field && *field; field++)
        add_header(exchange, *field);
    if (request->bearer) {
        g_autofree char *field = g_strdup_printf("Authorization: Bearer %s", request->bearer);
        add_header(exchange, field);
    }
    if (request->body)
        add_header(exchange, "Expect:"); /* no 100-continue */
    curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers);
}

static void set_body(struct http_exchange *exchange, const struct http_request *request)
{
    curl_easy_setopt(exchange->easy, CURLOPT_HTTPGET, 1L);
    if (request->body) {
        exchange->body = g_bytes_ref(request->body);
        gsize size;
        const void *bytes = g_bytes_get_data(request->body, &size);
        curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
        curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDS, bytes ? bytes : "");
    }
    curl_easy_setopt(exchange->easy, CURLOPT_CUSTOMREQUEST, request->method);
}

/* Where a proxy resolves the name, all that can be checked is how the host is written. Sets the
 * proxy; false where the URL has no usable host. */
static bool choose_proxy(struct http_exchange *exchange, const struct http_request *request,
                         bool *ret_is_private)
{
    const struct proxy_environment *environment = &exchange->client->environment;
    const char *proxy = request->proxy;
    bool is_open = !proxy && (environment->http || environment->https);
    if (is_open || (proxy && *proxy)) {
        CURLU *url = curl_url();
        char *host = NULL;
        bool is_parsed = curl_url_set(url, CURLUPART_URL, request->url, 0) == CURLUE_OK &&
                         curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK;
        bool is_https = g_ascii_strncasecmp(request->url, "https", 5) == 0;
        if (is_parsed && is_open) {
            g_autofree char *bare = g_strdup(host);
            proxy = proxy_for(environment, is_https,
                              g_strdelimit(bare, "[]", ' ') ? g_strstrip(bare) : bare);
        }
        *ret_is_private = is_parsed && proxy && address_host_is_private(host);
        curl_free(host);
        curl_url_cleanup(url);
        if (!is_parsed)
            return false;
    }
    exchange->is_proxied = proxy && *proxy;
    curl_easy_setopt(exchange->easy, CURLOPT_PROXY, proxy ? proxy : "");
    return true;
}

static void reset(struct http_exchange *exchange, const struct http_request *request)
{
    exchange->response.headers = headers_new();
    exchange->response.body = g_byte_array_new();
    exchange->allows_private = request->allow_private;
    exchange->max_bytes = request->max_bytes;
    exchange->header_bytes = 0;
    exchange->is_in_head = exchange->is_address_refused = exchange->is_too_large = false;
    exchange->detail[0] = '\0';
}

static void start(struct http_exchange *exchange, const struct http_request *request)
{
    const char *reason = reason_to_refuse(request);
    bool is_private = false;
    if (!reason && !choose_proxy(exchange, request, &is_private))
        reason = "the URL is malformed";
    if (reason) {
        refuse(exchange, HTTP_FAILED_REQUEST, reason);
        return;
    }
    if (is_private && !request->allow_private) {
        refuse(exchange, HTTP_FAILED_ADDRESS, NULL);
        return;
    }
    CURL *easy = exchange->easy;
    set_body(exchange, request);
    set_headers(exchange, request);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, request->user_agent);
    curl_easy_setopt(easy, CURLOPT_USERPWD, request->userpwd);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->max_bytes);
    multi_add(exchange->client->multi, easy);
}

struct http_exchange *http_send(struct http_client *client, const struct http_request *request,
                                http_done on_done, void *user)
{
    struct http_exchange *exchange = take_handle(client);
    exchange->on_done = on_done;
    exchange->user = user;
    reset(exchange, request);
    start(exchange, request);
    return exchange;
}

void http_cancel(struct http_exchange *exchange)
{
    release_handle(exchange);
}

const char *http_response_header(const struct http_response *response, const char *name)
{
    return response->headers ? headers_find(response->headers, name) : NULL;
}

char *http_user_agent(const char *contact)
{
    if (!contact || !*contact)
        return g_strdup("feedwatch/" FEEDWATCH_VERSION);
    return g_strdup_printf("feedwatch/" FEEDWATCH_VERSION " (+%s)", contact);
}

static void free_idle(struct http_client *client)
{
    GList *link;
    while ((link = g_queue_pop_head_link(&client->idle)) != NULL)
        free_handle(link->data);
}

static void on_rested(void *user)
{
    free_idle(user);
    malloc_trim(0); /* what TLS held lies between what stays */
}

struct http_client *http_client_new(GMainContext *context, const char *ca_file)
{
    static gsize once;
    if (g_once_init_enter(&once)) {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        g_once_init_leave(&once, 1);
    }
    struct http_client *client = g_new0(struct http_client, 1);
    client->context = context;
    client->ca_file = g_strdup(ca_file);
    proxy_environment_read(&client->environment);
    client->multi = multi_new(context, &(struct multi_hooks){on_finished, on_rested, client});
    return client;
}

void http_client_set_rest_ms(struct http_client *client, guint rest_ms)
{
    multi_set_rest_ms(client->multi, rest_ms);
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    GList *link;
    while ((link = g_queue_peek_head_link(&client->active)) != NULL)
        release_handle(link->data);
    free_idle(client);
    multi_free(client->multi);
    proxy_environment_clear(&client->environment);
    g_free(client->ca_file);
    g_free(client);
}
