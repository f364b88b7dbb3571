/* feed/date_names - names of months and zones. Pure, constant tables. */
#ifndef FEED_DATE_NAMES_H
#define FEED_DATE_NAMES_H

#include <stdbool.h>

/* 1-12 for a word in lower case that begins with the name of a month, else 0. *ret_is_weak: it may
 * be the name of a day as well. */
int date_month(const char *word, bool *ret_is_weak);
/* The zone's offset in minutes; false where the word is none. */
bool date_zone(const char *word, int *ret_minutes);

#endif
