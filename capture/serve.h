/* What engines say: they come, take the ring that is offered, make room in it, and go. */
#ifndef WEIR_CAPTURE_SERVE_H
#define WEIR_CAPTURE_SERVE_H

#include "ipc/channel.h"

struct capture;

/* For peers_new; their ctx is a struct capture. */
extern const struct peers_handlers serve_handlers;

/* Offers a new ring to every engine that is connected: when the link type became known. */
void serve_offer_all(struct capture *c);

#endif
