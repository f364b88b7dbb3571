/* http/multi - libcurl's multi_socket interface as one source of a GLib main loop.
 *
 * All sockets sit in one epoll descriptor, so a socket that comes or goes costs GLib nothing, and
 * libcurl's timer is the source's ready time. Nothing of libcurl is called from its timer callback;
 * a new timeout replaces the old one, -1 deletes it. Finished transfers are read until there are no
 * more, outside any libcurl call: on_finished may add and remove handles and free the multi.
 *
 * Where nothing was under way for rest_ms, idle connections are closed: servers have done so by
 * then, and each holds memory for TLS. */
#ifndef HTTP_MULTI_H
#define HTTP_MULTI_H

#include <curl/curl.h>
#include <glib.h>
#include <stdbool.h>

struct multi;

#define MULTI_REST_MS 60000

typedef void (*multi_finished)(CURL *easy, CURLcode result, void *user);
typedef void (*multi_rested)(void *user); /* connections were closed */

struct multi_hooks {
    multi_finished on_finished;
    multi_rested on_rested;
    void *user;
};

struct multi *multi_new(GMainContext *context, const struct multi_hooks *hooks);
void multi_set_rest_ms(struct multi *multi, guint rest_ms);
/* Every handle must have been removed. */
void multi_free(struct multi *multi);
/* Starts with the next turn of the main loop, or later: answers that are there come first. */
void multi_add(struct multi *multi, CURL *easy);
void multi_remove(struct multi *multi, CURL *easy);

#endif
