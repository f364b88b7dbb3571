#include "http/address.h"

#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct block4 {
    uint32_t base;
    unsigned prefix;
};

static const struct block4 blocks4[] = {
    {0x00000000, 8},  /* 0.0.0.0/8: this host */
    {0x0a000000, 8},  /* 10/8 */
    {0x64400000, 10}, /* 100.64/10: shared by a carrier */
    {0x7f000000, 8},  /* 127/8 */
    {0xa9fe0000, 16}, /* 169.254/16 */
    {0xac100000, 12}, /* 172.16/12 */
    {0xc0000000, 24}, /* 192.0.0/24: protocol assignments */
    {0xc0a80000, 16}, /* 192.168/16 */
    {0xc6120000, 15}, /* 198.18/15: benchmarks */
    {0xe0000000, 3},  /* multicast, reserved, broadcast */
};

struct block6 {
    uint8_t base[16];
    unsigned prefix;
};

static const struct block6 blocks6[] = {
    {{0xfc}, 7},                                /* unique local */
    {{0xfe, 0x80}, 10},                         /* link-local */
    {{0xfe, 0xc0}, 10},                         /* site-local, as it once was */
    {{0xff}, 8},                                /* multicast */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48}, /* a local network's own NAT64 */
    {{0x01, 0x00, 0, 0, 0, 0, 0, 0}, 64},       /* discard */
    {{0x5f}, 16},                               /* segment routing */
    {{0x3f, 0xff, 0x00}, 20},                   /* documentation */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},             /* documentation */
    {{0x20, 0x01, 0x00, 0x10}, 28},             /* ORCHID, as it once was */
};

/* Where an IPv6 block carries an IPv4 address. */
struct carrier6 {
    uint8_t base[16];
    unsigned prefix;
    unsigned offset;
    uint8_t mask; /* Teredo writes it inverted */
};

static const struct carrier6 carriers6[] = {
    {{0}, 96, 12, 0},                                        /* ::a.b.c.d, :: and ::1 */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 12, 0}, /* mapped */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0}, 96, 12, 0}, /* translated */
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12, 0},                   /* NAT64 */
    {{0x20, 0x02}, 16, 2, 0},                                /* 6to4 */
    {{0x20, 0x01, 0, 0}, 32, 12, 0xff},                      /* Teredo */
};

static bool is_private4(uint32_t address)
{
    for (size_t i = 0; i < G_N_ELEMENTS(blocks4); i++)
        if ((address ^ blocks4[i].base) >> (32 - blocks4[i].prefix) == 0)
            return true;
    return false;
}

static bool has_prefix(const uint8_t *bytes, const uint8_t *base, unsigned prefix)
{
    unsigned whole = prefix / 8, rest = prefix % 8;
    if (memcmp(bytes, base, whole) != 0)
        return false;
    return rest == 0 || (bytes[whole] ^ base[whole]) >> (8 - rest) == 0;
}

static bool is_private6(const uint8_t *bytes)
{
    for (size_t i = 0; i < G_N_ELEMENTS(blocks6); i++)
        if (has_prefix(bytes, blocks6[i].base, blocks6[i].prefix))
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(carriers6); i++) {
        const struct carrier6 *carrier = &carriers6[i];
        if (!has_prefix(bytes, carrier->base, carrier->prefix))
            continue;
        uint32_t inner = 0;
        for (unsigned k = 0; k < 4; k++)
            inner = inner << 8 | (uint8_t)(bytes[carrier->offset + k] ^ carrier->mask);
        return is_private4(inner);
    }
    return false;
}

bool address_is_private(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return is_private4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        return is_private6(in6.sin6_addr.s6_addr);
    }
    return true;
}

bool address_text_is_private(const char *literal)
{
    struct in_addr in;
    struct in6_addr in6;
    if (inet_pton(AF_INET, literal, &in) == 1)
        return is_private4(ntohl(in.s_addr));
    if (inet_pton(AF_INET6, literal, &in6) == 1)
        return is_private6(in6.s6_addr);
    return true;
}

static bool is_localhost(const char *host)
{
    size_t length = strlen(host);
    if (length > 0 && host[length - 1] == '.')
        length--;
    static const char name[] = "localhost";
    size_t size = sizeof name - 1;
    if (length < size || g_ascii_strncasecmp(host + length - size, name, size) != 0)
        return false;
    return length == size || host[length - size - 1] == '.';
}

bool address_host_is_private(const char *host)
{
    if (is_localhost(host))
        return true;
    size_t length = strlen(host);
    bool has_brackets = length > 2 && host[0] == '[' && host[length - 1] == ']';
    g_autofree char *bare =
        has_brackets ? g_strndup(host + 1, length - 2) : g_strndup(host, length);
    char *zone = strchr(bare, '%');
    if (zone)
        *zone = '\0';
    struct in6_addr in6;
    if (inet_pton(AF_INET6, bare, &in6) == 1)
        return is_private6(in6.s6_addr);
    struct in_addr in; /* takes the octal, hexadecimal and short forms, as libcurl does */
    return inet_aton(bare, &in) == 1 && is_private4(ntohl(in.s_addr));
}
