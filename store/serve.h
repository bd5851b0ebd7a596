/* The store at its doors: channels, timers, signals. */
#ifndef WEIR_STORE_SERVE_H
#define WEIR_STORE_SERVE_H

#include "store.h"

struct serve;

/* Connects to peers and listens at listen_fd. Call before the sandbox. */
struct serve *serve_new(struct store *s, int listen_fd);
/* Starts the threads and serves until SIGTERM; then takes what is in the rings, writes it and returns. */
void serve_run(struct serve *v);
void serve_free(struct serve **v);

#endif
