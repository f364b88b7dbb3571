/* daemon/load - loading a configuration the way both programs do. */
#ifndef DAEMON_LOAD_H
#define DAEMON_LOAD_H

#include "config/config.h"

/* path, or where the configuration is found; its problems go to stderr. NULL after saying why. */
struct config *load_config(const char *program, const char *path);

#endif
