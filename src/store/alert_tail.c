#include "store/alert_tail.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_SIZE 4096

/* The size without the zeros at the end; -1 on an error. */
static off_t size_without_zeros(int fd, off_t size)
{
    char bytes[CHUNK_SIZE];
    while (size > 0) {
        size_t part = size < CHUNK_SIZE ? (size_t)size : CHUNK_SIZE;
        ssize_t got = pread(fd, bytes, part, size - (off_t)part);
        if (got < 0 && errno == EINTR)
            continue;
        if (got != (ssize_t)part)
            return -1;
        while (part > 0 && bytes[part - 1] == '\0')
            part--;
        if (part > 0)
            return size - got + (off_t)part;
        size -= got;
    }
    return 0;
}

static bool drop_zeros(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid != geteuid())
        return true;
    off_t size = size_without_zeros(fd, st.st_size);
    return size == st.st_size || (size >= 0 && ftruncate(fd, size) == 0 && fdatasync(fd) == 0);
}

bool alert_tail_drop_zeros(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return file_is_out_of_reach(path, W_OK);
    bool fine = drop_zeros(fd);
    int code = errno;
    close(fd);
    errno = code;
    return fine;
}
