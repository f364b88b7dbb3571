#include "daemon/ask.h"

#include "monitor/control.h"
#include "store/store_read.h"

#include <gio/gio.h>
#include <stdio.h>
#include <string.h>

static void explain_no_connection(const char *state_dir, const GError *error)
{
    if (store_is_running(state_dir))
        fprintf(stderr, "feedwatch: the daemon cannot be asked: %s\n", error->message);
    else
        fprintf(stderr, "feedwatch: no daemon is running for %s: start feedwatchd\n", state_dir);
}

static bool send_request(GSocket *socket, json_t *request, GError **error)
{
    g_autofree char *text = json_to_text(request);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    size_t size = strlen(line), sent = 0;
    json_decref(request);
    while (sent < size) {
        gssize done = g_socket_send(socket, line + sent, size - sent, NULL, error);
        if (done < 0)
            return false;
        sent += (size_t)done;
    }
    return true;
}

/* Whether the answer goes on after this line. */
static bool take_line(const json_t *line, ask_on_line on_line, void *user, char **ret_problem)
{
    if (!json_is_true(json_object_get(line, "done"))) {
        on_line(line, user);
        return true;
    }
    *ret_problem = g_strdup(json_string_value(json_object_get(line, "error")));
    return false;
}

static bool has_line(GDataInputStream *in)
{
    gsize size = 0;
    const void *bytes = g_buffered_input_stream_peek_buffer(G_BUFFERED_INPUT_STREAM(in), &size);
    return size > 0 && memchr(bytes, '\n', size);
}

static bool read_answer(GSocket *socket, ask_on_line on_line, void *user, char **ret_problem)
{
    g_autoptr(GSocketConnection) connection = g_socket_connection_factory_create_connection(socket);
    g_autoptr(GDataInputStream) in =
        g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
    for (bool goes_on = true; goes_on;) {
        g_autoptr(GError) error = NULL;
        gsize size = 0;
        if (!has_line(in))
            fflush(stdout); /* what there is so far, before more is waited for */
        g_autofree char *text = g_data_input_stream_read_line(in, &size, NULL, &error);
        json_t *line = text ? json_loadb(text, size, 0, NULL) : NULL;
        if (!line) {
            *ret_problem = error ? g_strdup(error->message) : g_strdup("it has hung up");
            return false;
        }
        goes_on = take_line(line, on_line, user, ret_problem);
        json_decref(line);
    }
    return *ret_problem == NULL;
}

bool ask_daemon(const char *state_dir, json_t *request, ask_on_line on_line, void *user)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *problem = NULL;
    g_autoptr(GSocket) socket = control_connect(state_dir, &error);
    if (!socket) {
        json_decref(request);
        explain_no_connection(state_dir, error);
        return false;
    }
    if (send_request(socket, request, &error) && read_answer(socket, on_line, user, &problem))
        return true;
    fprintf(stderr, "feedwatch: the daemon: %s\n", problem ? problem : error->message);
    return false;
}
