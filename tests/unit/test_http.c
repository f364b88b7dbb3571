/* http against a real server: what leaves on the wire, what comes back, what is refused. */
#include "tests/unit/httpd.h"

#include "http/headers.h"
#include "http/http.h"
#include "http/multi.h"

#define DEADLINE_MS 20000

struct answer {
    bool is_done;
    int status;
    enum http_failure failure;
    char *message;
    GByteArray *body;
    char *etag;
    size_t n_headers;
    bool is_new_connection;
};

static struct httpd *httpd;
static struct http_client *client;
static struct answer last; /* of get(), until the next */

static void clear_answer(struct answer *answer)
{
    g_free(answer->message);
    g_free(answer->etag);
    g_clear_pointer(&answer->body, g_byte_array_unref);
    *answer = (struct answer){0};
}

static void on_done(struct http_response *response, void *user)
{
    struct answer *answer = user;
    clear_answer(answer);
    answer->is_done = true;
    answer->status = response->status;
    answer->failure = response->failure;
    answer->message = g_strdup(response->message);
    answer->body = g_steal_pointer(&response->body);
    answer->etag = g_strdup(http_response_header(response, "etag"));
    answer->n_headers = headers_count(response->headers);
    answer->is_new_connection = response->is_new_connection;
}

static gboolean on_deadline(gpointer user)
{
    *(bool *)user = true;
    return G_SOURCE_REMOVE;
}

static void run_until(const bool *is_done)
{
    bool is_late = false;
    guint timer = g_timeout_add(DEADLINE_MS, on_deadline, &is_late);
    while (!*is_done && !is_late)
        g_main_context_iteration(NULL, TRUE);
    assert_false(is_late);
    g_source_remove(timer);
}

static struct http_request request_for(const char *url)
{
    return (struct http_request){.url = url,
                                 .timeout_ms = 15000,
                                 .max_bytes = 1 << 20,
                                 .allow_private = true,
                                 .user_agent = "feedwatch/test"};
}

static const struct answer *get(const struct http_request *request)
{
    clear_answer(&last);
    http_send(client, request, on_done, &last);
    assert_false(last.is_done);
    run_until(&last.is_done);
    return &last;
}

static char *url_of(const char *path)
{
    return g_strdup_printf("http://127.0.0.1:%d%s", httpd->port, path);
}

static const struct answer *get_path(const char *path)
{
    g_autofree char *url = url_of(path);
    struct http_request request = request_for(url);
    return get(&request);
}

static void assert_body(const struct answer *answer, const char *text)
{
    assert_int_equal(answer->failure, HTTP_NO_FAILURE);
    assert_int_equal(answer->body->len, strlen(text));
    assert_memory_equal(answer->body->data, text, strlen(text));
}

static void test_request_is_plain(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/plain?a=b', 'replies': [{'body': 'hi', "
                     "'headers': [['Set-Cookie', 'id=1; Path=/']]}]}");
    const char *const headers[] = {"If-None-Match: W/\"a b-gzip\"", NULL};
    g_autofree char *url = url_of("/plain?a=b#fragment");
    struct http_request request = request_for(url);
    request.headers = headers;
    assert_body(get(&request), "hi");
    assert_int_equal(last.status, 200);
    assert_body(get(&request), "hi");

    json_t *seen = httpd_requests(httpd, "/plain?a=b");
    assert_int_equal(json_array_size(seen), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *one = json_array_get(seen, i);
        static const char *const absent[] = {"Cookie", "Referer", "Range", "Authorization"};
        for (size_t k = 0; k < G_N_ELEMENTS(absent); k++)
            assert_null(httpd_header(one, absent[k]));
        assert_string_equal(json_string_value(json_object_get(one, "method")), "GET");
        assert_string_equal(httpd_header(one, "User-Agent"), "feedwatch/test");
        assert_string_equal(httpd_header(one, "If-None-Match"), "W/\"a b-gzip\"");
        assert_non_null(strstr(httpd_header(one, "Accept-Encoding"), "gzip"));
        assert_non_null(strstr(httpd_header(one, "Accept-Encoding"), "br"));
    }
    json_decref(seen);
}

static gboolean on_waited(gpointer user)
{
    *(bool *)user = true;
    return G_SOURCE_REMOVE;
}

static void test_connection_is_closed_at_rest(void **state)
{
    (void)state;
    bool has_waited = false;
    httpd_say(httpd, "{'on': '/rest', 'replies': [{'body': 'x'}, {'body': 'y'}, {'body': 'z'}]}");
    http_client_set_rest_ms(client, 20);
    get_path("/rest");
    get_path("/rest");
    assert_false(last.is_new_connection); /* no rest between them */
    g_timeout_add(200, on_waited, &has_waited);
    run_until(&has_waited);
    get_path("/rest");
    assert_true(last.is_new_connection);
    assert_int_equal(last.body->data[0], 'z');
    http_client_set_rest_ms(client, MULTI_REST_MS);
}

static void test_connection_is_reused(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/reuse', 'replies': [{'body': 'x'}, {'status': 304}]}");
    get_path("/reuse");
    assert_int_equal(get_path("/reuse")->status, 304);
    assert_false(last.is_new_connection);
    assert_int_equal(last.body->len, 0);
    json_t *seen = httpd_requests(httpd, "/reuse");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(seen, 0), "connection")),
                     json_integer_value(json_object_get(json_array_get(seen, 1), "connection")));
    json_decref(seen);
}

static void test_headers_come_as_they_are(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/headers', 'replies': [{'body': 'x', 'headers': ["
                     "['ETag', '  W/\\\"a  b\\\" '], ['X-Two', '1'], ['x-two', '2']]}]}");
    assert_string_equal(get_path("/headers")->etag, "W/\"a  b\"");
    assert_int_equal(last.n_headers, 4);
}

static void test_encodings(void **state)
{
    (void)state;
    static const char *const encodings[] = {"gzip", "deflate"};
    for (size_t i = 0; i < G_N_ELEMENTS(encodings); i++) {
        httpd_say(httpd, "{'on': '/encoded', 'replies': [{'body': 'hello', 'encoding': '%s'}]}",
                  encodings[i]);
        assert_body(get_path("/encoded"), "hello");
    }
    httpd_say(httpd, "{'on': '/chunked', 'replies': [{'body': 'hello', 'chunked': true, "
                     "'drip': 0.001, 'piece': 2}]}");
    assert_body(get_path("/chunked"), "hello");
}

/* What Python cannot make: "hello\n" by brotli and zstd; and gzip within gzip. */
static void test_rarer_encodings(void **state)
{
    (void)state;
    static const struct {
        const char *encoding, *base64;
    } cases[] = {
        {"br", "UAAQaGVsbG8KAw=="},
        {"zstd", "KLUv/QRYMQAAaGVsbG8KU4i9kQ=="},
        {"gzip, gzip", "H4sIAAAAAAACA5Pv5mAAASbm0x5nT558zsSgYGBlxgYUAQDGj7tCGgAAAA=="},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        httpd_say(httpd,
                  "{'on': '/rare', 'replies': [{'body_base64': '%s', 'headers': "
                  "[['Content-Encoding', '%s']]}]}",
                  cases[i].base64, cases[i].encoding);
        assert_body(get_path("/rare"), "hello\n");
    }
}

/* Decoded bytes count: 4 MB of one letter are 4 kB on the wire. */
static void test_body_is_cut(void **state)
{
    (void)state;
    static const char *const settings[] = {"'encoding': 'gzip'", "'chunked': true",
                                           "'close': true"};
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
        httpd_say(httpd, "{'on': '/large', 'replies': [{'body_repeat': ['aaaaaaaa', 524288], %s}]}",
                  settings[i]);
        assert_int_equal(get_path("/large")->failure, HTTP_FAILED_TOO_LARGE);
        assert_true(last.body->len <= 1 << 20);
    }
    httpd_say(httpd, "{'bomb': '/bomb', 'megabytes': 64}");
    assert_int_equal(get_path("/bomb")->failure, HTTP_FAILED_TOO_LARGE);
    assert_true(last.body->len <= 1 << 20);
    httpd_say(httpd, "{'on': '/endless', 'replies': [{'endless': 'aaaaaaaaaaaaaaaaaaaaaaaaaa'}]}");
    assert_int_equal(get_path("/endless")->failure, HTTP_FAILED_TOO_LARGE);
    httpd_say(httpd, "{'on': '/fits', 'replies': [{'body_repeat': ['aaaaaaaa', 131072]}]}");
    assert_int_equal(get_path("/fits")->failure, HTTP_NO_FAILURE);
    assert_int_equal(last.body->len, 1 << 20);
}

static void append_headers(GString *json, size_t n, const char *value)
{
    g_string_append(json, "[");
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(json, "%s['X-%zu', '%s']", i ? ", " : "", i, value);
    g_string_append(json, "]");
}

static void test_headers_are_capped(void **state)
{
    (void)state;
    g_autofree char *long_value = g_strnfill(60000, 'v');
    static const struct {
        size_t n;
        bool is_long;
        enum http_failure failure;
    } cases[] = {{900, false, HTTP_NO_FAILURE},
                 {2000, false, HTTP_FAILED_TOO_LARGE},
                 {3, true, HTTP_NO_FAILURE},
                 {20, true, HTTP_FAILED_TOO_LARGE}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) json = g_string_new(NULL);
        append_headers(json, cases[i].n, cases[i].is_long ? long_value : "v");
        httpd_say(httpd, "{'on': '/many', 'replies': [{'body': 'x', 'headers': %s}]}", json->str);
        assert_int_equal(get_path("/many")->failure, cases[i].failure);
    }
}

static void test_broken_transfers(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        enum http_failure failure;
    } cases[] = {
        {"'reset': true", HTTP_FAILED_TRANSFER},
        {"'body': '0123456789', 'cut': 4", HTTP_FAILED_TRANSFER},
        {"'body': '0123456789', 'chunked': true, 'cut': 4", HTTP_FAILED_TRANSFER},
        {"'body': 'no gzip', 'headers': [['Content-Encoding', 'gzip']]", HTTP_FAILED_TRANSFER},
        {"'body': 'x', 'headers': [['Content-Encoding', 'rot13']]", HTTP_FAILED_TRANSFER},
        {"'raw': 'SSH-2.0-OpenSSH\\r\\n'", HTTP_FAILED_TRANSFER},
        {"'raw': 'HTTP/1.1 200 OK\\r\\nContent-Length: -5\\r\\n\\r\\nx'", HTTP_FAILED_TRANSFER},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        httpd_say(httpd, "{'on': '/broken', 'replies': [{%s}]}", cases[i].reply);
        if (get_path("/broken")->failure != cases[i].failure)
            fail_msg("%s: %d: %s", cases[i].reply, last.failure, last.message);
        assert_non_null(last.message);
    }
}

static void test_time_is_limited(void **state)
{
    (void)state;
    static const char *const replies[] = {"'hang': true", "'body': 'xxxxxxxxxx', 'drip': 1"};
    for (size_t i = 0; i < G_N_ELEMENTS(replies); i++) {
        httpd_say(httpd, "{'on': '/slow', 'replies': [{%s}]}", replies[i]);
        g_autofree char *url = url_of("/slow");
        struct http_request request = request_for(url);
        request.timeout_ms = 300;
        assert_int_equal(get(&request)->failure, HTTP_FAILED_TIMEOUT);
    }
}

static void test_nobody_there(void **state)
{
    (void)state;
    struct http_request request = request_for("http://127.0.0.1:1/");
    assert_int_equal(get(&request)->failure, HTTP_FAILED_CONNECT);
    assert_int_equal(last.status, 0);
    request.url = "http://no-such-host.invalid/";
    assert_int_equal(get(&request)->failure, HTTP_FAILED_DNS);
}

/* Nothing of it may reach a server. */
static void test_refused_before_sending(void **state)
{
    (void)state;
    httpd_say(httpd, "{'forget': true}");
    g_autofree char *url = url_of("/refused");
    g_autofree char *split = url_of("/refused\r\nX: y");
    g_autofree char *blank = url_of("/ref used");
    static const char *const bad_headers[][2] = {{"X: a\r\nY: b", NULL}, {"X: a\nY: b", NULL},
                                                 {"X\r\n: a", NULL},     {"no colon", NULL},
                                                 {": no name", NULL},    {"X: \x01", NULL}};
    struct http_request requests[16];
    size_t n = 0;
    static const char *const urls[] = {"ftp://127.0.0.1/",
                                       "file:///etc/passwd",
                                       "gopher://h/",
                                       "dict://h/",
                                       "//h/",
                                       "javascript:x",
                                       "httpx://127.0.0.1/x",
                                       ""};
    for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
        struct http_request request = request_for(urls[i]);
        assert_int_equal(get(&request)->failure, HTTP_FAILED_REQUEST);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad_headers); i++) {
        requests[n] = request_for(url);
        requests[n++].headers = bad_headers[i];
    }
    requests[n++] = request_for(split);
    requests[n++] = request_for(blank);
    requests[n] = request_for(url);
    requests[n++].user_agent = "a\r\nX: y";
    requests[n] = request_for(url);
    requests[n++].userpwd = "a:b\nX: y";
    requests[n] = request_for(url);
    requests[n++].bearer = "t\rX: y";
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(get(&requests[i])->failure, HTTP_FAILED_REQUEST);
        assert_non_null(last.message);
    }
    json_t *seen = httpd_requests(httpd, NULL);
    assert_int_equal(json_array_size(seen), 0);
    json_decref(seen);
}

/* S09: where the socket opens, and again where a connection is there already. */
static void test_private_addresses(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/private', 'replies': [{'body': 'x'}]}");
    static const char *const hosts[] = {"127.0.0.1", "127.0.1.2",  "localhost",
                                        "0x7f.1",    "2130706433", "0177.0.0.1",
                                        "0.0.0.0",   "[::1]",      "[::ffff:127.0.0.1]",
                                        "[fe80::1]", "[fc00::1]",  "169.254.169.254",
                                        "10.0.0.1",  "172.16.0.1", "192.168.1.1",
                                        "[::]",      "127.1"};
    assert_int_equal(get_path("/private")->failure, HTTP_NO_FAILURE); /* leaves a connection */
    httpd_say(httpd, "{'forget': true}");
    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_autofree char *url = g_strdup_printf("http://%s:%d/private", hosts[i], httpd->port);
        struct http_request request = request_for(url);
        request.allow_private = false;
        if (get(&request)->failure != HTTP_FAILED_ADDRESS)
            fail_msg("%s: %d: %s", url, last.failure, last.message);
    }
    json_t *seen = httpd_requests(httpd, NULL);
    assert_int_equal(json_array_size(seen), 0);
    json_decref(seen);
}

static void test_credentials(void **state)
{
    (void)state;
    httpd_say(httpd, "{'forget': true}");
    httpd_say(httpd, "{'on': '/secret', 'replies': [{'body': 'x'}]}");
    g_autofree char *url = url_of("/secret");
    struct http_request request = request_for(url);
    request.userpwd = "user:password";
    get(&request);
    request.userpwd = NULL;
    request.bearer = "token";
    get(&request);
    request.bearer = NULL;
    get(&request);
    json_t *seen = httpd_requests(httpd, "/secret");
    assert_string_equal(httpd_header(json_array_get(seen, 0), "Authorization"),
                        "Basic dXNlcjpwYXNzd29yZA==");
    assert_string_equal(httpd_header(json_array_get(seen, 1), "Authorization"), "Bearer token");
    assert_null(httpd_header(json_array_get(seen, 2), "Authorization"));
    json_decref(seen);
}

static void test_post(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/hook', 'replies': [{'body': 'ok'}]}");
    g_autofree char *url = url_of("/hook");
    g_autoptr(GBytes) body = g_bytes_new_static("{}", 2);
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    struct http_request request = request_for(url);
    request.body = body;
    request.method = "POST";
    request.headers = headers;
    assert_body(get(&request), "ok");
    request.body = NULL;
    request.method = NULL;
    request.headers = NULL;
    get(&request);
    json_t *seen = httpd_requests(httpd, "/hook");
    const json_t *post = json_array_get(seen, 0), *plain = json_array_get(seen, 1);
    assert_string_equal(json_string_value(json_object_get(post, "method")), "POST");
    assert_string_equal(json_string_value(json_object_get(post, "body")), "{}");
    assert_string_equal(httpd_header(post, "Content-Type"), "application/json");
    assert_null(httpd_header(post, "Expect"));
    assert_string_equal(json_string_value(json_object_get(plain, "method")), "GET");
    assert_string_equal(json_string_value(json_object_get(plain, "body")), "");
    json_decref(seen);
}

/* No redirect is followed here. */
static void test_redirect_is_an_answer(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/from', 'replies': [{'status': 301, 'headers': "
                     "[['Location', '/plain']]}]}");
    assert_int_equal(get_path("/from")->status, 301);
}

static void test_cancel(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/never', 'replies': [{'hang': true}]}");
    g_autofree char *url = url_of("/never");
    struct http_request request = request_for(url);
    struct answer never = {0};
    struct http_exchange *sent = http_send(client, &request, on_done, &never);
    get_path("/plain?a=b"); /* the loop turns; the other is on its way */
    http_cancel(sent);
    request.url = "ftp://refused/";
    http_cancel(http_send(client, &request, on_done, &never));
    get_path("/plain?a=b");
    assert_false(never.is_done);
}

static void on_done_free(struct http_response *response, void *user)
{
    (void)response;
    struct http_client **doomed = user;
    http_client_free(*doomed);
    *doomed = NULL;
}

static void test_client_may_go_in_a_callback(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/gone', 'replies': [{'body': 'x'}]}");
    g_autofree char *url = url_of("/gone");
    struct http_client *doomed = http_client_new(NULL, NULL);
    struct http_request request = request_for(url);
    struct answer never = {0};
    http_send(doomed, &request, on_done_free, &doomed);
    httpd_say(httpd, "{'on': '/never', 'replies': [{'hang': true}]}");
    g_autofree char *hanging = url_of("/never");
    request.url = hanging;
    http_send(doomed, &request, on_done, &never);
    gint64 end = g_get_monotonic_time() + DEADLINE_MS * 1000;
    while (doomed && g_get_monotonic_time() < end)
        g_main_context_iteration(NULL, TRUE);
    assert_null(doomed);
    assert_false(never.is_done);
}

static void test_many_at_once(void **state)
{
    (void)state;
    enum { N = 60 };
    static struct answer answers[N];
    httpd_say(httpd, "{'on': '/many-at-once', 'replies': [{'body': 'x', 'delay': 0.05}]}");
    g_autofree char *url = url_of("/many-at-once");
    struct http_request request = request_for(url);
    for (size_t i = 0; i < N; i++)
        http_send(client, &request, on_done, &answers[i]);
    for (size_t i = 0; i < N; i++) {
        run_until(&answers[i].is_done);
        assert_body(&answers[i], "x");
        clear_answer(&answers[i]);
    }
}

static void test_tls(void **state)
{
    (void)state;
    g_autofree char *folder = g_dir_make_tmp("feedwatch-XXXXXX", NULL);
    g_autofree char *authority = g_build_filename(folder, "ca.pem", NULL);
    static const struct {
        const char *certificate;
        enum http_failure failure;
    } cases[] = {{"good", HTTP_NO_FAILURE},
                 {"expired", HTTP_FAILED_TLS},
                 {"wrong-host", HTTP_FAILED_TLS},
                 {"self-signed", HTTP_FAILED_TLS}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const options[] = {"--tls", folder, "--certificate", cases[i].certificate,
                                       NULL};
        struct httpd *tls = httpd_start_with(options);
        httpd_say(tls, "{'on': '/', 'replies': [{'body': 'x'}]}");
        g_autofree char *url = g_strdup_printf("https://127.0.0.1:%d/", tls->port);
        struct http_request request = request_for(url);
        struct http_client *own = http_client_new(NULL, authority);
        struct http_client *usual = client;
        client = own;
        assert_int_equal(get(&request)->failure, cases[i].failure);
        if (cases[i].failure == HTTP_NO_FAILURE) {
            assert_body(get(&request), "x");
            assert_false(last.is_new_connection);
        }
        client = usual; /* which does not know the authority */
        assert_int_equal(get(&request)->failure, HTTP_FAILED_TLS);
        http_client_free(own);
        httpd_stop(tls);
    }
    g_autofree char *remove = g_strdup_printf("rm -r '%s'", folder);
    assert_true(g_spawn_command_line_sync(remove, NULL, NULL, NULL, NULL));
}

/* Both ways to a proxy; a host that is written as a private address is still refused. */
static void test_proxy(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': 'http://example.com/feed', 'replies': [{'body': 'by proxy'}]}");
    g_autofree char *proxy = g_strdup_printf("http://127.0.0.1:%d", httpd->port);
    struct http_request request = request_for("http://example.com/feed");
    request.allow_private = false;
    request.proxy = proxy;
    assert_body(get(&request), "by proxy");
    request.url = "http://127.0.0.1:9/feed";
    assert_int_equal(get(&request)->failure, HTTP_FAILED_ADDRESS);

    g_setenv("http_proxy", proxy, TRUE);
    g_setenv("no_proxy", "elsewhere.example,127.0.0.0/8", TRUE);
    struct http_client *usual = client;
    client = http_client_new(NULL, NULL);
    request.proxy = NULL;
    request.url = "http://example.com/feed";
    assert_body(get(&request), "by proxy");
    request.proxy = "";
    request.url = "http://no-such-host.invalid/feed";
    assert_int_equal(get(&request)->failure, HTTP_FAILED_DNS);
    request = request_for(NULL);
    g_autofree char *direct = url_of("/plain?a=b");
    request.url = direct;
    assert_body(get(&request), "hi");
    http_client_free(client);
    client = usual;
    g_unsetenv("http_proxy");
    g_unsetenv("no_proxy");
}

static void test_user_agent(void **state)
{
    (void)state;
    g_autofree char *plain = http_user_agent(NULL);
    g_autofree char *full = http_user_agent("https://example.org/bot");
    assert_string_equal(plain, "feedwatch/" FEEDWATCH_VERSION);
    assert_string_equal(full, "feedwatch/" FEEDWATCH_VERSION " (+https://example.org/bot)");
}

static int set_up(void **state)
{
    (void)state;
    static const char *const variables[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                            "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
    for (size_t i = 0; i < G_N_ELEMENTS(variables); i++)
        g_unsetenv(variables[i]);
    httpd = httpd_start();
    client = http_client_new(NULL, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    clear_answer(&last);
    http_client_free(client);
    httpd_stop(httpd);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_is_plain),
        cmocka_unit_test(test_connection_is_reused),
        cmocka_unit_test(test_connection_is_closed_at_rest),
        cmocka_unit_test(test_headers_come_as_they_are),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_rarer_encodings),
        cmocka_unit_test(test_body_is_cut),
        cmocka_unit_test(test_headers_are_capped),
        cmocka_unit_test(test_broken_transfers),
        cmocka_unit_test(test_time_is_limited),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_refused_before_sending),
        cmocka_unit_test(test_private_addresses),
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_post),
        cmocka_unit_test(test_redirect_is_an_answer),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_client_may_go_in_a_callback),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_proxy),
        cmocka_unit_test(test_user_agent),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
