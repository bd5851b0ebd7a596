/*
 * What addresses are called, by the operator's name servers (PTR: RFC 1035 section 3.5, RFC 3596
 * section 2.5), and which addresses a name has (by /etc/hosts as it was at the start, then by those servers).
 * Wraps libevent's evdns. What addresses are called is remembered for as long as the answer says, within
 * bounds.
 *
 * A forger who is not on the path has to guess the number of a question, its port and the case of its
 * letters; the sockets, and with them the ports, are made anew now and then.
 */
#ifndef WEIR_DIAL_RESOLVER_H
#define WEIR_DIAL_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/settings.h"

#define RESOLVER_ASKS 256 /* under way at a time */
#define RESOLVED_MAX  255

struct event_base;
struct resolver;

/* Opens the sockets to the servers of the settings, of which there may be none: then nothing has a name.
 * Before the sandbox. Dies where it cannot. */
struct resolver *resolver_new(struct event_base *base, const struct settings *s);
/* Whoever still waits is not called any more. */
void resolver_free(struct resolver **r);

/* name: len bytes, not terminated; len 0: it has none that is known. */
typedef void resolved_fn(void *ctx, uint64_t ticket, const char *name, size_t len);

/* Calls fn once, perhaps at once. False where RESOLVER_ASKS are under way. */
bool resolver_ask(struct resolver *r, const struct ip_addr *ip, uint64_t ticket, resolved_fn *fn, void *ctx);

#define RESOLVER_ADDRESSES 8

struct resolver_search;
/* n addresses, at most RESOLVER_ADDRESSES; 0: none is known. */
typedef void found_fn(void *ctx, const struct ip_addr *ip, size_t n);

/* The addresses of a name, or the one that it is. Calls fn once: perhaps at once, then NULL is returned. ctx
 * must outlive it. */
struct resolver_search *resolver_find(struct resolver *r, const char *host, found_fn *fn, void *ctx);
/* fn is not called. Not after it was. */
void resolver_forget(struct resolver_search *s);

/* Whether a server's answer is a name that we pass on: letters, digits, '-', '_' and dots between them, and
 * not again an address (.arpa). Writes it in lower case without the last dot into out; returns its length, 0
 * where it is none. */
size_t resolved_name(const char *text, char out[static RESOLVED_MAX + 1]);

#endif
