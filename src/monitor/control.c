#include "monitor/control.h"

#include "base/source.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_NAME "control"
#define BACKLOG     16
#define CHUNK_BYTES 4096
/* Without descriptors to spare, whoever wants in stays at the door. */
#define ACCEPT_PAUSE_MS 500

struct control {
    GMainContext *context;
    char *path;
    const struct control_command *commands;
    GSocket *listener;
    GSource *accepting; /* or the pause before it goes on */
    GPtrArray *clients; /* struct client */
};

struct client {
    struct control *control;
    GSocket *socket;
    GSource *reading, *writing, *patience;
    GString *in, *out;
    struct control_call *call; /* under way: nothing more is read until it ends */
    bool is_ending;            /* once everything is written */
};

struct control_call {
    struct client *client;
    void (*on_gone)(void *data);
    void *data;
};

/* ---- addresses ---- */

static int open_dir(const char *state_dir, GError **error)
{
    int fd = open(state_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        g_set_error(error, G_IO_ERROR, (gint)g_io_error_from_errno(errno), "cannot open %s: %s",
                    state_dir, g_strerror(errno));
    return fd;
}

/* A socket's path has at most 107 bytes, a directory's may be longer: then it goes by its
 * descriptor. */
static GSocketAddress *address_of(const char *state_dir, int dir_fd)
{
    g_autofree char *path = g_build_filename(state_dir, SOCKET_NAME, NULL);
    g_autofree char *by_fd = g_strdup_printf("/proc/self/fd/%d/" SOCKET_NAME, dir_fd);
    bool fits = strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
    return g_unix_socket_address_new(fits ? path : by_fd);
}

GSocket *control_connect(const char *state_dir, GError **error)
{
    int dir_fd = open_dir(state_dir, error);
    if (dir_fd < 0)
        return NULL;
    g_autoptr(GSocketAddress) address = address_of(state_dir, dir_fd);
    g_autoptr(GSocket) socket =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);
    bool fine = socket && g_socket_connect(socket, address, NULL, error);
    close(dir_fd);
    return fine ? g_steal_pointer(&socket) : NULL;
}

/* ---- a client ---- */

static void client_free(gpointer data)
{
    struct client *client = data;
    source_end(&client->reading);
    source_end(&client->writing);
    source_end(&client->patience);
    struct control_call *call = g_steal_pointer(&client->call);
    if (call && call->on_gone)
        call->on_gone(call->data);
    g_free(call);
    g_socket_close(client->socket, NULL);
    g_object_unref(client->socket);
    g_string_free(client->in, TRUE);
    g_string_free(client->out, TRUE);
    g_free(client);
}

static void hang_up(struct client *client)
{
    g_ptr_array_remove_fast(client->control->clients, client);
}

static gboolean on_out_of_patience(gpointer user)
{
    hang_up(user);
    return G_SOURCE_REMOVE;
}

static void start_patience(struct client *client)
{
    source_end(&client->patience);
    client->patience =
        source_after(client->control->context, CONTROL_IDLE_MS, on_out_of_patience, client);
}

/* ---- writing ---- */

/* False where the client is of no more use. */
static bool write_some(struct client *client)
{
    while (client->out->len > 0) {
        g_autoptr(GError) error = NULL;
        gssize done =
            g_socket_send(client->socket, client->out->str, client->out->len, NULL, &error);
        if (done < 0)
            return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
        g_string_erase(client->out, 0, done);
    }
    return !client->is_ending;
}

static gboolean on_writable(GSocket *socket, GIOCondition condition, gpointer user)
{
    struct client *client = user;
    (void)socket;
    (void)condition;
    if (!write_some(client)) {
        hang_up(client);
        return G_SOURCE_REMOVE;
    }
    if (client->out->len > 0)
        return G_SOURCE_CONTINUE;
    g_clear_pointer(&client->writing, g_source_unref);
    return G_SOURCE_REMOVE;
}

/* Nothing is written, and nobody hung up on, from within a call of the command's. */
static void want_to_write(struct client *client)
{
    if (client->writing)
        return;
    client->writing = g_socket_create_source(client->socket, G_IO_OUT, NULL);
    /* When nothing else is to be done: then it goes out together. */
    g_source_set_priority(client->writing, G_PRIORITY_DEFAULT + 10);
    g_source_set_callback(client->writing, (GSourceFunc)(void (*)(void))on_writable, client, NULL);
    g_source_attach(client->writing, client->control->context);
}

static void put_line(struct client *client, json_t *object)
{
    if (!client->is_ending)
        json_append_line(client->out, object);
    json_decref(object);
    if (client->out->len > CONTROL_OUT_MAX) { /* nobody reads */
        g_string_truncate(client->out, 0);
        client->is_ending = true;
    }
    want_to_write(client);
}

static void put_end(struct client *client, const char *error)
{
    json_t *object = json_object();
    json_object_set_new(object, "done", json_true());
    if (error)
        json_set_text(object, "error", error);
    put_line(client, object);
}

/* ---- requests ---- */

static void refuse(struct client *client, const char *message)
{
    put_end(client, message);
    client->is_ending = true;
}

static const struct control_command *find_command(const struct control *control, const char *name)
{
    for (const struct control_command *command = control->commands; command->name; command++)
        if (name && strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

static void run_line(struct client *client, const char *line, size_t size)
{
    json_t *request = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
    const char *name =
        json_is_object(request) ? json_string_value(json_object_get(request, "command")) : NULL;
    const struct control_command *command = find_command(client->control, name);
    if (command) {
        client->call = g_new0(struct control_call, 1);
        client->call->client = client;
        command->run(client->call, request, command->user);
    } else {
        put_end(client, name ? "this daemon does not know that command"
                             : "a request is one JSON object with a \"command\"");
    }
    json_decref(request);
}

/* Whole lines, one after another, as long as none takes its time. */
static void run_lines(struct client *client)
{
    char *end;
    while (!client->call && !client->is_ending &&
           (end = memchr(client->in->str, '\n', client->in->len)) != NULL) {
        g_autofree char *line = g_strndup(client->in->str, (gsize)(end - client->in->str));
        gsize size = (gsize)(end - client->in->str);
        g_string_erase(client->in, 0, (gssize)size + 1);
        start_patience(client);
        run_line(client, line, size);
    }
    if (client->call)
        source_end(&client->patience);
    else if (client->in->len > CONTROL_LINE_MAX)
        refuse(client, "the request is too long");
}

static gboolean on_readable(GSocket *socket, GIOCondition condition, gpointer user)
{
    struct client *client = user;
    char chunk[CHUNK_BYTES];
    g_autoptr(GError) error = NULL;
    (void)condition;
    gssize got = g_socket_receive(socket, chunk, sizeof chunk, NULL, &error);
    if (got < 0 && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        return G_SOURCE_CONTINUE;
    if (got <= 0) {
        hang_up(client);
        return G_SOURCE_REMOVE;
    }
    if (client->is_ending)
        return G_SOURCE_CONTINUE;
    g_string_append_len(client->in, chunk, got);
    if (client->call && client->in->len > CONTROL_LINE_MAX) {
        hang_up(client);
        return G_SOURCE_REMOVE;
    }
    run_lines(client);
    return G_SOURCE_CONTINUE;
}

/* ---- calls ---- */

void control_say(struct control_call *call, json_t *object)
{
    put_line(call->client, object);
}

static gboolean on_next_line(gpointer user)
{
    struct client *client = user;
    start_patience(client);
    run_lines(client);
    return G_SOURCE_REMOVE;
}

/* The next request, which may be there already, waits for the loop: no command runs within
 * another. */
static void end_call(struct control_call *call, const char *error)
{
    struct client *client = call->client;
    put_end(client, error);
    client->call = NULL;
    g_free(call);
    source_end(&client->patience);
    client->patience = g_idle_source_new();
    g_source_set_callback(client->patience, on_next_line, client, NULL);
    g_source_attach(client->patience, client->control->context);
}

void control_end(struct control_call *call)
{
    end_call(call, NULL);
}

void control_fail(struct control_call *call, const char *message)
{
    end_call(call, message);
}

void control_on_gone(struct control_call *call, void (*on_gone)(void *data), void *data)
{
    call->on_gone = on_gone;
    call->data = data;
}

/* ---- the socket ---- */

static bool is_ours(GSocket *socket)
{
    g_autoptr(GCredentials) peer = g_socket_get_credentials(socket, NULL);
    uid_t uid = peer ? g_credentials_get_unix_user(peer, NULL) : (uid_t)-1;
    return uid == geteuid() || uid == 0;
}

static void start_accepting(struct control *control);

static gboolean on_pause_over(gpointer user)
{
    start_accepting(user);
    return G_SOURCE_REMOVE;
}

/* The listener stays readable: looked at again at once, it would keep the loop busy. */
static void pause_accepting(struct control *control)
{
    source_end(&control->accepting);
    control->accepting = source_after(control->context, ACCEPT_PAUSE_MS, on_pause_over, control);
}

static gboolean on_connection(GSocket *listener, GIOCondition condition, gpointer user)
{
    struct control *control = user;
    (void)condition;
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocket) socket = g_socket_accept(listener, NULL, &error);
    if (!socket && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
        pause_accepting(control);
        return G_SOURCE_REMOVE;
    }
    if (!socket || !is_ours(socket))
        return G_SOURCE_CONTINUE;
    g_socket_set_blocking(socket, FALSE);
    if (control->clients->len >= CONTROL_CLIENTS_MAX) {
        static const char busy[] = "{\"done\":true,\"error\":\"too many ask at once\"}\n";
        g_socket_send(socket, busy, sizeof busy - 1, NULL, NULL);
        return G_SOURCE_CONTINUE;
    }
    struct client *client = g_new0(struct client, 1);
    client->control = control;
    client->socket = g_steal_pointer(&socket);
    client->in = g_string_new(NULL);
    client->out = g_string_new(NULL);
    g_ptr_array_add(control->clients, client);
    client->reading = g_socket_create_source(client->socket, G_IO_IN, NULL);
    g_source_set_callback(client->reading, (GSourceFunc)(void (*)(void))on_readable, client, NULL);
    g_source_attach(client->reading, control->context);
    start_patience(client);
    return G_SOURCE_CONTINUE;
}

static void start_accepting(struct control *control)
{
    source_end(&control->accepting);
    control->accepting = g_socket_create_source(control->listener, G_IO_IN, NULL);
    g_source_set_callback(control->accepting, (GSourceFunc)(void (*)(void))on_connection, control,
                          NULL);
    g_source_attach(control->accepting, control->context);
}

/* The dead daemon's socket; anything else is not ours to remove. */
static bool make_room(int dir_fd, const char *path, GError **error)
{
    struct stat st;
    if (fstatat(dir_fd, SOCKET_NAME, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return true;
    if (S_ISSOCK(st.st_mode) && unlinkat(dir_fd, SOCKET_NAME, 0) == 0)
        return true;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS, "%s is in the way of the control socket",
                path);
    return false;
}

/* The mode is set before there is a name by which somebody could connect. */
static GSocket *listen_at(const char *state_dir, int dir_fd, GError **error)
{
    g_autoptr(GSocketAddress) address = address_of(state_dir, dir_fd);
    g_autoptr(GSocket) socket =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, error);
    if (!socket)
        return NULL;
    (void)fchmod(g_socket_get_fd(socket), 0600);
    g_socket_set_listen_backlog(socket, BACKLOG);
    g_socket_set_blocking(socket, FALSE);
    if (!g_socket_bind(socket, address, FALSE, error) || !g_socket_listen(socket, error))
        return NULL;
    return g_steal_pointer(&socket);
}

struct control *control_new(GMainContext *context, const char *state_dir,
                            const struct control_command *commands, GError **error)
{
    int dir_fd = open_dir(state_dir, error);
    if (dir_fd < 0)
        return NULL;
    g_autofree char *path = g_build_filename(state_dir, SOCKET_NAME, NULL);
    GSocket *listener = make_room(dir_fd, path, error) ? listen_at(state_dir, dir_fd, error) : NULL;
    close(dir_fd);
    if (!listener)
        return NULL;
    struct control *control = g_new0(struct control, 1);
    control->context = context;
    control->path = g_steal_pointer(&path);
    control->commands = commands;
    control->listener = listener;
    control->clients = g_ptr_array_new_with_free_func(client_free);
    start_accepting(control);
    return control;
}

/* Whoever waits is told; what does not fit into the socket now is lost with it. */
static void say_goodbye(struct client *client)
{
    if (client->call)
        put_end(client, "the daemon stops");
    write_some(client);
}

void control_free(struct control *control)
{
    if (!control)
        return;
    unlink(control->path);
    source_end(&control->accepting);
    for (guint i = 0; i < control->clients->len; i++)
        say_goodbye(g_ptr_array_index(control->clients, i));
    g_ptr_array_unref(control->clients);
    g_socket_close(control->listener, NULL);
    g_object_unref(control->listener);
    g_free(control->path);
    g_free(control);
}
