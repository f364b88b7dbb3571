/* base/source - what the main loop is to do later, and that it shall not after all. */
#ifndef BASE_SOURCE_H
#define BASE_SOURCE_H

#include <glib.h>
#include <stdint.h>

/* Calls on_time once delay_ms have passed, again and again while it returns G_SOURCE_CONTINUE. Less
 * than 0 is 0, more than 24 days are 24 days. Attached (NULL: the default context); the reference
 * is the caller's. */
GSource *source_after(GMainContext *context, int64_t delay_ms, GSourceFunc on_time, void *user);

/* It is not called any more; *source is NULL afterwards. Where it is NULL, nothing. */
void source_end(GSource **source);

#endif
