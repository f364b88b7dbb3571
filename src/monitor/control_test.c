#include "monitor/control_test.h"

#include "base/source.h"
#include "base/suggest.h"
#include "monitor/internal.h"

/* Lives until the store is done with it, also when nobody waits any longer. */
struct trial {
    struct control_call *call; /* NULL: it has ended */
    GSource *deadline;
    GPtrArray *sinks; /* IDs (owned), and NULL */
    struct store_new_alert alert;
};

static void trial_free(struct trial *trial)
{
    source_end(&trial->deadline);
    g_ptr_array_unref(trial->sinks);
    g_free(trial);
}

static void say(struct control_call *call, const char *sink, const char *state)
{
    json_t *object = json_object();
    json_set_text(object, "sink", sink);
    json_set_text(object, "state", state);
    control_say(call, object);
}

static void on_stored(void *user)
{
    struct trial *trial = user;
    if (trial->call) {
        for (guint i = 0; i + 1 < trial->sinks->len; i++)
            say(trial->call, g_ptr_array_index(trial->sinks, i), "stored");
        control_end(trial->call);
    }
    trial_free(trial);
}

static void on_gone(void *data)
{
    struct trial *trial = data;
    trial->call = NULL;
    source_end(&trial->deadline);
}

static gboolean on_deadline(gpointer user)
{
    struct trial *trial = user;
    struct control_call *call = trial->call;
    on_gone(trial);
    control_fail(call, "the alert cannot be stored at the moment; it will be, and then delivered");
    return G_SOURCE_REMOVE;
}

static char *explain_unknown(const struct config *config, const char *id)
{
    struct suggest suggest;
    suggest_init(&suggest, id);
    for (guint i = 0; i < config->sinks->len; i++)
        suggest_offer(&suggest,
                      ((const struct config_sink *)g_ptr_array_index(config->sinks, i))->id);
    if (suggest.best)
        return g_strdup_printf("there is no sink '%s'; did you mean '%s'?", id, suggest.best);
    return g_strdup_printf("there is no sink '%s' in the daemon's configuration", id);
}

static void add_sink(struct trial *trial, const struct config_sink *sink)
{
    if (!g_ptr_array_find_with_equal_func(trial->sinks, sink->id, g_str_equal, NULL))
        g_ptr_array_add(trial->sinks, g_strdup(sink->id));
}

/* What is wrong with the request, newly allocated; NULL: nothing. */
static char *read_sinks(struct trial *trial, const struct config *config, const json_t *list)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(list, i, entry)
    {
        const char *id = json_string_value(entry);
        const struct config_sink *sink = id ? config_find_sink(config, id) : NULL;
        if (!sink)
            return id ? explain_unknown(config, id) : g_strdup("\"sinks\" is a list of sink IDs");
        if (!sink->is_enabled)
            return g_strdup_printf("the sink '%s' is not enabled", id);
        add_sink(trial, sink);
    }
    for (guint n = 0; json_array_size(list) == 0 && n < config->sinks->len; n++) {
        const struct config_sink *sink = g_ptr_array_index(config->sinks, n);
        if (sink->is_enabled)
            add_sink(trial, sink);
    }
    return NULL;
}

static void start(struct trial *trial, struct monitor *monitor)
{
    g_ptr_array_add(trial->sinks, NULL);
    trial->alert = (struct store_new_alert){
        .item = SIZE_MAX,
        .kind = "test",
        .urgency = "normal",
        .matched_json = "[]",
        .matched_text = "sent by feedwatch test-alert",
        .title = "A test alert: feedwatch delivers",
        .sinks = (const char *const *)(const void *)trial->sinks->pdata,
    };
    const struct store_commit commit = {.alerts = &trial->alert, .n_alerts = 1};
    store_commit(monitor->parts.store, &commit, on_stored, trial);
    trial->deadline = source_after(monitor->parts.context, (int64_t)CONTROL_TEST_DEADLINE_S * 1000,
                                   on_deadline, trial);
}

void control_test_alert(struct control_call *call, const json_t *request, void *user)
{
    struct monitor *monitor = user;
    struct trial *trial = g_new0(struct trial, 1);
    trial->call = call;
    trial->sinks = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *problem =
        read_sinks(trial, monitor->config, json_object_get(request, "sinks"));
    if (problem) {
        trial_free(trial);
        control_fail(call, problem);
        return;
    }
    control_on_gone(call, on_gone, trial);
    start(trial, monitor);
}
