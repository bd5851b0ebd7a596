/*
 * Connections to others, opened for processes that may not: the name is resolved, the addresses are held
 * against root's configuration, and the socket is handed over as it is. Nothing that comes in on it is read
 * here.
 */
#ifndef WEIR_DIAL_CONNECT_H
#define WEIR_DIAL_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/settings.h"

struct connector;
struct event_base;
struct resolver;

#define CONNECT_TIMEOUT_MAX_MS 60000

struct connector *connector_new(struct event_base *base, struct resolver *r, const struct settings *s);
/* Whoever still waits is not called any more. */
void connector_free(struct connector **c);

/* fd: connected, the callee's; or -1, with a sentence in why, and whether a rule forbade it. */
typedef void connected_fn(void *ctx, uint64_t ticket, int fd, const struct ip_addr *ip, const char *why,
			  bool refused);

/* Connects to a TCP port of a host (a name or an address), of its first addresses one after another, and
 * calls fn once, perhaps at once. False where DIAL_ASKS are under way. */
bool connector_open(struct connector *c, const char *host, uint16_t port, uint32_t timeout_ms,
		    uint64_t ticket, connected_fn *fn, void *ctx);
/* Nobody wants it any more: fn is not called. */
void connector_cancel(struct connector *c, uint64_t ticket);
/* All of them. */
void connector_cancel_all(struct connector *c);

/* Whether an address may be dialled: dial.refuse (where it is empty: this machine, link-local, multicast),
 * but not what is in dial.allow. */
bool connect_allowed(const struct settings *s, const struct ip_addr *ip);

#endif
