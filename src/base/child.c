#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

char **child_environment(void)
{
    char **env = g_get_environ();
    env = g_environ_unsetenv(env, "NOTIFY_SOCKET");
    env = g_environ_unsetenv(env, "WATCHDOG_USEC");
    return g_environ_unsetenv(env, "WATCHDOG_PID");
}

void child_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void child_close_all(struct child *child)
{
    child_close(&child->input);
    child_close(&child->output);
    child_close(&child->error);
    child_close(&child->process);
}

/* ---- the start ---- */

struct pipes { /* [0] is read, [1] written; -1: /dev/null */
    int input[2], output[2], error[2];
};

static void close_pipes(struct pipes *pipes)
{
    int *const ends[] = {pipes->input, pipes->output, pipes->error};
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        child_close(&ends[i][0]);
        child_close(&ends[i][1]);
    }
}

static int open_pipes(const struct child_setup *setup, struct pipes *pipes)
{
    if ((!setup->takes_input || pipe2(pipes->input, O_CLOEXEC) == 0) &&
        (!setup->gives_output || pipe2(pipes->output, O_CLOEXEC) == 0) &&
        pipe2(pipes->error, O_CLOEXEC) == 0)
        return 0;
    int code = errno;
    close_pipes(pipes);
    return code;
}

static void set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;
    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawnattr_init(attributes);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                             POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &defaults);
}

static void set_file(posix_spawn_file_actions_t *files, int theirs, int fd, int flags)
{
    if (fd >= 0)
        posix_spawn_file_actions_adddup2(files, fd, theirs);
    else
        posix_spawn_file_actions_addopen(files, theirs, "/dev/null", flags, 0);
}

static int spawn(const struct child_setup *setup, const struct pipes *pipes, pid_t *ret_pid)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    set_attributes(&attributes);
    posix_spawn_file_actions_init(&files);
    set_file(&files, STDIN_FILENO, pipes->input[0], O_RDONLY);
    set_file(&files, STDOUT_FILENO, pipes->output[1], O_WRONLY);
    set_file(&files, STDERR_FILENO, pipes->error[1], O_WRONLY);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    int code =
        posix_spawnp(ret_pid, setup->argv[0], &files, &attributes, setup->argv, setup->environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return code;
}

static int keep(int *end)
{
    int fd = *end;
    *end = -1;
    if (fd >= 0)
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

int child_start(const struct child_setup *setup, struct child *ret_child)
{
    struct pipes pipes = {{-1, -1}, {-1, -1}, {-1, -1}};
    pid_t pid = 0;
    int code = open_pipes(setup, &pipes);
    if (code == 0)
        code = spawn(setup, &pipes, &pid);
    if (code == 0)
        *ret_child = (struct child){
            .pid = pid,
            .process = pidfd_open(pid, 0),
            .input = keep(&pipes.input[1]),
            .output = keep(&pipes.output[0]),
            .error = keep(&pipes.error[0]),
        };
    close_pipes(&pipes);
    return code;
}

/* ---- the end ---- */

void child_kill(const struct child *child)
{
    kill(-child->pid, SIGKILL);
}

bool child_reap(const struct child *child, bool waits, int *ret_status)
{
    pid_t pid;
    do
        pid = waitpid(child->pid, ret_status, waits ? 0 : WNOHANG);
    while (pid < 0 && errno == EINTR);
    return pid == child->pid;
}

char *child_complaint(const char *program, int status, int64_t timeout_ms, const char *said)
{
    const char *colon = *said ? ": " : "";
    if (timeout_ms > 0)
        return g_strdup_printf("%s was killed after %.3g s%s%s", program, (double)timeout_ms / 1000,
                               colon, said);
    if (WIFSIGNALED(status))
        return g_strdup_printf("%s was ended by signal %d%s%s", program, WTERMSIG(status), colon,
                               said);
    if (WEXITSTATUS(status) != 0)
        return g_strdup_printf("%s ended with status %d%s%s", program, WEXITSTATUS(status), colon,
                               said);
    return NULL;
}
