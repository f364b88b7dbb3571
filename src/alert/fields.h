/* alert/fields - the values of an alert by the names that programs and templates know them by
 * (text/template.h). Clean text; time is local with its offset, as in the alert log. Pure but for
 * the time zone. */
#ifndef ALERT_FIELDS_H
#define ALERT_FIELDS_H

#include "store/store.h"

/* Newly allocated; "" where the alert has none. */
char *alert_field(const struct store_alert *alert, const char *name);

#endif
