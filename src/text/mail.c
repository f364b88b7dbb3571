#include "text/mail.h"

#include "base/number.h"

#include <string.h>

#define LOCAL_MAX  64 /* RFC 5321 4.5.3.1 */
#define DOMAIN_MAX 255
#define LABEL_MAX  63
#define NAME_MAX_  256
#define PORT_MAX   65535

#define ALNUM "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Parts of the allowed characters, each at most part_max long, between single dots. */
static bool is_dotted(const char *text, size_t size, const char *allowed, size_t part_max)
{
    size_t part = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i == size || text[i] == '.') {
            if (part == 0 || part > part_max)
                return false;
            part = 0;
        } else if (!text[i] || !strchr(allowed, text[i])) {
            return false;
        } else {
            part++;
        }
    }
    return true;
}

static bool is_host_name(const char *text, size_t size)
{
    if (size == 0 || size > DOMAIN_MAX || text[0] == '-' || text[size - 1] == '-')
        return false;
    return is_dotted(text, size, ALNUM "-_", LABEL_MAX);
}

static bool is_address(const char *text)
{
    static const char atom[] = ALNUM "!#$%&'*+-/=?^_`{|}~";
    const char *at = strchr(text, '@');
    size_t local = at ? (size_t)(at - text) : 0;
    return local > 0 && local <= LOCAL_MAX && is_dotted(text, local, atom, LOCAL_MAX) &&
           is_host_name(at + 1, strlen(at + 1));
}

/* Quotes around a name are for those who are used to them. */
static char *take_name(const char *text, size_t size)
{
    g_autofree char *name = g_strstrip(g_strndup(text, size));
    size_t length = strlen(name);
    if (length >= 2 && name[0] == '"' && name[length - 1] == '"') {
        name[length - 1] = '\0';
        memmove(name, name + 1, length - 1);
        g_strstrip(name);
    }
    return *name ? g_steal_pointer(&name) : NULL;
}

static bool is_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (g_ascii_iscntrl(*p) || strchr("<>\"\\", *p))
            return false;
    return strlen(name) <= NAME_MAX_ && g_utf8_validate(name, -1, NULL);
}

bool mail_address_parse(const char *text, struct mail_address *ret)
{
    g_autofree char *whole = g_strstrip(g_strdup(text));
    const char *open = strrchr(whole, '<');
    size_t length = strlen(whole);
    if (!open) {
        if (!is_address(whole))
            return false;
        *ret = (struct mail_address){NULL, g_steal_pointer(&whole)};
        return true;
    }
    g_autofree char *name = take_name(whole, (size_t)(open - whole));
    if (whole[length - 1] != '>' || (name && !is_name(name)))
        return false;
    g_autofree char *address = g_strndup(open + 1, length - 2 - (size_t)(open - whole));
    if (!is_address(address))
        return false;
    *ret = (struct mail_address){g_steal_pointer(&name), g_steal_pointer(&address)};
    return true;
}

void mail_address_clear(struct mail_address *address)
{
    g_clear_pointer(&address->name, g_free);
    g_clear_pointer(&address->address, g_free);
}

/* ---- servers ---- */

static bool take_port(const char *text, unsigned *ret)
{
    uint64_t port;
    if (!number_parse(text, PORT_MAX, &port) || port == 0)
        return false;
    *ret = (unsigned)port;
    return true;
}

/* The host, and what follows it in *ret_rest; NULL where it is none. */
static char *take_host(const char *text, const char **ret_rest)
{
    size_t size = strcspn(text, ":");
    if (*text != '[') {
        *ret_rest = text + size;
        return is_host_name(text, size) ? g_strndup(text, size) : NULL;
    }
    const char *end = strchr(text, ']');
    g_autofree char *address = end ? g_strndup(text + 1, (size_t)(end - text - 1)) : NULL;
    if (!address || !strchr(address, ':') || !g_hostname_is_ip_address(address))
        return NULL;
    *ret_rest = end + 1;
    return g_steal_pointer(&address);
}

static bool is_this_machine(const char *host)
{
    return g_ascii_strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (g_str_has_prefix(host, "127.") && g_hostname_is_ip_address(host));
}

bool mail_server_parse(const char *text, struct mail_server *ret)
{
    static const struct {
        const char *prefix;
        enum mail_security security;
    } schemes[] = {{"smtp://", MAIL_STARTTLS}, {"smtps://", MAIL_TLS}};
    static const unsigned ports[] = {[MAIL_PLAIN] = 25, [MAIL_STARTTLS] = 587, [MAIL_TLS] = 465};
    struct mail_server server = {.security = MAIL_PLAIN};
    const char *rest = text;
    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
        if (g_ascii_strncasecmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) == 0) {
            server.security = schemes[i].security;
            rest = text + strlen(schemes[i].prefix);
        }
    }
    g_autofree char *host = take_host(rest, &rest);
    if (!host)
        return false;
    if (server.security == MAIL_PLAIN && !is_this_machine(host))
        server.security = MAIL_STARTTLS;
    server.port = ports[server.security];
    if (*rest && (*rest != ':' || !take_port(rest + 1, &server.port)))
        return false;
    server.host = g_steal_pointer(&host);
    *ret = server;
    return true;
}

void mail_server_clear(struct mail_server *server)
{
    g_clear_pointer(&server->host, g_free);
}
