#include "http/proxy.h"

#include <gio/gio.h>
#include <string.h>

static char *first_set(const char *const *names)
{
    for (; *names; names++) {
        const char *value = g_getenv(*names);
        if (value && *value)
            return g_strdup(value);
    }
    return NULL;
}

void proxy_environment_read(struct proxy_environment *ret_environment)
{
    static const char *const http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    static const char *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                        NULL};
    static const char *const none[] = {"no_proxy", "NO_PROXY", NULL};
    ret_environment->http = first_set(http);
    ret_environment->https = first_set(https);
    ret_environment->none = first_set(none);
}

void proxy_environment_clear(struct proxy_environment *environment)
{
    g_clear_pointer(&environment->http, g_free);
    g_clear_pointer(&environment->https, g_free);
    g_clear_pointer(&environment->none, g_free);
}

static bool is_in_network(const char *pattern, const char *host)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);
    if (!address)
        return false;
    g_autoptr(GInetAddressMask) mask = g_inet_address_mask_new_from_string(pattern, NULL);
    return mask && g_inet_address_mask_matches(mask, address);
}

static bool is_in_domain(const char *pattern, const char *host)
{
    while (*pattern == '.')
        pattern++;
    size_t length = strlen(host), size = strlen(pattern);
    if (size == 0 || length < size || g_ascii_strcasecmp(host + length - size, pattern) != 0)
        return false;
    return length == size || host[length - size - 1] == '.';
}

static bool is_exempt(const char *patterns, const char *host)
{
    g_auto(GStrv) words = g_strsplit_set(patterns, ", \t", -1);
    for (char **word = words; *word; word++)
        if (strcmp(*word, "*") == 0 || is_in_domain(*word, host) || is_in_network(*word, host))
            return true;
    return false;
}

const char *proxy_for(const struct proxy_environment *environment, bool is_https, const char *host)
{
    const char *proxy = is_https ? environment->https : environment->http;
    if (!proxy || (environment->none && is_exempt(environment->none, host)))
        return NULL;
    return proxy;
}
