/* config/types - what the types of settings are: how a value is read, and printed again.
 *
 * Internal to config/. A type has a storage, which says what its field holds. */
#ifndef CONFIG_TYPES_H
#define CONFIG_TYPES_H

#include "config/settings.h"

enum storage {
    STORAGE_NUMBER, /* bool, an enum, guint, int64_t: by its size */
    STORAGE_STRING, /* char *, NULL where nothing is set */
    STORAGE_STRINGS /* char **, never NULL once reset */
};

struct value { /* what was read; by the storage */
    int64_t number, second;
    char *string;
    char **strings;
};

struct reading {
    const struct setting *row;
    const char *text;
    const struct settings_context *context;
    struct parse_fault *fault;
};

struct setting_type_info {
    const char *name; /* for the manual */
    enum storage storage;
    enum scan_mode mode;
    bool (*read)(const struct reading *in, struct value *ret);
    void (*print)(const struct setting *row, const void *object, GString *out);
};
extern const struct setting_type_info setting_types[SETTING_TYPES];

int64_t field_number(const struct setting *row, const void *object);
char *field_string(const struct setting *row, const void *object);
char **field_strings(const struct setting *row, const void *object);

#endif
