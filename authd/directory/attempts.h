/*
 * Questions of authd's that are under way. Each goes through the provider's servers in order: dial connects,
 * then a process of its own looks (child.h), which is killed when its time is over. Whatever a server does,
 * nobody else waits for it.
 */
#ifndef WEIR_DIRECTORY_ATTEMPTS_H
#define WEIR_DIRECTORY_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/counting.h"
#include "ipc/wire.h"

struct attempts;
struct event_base;

struct attempts_doors {
	/* False where dial is not there. */
	bool (*dial)(void *ctx, const struct wire_dial_ask *w);
	void (*cancel)(void *ctx, uint64_t ticket);
	/* text: len bytes of JSON (findings.h), the caller's. */
	void (*tell)(void *ctx, uint64_t request, enum directory_verdict v, const char *text, size_t len);
	void *ctx;
	struct process_counters *counters;
};

/* authorities: PEM of the machine's, which outlives it. */
/* Before the sandbox: it locks memory. */
struct attempts *attempts_new(struct event_base *base, const struct attempts_doors *doors,
			      const char *authorities, size_t authorities_len);
void attempts_free(struct attempts **a);

/* Takes a question; both are copied, into locked memory. provider: w->len bytes of JSON. False where w makes
 * no sense. Where DIRECTORY_ASKS are under way it is answered at once: unavailable. */
bool attempts_add(struct attempts *a, const struct wire_directory_ask *w, const char *provider);
/* Who asked is gone: all of them end untold. */
void attempts_drop_all(struct attempts *a);

/* Dial's answers. fd is taken. A ticket that nobody has is none of ours any more. */
void attempts_connected(struct attempts *a, uint64_t ticket, int fd);
void attempts_not_connected(struct attempts *a, uint64_t ticket, const char *why);
/* Dial is gone, with what it was opening. */
void attempts_dial_gone(struct attempts *a);
/* SIGCHLD. */
void attempts_reap(struct attempts *a);

#endif
