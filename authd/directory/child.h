/* The process of one attempt: it has a connection to a server and the end of a pipe, asks, tells, and ends.
 */
#ifndef WEIR_DIRECTORY_CHILD_H
#define WEIR_DIRECTORY_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/server_url.h"
#include "link.h"

#define CHILD_WHY_MAX 192

/* What it says into the pipe: this, then the text of findings.h. */
struct child_said {
	uint32_t verdict; /* enum directory_verdict */
	uint32_t len;
	char why[CHILD_WHY_MAX]; /* in a few words, terminated */
	uint32_t referred;       /* as in struct findings, with base */
	char base[LINK_BASE_MAX];
};

struct child_task {
	const struct wire_directory_ask *ask;
	const char *provider; /* JSON, ask->len bytes */
	const struct server_url *url;
	const char *base; /* of look.h, as the next two */
	const struct server_url *referral;
	uint32_t nreferrals;
	const char *authorities;
	size_t authorities_len;
	const char *const *before; /* sentences about servers that were tried first */
	size_t nbefore;
};

/* Forks it; connection stays the caller's to close. The reading end of its pipe in *told, which does not
 * block; -1 with errno where there can be none. */
pid_t child_start(const struct child_task *t, int connection, int *told);

#endif
