/* config/load - the steps of loading a configuration. Internal to config/ and its tests.
 *
 * files -> struct source (source.h) -> build_config() -> rules_compile(). Every step goes on after
 * an error, so that one run tells them all. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/source.h"

/* A configuration that is one text in memory and looks at no file. Like config_load() otherwise. */
struct config *config_load_bytes(const char *name, const char *bytes, size_t size,
                                 GPtrArray **ret_problems);

/* A configuration with nothing in it, and one reference. */
struct config *config_new(const char *path);
/* Fills config in from what was read; what is wrong goes to source->report. */
void build_config(struct config *config, const struct source *source, bool checks_files);

/* The sections that config->rules and config->lists were made of, by the same index. */
struct rule_sources {
    GPtrArray *rules, *lists; /* struct source_section, borrowed */
};
/* Sets config->ruleset where the rules are right. */
void rules_compile(struct config *config, const struct rule_sources *sources,
                   struct report *report);

#endif
