#include "daemon/service.h"

#include "base/log.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define STATUS_INTERVAL_S 10

struct service {
    struct store *store;
    void (*on_status_due)(void *user);
    void *user;
    guint watchdog, status_timer; /* sources */
    bool is_asking;
    char *status;
};

static void on_answer(void *user)
{
    struct service *service = user;
    service->is_asking = false;
    sd_notify(0, "WATCHDOG=1");
}

static gboolean on_tick(gpointer user)
{
    struct service *service = user;
    if (service->is_asking) {
        log_debug("the storage thread has not answered since the last look");
        return G_SOURCE_CONTINUE;
    }
    service->is_asking = true;
    store_ping(service->store, on_answer, service);
    return G_SOURCE_CONTINUE;
}

static gboolean on_status_timer(gpointer user)
{
    struct service *service = user;
    service->on_status_due(service->user);
    return G_SOURCE_CONTINUE;
}

struct service *service_new(struct store *store, void (*on_status_due)(void *user), void *user)
{
    struct service *service = g_new0(struct service, 1);
    uint64_t timeout_us = 0;
    service->store = store;
    service->on_status_due = on_status_due;
    service->user = user;
    if (getenv("NOTIFY_SOCKET"))
        service->status_timer = g_timeout_add_seconds(STATUS_INTERVAL_S, on_status_timer, service);
    if (sd_watchdog_enabled(0, &timeout_us) > 0)
        service->watchdog =
            g_timeout_add((guint)MAX(timeout_us / 4000, (uint64_t)1), on_tick, service);
    return service;
}

static void end_timers(struct service *service)
{
    g_clear_handle_id(&service->watchdog, g_source_remove);
    g_clear_handle_id(&service->status_timer, g_source_remove);
}

void service_free(struct service *service)
{
    if (!service)
        return;
    end_timers(service);
    g_free(service->status);
    g_free(service);
}

void service_ready(struct service *service)
{
    sd_notifyf(0, "READY=1\nSTATUS=%s", service->status ? service->status : "");
}

void service_reloading(struct service *service)
{
    (void)service;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT,
               (gint64)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void service_stopping(struct service *service)
{
    end_timers(service);
    sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

void service_set_status(struct service *service, const char *status)
{
    if (g_strcmp0(service->status, status) == 0)
        return;
    g_free(service->status);
    service->status = g_strdup(status);
    sd_notifyf(0, "STATUS=%s", status);
}
