#include "fetch/url.h"

#include "base/number.h"
#include "fetch/fetch.h"

#include <string.h>

#define URL_BYTES_MAX    8192
#define SCHEME_SHOWN_MAX 20 /* of a redirect's, in a message */

GQuark fetch_error_quark(void)
{
    return g_quark_from_static_string("fetch-error");
}

static bool fail(GError **error, const char *what)
{
    g_set_error_literal(error, FETCH_ERROR, FETCH_ERROR_URL, what);
    return false;
}

/* The length of "scheme://", 0 where it is neither of ours. */
static size_t scheme_size(const char *text)
{
    if (g_ascii_strncasecmp(text, "https://", 8) == 0)
        return 8;
    return g_ascii_strncasecmp(text, "http://", 7) == 0 ? 7 : 0;
}

static bool is_name_of_host(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!g_ascii_isalnum(*p) && *p != '.' && *p != '-' && *p != '_')
            return false;
    return *name != '\0';
}

static bool parse_host(const char *text, char **ret_host)
{
    size_t length = strlen(text);
    if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
        g_autofree char *literal = g_strndup(text + 1, length - 2);
        if (strspn(literal, "0123456789abcdefABCDEF:.") != strlen(literal))
            return false;
        *ret_host = g_ascii_strdown(literal, -1);
        return true;
    }
    g_autofree char *name = g_utf8_validate(text, -1, NULL) ? g_hostname_to_ascii(text) : NULL;
    if (!name || !is_name_of_host(name))
        return false;
    *ret_host = g_ascii_strdown(name, -1);
    return true;
}

/* "host", "host:port", "[literal]:port"; *ret_port stays where none is given. */
static bool parse_host_and_port(char *text, char **ret_host, uint64_t *ret_port)
{
    char *colon = strrchr(text, ':');
    if (colon && strchr(colon, ']'))
        colon = NULL; /* inside the brackets */
    if (colon) {
        *colon = '\0';
        if (colon[1] != '\0' && (!number_parse(colon + 1, G_MAXUINT16, ret_port) || *ret_port == 0))
            return false;
    }
    return parse_host(text, ret_host);
}

/* Path and query as they came, fit for a request line. */
static char *encode_rest(const char *rest)
{
    GString *out = g_string_new(*rest == '/' ? "" : "/");
    for (; *rest && *rest != '#'; rest++) {
        unsigned char byte = (unsigned char)*rest;
        if (byte == ' ' || byte >= 0x80)
            g_string_append_printf(out, "%%%02X", byte);
        else
            g_string_append_c(out, *rest);
    }
    return g_string_free(out, FALSE);
}

bool fetch_url_parse(const char *text, struct fetch_url *ret_url, GError **error)
{
    size_t scheme = scheme_size(text);
    if (scheme == 0)
        return fail(error, "the URL is neither http nor https");
    if (strlen(text) > URL_BYTES_MAX)
        return fail(error, "the URL is too long");
    for (const char *p = text; *p; p++)
        if (g_ascii_iscntrl(*p))
            return fail(error, "the URL has a control character in it");
    size_t size = strcspn(text + scheme, "/?#");
    g_autofree char *authority = g_strndup(text + scheme, size);
    if (strchr(authority, '\\')) /* a browser would take it for a slash */
        return fail(error, "the URL has no usable host");
    char *at_sign = strrchr(authority, '@');
    g_autofree char *host = NULL;
    bool is_https = scheme == 8;
    uint64_t port = is_https ? 443 : 80;
    if (!parse_host_and_port(at_sign ? at_sign + 1 : authority, &host, &port))
        return fail(error, "the URL has no usable host");
    g_autofree char *userinfo = NULL;
    if (at_sign && !(userinfo = g_uri_unescape_segment(authority, at_sign, NULL)))
        return fail(error, "the URL's user or password is malformed");

    g_autofree char *rest = encode_rest(text + scheme + size);
    const char *open = strchr(host, ':') ? "[" : "", *close = strchr(host, ':') ? "]" : "";
    const char *name = is_https ? "https" : "http";
    bool is_default = port == (is_https ? 443 : 80);
    g_autofree char *suffix = is_default ? g_strdup("") : g_strdup_printf(":%d", (int)port);
    ret_url->text = g_strdup_printf("%s://%s%s%s%s%s", name, open, host, close, suffix, rest);
    ret_url->origin = g_strdup_printf("%s://%s%s%s:%d", name, open, host, close, (int)port);
    ret_url->host = g_steal_pointer(&host);
    ret_url->userinfo = g_steal_pointer(&userinfo);
    return true;
}

static bool has_scheme(const char *location)
{
    size_t length = strcspn(location, ":/?#");
    return length > 0 && location[length] == ':';
}

/* Of what a server wrote, only what is a scheme's name is shown. */
static bool fail_scheme(const char *url, GError **error)
{
    size_t size = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    if (url[size] != ':' || size > SCHEME_SHOWN_MAX)
        size = 0;
    g_set_error(error, FETCH_ERROR, FETCH_ERROR_URL,
                "it leads to %s%.*s%s, and only http and https are followed", size ? "'" : "",
                (int)size, url, size ? ":'" : "another scheme");
    return false;
}

bool fetch_url_resolve(const struct fetch_url *base, const char *location,
                       struct fetch_url *ret_url, GError **error)
{
    g_autofree char *absolute = NULL;
    size_t scheme = scheme_size(base->text);
    if (has_scheme(location))
        absolute = g_strdup(location);
    else if (g_str_has_prefix(location, "//"))
        absolute = g_strdup_printf("%.*s%s", (int)(scheme - 2), base->text, location);
    else if (*location == '/')
        absolute = g_strdup_printf("%.*s%s", (int)(scheme + strcspn(base->text + scheme, "/")),
                                   base->text, location);
    else
        absolute = g_uri_resolve_relative(base->text, location,
                                          G_URI_FLAGS_ENCODED | G_URI_FLAGS_PARSE_RELAXED, NULL);
    if (!absolute)
        return fail(error, "the redirect leads nowhere");
    if (scheme_size(absolute) == 0)
        return fail_scheme(absolute, error);
    if (!fetch_url_parse(absolute, ret_url, error))
        return false;
    g_clear_pointer(&ret_url->userinfo, g_free);
    return true;
}

void fetch_url_clear(struct fetch_url *url)
{
    g_clear_pointer(&url->text, g_free);
    g_clear_pointer(&url->origin, g_free);
    g_clear_pointer(&url->host, g_free);
    g_clear_pointer(&url->userinfo, g_free);
}

bool fetch_url_is_same_site(const struct fetch_url *from, const struct fetch_url *to)
{
    if (strcmp(from->origin, to->origin) == 0)
        return true;
    return strcmp(from->host, to->host) == 0 && g_str_has_prefix(from->origin, "http://") &&
           g_str_has_suffix(from->origin, ":80") && g_str_has_prefix(to->origin, "https://") &&
           g_str_has_suffix(to->origin, ":443");
}

char *fetch_url_shown(const char *url)
{
    const char *start = strstr(url, "://");
    start = start ? start + 3 : url;
    g_autofree char *authority = g_strndup(start, strcspn(start, "/?#"));
    const char *at_sign = strrchr(authority, '@');
    if (!at_sign)
        return g_strdup(url);
    const char *rest = start + (at_sign - authority);
    return g_strdup_printf("%.*s***%s", (int)(start - url), url, rest);
}
