/* base/log - diagnostics on stderr, for the person who runs the program.
 *
 * One line a message. Under the journal (JOURNAL_STREAM names stderr) a line carries a "<3>"-style
 * priority prefix (sd-daemon(3)); otherwise "feedwatchd: error: text". Control characters in the
 * text are replaced, so nothing that a feed says can forge a line. The alert log is not written
 * from here.
 *
 * Levels say who must act: error - the user, now; warning - the user, some time; info - nobody, it
 * is the course of things; debug - a developer. Code in src/ logs at debug only; daemon/ decides
 * about the rest. Thread-safe. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <glib.h>

enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7
};

/* program is borrowed for ever; messages above the level are dropped. */
void log_init(const char *program, enum log_level level);
void log_write(enum log_level level, const char *format, ...) G_GNUC_PRINTF(2, 3);

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
