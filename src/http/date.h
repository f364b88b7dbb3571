/* http/date - HTTP dates (RFC 9110 5.6.7), and the near misses that servers send. Pure. */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

/* UTC seconds. False, and *ret_s untouched, where the text is no date with a year. */
bool http_date_parse(const char *text, int64_t *ret_s);

#endif
