/*
 * Starts the process that owns a database for one errand (ipc/errand.h): as its user, behind its sandbox,
 * beside the one that runs or alone. What it says is a stranger's word, and how long it may take is not its
 * own to say.
 */
#ifndef WEIR_CLI_ERRAND_H
#define WEIR_CLI_ERRAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/settings.h"
#include "ipc/errand.h"
#include "ipc/proc.h"

/* Nanoseconds. */
struct errand_patience {
	int64_t word; /* for its first word, for each after another, and for its end after the last */
	int64_t all;
};

struct errand {
	enum proc proc;
	uint32_t flag; /* BOOT_CHECK or BOOT_COPY */
	uid_t uid;
	int directory; /* its working directory */
	int copy;      /* BOOT_FD_COPY; -1: none */
	const struct settings *settings;
	struct errand_patience patience;                      /* zeros: errand_patience of its directory */
	void (*word)(void *ctx, const struct errand_word *w); /* faults and notes */
	void *ctx;
	/* What came of it. */
	bool done;         /* it was done; count is what it said at the end */
	char file[40];     /* that it looked at last */
	char refused[320]; /* why it was not done */
	uint64_t count[ERRAND_COUNTS];
};

/* Runs it to its end, and ends it where it takes longer than its patience. False, with e->refused, where it
 * was not done. */
bool errand_run(struct errand *e);
/* What the files of a directory (-1: none) may take: minutes, and what a slow disk needs for the largest one
 * and for all. */
struct errand_patience errand_patience(int directory);

#endif
