/* daemon/service - what the service manager is told: ready, reloading, stopping, a status line, and
 * that the daemon lives.
 *
 * Source: sd_notify(3), sd_watchdog_enabled(3). Says nothing where no manager asked. The watchdog
 * is fed from the main loop, and only when the storage thread has answered too: a daemon whose loop
 * or storage hangs is started again. */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include "store/store.h"

struct service;

/* Begins to feed the watchdog where there is one, at a quarter of its time. store is borrowed; its
 * completions may come until it is closed, so the service is freed after it. on_status_due comes
 * every 10 s until service_stopping() where a manager listens: much of what the status line says
 * changes without an event. */
struct service *service_new(struct store *store, void (*on_status_due)(void *user), void *user);
void service_free(struct service *service);
void service_ready(struct service *service);
void service_reloading(struct service *service);
/* Also the end of the watchdog's questions and of on_status_due. */
void service_stopping(struct service *service);
/* One line; told where it differs from the last. */
void service_set_status(struct service *service, const char *status);

#endif
