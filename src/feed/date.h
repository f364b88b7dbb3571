/* feed/date - dates as feeds write them.
 *
 * Pure: no clock, no locale, no time zone of the machine. Sources: RFC 822, 2822 and 5322; RFC
 * 3339, W3CDTF and ISO 8601 in all precisions, week and ordinal dates too; asctime(); seconds since
 * 1970; and what publishers make of them: names of months in some thirty languages, digits of
 * other scripts, named zones, am and pm, "12/31/2023", "2024年1月2日". Without a zone it is UTC; a
 * missing time is midnight. Two-digit years are 1950-2049 (RFC 2822). */
#ifndef FEED_DATE_H
#define FEED_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATE_YEAR_MIN 1900
#define DATE_YEAR_MAX 2999

/* False where it is no date, or none between DATE_YEAR_MIN and DATE_YEAR_MAX. */
bool date_parse(const char *text, size_t size, int64_t *ret_s);

#endif
