/* monitor/moves - when a permanent redirect is believed.
 *
 * Pure. Source: polling.md E22, E23: a 301 or 308 that led to a good feed at least MOVE_TIMES times
 * over at least MOVE_SPAN_S is followed for good; anything else in between starts the count anew.
 */
#ifndef MONITOR_MOVES_H
#define MONITOR_MOVES_H

#include "store/store.h"

#define MOVE_TIMES  3
#define MOVE_SPAN_S 86400

/* After a poll that read the feed; permanent_url is NULL where the way there was not permanent all
 * along. True where the feed has moved by this poll: state->moved_url is new. */
bool moves_note(struct store_feed *state, const char *permanent_url, int64_t now_s);

#endif
