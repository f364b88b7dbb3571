#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A question by file_is_locked() holds a lock for microseconds: whoever wants it in earnest tries
 * again. */
#define LOCK_TRIES      20
#define LOCK_PAUSE_US   10000
#define READ_CHUNK_SIZE 65536

static void set_error(GError **error, const char *what, const char *path)
{
    int code = errno;
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(code), "cannot %s %s: %s", what,
                path, g_strerror(code));
}

bool file_make_dir(const char *path, GError **error)
{
    if (g_mkdir_with_parents(path, 0700) == 0)
        return true;
    set_error(error, "create the directory", path);
    return false;
}

char *file_read(const char *path, size_t max_bytes, size_t *ret_size, GError **error)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        set_error(error, "open", path);
        return NULL;
    }
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    ssize_t got = 0;
    do {
        guint old = bytes->len;
        g_byte_array_set_size(bytes, old + READ_CHUNK_SIZE);
        got = read(fd, bytes->data + old, READ_CHUNK_SIZE);
        g_byte_array_set_size(bytes, old + (got > 0 ? (guint)got : 0));
    } while ((got > 0 && bytes->len <= max_bytes) || (got < 0 && errno == EINTR));
    if (got < 0)
        set_error(error, "read", path);
    else if (bytes->len > max_bytes)
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s is larger than %zu bytes", path,
                    max_bytes);
    bool failed = got < 0 || bytes->len > max_bytes;
    if (!is_stdin)
        close(fd);
    if (failed)
        return NULL;
    *ret_size = bytes->len;
    g_byte_array_append(bytes, (const guint8 *)"", 1);
    return (char *)g_byte_array_free(g_steal_pointer(&bytes), FALSE);
}

static bool fail(GError **error, const char *what, const char *path, const char *why)
{
    g_autofree char *message = g_strdup_printf("%s %s: %s", what, path, why);
    g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, message);
    return false;
}

static bool is_private(int fd, const char *path, GError **error)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return fail(error, "cannot read", path, g_strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(error, "cannot read", path, "it is not a regular file");
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return fail(error, "will not read", path, "it belongs to somebody else");
    if (st.st_mode & 077)
        return fail(error, "will not read", path, "others can read it; chmod 600 it");
    return true;
}

char *file_read_secret(const char *path, GError **error)
{
    char bytes[FILE_SECRET_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        fail(error, "cannot read", path, g_strerror(errno));
        return NULL;
    }
    ssize_t size = is_private(fd, path, error) ? read(fd, bytes, sizeof bytes) : -2;
    int code = errno;
    close(fd);
    if (size == -2)
        return NULL;
    g_autofree char *text = size >= 0 ? g_strstrip(g_strndup(bytes, (gsize)size)) : NULL;
    if (!text || size > FILE_SECRET_MAX || !*text || strpbrk(text, "\r\n")) {
        fail(error, "cannot read", path, text ? "one line is wanted" : g_strerror(code));
        return NULL;
    }
    return g_steal_pointer(&text);
}

bool file_is_out_of_reach(const char *path, int mode)
{
    int code = errno;
    bool is_forbidden = (code == EACCES || code == EPERM || code == EROFS) &&
                        faccessat(AT_FDCWD, path, mode, AT_EACCESS) != 0;
    errno = code;
    return is_forbidden || code == ENOENT || code == ELOOP;
}

bool file_write_all(int fd, const void *bytes, size_t size)
{
    const char *p = bytes;
    while (size > 0) {
        ssize_t done = write(fd, p, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        size -= (size_t)done;
    }
    return true;
}

char *file_expand(const char *path, const char *state_dir)
{
    GString *out = g_string_new(NULL);
    if (path[0] == '~' && path[1] == '/') {
        g_string_append(out, g_get_home_dir());
        path++;
    }
    for (; *path; path++) {
        char next = path[0] == '%' ? path[1] : '\0';
        if (next == 'S')
            g_string_append(out, state_dir ? state_dir : "");
        else if (next == 'h')
            g_string_append(out, g_get_home_dir());
        else if (next == '%')
            g_string_append_c(out, '%');
        else
            g_string_append_c(out, *path);
        if (next == 'S' || next == 'h' || next == '%')
            path++;
    }
    return g_string_free(out, FALSE);
}

int file_lock(const char *path, bool *ret_held, GError **error)
{
    *ret_held = false;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        set_error(error, "open", path);
        return -1;
    }
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        g_usleep(LOCK_PAUSE_US);
    }
    *ret_held = errno == EWOULDBLOCK;
    set_error(error, "lock", path);
    close(fd);
    return -1;
}

bool file_is_locked(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return held;
}
