#include "store/alert_log.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct alert_log {
    char *path;
    int fd; /* -1: closed */
    uint64_t dev, inode;
    bool has_torn_end;
};

struct alert_log *alert_log_new(const char *path)
{
    struct alert_log *log = g_new0(struct alert_log, 1);
    log->path = g_strdup(path);
    log->fd = -1;
    return log;
}

void alert_log_free(struct alert_log *log)
{
    if (!log)
        return;
    alert_log_close(log);
    g_free(log->path);
    g_free(log);
}

const char *alert_log_path(const struct alert_log *log)
{
    return log->path;
}

void alert_log_close(struct alert_log *log)
{
    if (log->fd >= 0)
        close(log->fd);
    log->fd = -1;
}

static void set_error(GError **error, const struct alert_log *log, const char *what)
{
    g_set_error(error, STORE_ERROR, STORE_ERROR_LOG, "cannot %s the alert log %s: %s", what,
                log->path, g_strerror(errno));
}

static bool refuse(GError **error, const struct alert_log *log, const char *why)
{
    g_set_error(error, STORE_ERROR, STORE_ERROR_LOG, "the alert log %s is refused: %s", log->path,
                why);
    return false;
}

static bool is_acceptable(const struct alert_log *log, const struct stat *st, GError **error)
{
    if (!S_ISREG(st->st_mode))
        return refuse(error, log, "it is not a regular file");
    if (st->st_nlink > 1)
        return refuse(error, log, "it has other hard links");
    if (st->st_uid != geteuid())
        return refuse(error, log, "it belongs to another user");
    return true;
}

/* A new file's name must survive a power loss as well as its content does. */
static void sync_parent(const char *path)
{
    g_autofree char *dir = g_path_get_dirname(path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

/* O_NONBLOCK, because opening a FIFO for writing would wait for a reader. */
static int open_path(struct alert_log *log, GError **error)
{
    const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    int fd = open(log->path, flags);
    if (fd < 0 && errno == ENOENT) {
        g_autofree char *dir = g_path_get_dirname(log->path);
        if (!file_make_dir(dir, error))
            return -1;
        fd = open(log->path, flags | O_CREAT | O_EXCL, 0600);
        if (fd < 0 && errno == EEXIST)
            fd = open(log->path, flags);
        else if (fd >= 0)
            sync_parent(log->path);
    }
    if (fd < 0 && errno == ELOOP)
        refuse(error, log, "it is a symbolic link");
    else if (fd < 0)
        set_error(error, log, "open");
    return fd;
}

static bool has_torn_end(int fd, int64_t size_bytes)
{
    char last = '\n';
    return size_bytes > 0 && pread(fd, &last, 1, (off_t)(size_bytes - 1)) == 1 && last != '\n';
}

static bool is_still_there(const struct alert_log *log)
{
    struct stat st;
    return log->fd >= 0 && lstat(log->path, &st) == 0 && st.st_dev == log->dev &&
           st.st_ino == log->inode && st.st_nlink == 1;
}

bool alert_log_open(struct alert_log *log, struct log_place *ret_place, GError **error)
{
    if (!is_still_there(log)) {
        alert_log_close(log);
        log->fd = open_path(log, error);
        if (log->fd < 0)
            return false;
    }
    struct stat st;
    if (fstat(log->fd, &st) != 0) {
        set_error(error, log, "examine");
        return false;
    }
    if (!is_acceptable(log, &st, error)) {
        alert_log_close(log);
        return false;
    }
    log->dev = st.st_dev;
    log->inode = st.st_ino;
    log->has_torn_end = has_torn_end(log->fd, st.st_size);
    *ret_place = (struct log_place){st.st_dev, st.st_ino, st.st_size};
    return true;
}

bool alert_log_append(struct alert_log *log, const char *lines, size_t size, GError **error)
{
    if (log->has_torn_end && !file_write_all(log->fd, "\n", 1)) {
        set_error(error, log, "write");
        return false;
    }
    log->has_torn_end = false;
    if (file_write_all(log->fd, lines, size))
        return true;
    set_error(error, log, "write");
    return false;
}

bool alert_log_sync(struct alert_log *log, bool *ret_is_deleted, GError **error)
{
    struct stat st;
    *ret_is_deleted = false;
    if (fdatasync(log->fd) != 0) {
        set_error(error, log, "flush");
        return false;
    }
    *ret_is_deleted = fstat(log->fd, &st) == 0 && st.st_nlink == 0;
    return true;
}
