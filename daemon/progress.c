#include "daemon/progress.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define PAUSE_MS 100

void progress_init(struct progress *progress, const char *what)
{
    *progress = (struct progress){.what = what,
                                  .is_terminal = isatty(STDERR_FILENO) == 1,
                                  .next_ms = clock_real_boot_ms() + PAUSE_MS};
}

void progress_step(struct progress *progress, uint64_t done)
{
    if (!progress->is_terminal || clock_real_boot_ms() < progress->next_ms)
        return;
    fprintf(stderr, "\r%" PRIu64 " %s", done, progress->what);
    fflush(stderr);
    progress->is_shown = true;
    progress->next_ms = clock_real_boot_ms() + PAUSE_MS;
}

void progress_clear(struct progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr);
    progress->is_shown = false;
}
