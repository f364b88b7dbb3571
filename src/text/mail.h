/* text/mail - how people write where mail goes: addresses (RFC 5322 section 3.4) and servers.
 *
 * Pure. An address is "local@domain", or a name before it in angle brackets: "Ann Lee <ann@x.org>".
 * local is a dot-atom of at most 64 bytes, domain a host name; ASCII only (no RFC 6531), no quoted
 * local parts, no address literals. */
#ifndef TEXT_MAIL_H
#define TEXT_MAIL_H

#include <glib.h>
#include <stdbool.h>

struct mail_address {
    char *name; /* NULL: none; without quotes, as it was written otherwise */
    char *address;
};

/* False where it is none: then nothing is set. Free with mail_address_clear(). */
bool mail_address_parse(const char *text, struct mail_address *ret);
void mail_address_clear(struct mail_address *address);

enum mail_security {
    MAIL_PLAIN,    /* this machine itself, and nothing else was said */
    MAIL_STARTTLS, /* or nothing is sent (RFC 3207) */
    MAIL_TLS       /* from the first byte (RFC 8314) */
};

struct mail_server {
    char *host; /* an IPv6 address without its brackets */
    unsigned port;
    enum mail_security security;
};

/* "[smtp://|smtps://]HOST[:PORT]"; an IPv6 address stands in brackets. smtp means STARTTLS and port
 * 587, smtps TLS and port 465; neither: as smtp, but for localhost, 127.0.0.0/8 and ::1, which is
 * plain and port 25. False where it is none. Free with mail_server_clear(). */
bool mail_server_parse(const char *text, struct mail_server *ret);
void mail_server_clear(struct mail_server *server);

#endif
