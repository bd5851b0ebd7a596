/* Asks a running Weir: a grant from authd by the kernel's word that we are root, then store. */
#ifndef WEIR_CLI_ASK_H
#define WEIR_CLI_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"
#include "present/present.h"

struct asker;

/* Connects to the processes of a run directory; NULL with a sentence in err. wait_ms: how long each of them
 * may take to answer. */
struct asker *ask_open(const char *run_directory, int wait_ms, char *err, size_t errsize);
void ask_close(struct asker **a);

/* Gets each row of an answer, and the head of the answer that it came in. */
typedef void (*ask_row)(void *ctx, const struct row *r);

/*
 * Asks one question (kind and what it is about; request and grant are filled in here) and every page of it by
 * cursor. False with a sentence in err. *now (or NULL) gets the time that the answer is of.
 */
bool ask(struct asker *a, const struct wire_question *q, ask_row row, void *ctx, int64_t *now, char *err,
	 size_t errsize);
/* Whether the last failure may pass by itself: store is not ready yet. */
bool ask_may_try_again(const struct asker *a);

#endif
