/* fetch against the scripted server: what a poll sends and what it makes of the answers. The worker
 * is a stand-in that takes "<rss" for a feed. */
#include "tests/unit/httpd.h"

#include "fetch/fetch.h"

#define DEADLINE_MS 20000
#define BODY        "<rss>one</rss>"

/* --- a worker --- */

struct worker_job {
    guint64 id;
    GBytes *body;
    worker_done on_done;
    void *user;
};

static GQueue jobs = G_QUEUE_INIT;
static guint64 last_job;
static guint n_parsed;
static char *parsed_base, *parsed_type;

struct worker *worker_new(GMainContext *context)
{
    return (struct worker *)(void *)context;
}

void worker_free(struct worker *worker)
{
    (void)worker;
}

void feed_doc_free(struct feed_doc *doc)
{
    g_free(doc);
}

static gboolean on_work(gpointer unused)
{
    (void)unused;
    struct worker_job *job = g_queue_pop_head(&jobs);
    if (!job)
        return G_SOURCE_REMOVE;
    gsize size;
    const char *bytes = g_bytes_get_data(job->body, &size);
    n_parsed++;
    if (size > 4 && memcmp(bytes, "<rss", 4) == 0) {
        struct feed_doc *doc = g_new0(struct feed_doc, 1);
        doc->ttl_s = 10800;
        job->on_done(doc, NULL, job->user);
    } else {
        g_autoptr(GError) error =
            g_error_new_literal(g_quark_from_static_string("feed"), 0, "this is no feed");
        job->on_done(NULL, error, job->user);
    }
    g_bytes_unref(job->body);
    g_free(job);
    return G_SOURCE_REMOVE;
}

guint64 worker_submit(struct worker *worker, GBytes *body, const struct feed_options *options,
                      worker_done on_done, void *user)
{
    (void)worker;
    struct worker_job *job = g_new0(struct worker_job, 1);
    *job = (struct worker_job){++last_job, g_bytes_ref(body), on_done, user};
    g_free(parsed_base);
    g_free(parsed_type);
    parsed_base = g_strdup(options->base_url);
    parsed_type = g_strdup(options->content_type);
    g_queue_push_tail(&jobs, job);
    g_idle_add(on_work, NULL);
    return job->id;
}

void worker_cancel(struct worker *worker, guint64 id)
{
    (void)worker;
    for (GList *link = jobs.head; link; link = link->next) {
        struct worker_job *job = link->data;
        if (job->id != id)
            continue;
        g_queue_delete_link(&jobs, link);
        g_bytes_unref(job->body);
        g_free(job);
        return;
    }
}

/* --- one fetch after the other --- */

static struct httpd *httpd;
static struct http_client *client;
static struct clock *clock_virtual;
static struct fetcher *fetcher;

struct answer {
    guint n_done;
    struct fetch_result result; /* with what was stolen from it */
};
static struct answer last;

static void clear_answer(struct answer *answer)
{
    fetch_validators_clear(&answer->result.validators);
    feed_doc_free(answer->result.doc);
    g_free(answer->result.message);
    g_free(answer->result.permanent_url);
    *answer = (struct answer){0};
}

static void on_done(struct fetch_result *result, void *user)
{
    struct answer *answer = user;
    answer->n_done++;
    answer->result = *result;
    answer->result.message = g_strdup(result->message);
    answer->result.permanent_url = g_strdup(result->permanent_url);
    result->doc = NULL;
    result->validators = (struct fetch_validators){NULL, NULL};
}

static gboolean on_deadline(gpointer user)
{
    *(bool *)user = true;
    return G_SOURCE_REMOVE;
}

static void run_until(const guint *value, guint n)
{
    bool is_late = false;
    guint timer = g_timeout_add(DEADLINE_MS, on_deadline, &is_late);
    while (*value < n && !is_late)
        g_main_context_iteration(NULL, TRUE);
    assert_false(is_late);
    g_source_remove(timer);
}

static struct fetch_request request_for(const char *url)
{
    return (struct fetch_request){.feed_id = "feed",
                                  .url = url,
                                  .user_agent = "feedwatch/test",
                                  .timeout_ms = 15000,
                                  .max_bytes = 1 << 20};
}

static const struct fetch_result *fetch(const struct fetch_request *request)
{
    clear_answer(&last);
    fetch_start(fetcher, request, on_done, &last);
    assert_int_equal(last.n_done, 0);
    run_until(&last.n_done, 1);
    return &last.result;
}

static char *url_of(int host, const char *path)
{
    return host ? g_strdup_printf("http://127.0.1.%d:%d%s", host, httpd->port, path)
                : g_strdup_printf("http://127.0.0.1:%d%s", httpd->port, path);
}

static const struct fetch_result *fetch_path(const char *path, const char *etag,
                                             const char *last_modified)
{
    g_autofree char *url = url_of(0, path);
    struct fetch_request request = request_for(url);
    request.validators =
        (struct fetch_validators){(char *)(gintptr)etag, (char *)(gintptr)last_modified};
    return fetch(&request);
}

/* --- validators: E01-E10 --- */

static void test_first_contact(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/first', 'replies': [{'body': '" BODY "', 'headers': "
                     "[['Content-Type', 'text/xml; charset=x'], ['Set-Cookie', 'a=b'], "
                     "['Cache-Control', 'max-age=7200'], ['Age', '600']]}]}");
    const struct fetch_result *result = fetch_path("/first", NULL, NULL);
    assert_int_equal(result->kind, FETCH_DOCUMENT);
    assert_int_equal(result->status, 200);
    assert_int_equal(result->outcome.kind, SCHEDULE_OK);
    assert_int_equal(result->outcome.fresh_for_s, 6600);
    assert_int_equal(result->outcome.ttl_s, 10800);
    assert_int_equal(result->outcome.retry_after_s, -1);
    assert_false(result->outcome.has_validator);
    assert_non_null(result->doc);
    assert_true(result->body_hash != 0);
    assert_int_equal(result->body_bytes, strlen(BODY));
    assert_null(result->permanent_url);
    assert_false(result->had_credentials);
    g_autofree char *url = url_of(0, "/first");
    assert_string_equal(parsed_base, url);
    assert_string_equal(parsed_type, "text/xml; charset=x");
    fetch_path("/first", NULL, NULL);

    json_t *seen = httpd_requests(httpd, "/first");
    assert_int_equal(json_array_size(seen), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *one = json_array_get(seen, i);
        static const char *const absent[] = {"Cookie",        "Referer", "Range",
                                             "If-None-Match", "A-IM",    "If-Modified-Since",
                                             "Authorization", "Pragma",  "Cache-Control"};
        for (size_t k = 0; k < G_N_ELEMENTS(absent); k++)
            assert_null(httpd_header(one, absent[k]));
        assert_string_equal(httpd_header(one, "User-Agent"), "feedwatch/test");
        assert_non_null(strstr(httpd_header(one, "Accept"), "application/rss+xml"));
    }
    json_decref(seen);
}

static void test_validators_come_and_go(void **state)
{
    (void)state;
    static const char etag[] = "W/\"a b-gzip\"";
    static const char date[] = "Thu, 1 Jan 2026 0:00:00 +0000";
    static const struct {
        const char *what, *reply; /* to a request with the pair above */
        enum fetch_kind kind;
        const char *etag, *last_modified; /* the pair to store */
    } cases[] = {
        {"E06", "'body': '<rss>', 'headers': [['ETag', 'x'], ['Last-Modified', 'y']]",
         FETCH_DOCUMENT, "x", "y"},
        {"E07", "'body': '<rss>', 'headers': [['Last-Modified', 'y']]", FETCH_DOCUMENT, NULL, "y"},
        {"E07 none", "'body': '<rss>'", FETCH_DOCUMENT, NULL, NULL},
        {"E08", "'status': 304", FETCH_NOT_MODIFIED, etag, date},
        {"E08 new", "'status': 304, 'headers': [['ETag', 'x']]", FETCH_NOT_MODIFIED, "x", NULL},
        {"E09 429", "'status': 429, 'headers': [['ETag', 'x'], ['Retry-After', '60']]",
         FETCH_FAILED, etag, date},
        {"E09 500", "'status': 500, 'headers': [['ETag', 'x']]", FETCH_FAILED, etag, date},
        {"E09 reset", "'reset': true", FETCH_FAILED, etag, date},
        {"E09 time-out", "'hang': true", FETCH_FAILED, etag, date},
        {"E09 cut", "'body': '<rss>and more', 'cut': 5, 'headers': [['ETag', 'x']]", FETCH_FAILED,
         etag, date},
        {"E09 no feed", "'body': '<html>', 'headers': [['ETag', 'x']]", FETCH_FAILED, etag, date},
        {"E25", "'status': 410, 'headers': [['ETag', 'x']]", FETCH_FAILED, etag, date},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/pair%zu", i);
        httpd_say(httpd, "{'on': '%s', 'replies': [{%s}]}", path, cases[i].reply);
        /* A host of its own for each: one of them asks for silence. */
        g_autofree char *url =
            g_strdup_printf("http://127.0.1.%d:%d%s", i == 5 ? 2 : 1, httpd->port, path);
        struct fetch_request request = request_for(url);
        request.body_hash = 7;
        request.timeout_ms = 500;
        request.validators =
            (struct fetch_validators){(char *)(gintptr)etag, (char *)(gintptr)date};
        const struct fetch_result *result = fetch(&request);
        if (result->kind != cases[i].kind ||
            g_strcmp0(result->validators.etag, cases[i].etag) != 0 ||
            g_strcmp0(result->validators.last_modified, cases[i].last_modified) != 0)
            fail_msg("%s: %d, %s, %s", cases[i].what, result->kind, result->validators.etag,
                     result->validators.last_modified);
        assert_int_equal(result->outcome.has_validator, cases[i].etag || cases[i].last_modified);
        assert_int_equal(result->message != NULL, cases[i].kind == FETCH_FAILED);
        if (cases[i].kind != FETCH_DOCUMENT)
            assert_int_equal(result->body_hash, 7);

        json_t *seen = httpd_requests(httpd, path);
        const json_t *sent = json_array_get(seen, 0);
        assert_string_equal(httpd_header(sent, "If-None-Match"), etag);     /* E03 */
        assert_string_equal(httpd_header(sent, "If-Modified-Since"), date); /* E04 */
        assert_string_equal(httpd_header(sent, "A-IM"), "feed");
        json_decref(seen);
    }
}

static void test_same_body(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/same', 'replies': [{'body': '" BODY "'}, {'body': '" BODY "', "
                     "'headers': [['ETag', 'new']]}, {'body': '<rss>two</rss>'}]}");
    g_autofree char *url = url_of(0, "/same");
    struct fetch_request request = request_for(url);
    request.body_hash = fetch(&request)->body_hash;
    guint before = n_parsed;
    const struct fetch_result *result = fetch(&request);
    assert_int_equal(result->kind, FETCH_UNCHANGED);
    assert_int_equal(result->outcome.kind, SCHEDULE_UNCHANGED);
    assert_string_equal(result->validators.etag, "new");
    assert_true(result->body_hash == request.body_hash);
    assert_null(result->doc);
    assert_int_equal(n_parsed, before);
    assert_int_equal(fetch(&request)->kind, FETCH_DOCUMENT);
}

static void test_validator_that_cannot_be_sent(void **state)
{
    (void)state;
    g_autofree char *too_long = g_strnfill(FETCH_VALIDATOR_BYTES_MAX + 1, 'e');
    httpd_say(httpd,
              "{'on': '/odd', 'replies': [{'body': '<rss>', 'headers': "
              "[['ETag', 'a\\u0001b'], ['Last-Modified', 'x\\u007fy']]}, "
              "{'body': '<rss>', 'headers': [['ETag', '%s'], ['Last-Modified', '']]}]}",
              too_long);
    for (int i = 0; i < 2; i++) {
        const struct fetch_result *result = fetch_path("/odd", NULL, NULL);
        assert_int_equal(result->kind, FETCH_DOCUMENT);
        assert_null(result->validators.etag);
        assert_null(result->validators.last_modified);
    }
    httpd_say(httpd, "{'on': '/split', 'replies': [{'raw': 'HTTP/1.1 200 OK\\r\\nETag: "
                     "a\\rX: y\\r\\nLast-Modified: \\u0000z\\r\\nContent-Length: "
                     "5\\r\\n\\r\\n<rss>'}]}");
    const struct fetch_result *result = fetch_path("/split", NULL, NULL);
    assert_null(result->validators.etag);
    assert_null(result->validators.last_modified);
}

static void test_not_modified_to_nothing(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/304', 'replies': [{'status': 304}]}");
    const struct fetch_result *result = fetch_path("/304", NULL, NULL);
    assert_int_equal(result->kind, FETCH_FAILED);
    assert_int_equal(result->outcome.kind, SCHEDULE_FAILED);
}

static void test_delta(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/delta', 'replies': [{'status': 226, 'body': '<rss>', 'headers': "
                     "[['IM', 'feed'], ['ETag', 'new']]}]}");
    g_autofree char *url = url_of(0, "/delta");
    struct fetch_request request = request_for(url);
    char etag[] = "old";
    request.validators.etag = etag;
    request.body_hash = 7;
    const struct fetch_result *result = fetch(&request);
    assert_int_equal(result->kind, FETCH_DOCUMENT);
    assert_true(result->is_delta);
    assert_true(result->body_hash == 7);
    assert_string_equal(result->validators.etag, "new");
    request.validators.etag = NULL;
    assert_int_equal(fetch(&request)->kind, FETCH_FAILED); /* nobody asked for it */
    assert_false(last.result.is_delta);
}

/* --- outcomes: E16-E20, E25-E27 --- */

static void test_outcomes(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        enum schedule_outcome_kind kind;
        int64_t retry_after_s;
    } cases[] = {
        {"'status': 503", SCHEDULE_FAILED, -1},
        {"'status': 503, 'headers': [['Retry-After', '5400']]", SCHEDULE_THROTTLED, 5400},
        {"'status': 503, 'headers': [['Retry-After', 'soon']]", SCHEDULE_FAILED, -1},
        {"'status': 429", SCHEDULE_THROTTLED, -1},
        {"'status': 429, 'headers': [['Retry-After', '-5']]", SCHEDULE_THROTTLED, 0},
        {"'status': 429, 'headers': [['Date', 'Mon, 21 Sep 2026 12:00:00 GMT'], "
         "['Retry-After', 'Mon, 21 Sep 2026 13:30:00 GMT']]",
         SCHEDULE_THROTTLED, 5400},
        {"'status': 403", SCHEDULE_FAILED, -1},
        {"'status': 404", SCHEDULE_FAILED, -1},
        {"'status': 500", SCHEDULE_FAILED, -1},
        {"'status': 410", SCHEDULE_GONE, -1},
        {"'status': 204", SCHEDULE_FAILED, -1},
        {"'status': 206, 'body': '<rss>'", SCHEDULE_FAILED, -1},
        {"'status': 302", SCHEDULE_FAILED, -1}, /* without Location */
        {"'status': 300, 'headers': [['Location', '/x']]", SCHEDULE_FAILED, -1},
        {"'body': '<html>', 'headers': [['Content-Type', 'text/html']]", SCHEDULE_FAILED, -1},
        {"'body': ''", SCHEDULE_FAILED, -1},
        {"'reset': true", SCHEDULE_FAILED, -1},
        {"'body_repeat': ['<rss>', 300000]", SCHEDULE_FAILED, -1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct fetcher *usual = fetcher; /* a new one knows nothing of silence */
        fetcher = fetcher_new(NULL, client, worker_new(NULL), clock_virtual);
        httpd_say(httpd, "{'on': '/outcome', 'replies': [{%s}]}", cases[i].reply);
        const struct fetch_result *result = fetch_path("/outcome", NULL, NULL);
        if (result->kind != FETCH_FAILED || result->outcome.kind != cases[i].kind ||
            result->outcome.retry_after_s != cases[i].retry_after_s || !result->message)
            fail_msg("%s: %d, %d, %ld, %s", cases[i].reply, result->kind, result->outcome.kind,
                     (long)result->outcome.retry_after_s, result->message);
        fetcher_free(fetcher);
        fetcher = usual;
    }
    struct fetch_request request = request_for("http://127.0.0.1:1/");
    assert_int_equal(fetch(&request)->outcome.kind, SCHEDULE_FAILED_NET);
    request.url = "http://no-such-host.invalid/";
    assert_int_equal(fetch(&request)->outcome.kind, SCHEDULE_FAILED_NET);
    request.url = "ftp://127.0.0.1/";
    assert_int_equal(fetch(&request)->outcome.kind, SCHEDULE_FAILED);
}

/* E21: what waits for the origin and what comes later ends without a request. */
static void test_silence_of_an_origin(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/silence', 'replies': [{'status': 429, 'headers': "
                     "[['Retry-After', '5400']]}], 'host': 3}");
    httpd_say(httpd, "{'on': '/silent', 'replies': [{'body': '<rss>'}]}");
    httpd_say(httpd, "{'forget': true}");
    g_autofree char *first = url_of(3, "/silence"), *second = url_of(3, "/silent");
    g_autofree char *elsewhere = url_of(1, "/silent");
    struct answer answers[3] = {0};
    struct fetch_request request = request_for(first);
    fetch_start(fetcher, &request, on_done, &answers[0]);
    request.url = second;
    fetch_start(fetcher, &request, on_done, &answers[1]);
    run_until(&answers[1].n_done, 1);
    assert_int_equal(answers[0].result.outcome.kind, SCHEDULE_THROTTLED);
    assert_int_equal(answers[1].result.kind, FETCH_FAILED);
    assert_int_equal(answers[1].result.outcome.kind, SCHEDULE_HELD);
    assert_int_equal(answers[1].result.outcome.retry_after_s, 5400);
    clock_advance(clock_virtual, 5000 * 1000);
    assert_int_equal(fetch(&request)->outcome.kind, SCHEDULE_HELD);
    assert_int_equal(last.result.outcome.retry_after_s, 400);
    request.url = elsewhere;
    assert_int_equal(fetch(&request)->kind, FETCH_DOCUMENT);
    json_t *seen = httpd_requests(httpd, "/silent");
    assert_int_equal(json_array_size(seen), 1);
    json_decref(seen);
    clock_advance(clock_virtual, 400 * 1000);
    request.url = second;
    assert_int_equal(fetch(&request)->kind, FETCH_DOCUMENT);

    fetcher_hold(fetcher, first, clock_wall_s(clock_virtual) + 60); /* as after a restart */
    assert_int_equal(fetch(&request)->outcome.kind, SCHEDULE_HELD);
    clock_advance(clock_virtual, 60 * 1000);
    assert_int_equal(fetch(&request)->kind, FETCH_DOCUMENT);
    for (size_t i = 0; i < 2; i++)
        clear_answer(&answers[i]);
}

/* --- redirects: E22-E24, S08, S09 --- */

static void redirect(const char *path, int status, const char *location)
{
    httpd_say(httpd, "{'on': '%s', 'replies': [{'status': %d, 'headers': [['Location', '%s']]}]}",
              path, status, location);
}

static void test_redirects(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/target', 'replies': [{'body': '<rss>'}]}");
    httpd_say(httpd, "{'on': '/page', 'replies': [{'body': '<html>'}]}");
    redirect("/301", 301, "/target");
    redirect("/308", 308, "/301");
    redirect("/302", 302, "/target");
    redirect("/303", 303, "/target");
    redirect("/307", 307, "target");
    redirect("/301-302", 301, "/302");
    redirect("/302-301", 302, "/301");
    redirect("/to-page", 301, "/page");
    redirect("/to-ftp", 301, "ftp://127.0.0.1/");
    redirect("/to-script", 302, "javascript:alert(1)");
    redirect("/to-self", 302, "/to-self");
    for (int i = 1; i <= 6; i++) {
        g_autofree char *from = g_strdup_printf("/hops%d", i);
        g_autofree char *to = i == 1 ? g_strdup("/target") : g_strdup_printf("/hops%d", i - 1);
        redirect(from, 301, to);
    }
    static const struct {
        const char *path;
        bool is_document, is_permanent;
    } cases[] = {
        {"/target", true, false},  {"/301", true, true},         {"/308", true, true},
        {"/302", true, false},     {"/303", true, false},        {"/307", true, false},
        {"/301-302", true, false}, {"/302-301", true, false},    {"/to-page", false, false},
        {"/to-ftp", false, false}, {"/to-script", false, false}, {"/to-self", false, false},
        {"/hops5", true, true},    {"/hops6", false, false},
    };
    g_autofree char *target = url_of(0, "/target");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct fetch_result *result = fetch_path(cases[i].path, NULL, NULL);
        if ((result->kind == FETCH_DOCUMENT) != cases[i].is_document ||
            g_strcmp0(result->permanent_url, cases[i].is_permanent ? target : NULL) != 0)
            fail_msg("%s: %d, %s", cases[i].path, result->kind, result->permanent_url);
        if (cases[i].is_document)
            assert_string_equal(parsed_base, target);
    }
    json_t *seen = httpd_requests(httpd, "/to-self");
    assert_int_equal(json_array_size(seen), FETCH_HOPS_MAX + 1);
    json_decref(seen);
}

static void test_gone_behind_redirect(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/gone', 'replies': [{'status': 410}]}");
    redirect("/gone-301", 301, "/gone");
    redirect("/gone-302", 302, "/gone");
    assert_int_equal(fetch_path("/gone-301", NULL, NULL)->outcome.kind, SCHEDULE_GONE);
    assert_int_equal(fetch_path("/gone-302", NULL, NULL)->outcome.kind, SCHEDULE_FAILED);
}

/* E24, S11: nothing of ours reaches another origin, nothing of its comes back to ours. */
static void test_other_origin(void **state)
{
    (void)state;
    static const char *const own[] = {"X-Api-Key: secret", "Accept: text/x-own", NULL};
    static const char *const secret[] = {"Authorization", "If-None-Match", "If-Modified-Since",
                                         "A-IM",          "X-Api-Key",     "Referer"};
    g_autofree char *other = url_of(2, "/other"), *here = url_of(0, "/away");
    redirect("/away", 302, other);
    httpd_say(httpd, "{'on': '/other', 'replies': [{'body': '<rss>', 'headers': "
                     "[['ETag', 'foreign']]}], 'host': 2}");
    struct fetch_request request = request_for(here);
    char etag[] = "mine";
    request.validators.etag = etag;
    request.credentials = "user:secret";
    request.headers = own;
    request.allow_private = true;
    const struct fetch_result *result = fetch(&request);
    assert_int_equal(result->kind, FETCH_DOCUMENT);
    assert_null(result->validators.etag);
    assert_true(result->had_credentials);
    json_t *seen = httpd_requests(httpd, "/other"), *first = httpd_requests(httpd, "/away");
    for (size_t i = 0; i < G_N_ELEMENTS(secret); i++)
        assert_null(httpd_header(json_array_get(seen, 0), secret[i]));
    assert_non_null(strstr(httpd_header(json_array_get(seen, 0), "Accept"), "rss"));
    assert_string_equal(httpd_header(json_array_get(first, 0), "If-None-Match"), "mine");
    assert_string_equal(httpd_header(json_array_get(first, 0), "X-Api-Key"), "secret");
    assert_string_equal(httpd_header(json_array_get(first, 0), "Accept"), "text/x-own");
    assert_non_null(httpd_header(json_array_get(first, 0), "Authorization"));
    json_decref(seen);
    json_decref(first);
}

/* Another port of the same address is another service of the same machine. */
static void test_redirect_to_private(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/inside', 'replies': [{'body': '<rss>'}]}");
    httpd_say(httpd, "{'forget': true}");
    static const char *const hosts[] = {"127.0.1.2",  "localhost",          "0x7f.1",
                                        "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"};
    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_autofree char *to = g_strdup_printf("http://%s:%d/inside", hosts[i], httpd->port);
        redirect("/to-inside", 302, to);
        const struct fetch_result *result = fetch_path("/to-inside", NULL, NULL);
        assert_int_equal(result->kind, FETCH_FAILED);
        assert_non_null(strstr(result->message, "private"));
    }
    redirect("/to-inside", 302, "http://127.0.0.1:1/inside");
    assert_non_null(strstr(fetch_path("/to-inside", NULL, NULL)->message, "private"));
    json_t *seen = httpd_requests(httpd, "/inside");
    assert_int_equal(json_array_size(seen), 0);
    json_decref(seen);
    redirect("/to-inside", 302, "/inside");
    assert_int_equal(fetch_path("/to-inside", NULL, NULL)->kind, FETCH_DOCUMENT);
}

static void test_credentials(void **state)
{
    (void)state;
    httpd_say(httpd, "{'on': '/private', 'replies': [{'body': '<rss>'}]}");
    redirect("/private-old", 301, "/private");
    g_autofree char *plain = url_of(0, "/private");
    g_autofree char *with =
        g_strdup_printf("http://us%%40er:p%%3ass@127.0.0.1:%d/private-old", httpd->port);
    struct fetch_request request = request_for(with);
    const struct fetch_result *result = fetch(&request);
    assert_int_equal(result->kind, FETCH_DOCUMENT);
    assert_true(result->had_credentials);
    assert_null(result->permanent_url); /* it would lose the password */
    request = request_for(plain);
    request.credentials = "Bearer token";
    assert_true(fetch(&request)->had_credentials);
    json_t *seen = httpd_requests(httpd, "/private"), *old = httpd_requests(httpd, "/private-old");
    static const char basic[] = "Basic dXNAZXI6cDpzcw==";
    assert_string_equal(httpd_header(json_array_get(old, 0), "Authorization"), basic);
    assert_string_equal(httpd_header(json_array_get(seen, 0), "Authorization"), basic);
    assert_string_equal(httpd_header(json_array_get(seen, 1), "Authorization"), "Bearer token");
    json_decref(seen);
    json_decref(old);
    g_autofree char *refused =
        g_strdup_printf("http://user:secret@127.0.0.1:%d/no-script", httpd->port);
    request = request_for(refused);
    assert_null(strstr(fetch(&request)->message, "secret"));
}

/* What is secret keeps a feed where it is: the next request would carry it to another site. */
static void test_no_move_with_a_secret(void **state)
{
    (void)state;
    static const char *const key[] = {"X-Api-Key: secret", NULL}, *const none[] = {NULL};
    static const struct {
        const char *credentials;
        const char *const *headers;
        bool is_elsewhere, is_move;
    } cases[] = {
        {NULL, none, true, true},   {NULL, none, false, true},       {"u:p", none, true, false},
        {"u:p", none, false, true}, {"Bearer t", none, true, false}, {NULL, key, true, false},
        {NULL, key, false, true},
    };
    httpd_say(httpd, "{'on': '/moved-to', 'replies': [{'body': '<rss>'}]}");
    httpd_say(httpd, "{'on': '/moved-to', 'replies': [{'body': '<rss>'}], 'host': 2}");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *to = url_of(cases[i].is_elsewhere ? 2 : 0, "/moved-to");
        g_autofree char *from = url_of(0, "/moved-from");
        redirect("/moved-from", 301, to);
        struct fetch_request request = request_for(from);
        request.credentials = cases[i].credentials;
        request.headers = cases[i].headers;
        request.allow_private = true;
        const struct fetch_result *result = fetch(&request);
        assert_int_equal(result->kind, FETCH_DOCUMENT);
        if ((result->permanent_url != NULL) != cases[i].is_move)
            fail_msg("case %zu: %s", i, result->permanent_url ? result->permanent_url : "no move");
    }
}

/* --- pacing: E32 --- */

/* A busy server sees a request later than it came, which makes one gap shorter and leaves their sum
 * as it is. */
#define NOTICED_LATE_S 0.1

static void test_pacing(void **state)
{
    (void)state;
    enum { N = 8 };
    httpd_say(httpd, "{'on': '/paced', 'replies': [{'body': '<rss>', 'delay': 0.05}]}");
    httpd_say(httpd, "{'forget': true}");
    struct answer answers[N] = {0};
    fetcher_set_limits(fetcher, 150, 32);
    for (int i = 0; i < N; i++) {
        g_autofree char *url = url_of(1 + i % 2, "/paced");
        struct fetch_request request = request_for(url);
        request.is_urgent = i == N - 2;
        fetch_start(fetcher, &request, on_done, &answers[i]);
    }
    for (int i = 0; i < N; i++) {
        run_until(&answers[i].n_done, 1);
        assert_int_equal(answers[i].result.kind, FETCH_DOCUMENT);
        clear_answer(&answers[i]);
    }
    fetcher_set_limits(fetcher, 0, 32);
    json_t *seen = httpd_requests(httpd, "/paced");
    assert_int_equal(json_array_size(seen), N);
    double first_at[2] = {0, 0}, last_at[2] = {-1, -1}, last_done[2] = {0, 0};
    for (size_t i = 0; i < N; i++) {
        const json_t *one = json_array_get(seen, i);
        int host = g_str_has_suffix(json_string_value(json_object_get(one, "host")), "2");
        double at = json_real_value(json_object_get(one, "at"));
        if (last_at[host] >= 0) {
            assert_true(at - last_at[host] >= 0.15 - NOTICED_LATE_S);
            assert_true(at >= last_done[host]);
        } else {
            first_at[host] = at;
        }
        last_at[host] = at;
        last_done[host] = json_real_value(json_object_get(one, "done"));
    }
    /* Four starts each; and the second host did not wait until the first one was done. */
    for (int host = 0; host < 2; host++)
        assert_true(last_at[host] - first_at[host] >= 3 * 0.15 - NOTICED_LATE_S);
    assert_true(first_at[0] < last_at[1] && first_at[1] < last_at[0]);
    json_decref(seen);
}

/* E35: hosts do not start together after a resume. */
static void test_limited_rate(void **state)
{
    (void)state;
    struct answer answers[4] = {0};
    httpd_say(httpd, "{'on': '/rate', 'replies': [{'body': '<rss>'}]}");
    httpd_say(httpd, "{'forget': true}");
    fetcher_limit_rate(fetcher, 200, 60000);
    for (int i = 0; i < 4; i++) {
        g_autofree char *url = url_of(1 + i, "/rate");
        struct fetch_request request = request_for(url);
        fetch_start(fetcher, &request, on_done, &answers[i]);
    }
    for (int i = 0; i < 4; i++) {
        run_until(&answers[i].n_done, 1);
        clear_answer(&answers[i]);
    }
    fetcher_limit_rate(fetcher, 0, 0);
    json_t *seen = httpd_requests(httpd, "/rate");
    double at[4];
    for (size_t i = 0; i < 4; i++)
        at[i] = json_real_value(json_object_get(json_array_get(seen, i), "at"));
    assert_true(at[3] - at[0] >= 3 * 0.2 - NOTICED_LATE_S);
    for (size_t i = 1; i < 4; i++)
        assert_true(at[i] - at[i - 1] >= 0.2 - NOTICED_LATE_S);
    json_decref(seen);
}

/* E33 */
static void test_one_connection(void **state)
{
    (void)state;
    enum { N = 30 };
    g_autofree char *folder = g_dir_make_tmp("feedwatch-XXXXXX", NULL);
    g_autofree char *authority = g_build_filename(folder, "ca.pem", NULL);
    const char *const options[] = {"--tls", folder, NULL};
    struct httpd *tls = httpd_start_with(options);
    struct http_client *own = http_client_new(NULL, authority);
    struct fetcher *usual = fetcher;
    fetcher = fetcher_new(NULL, own, worker_new(NULL), clock_virtual);
    fetcher_set_limits(fetcher, 0, 32);
    httpd_say(tls, "{'on': '/', 'replies': [{'body': '<rss>'}]}");
    g_autofree char *url = g_strdup_printf("https://127.0.0.1:%d/", tls->port);
    struct fetch_request request = request_for(url);
    struct answer answers[N] = {0};
    for (int i = 0; i < N; i++)
        fetch_start(fetcher, &request, on_done, &answers[i]);
    for (int i = 0; i < N; i++) {
        run_until(&answers[i].n_done, 1);
        assert_int_equal(answers[i].result.kind, FETCH_DOCUMENT);
        clear_answer(&answers[i]);
    }
    json_t *facts = httpd_ask(tls, "{'wait': %d}", N);
    assert_int_equal(json_integer_value(json_object_get(facts, "connections")), 1);
    assert_int_equal(json_integer_value(json_object_get(facts, "most")), 1);
    json_decref(facts);
    fetcher_free(fetcher);
    fetcher = usual;
    http_client_free(own);
    httpd_stop(tls);
    g_autofree char *remove = g_strdup_printf("rm -r '%s'", folder);
    assert_true(g_spawn_command_line_sync(remove, NULL, NULL, NULL, NULL));
}

static void test_cancel(void **state)
{
    (void)state;
    struct answer never = {0};
    httpd_say(httpd, "{'on': '/hang', 'replies': [{'hang': true}]}");
    httpd_say(httpd, "{'on': '/parsed', 'replies': [{'body': '<rss>'}]}");
    g_autofree char *hang = url_of(0, "/hang"), *parsed = url_of(0, "/parsed");
    struct fetch_request request = request_for(hang);
    struct fetch *under_way = fetch_start(fetcher, &request, on_done, &never);
    struct fetch *waiting = fetch_start(fetcher, &request, on_done, &never);
    httpd_say(httpd, "{'forget': true}");
    g_main_context_iteration(NULL, FALSE);
    fetch_cancel(waiting);
    fetch_cancel(under_way);
    request.url = "ftp://x/";
    fetch_cancel(fetch_start(fetcher, &request, on_done, &never));
    /* The host is free again. */
    request.url = parsed;
    assert_int_equal(fetch(&request)->kind, FETCH_DOCUMENT);
    guint before = n_parsed;
    struct fetch *parsing = fetch_start(fetcher, &request, on_done, &never);
    while (jobs.length == 0)
        g_main_context_iteration(NULL, TRUE);
    fetch_cancel(parsing);
    while (g_main_context_iteration(NULL, FALSE))
        continue;
    assert_int_equal(n_parsed, before);
    assert_int_equal(never.n_done, 0);
}

static void on_done_free(struct fetch_result *result, void *user)
{
    (void)result;
    fetcher_free(fetcher);
    fetcher = NULL;
    (*(guint *)user)++;
}

static void test_fetcher_may_go_in_a_callback(void **state)
{
    (void)state;
    struct fetcher *usual = fetcher;
    fetcher = fetcher_new(NULL, client, worker_new(NULL), clock_virtual);
    fetcher_set_limits(fetcher, 0, 4);
    g_autofree char *url = url_of(0, "/parsed");
    struct fetch_request request = request_for(url);
    guint n = 0;
    for (int i = 0; i < 3; i++)
        fetch_start(fetcher, &request, on_done_free, &n);
    run_until(&n, 1);
    while (g_main_context_iteration(NULL, FALSE))
        continue;
    assert_int_equal(n, 1);
    fetcher = usual;
}

static int set_up(void **state)
{
    (void)state;
    httpd = httpd_start();
    client = http_client_new(NULL, NULL);
    clock_virtual = clock_new_virtual(1790000000);
    fetcher = fetcher_new(NULL, client, worker_new(NULL), clock_virtual);
    fetcher_set_limits(fetcher, 0, 32);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    clear_answer(&last);
    g_clear_pointer(&parsed_base, g_free);
    g_clear_pointer(&parsed_type, g_free);
    fetcher_free(fetcher);
    http_client_free(client);
    clock_free(clock_virtual);
    httpd_stop(httpd);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_contact),
        cmocka_unit_test(test_validators_come_and_go),
        cmocka_unit_test(test_same_body),
        cmocka_unit_test(test_validator_that_cannot_be_sent),
        cmocka_unit_test(test_not_modified_to_nothing),
        cmocka_unit_test(test_delta),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_silence_of_an_origin),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_gone_behind_redirect),
        cmocka_unit_test(test_other_origin),
        cmocka_unit_test(test_redirect_to_private),
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_no_move_with_a_secret),
        cmocka_unit_test(test_pacing),
        cmocka_unit_test(test_limited_rate),
        cmocka_unit_test(test_one_connection),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_fetcher_may_go_in_a_callback),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
