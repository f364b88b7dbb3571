/* config/config - feedwatch.conf as one immutable value.
 *
 * Source: feedwatch.conf(5). Settings are rows of one table (settings.h) that reads, checks, prints
 * and completes; problems come back all at once, each with FILE:LINE:COL. Durations and sizes are
 * parsed here; everything later is in the unit of its name. A text that is not set is NULL; a list
 * that is not set has no entries, and is not NULL. Paths are expanded and absolute. A struct config
 * is reference-counted and never changes. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "rule/rule.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define CONFIG_ID_MAX         40
#define CONFIG_FILE_BYTES_MAX (64 << 20)

struct config_problem {
    bool is_error;
    char *file;
    unsigned line, column; /* from 1, column in characters; 0: the whole file */
    char *message;
};

enum config_initial {
    CONFIG_INITIAL_NONE,
    CONFIG_INITIAL_ALL,
    CONFIG_INITIAL_LAST,
    CONFIG_INITIAL_SINCE
};
enum config_urgency { CONFIG_URGENCY_LOW, CONFIG_URGENCY_NORMAL, CONFIG_URGENCY_CRITICAL };
enum config_sink_type {
    CONFIG_SINK_LOG,
    CONFIG_SINK_DESKTOP,
    CONFIG_SINK_JOURNAL,
    CONFIG_SINK_COMMAND,
    CONFIG_SINK_WEBHOOK,
    CONFIG_SINK_MAIL,
    CONFIG_SINK_MQTT,
    CONFIG_SINK_FEED
};
enum config_log_format { CONFIG_LOG_TEXT, CONFIG_LOG_LOGFMT, CONFIG_LOG_JSON };

struct config_feed { /* [defaults] already folded in */
    char *id;
    char *url;
    char *path;  /* of a file: feed, decoded; else NULL */
    char **argv; /* of an exec: feed; else NULL */
    char **tags;
    int64_t interval_s; /* 0: the feed's rhythm */
    enum config_initial initial;
    int64_t initial_value; /* LAST: a count; SINCE: seconds */
    int64_t timeout_ms;
    int64_t max_size_bytes;
    bool allow_private;
    char **headers;    /* "Name: value" */
    char *credentials; /* path of a file, or NULL */
    char *user_agent;  /* NULL: ours */
    char *proxy;       /* [feedwatch]'s already folded in */
    int64_t cache_max_s;
    char *language;
    bool is_enabled;
};

struct config_rule {
    char *id;
    char *file; /* where its section begins; from 1 */
    unsigned line, column;
    char *match, *exclude, *in, *feeds, *language; /* as written, on one line */
    char **alert;                                  /* sink IDs: at least one, all of them there */
    enum config_urgency urgency;
    bool stories;
    int64_t min_interval_s;
    char *quiet;
    int64_t repeat_s;
    char *surge;
};

struct config_sink {
    char *id;
    enum config_sink_type type;
    bool is_enabled;
    char *path; /* log, feed: expanded */
    enum config_log_format format;
    char **argv; /* command */
    int64_t timeout_ms;
    char *url; /* webhook, mqtt */
    char **headers;
    char *template_text;
    char **to;                         /* mail: at least one */
    char *from, *server, *credentials; /* mail; credentials also webhook's */
    int64_t digest;                    /* mail */
    char *topic;
    int64_t entries; /* feed */
};

struct config {
    char *path;      /* the main file */
    char *state_dir; /* expanded, absolute */
    char *user_agent_contact;
    int64_t retention_s;
    char *proxy;
    int64_t host_spacing_ms;
    guint max_connections;
    bool offline_auto;
    bool stories;
    GPtrArray *feeds; /* struct config_feed, in file order */
    GPtrArray *rules; /* struct config_rule, in the same order as the rule set */
    GPtrArray *sinks; /* struct config_sink; `log` and `desktop` are always there, maybe disabled */
    GPtrArray *lists; /* struct rule_list_def */
    struct ruleset *ruleset;
    double compile_cpu_s; /* what it took to compile it */
};

/* The file that is used where none is named: newly allocated, NULL where there is none. */
char *config_find(void);
/* Reads path and conf.d beside it. *ret_problems (GPtrArray of struct config_problem, free with
 * g_ptr_array_unref) is set in every case, in the order of the files. NULL where one of them is an
 * error. */
struct config *config_load(const char *path, GPtrArray **ret_problems);
struct config *config_ref(struct config *config);
void config_unref(struct config *config);
const struct config_feed *config_find_feed(const struct config *config, const char *id);
const struct config_sink *config_find_sink(const struct config *config, const char *id);
/* "FILE:LINE:COL: error: text", without a newline. Newly allocated. */
char *config_problem_text(const struct config_problem *problem);
/* The whole configuration as it is understood, every setting with its value, in the file's own
 * format. It may be shown to others: passwords in URLs and the values of headers are masked. */
void config_print(const struct config *config, GString *out);

#endif
