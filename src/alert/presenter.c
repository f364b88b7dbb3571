#include "alert/presenter.h"

#include "alert/notifier.h"
#include "alert/popup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/source.h"

#include <string.h>

#define TOO_FAST_PAUSE_MS  1200 /* KDE wants more than a second */
#define TOO_FAST_TRIES_MAX 5

struct presenter {
    GMainContext *context;
    struct sink_hooks hooks;
    struct notifier *notifier;
    GQueue work;    /* struct popup, of the batch: not shown and not folded yet */
    GSource *timer; /* the next step comes with it */
    guint too_fast_tries;
    bool was_full;       /* the last batch was a full one */
    bool is_digest_last; /* what was tried last: the digest, else the head of work */
    bool is_in_doubt;    /* whether it was shown */

    int64_t burst_start_ms; /* boot time; 0: none yet */
    guint n_popups;         /* of this burst */
    struct digest *digest;
    guint64 digest_key;
    int64_t digest_shown_ms;
    GPtrArray *folded; /* IDs of the batch that the digest tells of when it is next shown */
};

static void advance(struct presenter *presenter);

static void report(struct presenter *presenter, const char *const *ids, enum sink_result result,
                   const char *message)
{
    presenter->hooks.on_result(ids, result, message, presenter->hooks.user);
}

static void report_popup(struct presenter *presenter, const struct popup *popup,
                         enum sink_result result, const char *message)
{
    report(presenter, (const char *const *)(gsize)popup->ids, result, message);
}

static void report_folded(struct presenter *presenter, enum sink_result result, const char *message)
{
    g_autoptr(GPtrArray) ids = presenter->folded;
    presenter->folded = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(ids, NULL);
    report(presenter, (const char *const *)(const void *)ids->pdata, result, message);
}

static gboolean on_time(gpointer user)
{
    struct presenter *presenter = user;
    source_end(&presenter->timer);
    advance(presenter);
    return G_SOURCE_REMOVE;
}

static void advance_later(struct presenter *presenter, int64_t delay_ms)
{
    source_end(&presenter->timer);
    presenter->timer = source_after(presenter->context, delay_ms, on_time, presenter);
}

/* The whole batch, as far as it was not shown, goes back. */
static void give_back(struct presenter *presenter, enum sink_result result, const char *message)
{
    source_end(&presenter->timer);
    presenter->is_in_doubt = false;
    presenter->too_fast_tries = 0;
    if (presenter->folded->len > 0) {
        report_folded(presenter, result, message);
        /* They are counted again when they come again. */
        g_clear_pointer(&presenter->digest, digest_free);
        presenter->digest_key = 0;
    }
    for (struct popup *popup; (popup = g_queue_pop_head(&presenter->work)); popup_free(popup))
        report_popup(presenter, popup, result, message);
}

static bool is_old(const struct popup *popup)
{
    return popup->time_ms < clock_real_wall_ms() - OLD_MS;
}

static void fold(struct presenter *presenter, struct popup *popup)
{
    if (!presenter->digest)
        presenter->digest = digest_new();
    digest_add(presenter->digest, popup);
    for (char **id = popup->ids; *id; id++)
        g_ptr_array_add(presenter->folded, g_strdup(*id));
    popup_free(popup);
}

static void begin_burst(struct presenter *presenter)
{
    if (presenter->burst_start_ms == 0)
        presenter->burst_start_ms = clock_real_boot_ms();
}

/* The popup that was tried last is seen: the digest, or the head of work. */
static void on_shown(struct presenter *presenter)
{
    presenter->too_fast_tries = 0;
    begin_burst(presenter);
    if (presenter->is_digest_last) {
        presenter->digest_shown_ms = clock_real_boot_ms();
        report_folded(presenter, SINK_DONE, NULL);
        return;
    }
    struct popup *popup = g_queue_pop_head(&presenter->work);
    presenter->n_popups++;
    report_popup(presenter, popup, SINK_DONE, NULL);
    popup_free(popup);
}

static void on_refused(struct presenter *presenter, const char *message)
{
    presenter->too_fast_tries = 0;
    if (presenter->is_digest_last) {
        report_folded(presenter, SINK_RETRY, message);
        g_clear_pointer(&presenter->digest, digest_free);
        presenter->digest_key = 0;
        return;
    }
    struct popup *popup = g_queue_pop_head(&presenter->work);
    report_popup(presenter, popup, SINK_RETRY, message);
    popup_free(popup);
}

/* True where the next step can be taken at once. */
static bool show(struct presenter *presenter, const struct popup *popup, guint64 *key)
{
    g_autofree char *message = NULL;
    enum notifier_outcome outcome = notifier_show(presenter->notifier, popup, key, &message);
    if (message)
        log_debug("desktop: %s", message);
    switch (outcome) {
    case NOTIFIER_SHOWN:
        on_shown(presenter);
        return true;
    case NOTIFIER_GONE:
        give_back(presenter, SINK_DOWN, "the notification server has gone");
        return false;
    case NOTIFIER_DOUBT:
        presenter->is_in_doubt = true;
        return false;
    case NOTIFIER_TOO_FAST:
        if (++presenter->too_fast_tries <= TOO_FAST_TRIES_MAX) {
            advance_later(presenter, TOO_FAST_PAUSE_MS);
            return false;
        }
        break;
    case NOTIFIER_REFUSED:
        break;
    }
    on_refused(presenter, message);
    return true;
}

/* One step: true where another can follow at once. */
static bool step(struct presenter *presenter)
{
    struct popup *popup = g_queue_peek_head(&presenter->work);
    if (popup && (is_old(popup) || presenter->n_popups >= BURST_POPUPS)) {
        fold(presenter, g_queue_pop_head(&presenter->work));
        return true;
    }
    if (popup) {
        guint64 key = 0;
        presenter->is_digest_last = false;
        return show(presenter, popup, &key);
    }
    if (presenter->folded->len == 0)
        return false;
    int64_t wait_ms = presenter->digest_shown_ms + DIGEST_PAUSE_MS - clock_real_boot_ms();
    if (presenter->digest_key != 0 && wait_ms > 0) {
        advance_later(presenter, wait_ms);
        return false;
    }
    struct popup *digest = digest_popup(presenter->digest);
    presenter->is_digest_last = true;
    bool goes_on = show(presenter, digest, &presenter->digest_key);
    popup_free(digest);
    return goes_on;
}

static void advance(struct presenter *presenter)
{
    while (notifier_state(presenter->notifier) == NOTIFIER_READY && step(presenter))
        ;
}

static void give_back_without_server(struct presenter *presenter, enum notifier_state state)
{
    if (state == NOTIFIER_OFF)
        give_back(presenter, SINK_OFF, "there is no session bus");
    else
        give_back(presenter, SINK_DOWN, "there is no notification server");
}

static void on_ready(void *user)
{
    struct presenter *presenter = user;
    if (presenter->is_in_doubt)
        on_shown(presenter);
    presenter->is_in_doubt = false;
    advance(presenter);
    presenter->hooks.on_ready(presenter->hooks.user);
}

static void on_gone(enum notifier_state state, void *user)
{
    struct presenter *presenter = user;
    presenter->digest_key = 0;
    if (presenter->work.length > 0 || presenter->folded->len > 0)
        give_back_without_server(presenter, state);
}

static void on_trouble(const char *message, void *user)
{
    struct presenter *presenter = user;
    presenter->hooks.on_trouble(message, presenter->hooks.user);
}

struct presenter *presenter_new(GMainContext *context, const struct sink_hooks *hooks)
{
    struct presenter *presenter = g_new0(struct presenter, 1);
    const struct notifier_hooks notifier_hooks = {on_ready, on_gone, on_trouble, presenter};
    presenter->context = context;
    presenter->hooks = *hooks;
    presenter->notifier = notifier_new(&notifier_hooks);
    presenter->folded = g_ptr_array_new_with_free_func(g_free);
    g_queue_init(&presenter->work);
    return presenter;
}

void presenter_free(struct presenter *presenter)
{
    if (!presenter)
        return;
    source_end(&presenter->timer);
    notifier_free(presenter->notifier);
    g_queue_clear_full(&presenter->work, (GDestroyNotify)(void *)popup_free);
    g_ptr_array_unref(presenter->folded);
    digest_free(presenter->digest);
    g_free(presenter);
}

/* A burst ends with time, unless the dispatcher is still emptying. */
static void age_burst(struct presenter *presenter)
{
    int64_t now_ms = clock_real_boot_ms();
    int64_t last_ms = presenter->was_full ? presenter->digest_shown_ms : 0;
    if (now_ms - MAX(presenter->burst_start_ms, last_ms) < BURST_MS)
        return;
    presenter->burst_start_ms = 0;
    presenter->n_popups = 0;
    presenter->digest_key = 0;
    g_clear_pointer(&presenter->digest, digest_free);
}

void presenter_take(struct presenter *presenter, GPtrArray *alerts)
{
    age_burst(presenter);
    presenter->was_full = alerts->len >= PRESENTER_BATCH_MAX;
    for (guint first = 0, n; first < alerts->len; first += n) {
        n = popup_group(alerts, first);
        g_queue_push_tail(&presenter->work, popup_new(alerts, first, n));
    }
    enum notifier_state state = notifier_wake(presenter->notifier);
    if (state == NOTIFIER_OFF || state == NOTIFIER_ABSENT)
        give_back_without_server(presenter, state);
    else
        advance(presenter);
}
