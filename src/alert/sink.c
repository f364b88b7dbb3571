#include "alert/sink.h"

const struct sink_type *const sink_types[] = {&sink_desktop, &sink_journal, &sink_command,
                                              &sink_webhook, &sink_feed,    &sink_mail,
                                              &sink_mqtt,    NULL};
