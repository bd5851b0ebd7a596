/* The handlers of the messages that msg.def lets authd receive. */
#ifndef WEIR_AUTHD_SERVE_H
#define WEIR_AUTHD_SERVE_H

#include "ipc/channel.h"

/* ctx is the struct authd. */
extern const struct peers_handlers serve_handlers;

#endif
