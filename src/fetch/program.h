/* fetch/program - a feed that a program prints (exec:).
 *
 * The program comes from the configuration, has a fixed argv and no shell, reads nothing, and
 * prints the document on its standard output; status 0 says that it is whole. Its process group
 * dies at the time limit, when it prints too much, and when it has ended (base/child.h). Runs on
 * the context's loop and never blocks it. */
#ifndef FETCH_PROGRAM_H
#define FETCH_PROGRAM_H

#include <glib.h>
#include <stdint.h>

struct program;

struct program_setup { /* borrowed for the call */
    const char *const *argv;
    int64_t timeout_ms;
    int64_t max_bytes; /* of its output */
};

/* message: NULL, or one clean sentence for a person, with the first line that the program wrote to
 * its standard error; then the body counts for nothing. Both are borrowed; the body may be stolen
 * by a reference. */
typedef void (*program_done)(GByteArray *body, const char *message, void *user);

/* on_done comes later, never from within. */
struct program *program_start(GMainContext *context, const struct program_setup *setup,
                              program_done on_done, void *user);
/* Ends it without a callback. */
void program_cancel(struct program *program);

#endif
