/* base/file - files and paths, the way a daemon must treat them.
 *
 * Errors are in G_FILE_ERROR, whole sentences that name the path. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define FILE_SECRET_MAX 4096

/* Creates the directory and missing parents, 0700 each. True where it is there afterwards. */
bool file_make_dir(const char *path, GError **error);
/* Reads a whole file of at most max_bytes; the result is NUL-terminated beyond *ret_size. "-" is
 * stdin. The caller frees with g_free(). */
char *file_read(const char *path, size_t max_bytes, size_t *ret_size, GError **error);
/* What a file that only its owner may read holds, without blanks at its ends (S11); at most
 * FILE_SECRET_MAX bytes, one line. The caller frees with g_free(). */
char *file_read_secret(const char *path, GError **error);
/* Writes all of it, over short writes and EINTR; sets errno and returns false where that fails. */
bool file_write_all(int fd, const void *bytes, size_t size);
/* Whether an open(2) that failed just now (errno) says for certain that there is no such file for
 * us: it has gone, is a symlink, or must not be opened so (mode: R_OK, W_OK). Else, as where
 * descriptors run out, the next try may go well. errno stays. */
bool file_is_out_of_reach(const char *path, int mode);
/* Puts bytes in the place of the file, whole or not at all, also over a power loss: writes beside
 * it, flushes, renames, flushes the directory. A new file has the mode 0600, else it keeps the one
 * it has. Nothing is done where it holds these bytes already. Refuses what is there and is not a
 * regular file of this user's. */
bool file_replace(const char *path, const void *bytes, size_t size, GError **error);
/* "%S" -> state_dir, "%h" -> the home directory, a leading "~/" likewise, "%%" -> "%". Newly
 * allocated. */
char *file_expand(const char *path, const char *state_dir);
/* Takes an exclusive flock(2) on path (created 0600). Returns the descriptor, whose closing
 * releases the lock, or -1; *ret_held is true where somebody else has it. */
int file_lock(const char *path, bool *ret_held, GError **error);
/* Whether somebody holds file_lock() on the path; takes nothing for longer than the question. */
bool file_is_locked(const char *path);

#endif
