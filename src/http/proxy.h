/* http/proxy - which proxy a request goes through.
 *
 * The standard variables, as curl(1) reads them: http_proxy (lower case only: a CGI program's
 * HTTP_PROXY is a request header), https_proxy, all_proxy, no_proxy. libcurl itself is told to look
 * at no variable, so that we know what it will do. Pure but for proxy_environment_read(). */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

#include <stdbool.h>

struct proxy_environment { /* each may be NULL */
    char *http, *https, *none;
};

void proxy_environment_read(struct proxy_environment *ret_environment);
void proxy_environment_clear(struct proxy_environment *environment);
/* Borrowed from the environment; NULL: none. host: without brackets. */
const char *proxy_for(const struct proxy_environment *environment, bool is_https, const char *host);

#endif
