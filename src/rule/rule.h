/* rule/rule - watch rules: from query text to a compiled set, and from an item to the rules that
 * hold.
 *
 * The language is that of feedwatch-rules(5). Pure: no clock, file, network or globals. A struct
 * ruleset is immutable once compiled and may be shared; a struct rule_matcher is the scratch memory
 * of one thread that matches against it. An item's text is borrowed until the next call on the
 * matcher.
 *
 * Errors in rules are collected, not thrown: all of them come back at once as struct rule_problem,
 * each with the place in the text it was found in, so that the configuration can say FILE:LINE:COL.
 */
#ifndef RULE_RULE_H
#define RULE_RULE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULE_DEPTH_MAX 64
#define RULE_TERMS_MAX 10000

/* The text of one setting, so that a problem can say where. */
enum rule_part {
    RULE_PART_MATCH,
    RULE_PART_EXCLUDE,
    RULE_PART_IN,
    RULE_PART_FEEDS,
    RULE_PART_LANGUAGE,
    RULE_PART_LIST
};

struct rule_def { /* borrowed until ruleset_compile() returns; NULL texts are settings left out */
    const char *id;
    const char *match;
    const char *exclude;
    const char *in;       /* "title, body" */
    const char *feeds;    /* IDs, globs, tag:T, comma-separated; NULL: all */
    const char *language; /* "en, es, ru" */
};

struct rule_list_def {
    const char *id;
    const char *any;
};

struct rule_feed_def { /* the configured feeds, so that a scope that matches none is an error */
    const char *id;
    const char *const *tags; /* NULL-terminated or NULL */
    const char *language;
};

struct rule_problem {
    bool is_error; /* else a warning */
    enum rule_part part;
    size_t owner;  /* index of the rule, or of the list for RULE_PART_LIST */
    size_t offset; /* byte in that part's text */
    char *message; /* names the offending text and what was expected */
};

struct ruleset;

/* feeds NULL: scopes are not checked against a configuration. ret_problems gets a GArray of struct
 * rule_problem (its clear function frees the messages; g_array_unref), also on success. NULL where
 * any problem is an error. */
struct ruleset *ruleset_compile(const struct rule_def *rules, size_t n_rules,
                                const struct rule_list_def *lists, size_t n_lists,
                                const struct rule_feed_def *feeds, size_t n_feeds,
                                GArray **ret_problems);
struct ruleset *ruleset_ref(struct ruleset *set);
void ruleset_unref(struct ruleset *set);
size_t ruleset_size(const struct ruleset *set);
const char *ruleset_id(const struct ruleset *set, size_t rule);
/* Index of the rule with this ID, or -1. */
gssize ruleset_find(const struct ruleset *set, const char *id);

/* Whether a rule looks at a feed with these tags. */
bool ruleset_in_scope(const struct ruleset *set, size_t rule, const char *feed,
                      const char *const *tags);

struct rule_item { /* clean, valid UTF-8 plain text; NULL: absent */
    const char *title, *summary, *content, *link;
    const char *const *authors; /* NULL-terminated or NULL */
    const char *const *categories;
    const char *feed;        /* feed ID */
    const char *const *tags; /* the feed's */
    const char *language;
};

struct rule_evidence { /* the first match of one term that made the rule true */
    const char *term;  /* as written; owned by the set */
    const char *list;  /* the list it came from, or NULL; owned by the set */
    const char *field; /* "title", "summary", "content", "author", "category", "link", … */
    size_t index;      /* which value of a field that has several */
    size_t start, end; /* bytes in that value, half open */
    const char
        *text; /* where the value begins + start; borrowed from the item; end - start bytes */
};

struct rule_match {
    size_t rule; /* index in the set; matches come in file order */
    const struct rule_evidence *evidence;
    size_t n_evidence;
};

struct rule_matcher;

struct rule_matcher *rule_matcher_new(struct ruleset *set); /* takes a reference of its own */
void rule_matcher_free(struct rule_matcher *matcher);
/* Every rule that holds. The result belongs to the matcher and lives until the next call.
 * with_evidence false leaves n_evidence 0. */
const struct rule_match *rule_match_item(struct rule_matcher *matcher, const struct rule_item *item,
                                         bool with_evidence, size_t *ret_n);
/* Rules whose evaluation of the last item ran into a limit (a regular expression of death, a flood
 * of matches in NEAR), so that what it found may not be all. Indexes in the set; the result lives
 * until the next call. */
const size_t *rule_matcher_stopped(const struct rule_matcher *matcher, size_t *ret_n);

/* Why a rule does not hold for an item: a sentence, and in *ret_clause its first clause that fails,
 * as a query; the caller frees both. NULL where it holds. Ends what the last call returned. */
char *rule_matcher_explain(struct rule_matcher *matcher, const struct rule_item *item, size_t rule,
                           char **ret_clause);

/* For measuring: how many rules of the last item were looked at; what the set and the matcher's
 * tables take; cutting an item into words and nothing else. */
size_t rule_matcher_candidates(const struct rule_matcher *matcher);
size_t rule_matcher_bytes(const struct rule_matcher *matcher);
size_t ruleset_bytes(const struct ruleset *set);
void rule_matcher_tokenise(struct rule_matcher *matcher, const struct rule_item *item);

#endif
