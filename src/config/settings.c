#include "config/settings.h"

#include <string.h>

#define SECOND 1000
#define MINUTE (60 * INT64_C(1000))
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define MIB    (INT64_C(1) << 20)

#define FIELD(type, member) \
    .offset = offsetof(struct type, member), .size = sizeof(((struct type *)NULL)->member)
#define ON(type) (1u << CONFIG_SINK_##type)

static const char *const offline_choices[] = {"ignore", "auto", NULL};
static const char *const urgency_choices[] = {"low", "normal", "critical", NULL};
static const char *const format_choices[] = {"text", "logfmt", "json", NULL};
const char *const settings_sink_types[] = {"log",  "desktop", "journal", "command", "webhook",
                                           "mail", "mqtt",    "feed",    NULL};

static const struct setting table[] = {
    /* state_dir stands first: the paths below it need its value. */
    {SECTION_FEEDWATCH, "state_dir", SETTING_PATH, NULL, FIELD(config, state_dir),
     .help = "where the database, the lock, the control socket and the alert log are"},
    {SECTION_FEEDWATCH, "user_agent_contact", SETTING_HEADER_TEXT, "",
     FIELD(config, user_agent_contact),
     .help = "address or URL that a publisher can turn to, part of the User-Agent"},
    {SECTION_FEEDWATCH, "retention", SETTING_SECONDS, "90d", FIELD(config, retention_s), .min = DAY,
     .max = 3650 * DAY, .help = "how long items are kept in the archive"},
    {SECTION_FEEDWATCH, "proxy", SETTING_PROXY, "", FIELD(config, proxy),
     .help = "proxy for everything that names none of its own"},
    {SECTION_FEEDWATCH, "host_spacing", SETTING_MILLISECONDS, "1s", FIELD(config, host_spacing_ms),
     .min = 0, .max = HOUR, .help = "the least time between two requests to one host"},
    {SECTION_FEEDWATCH, "max_connections", SETTING_COUNT, "32", FIELD(config, max_connections),
     .min = 1, .max = 1000, .help = "requests under way at once, over all hosts"},
    {SECTION_FEEDWATCH, "offline", SETTING_CHOICE, "auto", FIELD(config, offline_auto),
     .choices = offline_choices, .help = "whether to wait while the machine has no network"},
    {SECTION_FEEDWATCH, "stories", SETTING_SWITCH, "on", FIELD(config, stories), .is_unbuilt = true,
     .help = "whether reports of one event are told as one story"},

    {SECTION_FEED, "url", SETTING_FEED_URL, NULL, FIELD(config_feed, url), .is_required = true,
     .is_feed_only = true, .help = "where the feed is"},
    {SECTION_FEED, "tags", SETTING_NAMES, "", FIELD(config_feed, tags),
     .help = "names by which rules can choose feeds (tag:NAME)"},
    {SECTION_FEED, "interval", SETTING_SECONDS, "", FIELD(config_feed, interval_s), .min = MINUTE,
     .max = 30 * DAY, .help = "time between two polls; not set, it follows the feed's own rhythm"},
    {SECTION_FEED, "initial", SETTING_INITIAL, "none", FIELD(config_feed, initial), .min = MINUTE,
     .max = 3650 * DAY,
     .help = "which items of a feed that is seen for the first time are matched"},
    {SECTION_FEED, "timeout", SETTING_MILLISECONDS, "60s", FIELD(config_feed, timeout_ms),
     .min = SECOND, .max = 10 * MINUTE, .help = "the most that one request may take"},
    {SECTION_FEED, "max_size", SETTING_SIZE, "16M", FIELD(config_feed, max_size_bytes), .min = 1024,
     .max = 256 * MIB, .help = "the most that one document may have, decompressed"},
    {SECTION_FEED, "allow_private", SETTING_BOOL, "no", FIELD(config_feed, allow_private),
     .help = "whether names and redirects may lead to private addresses"},
    {SECTION_FEED, "headers", SETTING_HEADERS, "", FIELD(config_feed, headers),
     .help = "further headers of the request"},
    {SECTION_FEED, "credentials", SETTING_SECRET, "", FIELD(config_feed, credentials),
     .help = "a file with user:password, or with Bearer and a token"},
    {SECTION_FEED, "user_agent", SETTING_HEADER_TEXT, "", FIELD(config_feed, user_agent),
     .help = "User-Agent in place of feedwatch's own"},
    {SECTION_FEED, "proxy", SETTING_PROXY, NULL, FIELD(config_feed, proxy),
     .help = "proxy; empty for none"},
    {SECTION_FEED, "cache_max", SETTING_SECONDS, "2d", FIELD(config_feed, cache_max_s), .min = 0,
     .max = 30 * DAY, .help = "the longest that a cache hint may keep feedwatch away"},
    {SECTION_FEED, "language", SETTING_LANGUAGE, "", FIELD(config_feed, language),
     .help = "the language of items that do not say theirs"},
    {SECTION_FEED, "enabled", SETTING_BOOL, "yes", FIELD(config_feed, is_enabled),
     .help = "whether the feed is polled"},

    {SECTION_LIST, "any", SETTING_QUERY, NULL, FIELD(rule_list_def, any), .is_required = true,
     .help = "terms and phrases, one of which must be there"},

    {SECTION_RULE, "match", SETTING_QUERY, NULL, FIELD(config_rule, match), .is_required = true,
     .help = "the query"},
    {SECTION_RULE, "exclude", SETTING_QUERY, "", FIELD(config_rule, exclude),
     .help = "a query that must not hold"},
    {SECTION_RULE, "in", SETTING_QUERY, "title, body", FIELD(config_rule, in),
     .help = "where terms without a field look"},
    {SECTION_RULE, "feeds", SETTING_QUERY, "", FIELD(config_rule, feeds),
     .help = "feed IDs, patterns of them, tag:NAME; none: all feeds"},
    {SECTION_RULE, "language", SETTING_QUERY, "en, es, ru", FIELD(config_rule, language),
     .help = "languages for inflected forms"},
    {SECTION_RULE, "alert", SETTING_NAMES, "desktop, log", FIELD(config_rule, alert),
     .is_required = true, .help = "sinks that are told"},
    {SECTION_RULE, "urgency", SETTING_CHOICE, "normal", FIELD(config_rule, urgency),
     .choices = urgency_choices, .help = "how the desktop shows it"},
    {SECTION_RULE, "stories", SETTING_SWITCH, NULL, FIELD(config_rule, stories), .is_unbuilt = true,
     .help = "whether this rule's alerts are grouped as stories"},
    {SECTION_RULE, "min_interval", SETTING_SECONDS, "0s", FIELD(config_rule, min_interval_s),
     .min = 0, .max = 30 * DAY, .is_unbuilt = true, .help = "the least time between two popups"},
    {SECTION_RULE, "quiet", SETTING_QUIET, "", FIELD(config_rule, quiet), .is_unbuilt = true,
     .help = "hours of the day without popups"},
    {SECTION_RULE, "repeat", SETTING_SECONDS, "0s", FIELD(config_rule, repeat_s), .min = 0,
     .max = 30 * DAY, .is_unbuilt = true,
     .help = "how often an alert that nobody acknowledged comes again"},
    {SECTION_RULE, "surge", SETTING_SURGE, "", FIELD(config_rule, surge), .min = MINUTE,
     .max = 30 * DAY, .is_unbuilt = true, .help = "how many alerts in which time are a surge"},

    /* type stands first: the settings below depend on it. */
    {SECTION_SINK, "type", SETTING_CHOICE, NULL, FIELD(config_sink, type),
     .choices = settings_sink_types, .help = "what the sink is"},
    {SECTION_SINK, "enabled", SETTING_BOOL, "yes", FIELD(config_sink, is_enabled),
     .help = "whether the sink is used"},
    {SECTION_SINK, "path", SETTING_PATH, NULL, FIELD(config_sink, path),
     .sinks = ON(LOG) | ON(FEED), .help = "the file that is written"},
    {SECTION_SINK, "format", SETTING_CHOICE, "text", FIELD(config_sink, format),
     .choices = format_choices, .sinks = ON(LOG), .help = "what a line looks like"},
    {SECTION_SINK, "argv", SETTING_ARGV, NULL, FIELD(config_sink, argv), .sinks = ON(COMMAND),
     .is_required = true, .help = "the program and its arguments; no shell reads them"},
    {SECTION_SINK, "timeout", SETTING_MILLISECONDS, "30s", FIELD(config_sink, timeout_ms),
     .min = SECOND, .max = 10 * MINUTE, .sinks = ON(COMMAND),
     .help = "after which the program is killed"},
    {SECTION_SINK, "url", SETTING_WEB_URL, NULL, FIELD(config_sink, url), .sinks = ON(WEBHOOK),
     .is_required = true, .help = "where the alert is posted"},
    {SECTION_SINK, "headers", SETTING_HEADERS, "", FIELD(config_sink, headers),
     .sinks = ON(WEBHOOK), .help = "further headers of the request"},
    {SECTION_SINK, "template", SETTING_TEMPLATE, "", FIELD(config_sink, template_text),
     .sinks = ON(WEBHOOK),
     .help = "the body of the request, with {title} and so on; none: the alert as JSON"},
    {SECTION_SINK, "to", SETTING_ADDRESSES, NULL, FIELD(config_sink, to), .sinks = ON(MAIL),
     .is_required = true, .help = "who gets the mail"},
    {SECTION_SINK, "from", SETTING_ADDRESS, "", FIELD(config_sink, from), .sinks = ON(MAIL),
     .help = "who it comes from; none: the first of those who get it"},
    {SECTION_SINK, "server", SETTING_SERVER, "localhost", FIELD(config_sink, server),
     .sinks = ON(MAIL), .help = "host that takes the mail: smtp://host:port, smtps://host:port"},
    {SECTION_SINK, "digest", SETTING_COUNT, "10", FIELD(config_sink, digest), .min = 0, .max = 200,
     .sinks = ON(MAIL), .help = "more alerts than that at once come as one mail; 0: never"},
    {SECTION_SINK, "credentials", SETTING_SECRET, "", FIELD(config_sink, credentials),
     .sinks = ON(MAIL) | ON(WEBHOOK) | ON(MQTT), .help = "as for a feed"},
    {SECTION_SINK, "url", SETTING_MQTT_URL, NULL, FIELD(config_sink, url), .sinks = ON(MQTT),
     .is_required = true, .help = "the broker"},
    {SECTION_SINK, "topic", SETTING_TOPIC, NULL, FIELD(config_sink, topic), .sinks = ON(MQTT),
     .is_required = true, .help = "what the alert is published under, with {rule} and so on"},
    {SECTION_SINK, "entries", SETTING_COUNT, "50", FIELD(config_sink, entries), .min = 1,
     .max = 10000, .sinks = ON(FEED), .help = "how many alerts the feed holds"},
};

const struct setting *settings_table(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(table);
    return table;
}

bool setting_is_in(const struct setting *row, enum section_kind section)
{
    if (section == SECTION_DEFAULTS)
        return row->section == SECTION_FEED && !row->is_feed_only;
    return row->section == section;
}

const struct setting *settings_find(enum section_kind section, const char *key, unsigned sinks)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        const struct setting *row = &table[i];
        if (setting_is_in(row, section) && strcmp(row->key, key) == 0 &&
            (!row->sinks || !sinks || (row->sinks & sinks)))
            return row;
    }
    return NULL;
}

bool settings_is_key(const char *key)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (strcmp(table[i].key, key) == 0)
            return true;
    return false;
}

static const struct {
    const char *name;
    bool has_id;
} sections[SECTION_KINDS] = {
    [SECTION_FEEDWATCH] = {"feedwatch", false},
    [SECTION_DEFAULTS] = {"defaults", false},
    [SECTION_FEED] = {"feed", true},
    [SECTION_LIST] = {"list", true},
    [SECTION_RULE] = {"rule", true},
    [SECTION_SINK] = {"sink", true},
};

const char *section_name(enum section_kind section)
{
    return sections[section].name;
}

bool section_has_id(enum section_kind section)
{
    return sections[section].has_id;
}

bool section_find(const char *name, enum section_kind *ret)
{
    for (enum section_kind i = 0; i < SECTION_KINDS; i++) {
        if (strcmp(sections[i].name, name) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}
