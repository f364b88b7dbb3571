#include "fetch/disk.h"

#include "base/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES 65536

struct disk_read {
    gatomicrefcount refs;  /* ours, until there is a result, and the thread's */
    GMainContext *context; /* NULL: the default one */
    char *path;
    int64_t timeout_ms, max_bytes;
    /* The thread's, until it has handed them over. */
    GByteArray *body;
    char *message;
    /* Ours. */
    GSource *timer;
    disk_done on_done; /* NULL once nobody waits */
    void *user;
};

static void disk_read_unref(gpointer data)
{
    struct disk_read *disk_read = data;
    if (!g_atomic_ref_count_dec(&disk_read->refs))
        return;
    g_byte_array_unref(disk_read->body);
    g_free(disk_read->message);
    g_free(disk_read->path);
    g_clear_pointer(&disk_read->context, g_main_context_unref);
    g_free(disk_read);
}

/* Nobody waits any longer. */
static void leave(struct disk_read *disk_read)
{
    disk_read->on_done = NULL;
    source_end(&disk_read->timer);
    disk_read_unref(disk_read);
}

void disk_read_cancel(struct disk_read *disk_read)
{
    leave(disk_read);
}

/* ---- on the thread ---- */

static char *say(const struct disk_read *disk_read, const char *why)
{
    return g_strdup_printf("cannot read %s: %s", disk_read->path, why);
}

static char *read_all(struct disk_read *disk_read, int fd)
{
    guint8 bytes[CHUNK_BYTES];
    ssize_t n;
    while ((n = read(fd, bytes, sizeof bytes)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return say(disk_read, g_strerror(errno));
        if (disk_read->body->len + n > disk_read->max_bytes)
            return say(disk_read, "it is larger than max_size allows");
        g_byte_array_append(disk_read->body, bytes, (guint)n);
    }
    return NULL;
}

static char *read_file(struct disk_read *disk_read)
{
    struct stat st;
    int fd = open(disk_read->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return say(disk_read, g_strerror(errno));
    char *message = NULL;
    if (fstat(fd, &st) != 0)
        message = say(disk_read, g_strerror(errno));
    else if (!S_ISREG(st.st_mode))
        message = say(disk_read, "it is not a regular file");
    else
        message = read_all(disk_read, fd);
    close(fd);
    return message;
}

static gboolean on_read(gpointer user)
{
    struct disk_read *disk_read = user;
    disk_done on_done = disk_read->on_done;
    if (!on_done)
        return G_SOURCE_REMOVE;
    void *data = disk_read->user;
    leave(disk_read); /* the source has the other reference until we return */
    on_done(disk_read->body, disk_read->message, data);
    return G_SOURCE_REMOVE;
}

/* Takes the thread's reference with it. */
static void hand_over(struct disk_read *disk_read)
{
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, on_read, disk_read, disk_read_unref);
    g_source_attach(source, disk_read->context);
}

static gpointer run(gpointer data)
{
    struct disk_read *disk_read = data;
    disk_read->message = read_file(disk_read);
    hand_over(disk_read);
    return NULL;
}

/* ---- on the context ---- */

/* The body is the thread's: an empty one stands for it. */
static gboolean on_late(gpointer user)
{
    struct disk_read *disk_read = user;
    g_autofree char *message =
        g_strdup_printf("cannot read %s: that took longer than %.3g s", disk_read->path,
                        (double)disk_read->timeout_ms / 1000);
    g_autoptr(GByteArray) nothing = g_byte_array_new();
    disk_done on_done = disk_read->on_done;
    void *data = disk_read->user;
    leave(disk_read);
    on_done(nothing, message, data);
    return G_SOURCE_REMOVE;
}

struct disk_read *disk_read_start(GMainContext *context, const char *path, int64_t timeout_ms,
                                  int64_t max_bytes, disk_done on_done, void *user)
{
    struct disk_read *disk_read = g_new0(struct disk_read, 1);
    g_atomic_ref_count_init(&disk_read->refs);
    disk_read->context = context ? g_main_context_ref(context) : NULL;
    disk_read->path = g_strdup(path);
    disk_read->timeout_ms = timeout_ms;
    disk_read->max_bytes = max_bytes;
    disk_read->body = g_byte_array_new();
    disk_read->on_done = on_done;
    disk_read->user = user;
    disk_read->timer = source_after(context, MAX(timeout_ms, 1), on_late, disk_read);
    g_atomic_ref_count_inc(&disk_read->refs);
    g_autoptr(GError) error = NULL;
    GThread *thread = g_thread_try_new("file", run, disk_read, &error);
    if (thread) {
        g_thread_unref(thread);
    } else { /* too many run: a poll that failed, no more */
        disk_read->message = say(disk_read, error->message);
        hand_over(disk_read);
    }
    return disk_read;
}
