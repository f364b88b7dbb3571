/* store/alert_tail - what a power loss leaves at the end of an alert log.
 *
 * On several file systems a file's new size can reach the disk before the bytes do; these then read
 * as zeros. No line of ours has a zero byte in it. */
#ifndef STORE_ALERT_TAIL_H
#define STORE_ALERT_TAIL_H

#include <stdbool.h>

/* Cuts off the zeros at the end of a file and flushes it; nothing where there are none, or where
 * the file is none of ours: a symlink, no regular file, with other hard links, somebody else's, not
 * to be written. False with errno where that fails. */
bool alert_tail_drop_zeros(const char *path);

#endif
