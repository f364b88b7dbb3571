/* config/parse, the part that deals in URLs (RFC 3986) and headers (RFC 9110 5.5). */
#include "config/parse.h"
#include "config/report.h"
#include "base/suggest.h"

#include <string.h>

static const struct {
    const char *name;
    unsigned schemes;
} known_schemes[] = {
    {"https", PARSE_URL_HTTP | PARSE_URL_PROXY},
    {"http", PARSE_URL_HTTP | PARSE_URL_PROXY},
    {"file", PARSE_URL_LOCAL},
    {"exec", PARSE_URL_LOCAL},
    {"mqtt", PARSE_URL_MQTT},
    {"socks5", PARSE_URL_PROXY},
    {"socks5h", PARSE_URL_PROXY},
    {"socks4", PARSE_URL_PROXY},
    {"socks4a", PARSE_URL_PROXY},
};

/* The `@` behind user and password; NULL: there are none. A password that should have been
 * percent-encoded may have a `/` in it: what looks like a port then is none. */
static const char *end_of_userinfo(const char *authority)
{
    size_t end = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', end);
    const char *host = at ? at + 1 : authority;
    const char *port = memchr(host, ':', (size_t)(authority + end - host));
    bool is_odd = port && *host != '[' &&
                  strspn(port + 1, "0123456789") != (size_t)(authority + end - port - 1);
    return is_odd ? strrchr(authority, '@') : at;
}

char *url_masked(const char *text)
{
    const char *authority = strstr(text, "://");
    const char *at = authority ? end_of_userinfo(authority + 3) : NULL;
    if (!at)
        return g_strdup(text);
    return g_strdup_printf("%.*s://***%s", (int)(authority - text), text, at);
}

static char *quote_url(const char *text)
{
    g_autofree char *masked = url_masked(text);
    return report_quote(masked);
}

static bool fail_scheme(const char *text, unsigned schemes, struct parse_fault *fault)
{
    g_autofree char *quoted = quote_url(text);
    g_autoptr(GString) names = g_string_new(NULL);
    g_autofree char *scheme = g_strndup(text, strcspn(text, ":"));
    struct suggest suggest;
    suggest_init(&suggest, scheme);
    for (size_t i = 0; i < G_N_ELEMENTS(known_schemes); i++) {
        if (!(known_schemes[i].schemes & schemes))
            continue;
        g_string_append_printf(names, "%s%s:", names->len ? ", " : "", known_schemes[i].name);
        suggest_offer(&suggest, known_schemes[i].name);
    }
    if (strcmp(scheme, "mqtts") == 0 && (schemes & PARSE_URL_MQTT))
        return parse_fail(fault, 0,
                          "%s: MQTT is spoken without TLS only; name a broker or a tunnel on this "
                          "machine as mqtt://localhost",
                          quoted);
    if (strcmp(scheme, "feed") == 0 && (schemes & PARSE_URL_HTTP))
        suggest.best = "https";
    if (suggest.best && text[strlen(scheme)] == ':')
        return parse_fail(fault, 0, "%s is not a URL that begins with %s; did you mean '%s:'?",
                          quoted, names->str, suggest.best);
    return parse_fail(fault, 0, "%s is not a URL that begins with %s", quoted, names->str);
}

static bool check_characters(const char *text, bool allows_blanks, struct parse_fault *fault)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        size_t offset = (size_t)(p - (const unsigned char *)text);
        if (*p < 0x20 || *p == 0x7f)
            return parse_fail(fault, offset, "a URL has no control characters");
        if (*p == ' ' && !allows_blanks)
            return parse_fail(fault, offset, "a URL has no blanks; write %%20");
        if (*p && strchr("\"<>\\^`{|}", *p) && !allows_blanks)
            return parse_fail(fault, offset, "'%c' cannot stand in a URL; write %%%02X", *p, *p);
    }
    return true;
}

static bool check_exec(const char *text, struct parse_fault *fault)
{
    g_auto(GStrv) argv = NULL;
    const char *command = text + strcspn(text, ":") + 1; /* its scheme was looked at */
    if (*command == '/' && parse_argv(command, &argv, fault))
        return true;
    return parse_fail(fault, (size_t)(command - text),
                      "exec: takes the absolute path of a program and its arguments");
}

char *parse_file_url(const char *text)
{
    g_autofree char *host = NULL;
    g_autofree char *path = g_filename_from_uri(text, &host, NULL);
    bool is_here = path && (!host || !*host || strcmp(host, "localhost") == 0);
    return is_here && path[0] == '/' ? g_steal_pointer(&path) : NULL;
}

static bool check_file(const char *text, const char *quoted, struct parse_fault *fault)
{
    g_autofree char *path = parse_file_url(text);
    if (path)
        return true;
    if (strchr(text, '#'))
        return parse_fail(fault, strcspn(text, "#"), "'#' in a path is written %%23");
    return parse_fail(fault, 0, "%s is no absolute path: file:///home/me/feed.xml", quoted);
}

static bool check_parts(const char *text, const char *scheme, unsigned schemes,
                        struct parse_fault *fault)
{
    g_autofree char *quoted = quote_url(text);
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_PARSE_RELAXED, NULL);
    if (!uri)
        return parse_fail(fault, 0, "%s is not a well-formed URL", quoted);
    const char *host = g_uri_get_host(uri), *path = g_uri_get_path(uri);
    if (strcmp(scheme, "file") == 0)
        return check_file(text, quoted, fault);
    if (!host || !*host)
        return parse_fail(fault, 0, "%s names no host", quoted);
    if (g_uri_get_port(uri) == 0)
        return parse_fail(fault, 0, "%s has the port 0", quoted);
    if (!(schemes & (PARSE_URL_PROXY | PARSE_URL_MQTT)))
        return true;
    if ((*path && strcmp(path, "/") != 0) || g_uri_get_query(uri) || g_uri_get_fragment(uri))
        return parse_fail(fault, 0,
                          schemes & PARSE_URL_PROXY ? "%s: a proxy has no path"
                                                    : "%s has a path: the topic is a setting",
                          quoted);
    return true;
}

bool parse_url(const char *text, unsigned schemes, struct parse_fault *fault)
{
    g_autofree char *scheme = g_ascii_strdown(text, (gssize)strcspn(text, ":"));
    size_t i = 0;
    while (i < G_N_ELEMENTS(known_schemes) &&
           !((known_schemes[i].schemes & schemes) && strcmp(scheme, known_schemes[i].name) == 0))
        i++;
    if (i == G_N_ELEMENTS(known_schemes) || text[strlen(scheme)] != ':')
        return fail_scheme(text, schemes, fault);
    if (strlen(text) > PARSE_URL_BYTES_MAX)
        return parse_fail(fault, PARSE_URL_BYTES_MAX, "a URL has at most %d bytes",
                          PARSE_URL_BYTES_MAX);
    bool is_exec = strcmp(scheme, "exec") == 0;
    if (!check_characters(text, is_exec, fault))
        return false;
    return is_exec ? check_exec(text, fault) : check_parts(text, scheme, schemes, fault);
}

bool parse_has_secret(const char *text)
{
    static const char *const marks[] = {"authorization:", "cookie:", "api-key:", "token:"};
    const char *authority = strstr(text, "://");
    size_t end = authority ? strcspn(authority + 3, "/?#") : 0;
    const char *at = authority ? memrchr(authority + 3, '@', end) : NULL;
    if (at && memchr(authority + 3, ':', (size_t)(at - authority - 3)))
        return true;
    g_autofree char *lower = g_ascii_strdown(text, -1);
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
        if (strstr(lower, marks[i]))
            return true;
    return false;
}

char *header_masked(const char *text)
{
    static const char *const open[] = {"Accept", "Cache-Control", "Content-", "From",
                                       "Pragma", "Prefer",        "Referer"};
    const char *colon = strchr(text, ':');
    for (size_t i = 0; i < G_N_ELEMENTS(open); i++)
        if (!colon || g_ascii_strncasecmp(text, open[i], strlen(open[i])) == 0)
            return g_strdup(text);
    return g_strdup_printf("%.*s: ***", (int)(colon - text), text);
}

bool parse_header_text(const char *text, struct parse_fault *fault)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            return parse_fail(fault, (size_t)(p - (const unsigned char *)text),
                              "a control character cannot stand in a header");
    return true;
}

bool parse_header(const char *text, struct parse_fault *fault)
{
    /* Those that would break the exchange, or that another setting is for. */
    static const struct {
        const char *name, *instead;
    } ours[] = {
        {"Connection", NULL},         {"Content-Length", NULL}, {"Host", NULL},
        {"If-Modified-Since", NULL},  {"If-None-Match", NULL},  {"TE", NULL},
        {"Transfer-Encoding", NULL},  {"Upgrade", NULL},        {"Accept-Encoding", NULL},
        {"User-Agent", "user_agent"},
    };
    size_t length = strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    /* The value may be a secret: only what should be the name is shown. */
    g_autofree char *start = g_strndup(text, strcspn(text, ": "));
    g_autofree char *quoted = report_quote(start);
    if (length == 0 || text[length] != ':')
        return parse_fail(fault, length, "%s is not a header such as 'Accept-Language: es'",
                          quoted);
    g_autofree char *name = g_strndup(text, length);
    for (size_t i = 0; i < G_N_ELEMENTS(ours); i++) {
        if (g_ascii_strcasecmp(name, ours[i].name) != 0)
            continue;
        if (ours[i].instead)
            return parse_fail(fault, 0, "the header %s is set by '%s'", name, ours[i].instead);
        return parse_fail(fault, 0, "the header %s is not yours to set", name);
    }
    return parse_header_text(text, fault);
}

bool parse_language(const char *text, struct parse_fault *fault)
{
    g_auto(GStrv) parts = g_strsplit(text, "-", -1);
    bool is_good = parts[0] != NULL;
    for (size_t i = 0; parts[i]; i++) {
        size_t length = strlen(parts[i]);
        is_good = is_good && length >= (i == 0 ? 2 : 1) && length <= (i == 0 ? 3 : 8);
        for (const char *p = parts[i]; *p; p++)
            is_good = is_good && (i == 0 ? g_ascii_isalpha(*p) : g_ascii_isalnum(*p));
    }
    if (is_good)
        return true;
    g_autofree char *quoted = report_quote(text);
    return parse_fail(fault, 0, "%s is not a language such as en, ru or pt-BR", quoted);
}
