/* fetch/disk - a feed that is a file (file:).
 *
 * The path comes from the configuration. Only a regular file is read: never a device, a FIFO or a
 * socket. A file may be on a disk that hangs, so it is read on a thread of its own; where that does
 * not end in time it is left alone, and frees what it has when it does. */
#ifndef FETCH_DISK_H
#define FETCH_DISK_H

#include <glib.h>
#include <stdint.h>

struct disk_read;

/* message: NULL, or one sentence for a person; then the body counts for nothing. Both are borrowed;
 * the body may be stolen by a reference. */
typedef void (*disk_done)(GByteArray *body, const char *message, void *user);

/* on_done comes later, on the context, never from within. */
struct disk_read *disk_read_start(GMainContext *context, const char *path, int64_t timeout_ms,
                                  int64_t max_bytes, disk_done on_done, void *user);
/* The callback will not come. */
void disk_read_cancel(struct disk_read *disk_read);

#endif
