#include "http/multi.h"

#include "base/source.h"

#include <stdint.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Idle connections that are kept; not a limit on those in use. */
#define CONNECTIONS_KEPT 128L
#define EVENTS_AT_ONCE   16
#define NO_TIMER         INT64_MAX

struct multi {
    GSource source; /* first: GLib allocates and owns the whole */
    CURLM *curl;
    int epoll;
    int64_t timer_us; /* when libcurl wants to be called; monotonic */
    bool is_dispatching;
    struct multi_hooks hooks;
    unsigned n_handles; /* that were added */
    GQueue starting;    /* CURL*: of those, not yet libcurl's */
    guint rest_ms;
    GSource *rest; /* NULL: something is under way, or there are no connections */
};

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known)
{
    (void)easy;
    struct multi *multi = user;
    struct epoll_event event = {.data.fd = fd};
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(multi->epoll, EPOLL_CTL_DEL, fd, NULL); /* closed already: nothing to take out */
        return 0;
    }
    if (what & CURL_POLL_IN)
        event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        event.events |= EPOLLOUT;
    int rc = epoll_ctl(multi->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    if (rc != 0) /* the number of a closed socket came back, or the other way round */
        rc = epoll_ctl(multi->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
    curl_multi_assign(multi->curl, fd, multi);
    return rc;
}

/* Telling GLib costs a system call outside dispatch(), so it is told there once at the end. */
static void publish_timer(struct multi *multi)
{
    int64_t ready_us = multi->timer_us == NO_TIMER ? -1 : multi->timer_us;
    if (!g_queue_is_empty(&multi->starting))
        ready_us = 0;
    if (!multi->is_dispatching && g_source_get_ready_time(&multi->source) != ready_us)
        g_source_set_ready_time(&multi->source, ready_us);
}

static int on_timer(CURLM *curl, long timeout_ms, void *user)
{
    (void)curl;
    struct multi *multi = user;
    if (timeout_ms < 0)
        multi->timer_us = NO_TIMER;
    else if (timeout_ms == 0)
        multi->timer_us = 0;
    else
        multi->timer_us = g_get_monotonic_time() + (int64_t)timeout_ms * 1000;
    publish_timer(multi);
    return 0;
}

/* False where the multi was freed meanwhile. */
static bool report_finished(struct multi *multi)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi->curl, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        multi->hooks.on_finished(message->easy_handle, message->data.result, multi->hooks.user);
        if (g_source_is_destroyed(&multi->source))
            return false;
    }
    return true;
}

/* A few at a time: between them whoever is more urgent has his turn, such as the news that one of
 * them brought. */
static bool run_sockets(struct multi *multi)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int n = epoll_wait(multi->epoll, events, EVENTS_AT_ONCE, 0), running;
    for (int i = 0; i < n; i++) {
        int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(multi->curl, events[i].data.fd, what, &running);
    }
    return report_finished(multi);
}

/* What begins comes after the answers that are there. With each call libcurl also takes further
 * whatever began meanwhile, so else a poll of many would hold up its first answers until its last
 * requests are out. */
static bool start_some(struct multi *multi)
{
    for (int i = 0; i < EVENTS_AT_ONCE && !g_queue_is_empty(&multi->starting); i++) {
        CURL *easy = g_queue_pop_head(&multi->starting);
        if (curl_multi_add_handle(multi->curl, easy) == CURLM_OK)
            continue;
        multi->hooks.on_finished(easy, CURLE_OUT_OF_MEMORY, multi->hooks.user);
        if (g_source_is_destroyed(&multi->source))
            return false;
    }
    return true;
}

static bool run_timers(struct multi *multi)
{
    int running;
    if (multi->timer_us == NO_TIMER || multi->timer_us > g_get_monotonic_time())
        return true;
    multi->timer_us = NO_TIMER;
    curl_multi_socket_action(multi->curl, CURL_SOCKET_TIMEOUT, 0, &running);
    return report_finished(multi);
}

static gboolean dispatch(GSource *source, GSourceFunc unused, gpointer unused_user)
{
    (void)unused;
    (void)unused_user;
    struct multi *multi = (struct multi *)source;
    multi->is_dispatching = true;
    bool is_alive = run_sockets(multi) && start_some(multi) && run_timers(multi);
    multi->is_dispatching = false;
    if (is_alive)
        publish_timer(multi);
    return G_SOURCE_CONTINUE;
}

static CURLM *curl_new(struct multi *multi)
{
    CURLM *curl = curl_multi_init();
    g_assert(curl != NULL);
    curl_multi_setopt(curl, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(curl, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(curl, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(curl, CURLMOPT_TIMERDATA, multi);
    curl_multi_setopt(curl, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
    return curl;
}

/* libcurl has no other way to close what is idle. */
static gboolean on_rested(gpointer user)
{
    struct multi *multi = user;
    source_end(&multi->rest);
    curl_multi_cleanup(multi->curl);
    multi->curl = curl_new(multi);
    multi->timer_us = NO_TIMER;
    publish_timer(multi);
    multi->hooks.on_rested(multi->hooks.user);
    return G_SOURCE_REMOVE;
}

static void begin_rest(struct multi *multi)
{
    source_end(&multi->rest);
    multi->rest =
        source_after(g_source_get_context(&multi->source), multi->rest_ms, on_rested, multi);
}

struct multi *multi_new(GMainContext *context, const struct multi_hooks *hooks)
{
    static GSourceFuncs functions = {.dispatch = dispatch};
    struct multi *multi = (struct multi *)g_source_new(&functions, sizeof *multi);
    g_source_set_static_name(&multi->source, "http");
    multi->hooks = *hooks;
    multi->timer_us = NO_TIMER;
    g_queue_init(&multi->starting);
    multi->rest_ms = MULTI_REST_MS;
    multi->epoll = epoll_create1(EPOLL_CLOEXEC);
    g_assert(multi->epoll >= 0);
    multi->curl = curl_new(multi);
    g_source_add_unix_fd(&multi->source, multi->epoll, G_IO_IN);
    g_source_attach(&multi->source, context);
    return multi;
}

void multi_free(struct multi *multi)
{
    if (!multi)
        return;
    source_end(&multi->rest);
    g_queue_clear(&multi->starting);
    curl_multi_cleanup(multi->curl);
    close(multi->epoll);
    g_source_destroy(&multi->source);
    g_source_unref(&multi->source);
}

void multi_set_rest_ms(struct multi *multi, guint rest_ms)
{
    multi->rest_ms = rest_ms;
}

void multi_add(struct multi *multi, CURL *easy)
{
    g_queue_push_tail(&multi->starting, easy);
    multi->n_handles++;
    source_end(&multi->rest);
    publish_timer(multi);
}

void multi_remove(struct multi *multi, CURL *easy)
{
    if (!g_queue_remove(&multi->starting, easy))
        curl_multi_remove_handle(multi->curl, easy);
    if (--multi->n_handles == 0)
        begin_rest(multi);
}
