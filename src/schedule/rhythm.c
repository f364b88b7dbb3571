#include "schedule/rhythm.h"

#include <glib.h>

/* Items that come at the same moment still have a gap. */
#define SAMPLE_MIN_S 60
/* A weekend is remembered through the week, Christmas not for ever. */
#define PAUSE_FADES_S (60 * INT64_C(86400))
/* Beyond a year nobody learns anything. */
#define SAMPLE_MAX_S (366 * INT64_C(86400))

int64_t rhythm_after_news(int64_t rhythm_s, int64_t elapsed_s, uint32_t n_new, bool has_gap)
{
    int64_t before_s = rhythm_s > 0 ? rhythm_s : RHYTHM_SLOW_S;
    int64_t sample_s = CLAMP(elapsed_s / MAX(n_new, 1), SAMPLE_MIN_S, SAMPLE_MAX_S);
    int64_t after_s;
    if (sample_s < before_s)
        after_s = MAX(sample_s, before_s / (1 + (int64_t)MAX(n_new, 1)));
    else if (before_s < RHYTHM_SLOW_S)
        after_s = MIN(sample_s, before_s + before_s / 8);
    else
        after_s = before_s + (sample_s - before_s) / 2;
    return has_gap ? MAX(MIN(after_s, sample_s) / 2, SAMPLE_MIN_S) : after_s;
}

int64_t rhythm_pause(int64_t pause_s, int64_t elapsed_s)
{
    int64_t ended_s = CLAMP(elapsed_s, 1, SAMPLE_MAX_S);
    int64_t faded_s =
        pause_s - MIN(pause_s, SAMPLE_MAX_S) * MIN(ended_s, PAUSE_FADES_S) / PAUSE_FADES_S;
    return MAX(ended_s, faded_s);
}

int64_t rhythm_after_silence(int64_t rhythm_s, int64_t elapsed_s)
{
    if (rhythm_s <= 0 || rhythm_s >= RHYTHM_SLOW_S || elapsed_s <= rhythm_s)
        return rhythm_s;
    return MIN(MIN(elapsed_s, rhythm_s + MAX(rhythm_s / 8, 1)), RHYTHM_SLOW_S);
}
