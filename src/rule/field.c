#include "rule/field.h"

#include <string.h>

const char *const field_names[] = {"title", "summary", "content", "author", "category", "feed",
                                   "lang",  "site",    "link",    "body",   "text",     NULL};

static const unsigned masks[] = {
    FIELD_BIT(FIELD_TITLE),
    FIELD_BIT(FIELD_SUMMARY),
    FIELD_BIT(FIELD_CONTENT),
    FIELD_BIT(FIELD_AUTHOR),
    FIELD_BIT(FIELD_CATEGORY),
    FIELD_BIT(FIELD_FEED),
    FIELD_BIT(FIELD_LANG),
    FIELD_BIT(FIELD_SITE),
    FIELD_BIT(FIELD_LINK),
    FIELD_BIT(FIELD_SUMMARY) | FIELD_BIT(FIELD_CONTENT),
    FIELDS_TEXT,
};

unsigned field_mask(const char *name, size_t size)
{
    for (size_t i = 0; field_names[i]; i++)
        if (strlen(field_names[i]) == size && memcmp(field_names[i], name, size) == 0)
            return masks[i];
    return 0;
}

const char *field_name(enum field field)
{
    return field_names[field];
}

const char *field_mask_name(unsigned mask)
{
    for (size_t i = 0; field_names[i]; i++)
        if (masks[i] == mask)
            return field_names[i];
    return "";
}
