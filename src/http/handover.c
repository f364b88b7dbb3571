#include "http/handover.h"

#include "http/failure.h"

#include <curl/curl.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 20000L
#define REPLY_BYTES_MAX    512

struct handover {
    CURL *easy;
    bool (*should_stop)(void *user);
    void *user;
    const char *bytes; /* what of the message is not yet sent */
    size_t size;
    char reply[REPLY_BYTES_MAX + 1]; /* the last line by which a mail server refused */
    char detail[CURL_ERROR_SIZE];
};

static size_t on_read(char *room, size_t one, size_t size, void *user)
{
    struct handover *handover = user;
    size_t n = MIN(size * one, handover->size);
    memcpy(room, handover->bytes, n);
    handover->bytes += n;
    handover->size -= n;
    return n;
}

static size_t on_reply(char *line, size_t one, size_t size, void *user)
{
    struct handover *handover = user;
    size_t n = MIN(size * one, REPLY_BYTES_MAX);
    /* libcurl says QUIT after a failure, to which there is an answer, too. */
    if (n > 3 && (line[0] == '4' || line[0] == '5')) {
        memcpy(handover->reply, line, n);
        handover->reply[n] = '\0';
    } else if (n > 3 && memcmp(line, "221", 3) != 0) {
        handover->reply[0] = '\0'; /* it went on: an EHLO that is not known, say */
    }
    return size * one;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *user)
{
    (void)bytes;
    (void)user;
    return size * one;
}

static int on_progress(void *user, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    struct handover *handover = user;
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    return handover->should_stop(handover->user);
}

struct handover *handover_new(const char *ca_file, bool (*should_stop)(void *user), void *user)
{
    struct handover *handover = g_new0(struct handover, 1);
    handover->should_stop = should_stop;
    handover->user = user;
    CURL *easy = handover->easy = curl_easy_init();
    g_assert(easy != NULL);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, handover->detail);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps,mqtt");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, HANDOVER_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, handover);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_reply);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, handover);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, handover);
    if (ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    return handover;
}

void handover_free(struct handover *handover)
{
    if (!handover)
        return;
    curl_easy_cleanup(handover->easy);
    g_free(handover);
}

static void set_mail(CURL *easy, const struct handover_request *request, struct curl_slist *to)
{
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->size);
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, request->from);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(easy, CURLOPT_USE_SSL,
                     (long)(request->needs_starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
}

static void set_publication(CURL *easy, const struct handover_request *request)
{
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->bytes);
}

/* A password may have colons in it, so libcurl is given the two. */
static void set_user(CURL *easy, const char *userpwd)
{
    const char *colon = userpwd ? strchr(userpwd, ':') : NULL;
    g_autofree char *user = colon ? g_strndup(userpwd, (gsize)(colon - userpwd)) : NULL;
    curl_easy_setopt(easy, CURLOPT_USERNAME, user);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, colon ? colon + 1 : NULL);
}

static char *complaint(const struct handover *handover, CURLcode code)
{
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return g_strdup("the daemon ends");
    if (handover->reply[0])
        return g_strdup_printf("the server said %s", handover->reply);
    return failure_message(failure_of(code, handover->easy), code, handover->detail);
}

enum handover_result handover_send(struct handover *handover,
                                   const struct handover_request *request, char **ret_message)
{
    CURL *easy = handover->easy;
    struct curl_slist *to = NULL;
    handover->bytes = request->bytes;
    handover->size = request->size;
    handover->reply[0] = handover->detail[0] = '\0';
    for (const char *const *address = request->to; address && *address; address++)
        to = curl_slist_append(to, *address);
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    set_user(easy, request->userpwd);
    if (to)
        set_mail(easy, request, to);
    else
        set_publication(easy, request);
    CURLcode code = curl_easy_perform(easy);
    curl_slist_free_all(to);
    *ret_message = code == CURLE_OK ? NULL : complaint(handover, code);
    if (code == CURLE_OK)
        return HANDOVER_DONE;
    bool is_whole = handover->size == 0;
    return is_whole && handover->reply[0] == '5' ? HANDOVER_REFUSED : HANDOVER_FAILED;
}
