#include "base/source.h"

GSource *source_after(GMainContext *context, int64_t delay_ms, GSourceFunc on_time, void *user)
{
    GSource *source = g_timeout_source_new((guint)CLAMP(delay_ms, 0, G_MAXINT));
    g_source_set_callback(source, on_time, user, NULL);
    g_source_attach(source, context);
    return source;
}

void source_end(GSource **source)
{
    if (*source)
        g_source_destroy(*source);
    g_clear_pointer(source, g_source_unref);
}
