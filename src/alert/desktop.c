/* The desktop sink: a presenter on the sink's thread, since showing a popup may block for 25 s.
 *
 * libnotify is one for the process, so there is one such presenter at a time; a second sink of this
 * type is off. */
#include "alert/background.h"

#include "alert/presenter.h"

struct desktop {
    struct presenter *presenter; /* NULL: not begun */
};

/* Whether a presenter runs in this process. */
static gint is_in_use;

static void *desktop_open(const struct sink_settings *settings)
{
    (void)settings;
    return g_new0(struct desktop, 1);
}

static void desktop_deliver(void *state, GPtrArray *alerts, struct background *background)
{
    struct desktop *desktop = state;
    const struct sink_hooks hooks = background_hooks(background);
    if (!desktop->presenter && g_atomic_int_compare_and_exchange(&is_in_use, 0, 1))
        desktop->presenter = presenter_new(g_main_context_get_thread_default(), &hooks);
    if (desktop->presenter)
        presenter_take(desktop->presenter, alerts);
    else
        background_report_rest(background, alerts, 0, SINK_OFF,
                               "another sink already shows popups");
}

static void desktop_end(void *state)
{
    struct desktop *desktop = state;
    if (!desktop->presenter)
        return;
    g_clear_pointer(&desktop->presenter, presenter_free);
    /* GIO frees what belonged to its subscriptions from here. */
    while (g_main_context_iteration(g_main_context_get_thread_default(), FALSE))
        ;
    g_atomic_int_set(&is_in_use, 0);
}

static void desktop_close(void *state)
{
    g_free(state);
}

static struct sink *desktop_create(const struct sink_settings *settings,
                                   const struct sink_hooks *hooks, GMainContext *context)
{
    static const struct background_work work = {
        .open = desktop_open,
        .deliver = desktop_deliver,
        .end = desktop_end,
        .close = desktop_close,
    };
    return background_create(&work, settings, hooks, context);
}

const struct sink_type sink_desktop = {
    .name = "desktop",
    .batch_max = PRESENTER_BATCH_MAX,
    .create = desktop_create,
    .take = background_take,
    .stop = background_stop,
};
