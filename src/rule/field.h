/* rule/field - the parts of an item that a term can be sought in.
 *
 * Text fields are cut into words; value fields are compared whole, by host or by substring. The
 * order is that of the item, and of evidence. */
#ifndef RULE_FIELD_H
#define RULE_FIELD_H

#include <stddef.h>

enum field {
    FIELD_TITLE,
    FIELD_SUMMARY,
    FIELD_CONTENT,
    FIELD_AUTHOR,
    FIELD_CATEGORY,
    FIELD_FEED,
    FIELD_LANG,
    FIELD_SITE,
    FIELD_LINK,
    FIELDS
};

#define FIELD_BIT(field) (1u << (field))
#define FIELDS_TEXT      (FIELD_BIT(FIELD_TITLE) | FIELD_BIT(FIELD_SUMMARY) | FIELD_BIT(FIELD_CONTENT))
#define FIELDS_WORDS     (FIELDS_TEXT | FIELD_BIT(FIELD_AUTHOR) | FIELD_BIT(FIELD_CATEGORY))

/* The bits that a name stands for ("body" is two fields), 0 where it is unknown. */
unsigned field_mask(const char *name, size_t size);
const char *field_name(enum field field);
/* The name of a mask that field_mask() gives. */
const char *field_mask_name(unsigned mask);
/* All names, NULL-terminated. */
extern const char *const field_names[];

#endif
