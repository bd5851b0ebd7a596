/* How a process ended, in words, and what follows from it. */
#ifndef WEIR_CLI_DEATH_H
#define WEIR_CLI_DEATH_H

#include <stddef.h>

#include "ipc/proc.h"

enum verdict {
	VERDICT_RESTART,
	VERDICT_WAIT,      /* for its interface */
	VERDICT_ENDED,     /* its file is read: nothing is wrong */
	VERDICT_TRUNCATED, /* as ENDED, but the file was cut or damaged */
	VERDICT_HOPELESS   /* starting it again is no use */
};

/* What a wait status means for a process of this kind (of_file: capture of a file), in words into why
 * ("killed by SIGSEGV"). */
enum verdict death_judge(enum proc proc, int of_file, int status, char *why, size_t size);

#endif
