/* The process of one question about an OpenID Connect provider: it has one end of a pair of sockets
 * (oidc_talk.h), asks, tells, and ends. */
#ifndef WEIR_DIRECTORY_OIDC_PROCESS_H
#define WEIR_DIRECTORY_OIDC_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#include "oidc_cache.h"

struct oidc_task {
	const struct wire_oidc_ask *ask;
	const char *settings; /* JSON, ask->len bytes */
	const char *authorities;
	size_t authorities_len;
	/* What the provider has published, for a process that answers the question. NULL: for one that
	 * fetches it, which gets nothing of the question but the issuer. */
	const struct oidc_published *published;
};

/* Forks it. weir-directory's end in *sock, which does not block; -1 with errno where there can be none. */
pid_t oidc_process_start(const struct oidc_task *t, int *sock);

#endif
