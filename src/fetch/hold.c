#include "fetch/internal.h"

#include <string.h>

int64_t fetch_held_until_s(struct fetcher *fetcher, const char *origin)
{
    if (g_hash_table_size(fetcher->holds) == 0)
        return 0;
    const int64_t *until_s = g_hash_table_lookup(fetcher->holds, origin);
    if (!until_s)
        return 0;
    if (*until_s > clock_wall_s(fetcher->clock))
        return *until_s;
    g_hash_table_remove(fetcher->holds, origin);
    return 0;
}

void fetch_end_held(struct fetch *fetch, int64_t until_s)
{
    if (fetch->ticket)
        pacer_end(fetch->fetcher->pacer, fetch->ticket);
    fetch->ticket = NULL;
    fetch_fail_later(fetch, SCHEDULE_HELD,
                     g_strdup_printf("%s asked for silence, so it was not asked", fetch->url.host));
    fetch->result.outcome.retry_after_s = until_s - clock_wall_s(fetch->fetcher->clock);
}

static void hold(struct fetcher *fetcher, const char *origin, int64_t until_s)
{
    const int64_t *before = g_hash_table_lookup(fetcher->holds, origin);
    if (before && *before >= until_s)
        return;
    int64_t *value = g_new(int64_t, 1);
    *value = until_s;
    g_hash_table_insert(fetcher->holds, g_strdup(origin), value);
    for (GList *link = fetcher->fetches.head; link; link = link->next) {
        struct fetch *fetch = link->data;
        if (fetch->ticket && !fetch->exchange && !fetch->job && !fetch_is_local(fetch) &&
            strcmp(fetch->url.origin, origin) == 0)
            fetch_end_held(fetch, until_s);
    }
}

void fetcher_hold(struct fetcher *fetcher, const char *url, int64_t until_s)
{
    struct fetch_url parsed = {0};
    if (until_s > clock_wall_s(fetcher->clock) && fetch_url_parse(url, &parsed, NULL))
        hold(fetcher, parsed.origin, until_s);
    fetch_url_clear(&parsed);
}

void fetch_hold_after(struct fetch *fetch, const struct schedule_outcome *outcome)
{
    int64_t silence_s =
        outcome->retry_after_s < 0
            ? SCHEDULE_THROTTLED_MIN_S
            : CLAMP(outcome->retry_after_s, SCHEDULE_RETRY_AFTER_MIN_S, SCHEDULE_RETRY_AFTER_MAX_S);
    hold(fetch->fetcher, fetch->url.origin, clock_wall_s(fetch->fetcher->clock) + silence_s);
}
