/* config/settings - the one table of everything that can be set.
 *
 * A row says where a setting stands, what its value looks like, its default and range, and into
 * which field of which struct it goes. Everything else is done from the rows: reading, checking,
 * printing, and the test that holds feedwatch.conf(5) to them. A new setting is one row, a field,
 * and a paragraph in the manual. */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "config/config.h"
#include "config/parse.h"
#include "config/scan.h"

enum section_kind {                    /* with the struct that its settings fill in */
                    SECTION_FEEDWATCH, /* struct config */
                    SECTION_DEFAULTS,  /* struct config_feed, like SECTION_FEED */
                    SECTION_FEED,      /* struct config_feed */
                    SECTION_LIST,      /* struct rule_list_def */
                    SECTION_RULE,      /* struct config_rule */
                    SECTION_SINK,      /* struct config_sink */
                    SECTION_KINDS
};

enum setting_type {
    SETTING_BOOL,         /* yes, no */
    SETTING_SWITCH,       /* on, off */
    SETTING_CHOICE,       /* one of choices */
    SETTING_COUNT,        /* min to max, as the three below */
    SETTING_SECONDS,      /* a duration, kept in seconds; min and max in ms */
    SETTING_MILLISECONDS, /* a duration, kept in ms */
    SETTING_SIZE,
    SETTING_INITIAL,     /* none, all, `last N`, a duration */
    SETTING_TEXT,        /* may stand in quotes */
    SETTING_TEMPLATE,    /* the same, with {title} and so on */
    SETTING_TOPIC,       /* the same, without MQTT's wildcards */
    SETTING_HEADER_TEXT, /* the same, fit for an HTTP header */
    SETTING_PATH,        /* %S, %h, ~/ expanded; absolute */
    SETTING_SECRET,      /* a path of a file that only its owner can read */
    SETTING_FEED_URL,    /* http, https, file, exec */
    SETTING_WEB_URL,     /* http, https */
    SETTING_MQTT_URL,
    SETTING_PROXY,
    SETTING_LANGUAGE,
    SETTING_QUIET,     /* 22:00-07:00, several by commas */
    SETTING_SURGE,     /* a number of alerts within a duration: `20 in 1h` */
    SETTING_NAMES,     /* list of IDs, none twice */
    SETTING_HEADERS,   /* list of `Name: value` */
    SETTING_ARGV,      /* a command and its arguments */
    SETTING_ADDRESSES, /* list of mail addresses, at least one */
    SETTING_ADDRESS,
    SETTING_SERVER, /* of mail: [smtp://|smtps://]HOST[:PORT] */
    SETTING_QUERY,  /* as written: rule/ reads it */
    SETTING_TYPES
};

struct setting {
    enum section_kind section;
    const char *key;
    enum setting_type type;
    const char *fallback; /* the default; "": none; NULL: required, or taken from elsewhere */
    size_t offset, size;  /* of the field */
    int64_t min, max;
    const char *const *choices;
    unsigned sinks; /* [sink]: 1u << type of those that have it; 0: all */
    bool is_required;
    bool is_feed_only; /* not in [defaults] */
    bool is_unbuilt;   /* accepted, with a warning */
    const char *help;
};

struct settings_context {
    const char *state_dir; /* for %S; NULL: %S is an error */
    bool checks_files;     /* look at the credential files */
};

const struct setting *settings_table(size_t *ret_n);
/* NULL where the section has no such setting. sinks: for one of these types; 0: for any. */
const struct setting *settings_find(enum section_kind section, const char *key, unsigned sinks);
/* Whether any section has a setting of this name. */
bool settings_is_key(const char *key);
/* Whether the row applies to this section. */
bool setting_is_in(const struct setting *row, enum section_kind section);
enum scan_mode setting_scan_mode(const struct setting *row);
/* Whether an empty value is allowed and means that nothing is set. */
bool setting_allows_none(const struct setting *row);

/* "feedwatch", "defaults", "feed", … */
const char *section_name(enum section_kind section);
bool section_find(const char *name, enum section_kind *ret);
bool section_has_id(enum section_kind section);
/* The names of the sink types, NULL-terminated, in the order of enum config_sink_type. */
extern const char *const settings_sink_types[];

/* Reads a value into its field of object (see enum section_kind), freeing what was there. */
bool setting_read(const struct setting *row, const char *text,
                  const struct settings_context *context, void *object, struct parse_fault *fault);
/* Gives the field its default; nothing where that comes from elsewhere. */
void setting_reset(const struct setting *row, const struct settings_context *context, void *object);
void setting_copy(const struct setting *row, const void *from, void *to);
/* The value as it may stand in a file; "" for one that is not set. */
void setting_print(const struct setting *row, const void *object, GString *out);
/* "yes or no", "a duration", …: for the manual. */
const char *setting_type_name(const struct setting *row);
/* "1m to 30d", "none, all, …", or "" where there is no range: for the manual and its test. */
void setting_print_range(const struct setting *row, GString *out);
/* Frees the fields of a section's struct, not the struct. */
void settings_clear(enum section_kind section, void *object);

#endif
