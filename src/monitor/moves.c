#include "monitor/moves.h"

#include <string.h>

static void forget_candidate(struct store_feed *state)
{
    g_clear_pointer(&state->candidate_url, g_free);
    state->candidate_since_s = 0;
    state->candidate_seen = 0;
}

bool moves_note(struct store_feed *state, const char *permanent_url, int64_t now_s)
{
    if (!permanent_url) {
        forget_candidate(state);
        return false;
    }
    if (g_strcmp0(state->candidate_url, permanent_url) != 0) {
        forget_candidate(state);
        state->candidate_url = g_strdup(permanent_url);
        state->candidate_since_s = now_s;
    }
    state->candidate_seen++;
    if (state->candidate_seen < MOVE_TIMES || now_s - state->candidate_since_s < MOVE_SPAN_S)
        return false;
    g_free(state->moved_url);
    state->moved_url = g_steal_pointer(&state->candidate_url);
    forget_candidate(state);
    return true;
}
