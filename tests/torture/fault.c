/* fault - stands between the daemon and the C library (LD_PRELOAD), so that a test can choose where
 * it dies.
 *
 * Never linked into the product; the tests load it into an unchanged feedwatchd. The environment
 * says what it does:
 *
 * FAULT_AT=CALL:N[+]      the N-th call of that name (from 1), or that one and all after it, goes
 * wrong FAULT_DO=WHAT           how: kill (SIGKILL before the call), after (SIGKILL once it was
 * made), torn (half of the bytes are written, then SIGKILL), short (half of the bytes are written),
 * or the number of an errno FAULT_COUNT=FILE        how often each call was made goes there at the
 * end, "NAME COUNT" a line FAULT_RECORD=FILE       every change to regular files under FAULT_ROOT
 * goes there (struct event) FAULT_JOURNAL=SOCKET    takes the place of systemd-journald's socket
 *
 * Calls by name: open mkdir rename unlink truncate sync (fsync, fdatasync) write (regular files, at
 * the end) pwrite map pipe (writes to pipes) socket connect send (also writes to sockets) spawn
 * (fork, posix_spawn) commit (the COMMIT of a transaction as a whole). Writes that wake a thread
 * (eventfd) are no call. Children are started without this library. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL "/run/systemd/journal/socket"

enum call {
    OPEN,
    MKDIR,
    RENAME,
    UNLINK,
    TRUNCATE,
    SYNC,
    WRITE,
    PWRITE,
    MAP,
    PIPE,
    SOCKET,
    CONNECT,
    SEND,
    SPAWN,
    COMMIT,
    N_CALLS,
    NONE = N_CALLS
};
static const char *const names[N_CALLS] = {"open",   "mkdir",   "rename", "unlink", "truncate",
                                           "sync",   "write",   "pwrite", "map",    "pipe",
                                           "socket", "connect", "send",   "spawn",  "commit"};

enum deed { PASS, KILL, KILL_AFTER, TORN, SHORT, FAIL };

/* What FAULT_RECORD is made of: this, then path_size bytes of a path (a rename: both, with a NUL
 * between), then data_size bytes. kind: O opened, W written at offset, T cut to offset, S flushed,
 * D directory flushed, R, U. */
struct event {
    char kind;
    uint8_t reserved[3];
    uint32_t path_size;
    uint64_t inode;
    uint64_t offset;
    uint64_t data_size;
};

static atomic_ulong counts[N_CALLS];
static enum call chosen = NONE;
static unsigned long chosen_number;
static bool and_after;
static enum deed what;
static int error_number;
static const char *count_path, *root, *journal;
static int record = -1;
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

/* ---- what is to be done ---- */

static void choose(const char *at, const char *deed)
{
    const char *colon = at ? strchr(at, ':') : NULL;
    if (!colon || !deed)
        return;
    for (int i = 0; i < N_CALLS; i++)
        if (strlen(names[i]) == (size_t)(colon - at) &&
            strncmp(at, names[i], (size_t)(colon - at)) == 0)
            chosen = (enum call)i;
    char *end;
    chosen_number = strtoul(colon + 1, &end, 10);
    and_after = *end == '+';
    error_number = (int)strtol(deed, NULL, 10);
    what = strcmp(deed, "kill") == 0    ? KILL
           : strcmp(deed, "after") == 0 ? KILL_AFTER
           : strcmp(deed, "torn") == 0  ? TORN
           : strcmp(deed, "short") == 0 ? SHORT
                                        : FAIL;
    if (chosen == NONE || (what == FAIL && error_number <= 0)) {
        fprintf(stderr, "fault: cannot do %s at %s\n", deed, at);
        abort();
    }
}

static void __attribute__((constructor)) begin(void)
{
    choose(getenv("FAULT_AT"), getenv("FAULT_DO"));
    count_path = getenv("FAULT_COUNT");
    journal = getenv("FAULT_JOURNAL");
    root = getenv("FAULT_ROOT");
    const char *path = getenv("FAULT_RECORD");
    if (path && root)
        record = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                              0600);
    unsetenv("LD_PRELOAD");
}

static void __attribute__((destructor)) end(void)
{
    FILE *out = count_path ? fopen(count_path, "w") : NULL;
    for (int i = 0; out && i < N_CALLS; i++)
        fprintf(out, "%s %lu\n", names[i], atomic_load(&counts[i]));
    if (out)
        fclose(out);
}

static void die(void)
{
    for (;;)
        kill(getpid(), SIGKILL);
}

/* FAIL with errno set; never comes back where it is KILL. */
static enum deed decide(enum call call)
{
    if (call == NONE)
        return PASS;
    unsigned long number = atomic_fetch_add(&counts[call], 1) + 1;
    if (call != chosen || !(number == chosen_number || (and_after && number > chosen_number)))
        return PASS;
    if (what == KILL)
        die();
    if (what == FAIL)
        errno = error_number;
    return what;
}

static long after(enum deed deed, long result)
{
    if (deed == KILL_AFTER || deed == TORN)
        die();
    return result;
}

/* ---- the record ---- */

static bool is_ours(const char *path)
{
    return record >= 0 && strncmp(path, root, strlen(root)) == 0;
}

static const char *path_of(int fd, char *buffer)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, buffer, PATH_MAX - 1);
    buffer[size > 0 ? size : 0] = 0;
    return buffer;
}

/* The caller holds the lock from before the change to after this, so that events are in order. */
static void put(char kind, uint64_t inode, uint64_t offset, const void *path, size_t path_size,
                const void *data, size_t data_size)
{
    struct event event = {.kind = kind,
                          .path_size = (uint32_t)path_size,
                          .inode = inode,
                          .offset = offset,
                          .data_size = data_size};
    struct iovec parts[] = {{&event, sizeof event},
                            {(void *)(uintptr_t)path, path_size},
                            {(void *)(uintptr_t)data, data_size}};
    if (syscall(SYS_writev, record, parts, 3) != (long)(sizeof event + path_size + data_size))
        abort();
}

static void put_fd(char kind, int fd, uint64_t offset, const void *data, size_t data_size)
{
    char path[PATH_MAX];
    struct stat st;
    if (record < 0 || !is_ours(path_of(fd, path)) || fstat(fd, &st) != 0)
        return;
    if (S_ISREG(st.st_mode) || (S_ISDIR(st.st_mode) && kind == 'S'))
        put(S_ISDIR(st.st_mode) ? 'D' : kind, st.st_ino, offset, path, strlen(path), data,
            data_size);
}

static void lock(void)
{
    if (record >= 0)
        pthread_mutex_lock(&order);
}

static void unlock(void)
{
    int code = errno;
    if (record >= 0)
        pthread_mutex_unlock(&order);
    errno = code;
}

/* ---- names of files ---- */

static int do_open(int dir, const char *path, int flags, mode_t mode)
{
    enum deed deed = decide(OPEN);
    if (deed == FAIL)
        return -1;
    lock();
    int fd = (int)syscall(SYS_openat, dir, path, flags, mode);
    if (fd >= 0 && (flags & O_ACCMODE) != O_RDONLY)
        put_fd('O', fd, (flags & O_TRUNC) != 0, NULL, 0);
    unlock();
    return (int)after(deed, fd);
}

#define MODE_OF(flags, mode)                     \
    do {                                         \
        if ((flags) & (O_CREAT | __O_TMPFILE)) { \
            va_list args;                        \
            va_start(args, flags);               \
            mode = va_arg(args, mode_t);         \
            va_end(args);                        \
        }                                        \
    } while (0)

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return do_open(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return do_open(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return do_open(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE_OF(flags, mode);
    return do_open(dir, path, flags, mode);
}

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
    return do_open(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags)
{
    return do_open(AT_FDCWD, path, flags, 0);
}

int mkdir(const char *path, mode_t mode)
{
    enum deed deed = decide(MKDIR);
    return deed == FAIL ? -1 : (int)after(deed, syscall(SYS_mkdir, path, mode));
}

int rename(const char *from, const char *to)
{
    enum deed deed = decide(RENAME);
    if (deed == FAIL)
        return -1;
    lock();
    int result = (int)syscall(SYS_rename, from, to);
    if (result == 0 && is_ours(from)) {
        char both[2 * PATH_MAX];
        int size = snprintf(both, sizeof both, "%s%c%s", from, 0, to);
        put('R', 0, 0, both, (size_t)size, NULL, 0);
    }
    unlock();
    return (int)after(deed, result);
}

int unlinkat(int dir, const char *path, int flags)
{
    enum deed deed = decide(UNLINK);
    if (deed == FAIL)
        return -1;
    lock();
    int result = (int)syscall(SYS_unlinkat, dir, path, flags);
    if (result == 0 && dir == AT_FDCWD && is_ours(path))
        put('U', 0, 0, path, strlen(path), NULL, 0);
    unlock();
    return (int)after(deed, result);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

/* ---- content of files ---- */

static enum call kind_of(int fd, uint64_t *ret_size)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return NONE;
    *ret_size = (uint64_t)st.st_size;
    return S_ISREG(st.st_mode)    ? WRITE
           : S_ISFIFO(st.st_mode) ? PIPE
           : S_ISSOCK(st.st_mode) ? SEND
                                  : NONE;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    uint64_t at = 0;
    enum call call = kind_of(fd, &at);
    enum deed deed = decide(call);
    if (deed == FAIL)
        return -1;
    if ((deed == TORN || deed == SHORT) && size > 1)
        size /= 2;
    lock();
    if (record >= 0)
        (void)kind_of(fd, &at);
    ssize_t result = syscall(SYS_write, fd, bytes, size);
    if (result > 0 && call == WRITE)
        put_fd('W', fd, at, bytes, (size_t)result); /* what writes so, appends */
    unlock();
    return after(deed, result);
}

ssize_t writev(int fd, const struct iovec *parts, int n_parts)
{
    uint64_t at = 0;
    enum deed deed = decide(kind_of(fd, &at));
    return deed == FAIL ? -1 : after(deed, syscall(SYS_writev, fd, parts, n_parts));
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    enum deed deed = decide(PWRITE);
    if (deed == FAIL)
        return -1;
    if ((deed == TORN || deed == SHORT) && size > 1)
        size /= 2;
    lock();
    ssize_t result = syscall(SYS_pwrite64, fd, bytes, size, offset);
    if (result > 0)
        put_fd('W', fd, (uint64_t)offset, bytes, (size_t)result);
    unlock();
    return after(deed, result);
}

int ftruncate64(int fd, off64_t size)
{
    enum deed deed = decide(TRUNCATE);
    if (deed == FAIL)
        return -1;
    lock();
    int result = (int)syscall(SYS_ftruncate, fd, size);
    if (result == 0)
        put_fd('T', fd, (uint64_t)size, NULL, 0);
    unlock();
    return (int)after(deed, result);
}

static int flush(int number, int fd)
{
    enum deed deed = decide(SYNC);
    if (deed == FAIL)
        return -1;
    lock();
    int result = (int)syscall(number, fd);
    if (result == 0)
        put_fd('S', fd, 0, NULL, 0);
    unlock();
    return (int)after(deed, result);
}

int fsync(int fd)
{
    return flush(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return flush(SYS_fdatasync, fd);
}

void *mmap64(void *start, size_t size, int protection, int flags, int fd, off64_t offset)
{
    enum deed deed = fd >= 0 ? decide(MAP) : PASS;
    if (deed == FAIL)
        return MAP_FAILED;
    return (void *)(uintptr_t)after(deed,
                                    syscall(SYS_mmap, start, size, protection, flags, fd, offset));
}

/* ---- sockets ---- */

int socket(int domain, int type, int protocol)
{
    enum deed deed = decide(SOCKET);
    return deed == FAIL ? -1 : (int)after(deed, syscall(SYS_socket, domain, type, protocol));
}

static bool is_journal(const struct sockaddr_un *address)
{
    return journal && address && address->sun_family == AF_UNIX &&
           strcmp(address->sun_path, JOURNAL) == 0;
}

static socklen_t stand_in(struct sockaddr_un *address)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, journal, strnlen(journal, sizeof address->sun_path - 1));
    return sizeof *address;
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    enum deed deed = decide(CONNECT);
    return deed == FAIL ? -1 : (int)after(deed, syscall(SYS_connect, fd, address, size));
}

ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *address,
               socklen_t length)
{
    enum deed deed = decide(SEND);
    return deed == FAIL ? -1
                        : after(deed, syscall(SYS_sendto, fd, bytes, size, flags, address, length));
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    return sendto(fd, bytes, size, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    enum deed deed = decide(SEND);
    struct msghdr copy = *message;
    struct sockaddr_un address;
    if (is_journal(message->msg_name)) {
        copy.msg_namelen = stand_in(&address);
        copy.msg_name = &address;
    }
    return deed == FAIL ? -1 : after(deed, syscall(SYS_sendmsg, fd, &copy, flags));
}

int access(const char *path, int mode)
{
    return (int)syscall(SYS_access, journal && strcmp(path, JOURNAL) == 0 ? journal : path, mode);
}

/* ---- what the kernel knows nothing of ---- */

pid_t fork(void)
{
    pid_t (*real)(void) = (pid_t(*)(void))(uintptr_t)dlsym(RTLD_NEXT, "fork");
    return decide(SPAWN) == FAIL ? -1 : real();
}

typedef int spawn_fn(pid_t *, const char *, const posix_spawn_file_actions_t *,
                     const posix_spawnattr_t *, char *const[], char *const[]);

static int spawn(const char *name, pid_t *pid, const char *file,
                 const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
                 char *const argv[], char *const env[])
{
    spawn_fn *real = (spawn_fn *)(uintptr_t)dlsym(RTLD_NEXT, name);
    enum deed deed = decide(SPAWN);
    return deed == FAIL ? errno : (int)after(deed, real(pid, file, actions, attributes, argv, env));
}

int posix_spawn(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const env[])
{
    return spawn("posix_spawn", pid, file, actions, attributes, argv, env);
}

int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const env[])
{
    return spawn("posix_spawnp", pid, file, actions, attributes, argv, env);
}

/* sqlite3_exec() asks the statement itself how it went, so it cannot be lied to. */
static bool is_library(const void *caller)
{
    Dl_info info;
    return dladdr(caller, &info) != 0 && strstr(info.dli_fname, "libsqlite3");
}

int sqlite3_step(sqlite3_stmt *statement)
{
    static int (*real)(sqlite3_stmt *);
    if (!real)
        real = (int (*)(sqlite3_stmt *))(uintptr_t)dlsym(RTLD_NEXT, "sqlite3_step");
    const char *sql = sqlite3_sql(statement);
    enum deed deed =
        sql && strncmp(sql, "COMMIT", 6) == 0 && !is_library(__builtin_return_address(0))
            ? decide(COMMIT)
            : PASS;
    return deed == FAIL ? SQLITE_IOERR : (int)after(deed, real(statement));
}
