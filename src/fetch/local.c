/* Feeds that are no request: a file, or what a program prints. What comes of it takes the same way
 * as a server's answer: limits, hash, parser. */
#include "fetch/internal.h"

bool fetch_is_local(const struct fetch *fetch)
{
    return fetch->path || fetch->argv;
}

static void on_local(GByteArray *body, const char *message, void *user)
{
    struct fetch *fetch = user;
    struct http_response response = {
        .status = message ? 0 : 200,
        .failure = message ? HTTP_FAILED_TRANSFER : HTTP_NO_FAILURE,
        .message = g_strdup(message),
        .body = g_byte_array_ref(body),
    };
    fetch->disk_read = NULL;
    fetch->program = NULL;
    fetch_take_response(fetch, &response);
    if (response.body)
        g_byte_array_unref(response.body);
    g_free(response.message);
}

void fetch_start_local(struct fetch *fetch)
{
    GMainContext *context = fetch->fetcher->context;
    const struct program_setup setup = {.argv = (const char *const *)fetch->argv,
                                        .timeout_ms = fetch->timeout_ms,
                                        .max_bytes = fetch->max_bytes};
    fetch->started_ms = clock_real_boot_ms();
    if (fetch->path)
        fetch->disk_read = disk_read_start(context, fetch->path, fetch->timeout_ms,
                                           fetch->max_bytes, on_local, fetch);
    else
        fetch->program = program_start(context, &setup, on_local, fetch);
}

void fetch_stop_local(struct fetch *fetch)
{
    if (fetch->disk_read)
        disk_read_cancel(fetch->disk_read);
    if (fetch->program)
        program_cancel(fetch->program);
}
