/* store/alert_line - one alert as one line of a log.
 *
 * Pure but for the local time zone. Whatever the alert says, the line is valid UTF-8 without
 * control or bidi characters, ends with its only newline, has at most ALERT_LINE_MAX bytes, and its
 * id is last and whole. What is too long is shortened in the order matched, title, feed, link.
 * Formats: design.md section 6.
 *
 *   text    TIME [rule] title | feed | link | matched | id=ID
 *           " | " inside a value becomes " ¦ ", what is missing is "-"; kinds other than alert
 * stand as [!kind] where the rule does, a story's update as [=rule] logfmt  time= kind= rule=
 * urgency= feed= title= link= published= matched= id= json    the same keys; matched is the list of
 * section 7, of which the last entries go first
 *
 * feed is its title in text, its id in the other two. Times are local with their offset from UTC.
 */
#ifndef STORE_ALERT_LINE_H
#define STORE_ALERT_LINE_H

#include "store/store.h"

#define ALERT_LINE_MAX 4096

/* Newly allocated, with the newline. */
char *alert_line_render(const struct store_alert *alert, enum store_log_format format);
/* The id that ends a line (without its newline) in any of the formats, 26 characters into the line;
 * NULL where there is none. */
const char *alert_line_find_id(const char *line, size_t size);

#endif
