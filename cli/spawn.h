/* Starts one program as a stranger: own uid, own session, empty environment, exactly the given descriptors.
 */
#ifndef WEIR_CLI_SPAWN_H
#define WEIR_CLI_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SPAWN_FDS_MAX 13 /* 0..12: ipc/boot.h */

struct spawn {
	const char *path;      /* of the program */
	int program;           /* O_PATH descriptor of it: used where its uid cannot reach the path; or -1 */
	const char *name;      /* argv[0] */
	uid_t uid;             /* also its group */
	uint64_t capabilities; /* handed down, CAPABILITY() bits */
	int directory;         /* working directory; -1: the root */
	int fd[SPAWN_FDS_MAX]; /* fd[n] becomes descriptor n, -1: n is closed; 0, 1: filled in by spawn_start
				*/
};

/* Starts it; -1 with errno where it could not be forked. What fails later is said on descriptor 2 and ends in
 * status 127. */
pid_t spawn_start(const struct spawn *s);

#endif
