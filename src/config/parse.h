/* config/parse - the values of feedwatch.conf: numbers, durations, sizes, words, lists, URLs.
 *
 * Shared by every setting, and by options of the command line that mean the same. Pure. A parser
 * leaves its result untouched on failure and says in a struct parse_fault what is wrong and at
 * which byte. Each format_… writes what its parser reads back as the same value. */
#ifndef CONFIG_PARSE_H
#define CONFIG_PARSE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARSE_URL_BYTES_MAX 8192

struct parse_fault {
    size_t offset; /* byte in the text */
    char *message; /* a sentence without the file; NULL: no fault */
};
void parse_fault_clear(struct parse_fault *fault);
/* Sets the fault, and returns false. */
bool parse_fail(struct parse_fault *fault, size_t offset, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* yes, no, on, off, true, false. */
bool parse_bool(const char *text, bool *ret, struct parse_fault *fault);
/* Decimal digits alone. */
bool parse_count(const char *text, int64_t min, int64_t max, int64_t *ret,
                 struct parse_fault *fault);
/* 90s, 15m, 1h30m, 2d, 1w, 200ms; 0 needs no unit. Limits and result in milliseconds. */
bool parse_duration(const char *text, int64_t min_ms, int64_t max_ms, int64_t *ret_ms,
                    struct parse_fault *fault);
/* 512, 64K, 16M, 1G: bytes, and multiples of 1024. */
bool parse_size(const char *text, int64_t min, int64_t max, int64_t *ret,
                struct parse_fault *fault);
/* *ret is the index in choices, which ends with NULL. */
bool parse_choice(const char *text, const char *const *choices, size_t *ret,
                  struct parse_fault *fault);
/* Times of the day: 22:00-07:00, several by commas. */
bool parse_quiet(const char *text, struct parse_fault *fault);
/* A number of alerts within a duration: 20 in 1h. */
bool parse_surge(const char *text, int64_t min_ms, int64_t max_ms, struct parse_fault *fault);
void format_duration(GString *out, int64_t ms);
void format_size(GString *out, int64_t bytes);

/* A text as it stands, or one string in quotes, where \" is a quote and \\ a backslash. */
bool parse_text(const char *text, char **ret, struct parse_fault *fault);
void format_text(GString *out, const char *text);
/* Entries between commas; one with a comma, or with blanks at its ends, stands in quotes. No entry
 * is empty. Array of struct parse_item (its clear function frees the texts), NULL on failure. */
struct parse_item {
    char *text;
    size_t offset; /* where it begins, behind its quote */
};
GArray *parse_list(const char *text, struct parse_fault *fault);
void format_list(GString *out, const char *const *items);
/* The words of a command as a shell would cut them, but with nothing else of a shell. */
bool parse_argv(const char *text, char ***ret, struct parse_fault *fault);
void format_argv(GString *out, const char *const *argv);

/* 1 to CONFIG_ID_MAX of a-z 0-9 . _ - */
bool parse_id(const char *text, struct parse_fault *fault);

enum parse_schemes {
    PARSE_URL_HTTP = 1,  /* http, https */
    PARSE_URL_LOCAL = 2, /* file:///path, exec:/path arguments */
    PARSE_URL_MQTT = 4,  /* mqtt */
    PARSE_URL_PROXY = 8, /* http, https, socks4, socks4a, socks5, socks5h; no path */
};
bool parse_url(const char *text, unsigned schemes, struct parse_fault *fault);
/* The path that a file: URL names (RFC 8089), decoded; NULL where it is none. Newly allocated. */
char *parse_file_url(const char *text);
/* Whether a URL, or a list of headers, holds what nobody else should read. */
bool parse_has_secret(const char *text);
/* What others may be shown of a URL, and of "Name: value": *** in place of user and password, and
 * of a value that is not known to be harmless. Newly allocated. */
char *url_masked(const char *text);
char *header_masked(const char *text);
/* An address that mail can go to or come from, and a server that takes it (text/mail). */
bool parse_mail_address(const char *text, struct parse_fault *fault);
bool parse_mail_server(const char *text, struct parse_fault *fault);
/* Fit to stand in an HTTP header: no control character. */
bool parse_header_text(const char *text, struct parse_fault *fault);
/* "Name: value", and none of the headers that feedwatch itself is in charge of. */
bool parse_header(const char *text, struct parse_fault *fault);
/* BCP 47 as far as feeds use it: en, pt-BR, zh-Hant-TW. */
bool parse_language(const char *text, struct parse_fault *fault);

#endif
