/* base/file, the part that replaces a file as a whole. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(GError **error, const char *what, const char *path)
{
    int code = errno;
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(code), "cannot %s %s: %s", what,
                path, g_strerror(code));
    return false;
}

/* The mode that the new file is to have. */
static bool look_at(const char *path, mode_t *ret_mode, GError **error)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        *ret_mode = 0600;
        return errno == ENOENT || fail(error, "look at", path);
    }
    *ret_mode = st.st_mode & 0777;
    if (S_ISREG(st.st_mode) && st.st_uid == geteuid())
        return true;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "will not replace %s: %s", path,
                S_ISREG(st.st_mode) ? "it belongs to somebody else" : "it is not a regular file");
    return false;
}

static bool holds_already(const char *path, const void *bytes, size_t size)
{
    size_t there = 0;
    g_autofree char *old = file_read(path, size, &there, NULL);
    return old && there == size && memcmp(old, bytes, size) == 0;
}

static bool write_new(const char *path, mode_t mode, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool fine = file_write_all(fd, bytes, size) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int code = errno;
    close(fd);
    errno = code;
    return fine;
}

static bool sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool fine = fsync(fd) == 0;
    int code = errno;
    close(fd);
    errno = code;
    return fine;
}

bool file_replace(const char *path, const void *bytes, size_t size, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_autofree char *beside = g_strdup_printf("%s/.%s.new", dir, name);
    mode_t mode;
    if (!file_make_dir(dir, error) || !look_at(path, &mode, error))
        return false;
    if (holds_already(path, bytes, size))
        return true;
    (void)unlink(beside); /* from a run that was cut off */
    bool fine = (write_new(beside, mode, bytes, size) && rename(beside, path) == 0) ||
                fail(error, "write", path);
    if (!fine)
        (void)unlink(beside);
    return fine && (sync_dir(dir) || fail(error, "flush the directory of", path));
}
