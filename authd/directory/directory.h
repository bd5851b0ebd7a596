/* What the files of weir-directory share: the one context, passed to whoever needs it. */
#ifndef WEIR_DIRECTORY_DIRECTORY_H
#define WEIR_DIRECTORY_DIRECTORY_H

#include <stddef.h>

#include "ipc/boot.h"
#include "ipc/counting.h"

struct attempts;
struct event;
struct event_base;
struct oidc_asks;
struct peers;

struct directory {
	const struct boot *boot;
	struct event_base *base;
	struct event *sigterm, *sigchld, *tick;
	struct peers *peers;
	struct attempts *attempts;
	struct oidc_asks *oidc;
	struct process_counters counters;
	char *authorities; /* PEM of the machine's; NULL: none */
	size_t authorities_len;
};

/* serve.c: connects to the peers and takes their questions. */
void serve_open(struct directory *d);

#endif
