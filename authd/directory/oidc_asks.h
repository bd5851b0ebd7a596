/*
 * Questions of authd's about OpenID Connect providers that are under way. What a provider publishes is
 * fetched by one process, unless it is remembered (oidc_cache.h), and the question is answered by another, to
 * which what strangers wrote goes: a token cannot change by which keys the next one is judged. Both are
 * killed when the time is over.
 */
#ifndef WEIR_DIRECTORY_OIDC_ASKS_H
#define WEIR_DIRECTORY_OIDC_ASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/counting.h"
#include "ipc/wire.h"

struct event_base;
struct oidc_asks;

struct oidc_doors {
	/* False where dial is not there. */
	bool (*dial)(void *ctx, const struct wire_dial_ask *w);
	void (*cancel)(void *ctx, uint64_t ticket);
	/* text: len bytes of JSON (oidc_report.h), the caller's. */
	void (*tell)(void *ctx, uint64_t request, enum oidc_verdict v, const char *text, size_t len);
	void *ctx;
	struct process_counters *counters;
};

/* Tickets of dial's have this bit here, and not in attempts.h. */
#define OIDC_TICKET (UINT64_C(1) << 63)

/* authorities: PEM of the machine's, which outlives it. Before the sandbox: it locks memory. */
struct oidc_asks *oidc_asks_new(struct event_base *base, const struct oidc_doors *doors,
				const char *authorities, size_t authorities_len);
void oidc_asks_free(struct oidc_asks **a);

/* One provider that does not answer leaves places for the others. */
#define OIDC_ASKS_EACH 12u

/* Takes a question; both are copied. settings: w->len bytes of JSON. False where w makes no sense. Where
 * OIDC_ASKS, or OIDC_ASKS_EACH about one issuer, are under way it is answered at once: unavailable. */
bool oidc_asks_add(struct oidc_asks *a, const struct wire_oidc_ask *w, const char *settings);
/* Who asked is gone: all of them end untold. */
void oidc_asks_drop_all(struct oidc_asks *a);

/* Dial's answers. fd is taken. A ticket that nobody has is none of ours any more. */
void oidc_asks_connected(struct oidc_asks *a, uint64_t ticket, int fd);
void oidc_asks_not_connected(struct oidc_asks *a, uint64_t ticket, const char *why);
/* Dial is gone, with what it was opening. */
void oidc_asks_dial_gone(struct oidc_asks *a);

#endif
