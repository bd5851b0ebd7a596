/* Requests to authd for one request of a browser. */
#ifndef WEIR_HTTPD_AUTHD_ASK_H
#define WEIR_HTTPD_AUTHD_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "asks.h"
#include "ipc/msg.h"

struct request;

#define NO_AUTHD "The process that knows the accounts is being restarted: try again."

/* Sends a message whose request number stands at its start; fn gets r. False where r was answered. */
bool authd_ask(struct request *r, enum msg_id id, void *message, size_t len, enum ask_time time, ask_fn *fn);

#endif
