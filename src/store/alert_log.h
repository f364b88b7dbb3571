/* store/alert_log - the file behind one log sink.
 *
 * Append only. Created 0600, its parents 0700. Refused where the path is a symlink, no regular
 * file, has other hard links, or belongs to somebody else (hostile.md S19); what was opened is what
 * is checked, so nothing can be swapped in between. A file whose last line is torn gets a newline
 * before the next line. When another file stands at the path (rotation), the next open takes that
 * one. Not thread-safe.
 *
 * Errors: STORE_ERROR_LOG, one sentence that names the path. */
#ifndef STORE_ALERT_LOG_H
#define STORE_ALERT_LOG_H

#include "store/store.h"

struct alert_log;

struct log_place { /* where a line was about to be written; all zero: nowhere */
    uint64_t dev, inode;
    int64_t size_bytes;
};

struct alert_log *alert_log_new(const char *path);
void alert_log_free(struct alert_log *log);
const char *alert_log_path(const struct alert_log *log);

/* Makes sure that the open file is the one at the path, and says where its end is. */
bool alert_log_open(struct alert_log *log, struct log_place *ret_place, GError **error);
/* The next open starts anew. */
void alert_log_close(struct alert_log *log);
/* Writes whole lines. After a failure a part of them may be in the file: alert_recover sorts that
 * out. The log must be open. */
bool alert_log_append(struct alert_log *log, const char *lines, size_t size, GError **error);
/* Flushes to disk. *ret_is_deleted: the file has no name any more, so its lines are lost to
 * everybody. */
bool alert_log_sync(struct alert_log *log, bool *ret_is_deleted, GError **error);

#endif
