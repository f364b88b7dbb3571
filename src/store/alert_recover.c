#include "store/alert_recover.h"

#include "base/file.h"
#include "store/alert_line.h"
#include "store/alert_tail.h"
#include "store/ulid.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixinputstream.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_SIZE 65536
/* Steps of the clock between making an alert and writing its line. */
#define MTIME_SLACK_S 86400
/* How often the search begins again because files were renamed meanwhile. */
#define ROUNDS_MAX 5

struct candidate {
    char *path;
    uint64_t dev, inode;
    int64_t size_bytes;
    bool is_gzip;
};

struct torn { /* a file that ends in the middle of a line */
    char *path;
    uint64_t dev, inode;
    int64_t size_bytes;
    GByteArray *tail;
};

struct search {
    char *dir, *name;
    const char *const *others;
    struct log_line *lines;
    size_t n_lines, n_missing;
    int64_t oldest_s;
    GHashTable *by_id; /* id -> struct log_line */
    GPtrArray *candidates;
    GPtrArray *torn;
};

struct line_reader { /* cuts bytes into lines; keeps no more of one than could be ours */
    struct search *search;
    GByteArray *line;
    bool is_overlong;
};

static void candidate_free(void *data)
{
    struct candidate *candidate = data;
    g_free(candidate->path);
    g_free(candidate);
}

static void torn_free(void *data)
{
    struct torn *torn = data;
    g_free(torn->path);
    g_byte_array_unref(torn->tail);
    g_free(torn);
}

static void set_error(GError **error, const char *what, const char *path)
{
    g_set_error(error, STORE_ERROR, STORE_ERROR_LOG, "cannot %s the alert log %s: %s", what, path,
                g_strerror(errno));
}

/* ---- which files may hold the lines ---- */

static bool is_recorded(const struct search *search, const struct stat *st)
{
    for (size_t i = 0; i < search->n_lines; i++)
        if (search->lines[i].place.inode == st->st_ino && search->lines[i].place.dev == st->st_dev)
            return true;
    return false;
}

static bool is_name_of(const char *log_name, const char *name)
{
    size_t size = strlen(log_name);
    return strncmp(name, log_name, size) == 0 && (!name[size] || strchr(".-_~", name[size]));
}

/* Of two logs a.log and a.log.x the file a.log.x.1 belongs to the second. */
static bool is_sibling(const struct search *search, const char *name)
{
    if (!is_name_of(search->name, name))
        return false;
    for (size_t i = 0; search->others[i]; i++) {
        g_autofree char *other = g_path_get_basename(search->others[i]);
        if (strlen(other) > strlen(search->name) && is_name_of(other, name))
            return false;
    }
    return true;
}

static void consider(struct search *search, const char *dir, const char *name, int dir_fd)
{
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
        return;
    bool is_fresh = st.st_mtime >= search->oldest_s - MTIME_SLACK_S;
    if (!is_recorded(search, &st) && !(is_fresh && is_sibling(search, name)))
        return;
    struct candidate *candidate = g_new0(struct candidate, 1);
    candidate->path = g_build_filename(dir, name, NULL);
    candidate->dev = st.st_dev;
    candidate->inode = st.st_ino;
    candidate->size_bytes = st.st_size;
    candidate->is_gzip = g_str_has_suffix(name, ".gz");
    g_ptr_array_add(search->candidates, candidate);
}

static bool list_directory(struct search *search, const char *dir, bool with_subdirs,
                           GError **error);

static bool list_entry(struct search *search, const char *dir, int dir_fd,
                       const struct dirent *entry, bool with_subdirs, GError **error)
{
    if (entry->d_type != DT_DIR) {
        consider(search, dir, entry->d_name, dir_fd);
        return true;
    }
    g_autofree char *sub = g_build_filename(dir, entry->d_name, NULL);
    return !with_subdirs || entry->d_name[0] == '.' || list_directory(search, sub, false, error);
}

static bool fail_to_list(const char *dir, GError **error)
{
    g_set_error(error, STORE_ERROR, STORE_ERROR_LOG, "cannot look for alert logs in %s: %s", dir,
                g_strerror(errno));
    return false;
}

/* Rotation may put old files beside the log or one directory below it (logrotate's olddir). */
static bool list_directory(struct search *search, const char *dir, bool with_subdirs,
                           GError **error)
{
    DIR *stream = opendir(dir);
    if (!stream)
        return file_is_out_of_reach(dir, R_OK) || fail_to_list(dir, error);
    const struct dirent *entry;
    bool fine = true;
    errno = 0;
    while (fine && (entry = readdir(stream)) != NULL) {
        fine = list_entry(search, dir, dirfd(stream), entry, with_subdirs, error);
        errno = 0;
    }
    if (fine && errno != 0)
        fine = fail_to_list(dir, error);
    closedir(stream);
    return fine;
}

static int by_path(const void *a, const void *b)
{
    const struct candidate *const *x = a, *const *y = b;
    return strcmp((*x)->path, (*y)->path);
}

static bool list_candidates(struct search *search, GError **error)
{
    g_ptr_array_set_size(search->candidates, 0);
    bool fine = list_directory(search, search->dir, true, error);
    g_ptr_array_sort(search->candidates, by_path);
    return fine;
}

static bool is_same_list(const GPtrArray *a, const GPtrArray *b)
{
    if (a->len != b->len)
        return false;
    for (guint i = 0; i < a->len; i++) {
        const struct candidate *x = g_ptr_array_index(a, i), *y = g_ptr_array_index(b, i);
        if (strcmp(x->path, y->path) != 0 || x->inode != y->inode || x->dev != y->dev)
            return false;
    }
    return true;
}

/* ---- reading one ---- */

static void on_line(struct search *search, const char *line, size_t size)
{
    const char *id = alert_line_find_id(line, size);
    if (!id)
        return;
    char key[ULID_LENGTH + 1] = {0};
    memcpy(key, id, ULID_LENGTH);
    struct log_line *found = g_hash_table_lookup(search->by_id, key);
    if (!found || found->is_written)
        return;
    found->is_written = true;
    search->n_missing--;
}

static void reader_keep(struct line_reader *reader, const char *bytes, size_t size)
{
    g_byte_array_append(reader->line, (const guint8 *)bytes, (guint)size);
    if (reader->line->len <= 2 * ALERT_LINE_MAX)
        return;
    g_byte_array_remove_range(reader->line, 0, reader->line->len - ALERT_LINE_MAX);
    reader->is_overlong = true;
}

static void reader_feed(struct line_reader *reader, const char *bytes, size_t size)
{
    const char *newline;
    while ((newline = memchr(bytes, '\n', size)) != NULL) {
        size_t part = (size_t)(newline - bytes);
        if (reader->line->len == 0) {
            on_line(reader->search, bytes, part);
        } else {
            reader_keep(reader, bytes, part);
            on_line(reader->search, (const char *)reader->line->data, reader->line->len);
            g_byte_array_set_size(reader->line, 0);
        }
        reader->is_overlong = false;
        bytes = newline + 1;
        size -= part + 1;
    }
    if (size > 0)
        reader_keep(reader, bytes, size);
}

static ssize_t read_some(int fd, char *buffer)
{
    ssize_t got;
    do {
        got = read(fd, buffer, CHUNK_SIZE);
    } while (got < 0 && errno == EINTR);
    return got;
}

static bool read_plain(struct line_reader *reader, int fd)
{
    g_autofree char *buffer = g_malloc(CHUNK_SIZE);
    ssize_t got;
    while ((got = read_some(fd, buffer)) > 0)
        reader_feed(reader, buffer, (size_t)got);
    return got == 0;
}

/* What cannot be decompressed to its end is as good as it goes: rotation may still be at it. */
static void read_gzip(struct line_reader *reader, int fd)
{
    g_autoptr(GInputStream) file = g_unix_input_stream_new(fd, FALSE);
    g_autoptr(GConverter) gunzip =
        G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
    g_autoptr(GInputStream) stream = g_converter_input_stream_new(file, gunzip);
    g_autofree char *buffer = g_malloc(CHUNK_SIZE);
    gssize got;
    while ((got = g_input_stream_read(stream, buffer, CHUNK_SIZE, NULL, NULL)) > 0)
        reader_feed(reader, buffer, (size_t)got);
    /* A line that lacks nothing but its newline is there. */
    on_line(reader->search, (const char *)reader->line->data, reader->line->len);
}

/* Where the recorded file is long enough to be the one that was recorded, what stands before the
 * place is older than every line. */
static off_t start_of(const struct search *search, const struct candidate *candidate)
{
    int64_t start = INT64_MAX;
    for (size_t i = 0; i < search->n_lines; i++) {
        const struct log_place *place = &search->lines[i].place;
        bool is_here = place->dev == candidate->dev && place->inode == candidate->inode;
        if (!is_here || place->size_bytes > candidate->size_bytes)
            return 0;
        start = MIN(start, place->size_bytes);
    }
    return (off_t)start;
}

static void note_torn(struct search *search, const struct candidate *candidate,
                      const struct line_reader *reader, int64_t size_bytes)
{
    if (reader->line->len == 0 || reader->is_overlong)
        return;
    struct torn *torn = g_new0(struct torn, 1);
    torn->path = g_strdup(candidate->path);
    torn->dev = candidate->dev;
    torn->inode = candidate->inode;
    torn->size_bytes = size_bytes;
    torn->tail = g_byte_array_ref(reader->line);
    g_ptr_array_add(search->torn, torn);
}

static bool read_from(struct line_reader *reader, const struct candidate *candidate, int fd)
{
    off_t start = start_of(reader->search, candidate);
    if (lseek(fd, start, SEEK_SET) < 0 || !read_plain(reader, fd))
        return false;
    note_torn(reader->search, candidate, reader, (int64_t)lseek(fd, 0, SEEK_CUR));
    return true;
}

/* A file that is there and may not be read is not one that we wrote. */
static bool read_candidate(struct search *search, const struct candidate *candidate, GError **error)
{
    if (!candidate->is_gzip && !alert_tail_drop_zeros(candidate->path)) {
        set_error(error, "mend", candidate->path);
        return false;
    }
    int fd = open(candidate->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && file_is_out_of_reach(candidate->path, R_OK))
        return true;
    if (fd < 0) {
        set_error(error, "open", candidate->path);
        return false;
    }
    size_t missing_before = search->n_missing;
    g_autoptr(GByteArray) line = g_byte_array_new();
    struct line_reader reader = {search, line, false};
    bool fine = true;
    if (candidate->is_gzip)
        read_gzip(&reader, fd);
    else
        fine = read_from(&reader, candidate, fd);
    /* After a crash of the process alone the lines may still be on their way to the disk. */
    if (fine && search->n_missing < missing_before)
        fine = fdatasync(fd) == 0;
    if (!fine)
        set_error(error, "read", candidate->path);
    close(fd);
    return fine;
}

/* ---- completing a torn line ---- */

static struct log_line *line_that_begins_with(const struct search *search, const GByteArray *tail)
{
    for (size_t i = 0; i < search->n_lines; i++) {
        struct log_line *line = &search->lines[i];
        if (!line->is_written && strlen(line->text) > tail->len &&
            memcmp(line->text, tail->data, tail->len) == 0)
            return line;
    }
    return NULL;
}

static bool is_still(int fd, const struct torn *torn)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_dev == torn->dev && st.st_ino == torn->inode &&
           st.st_size == torn->size_bytes && st.st_nlink == 1 && st.st_uid == geteuid();
}

static bool complete(struct search *search, const struct torn *torn, GError **error)
{
    struct log_line *line = line_that_begins_with(search, torn->tail);
    if (!line)
        return true;
    int fd = open(torn->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && file_is_out_of_reach(torn->path, W_OK))
        return true;
    if (fd < 0) {
        set_error(error, "open", torn->path);
        return false;
    }
    bool fine = true;
    if (is_still(fd, torn)) {
        const char *rest = line->text + torn->tail->len;
        fine = file_write_all(fd, rest, strlen(rest)) && fdatasync(fd) == 0;
        if (!fine)
            set_error(error, "write", torn->path);
        line->is_written = fine;
    }
    close(fd);
    return fine;
}

/* ---- the whole ---- */

static bool read_all(struct search *search, GError **error)
{
    g_ptr_array_set_size(search->torn, 0);
    for (guint i = 0; i < search->candidates->len && search->n_missing > 0; i++)
        if (!read_candidate(search, g_ptr_array_index(search->candidates, i), error))
            return false;
    return true;
}

/* Files may be renamed while they are read: then what was listed does not hold any more. */
static bool read_until_stable(struct search *search, GError **error)
{
    if (!list_candidates(search, error))
        return false;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        if (!read_all(search, error))
            return false;
        g_autoptr(GPtrArray) before = search->candidates;
        search->candidates = g_ptr_array_new_with_free_func(candidate_free);
        if (!list_candidates(search, error))
            return false;
        if (is_same_list(before, search->candidates))
            return true;
    }
    errno = EBUSY;
    set_error(error, "read", search->name);
    return false;
}

static void search_init(struct search *search, const char *path)
{
    search->dir = g_path_get_dirname(path);
    search->name = g_path_get_basename(path);
    search->by_id = g_hash_table_new(g_str_hash, g_str_equal);
    search->candidates = g_ptr_array_new_with_free_func(candidate_free);
    search->torn = g_ptr_array_new_with_free_func(torn_free);
    search->oldest_s = INT64_MAX / 2;
    for (size_t i = 0; i < search->n_lines; i++) {
        struct log_line *line = &search->lines[i];
        search->oldest_s = MIN(search->oldest_s, line->time_ms / 1000);
        search->n_missing += !line->is_written;
        g_hash_table_insert(search->by_id, (gpointer)(uintptr_t)line->id, line);
    }
}

static void search_clear(struct search *search)
{
    g_free(search->dir);
    g_free(search->name);
    g_hash_table_unref(search->by_id);
    g_ptr_array_unref(search->candidates);
    g_ptr_array_unref(search->torn);
}

bool alert_recover(const char *path, const char *const *others, struct log_line *lines,
                   size_t n_lines, GError **error)
{
    struct search search = {.others = others, .lines = lines, .n_lines = n_lines};
    search_init(&search, path);
    bool fine = read_until_stable(&search, error);
    for (guint i = 0; fine && i < search.torn->len; i++)
        fine = complete(&search, g_ptr_array_index(search.torn, i), error);
    search_clear(&search);
    return fine;
}
