/* fetch/url - the URL of a request, taken apart as far as politeness and secrecy need it.
 *
 * What is sent is what was given, byte for byte, but without userinfo and fragment, with the host
 * in ASCII and with blanks and bytes above 127 percent-encoded. Only http and https. Pure. */
#ifndef FETCH_URL_H
#define FETCH_URL_H

#include <glib.h>
#include <stdbool.h>

struct fetch_url {
    char *text;     /* to send: has no userinfo */
    char *origin;   /* "https://example.org:443", lower case, the port always written */
    char *host;     /* lower case, ASCII, without brackets */
    char *userinfo; /* decoded "user:password", NULL: none */
};

/* ret_url is set where it returns true; free with fetch_url_clear(). */
bool fetch_url_parse(const char *text, struct fetch_url *ret_url, GError **error);
/* Where a Location header leads from base; userinfo in it is dropped. */
bool fetch_url_resolve(const struct fetch_url *base, const char *location,
                       struct fetch_url *ret_url, GError **error);
void fetch_url_clear(struct fetch_url *url);
/* Whether two URLs are one server's: the same origin, or the same host with http made https. */
bool fetch_url_is_same_site(const struct fetch_url *from, const struct fetch_url *to);

#endif
