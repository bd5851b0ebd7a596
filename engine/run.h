/* The loop of an engine. */
#ifndef WEIR_ENGINE_RUN_H
#define WEIR_ENGINE_RUN_H

#include "serve.h"

/* Connects to the peers of the boot document: init, before the sandbox. */
void run_init(struct server *s, struct engine *e);
/* Until SIGTERM; then everything is reported, and store has a few seconds to take it. */
void run(struct server *s);
void run_free(struct server *s);

#endif
