/* Operations of a running authd, over its own socket: who asks is the kernel's word (root, or a member of the
 * group of authd.admin_group). */
#ifndef WEIR_CLI_ADMIN_LINK_H
#define WEIR_CLI_ADMIN_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

struct admin_link;

struct admin_outcome {
	enum admin_status status;
	bool unconfirmed; /* ADMIN_OK, but store did not say in time that it knows */
};

/* The line for standard error where it is so. */
#define ADMIN_UNCONFIRMED                                                                                    \
	"it is done, but the store did not confirm in time that it knows: what was taken back may be good "  \
	"for seconds more"

/* Connects to the authd of a run directory; NULL with a sentence in err. */
struct admin_link *admin_link_open(const char *run_directory, char *err, size_t errsize);
void admin_link_close(struct admin_link **l);

/*
 * Sends an operation (JSON, 1..ADMIN_BODY_MAX bytes; apply: ..APPLY_BODY_MAX) and reads its whole answer: a
 * text that is terminated, the caller's to wipe and free; "" where there is none. NULL with a sentence in err
 * where no answer comes. *a says how it ended.
 */
char *admin_link_ask(struct admin_link *l, const char *body, size_t len, struct admin_outcome *a, char *err,
		     size_t errsize);

#endif
