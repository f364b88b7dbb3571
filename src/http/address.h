/* http/address - which network addresses are nobody's business of a publisher.
 *
 * Private means: not a unicast address of the public Internet (IANA special-purpose registries, RFC
 * 6890): loopback, link-local, private, shared, unspecified, multicast, reserved; for IPv6 also
 * every form that carries such an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo). Source:
 * hostile.md S09. Pure. */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* Other families than IPv4 and IPv6 are private. */
bool address_is_private(const struct sockaddr *address);
/* A literal as inet_pton() reads it. What is none is private: nobody knows what it is. */
bool address_text_is_private(const char *literal);
/* Whether a URL's host (with or without brackets) is written as a private address, in any form that
 * libcurl understands (0x7f.1, 2130706433), or is localhost. False for any other name. */
bool address_host_is_private(const char *host);

#endif
