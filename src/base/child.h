/* base/child - a program that is run for us: a fixed argv, no shell, and its whole group dies with
 * it.
 *
 * The program leads a process group of its own, has every signal at its default, and of our
 * descriptors none but its standard input, output and error. Our ends of the pipes do not block.
 * Whoever starts a child ends it with child_kill() and then collects it with child_reap(): in this
 * order, also where the program has ended by itself, so that nothing it left behind goes on and the
 * group's number is still its own. Source: hostile.md S18. */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILD_SAID_MAX 4096 /* what is kept of its standard error */

struct child {
    pid_t pid;
    int process;              /* pidfd_open(2): readable once the program has ended */
    int input, output, error; /* our ends of its pipes; -1: none, or closed */
};

struct child_setup { /* borrowed for the call */
    char *const *argv;
    char *const *environment;
    bool takes_input;  /* else it reads from /dev/null */
    bool gives_output; /* else it writes to /dev/null */
};

/* Our environment without what tells the daemon who supervises it. Newly allocated. */
char **child_environment(void);
/* 0 or an errno; then nothing runs and nothing is open. */
int child_start(const struct child_setup *setup, struct child *ret_child);
/* Ends the group, whatever of it is left. Only before child_reap(). */
void child_kill(const struct child *child);
/* Waits until it has ended, or only looks; true where it has, then with its status. */
bool child_reap(const struct child *child, bool waits, int *ret_status);
/* Closes what is open of it; -1 is nothing. */
void child_close(int *fd);
void child_close_all(struct child *child);
/* What a person is told of its end: NULL where it ended with status 0. said: what it wrote, or "";
 * timeout_ms: it was killed after so long, else 0. Newly allocated. */
char *child_complaint(const char *program, int status, int64_t timeout_ms, const char *said);

#endif
