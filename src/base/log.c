#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *program_name = "feedwatch";
static enum log_level level_max = LOG_LEVEL_INFO;
static bool to_journal;

/* JOURNAL_STREAM is "device:inode" of the socket that the service manager gave us as stderr. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    if (!stream || fstat(STDERR_FILENO, &st) != 0)
        return false;
    g_autofree char *own = g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT,
                                           (guint64)st.st_dev, (guint64)st.st_ino);
    return strcmp(own, stream) == 0;
}

void log_init(const char *program, enum log_level level)
{
    program_name = program;
    level_max = level;
    to_journal = stderr_is_journal();
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error: ";
    case LOG_LEVEL_WARNING:
        return "warning: ";
    case LOG_LEVEL_DEBUG:
        return "debug: ";
    case LOG_LEVEL_INFO:
        break;
    }
    return "";
}

void log_write(enum log_level level, const char *format, ...)
{
    if (level > level_max)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    g_autofree char *line =
        to_journal ? g_strdup_printf("<%d>%s\n", (int)level, text)
                   : g_strdup_printf("%s: %s%s\n", program_name, level_name(level), text);
    fputs(line, stderr);
}
