/* alert/terminal - one alert as a line for a terminal, in colours.
 *
 * Without its escape sequences it is the line of the alert log (store/alert_line) but for what that
 * shortens. The words that matched in the title are highlighted, and the title is a hyperlink (OSC
 * 8, as iTerm and VTE define it) where the link is http or https. Every sequence is this module's
 * own, SGR or OSC 8, and ends within the line: values are clean text (hostile.md S13), and a link
 * is percent-encoded to what RFC 3986 allows. Pure but for the time zone. */
#ifndef ALERT_TERMINAL_H
#define ALERT_TERMINAL_H

#include "store/store.h"

/* Newly allocated, with a newline. */
char *terminal_line(const struct store_alert *alert);

#endif
