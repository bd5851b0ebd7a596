/* The one thread that writes. It takes one batch at a time; the event loop never waits for it. */
#ifndef WEIR_STORE_WRITER_H
#define WEIR_STORE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "history.h"

struct writer;

/* Everything but the thread: call before the sandbox. */
struct writer *writer_new(struct history *h);
/* Starts the thread: call after the sandbox. Dies where it cannot. */
void writer_start(struct writer *w);
/* Waits for the batch in work, ends the thread, frees. */
void writer_free(struct writer **w);

/* Readable when a result waits. */
int writer_fd(const struct writer *w);
/* Hands b over until writer_result says what became of it. The writer must be idle. */
void writer_submit(struct writer *w, const struct batch *b, int64_t now_ns);
bool writer_idle(const struct writer *w);
/* True where the batch is through: *status and why are set, and the writer is idle. */
bool writer_result(struct writer *w, enum db_status *status, char why[static HISTORY_WHY_MAX]);
/* Blocks until a result waits, at most timeout_ms. */
bool writer_wait(struct writer *w, int timeout_ms);

#endif
