/*
 * Slows down who guesses. Failures are counted by client address, by account name, and by the pair of both;
 * each count brings a wait that doubles up to a bound, and decays by itself. Tables are bounded.
 *
 * Nobody can lock another out for good: attempts during a wait are refused without making it longer; an
 * address without failures is not held back by what others did to the account; and one from which the account
 * logged in before is held back by its own failures with that account only.
 */
#ifndef WEIR_AUTHD_THROTTLE_H
#define WEIR_AUTHD_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

struct throttle;

/* An attempt that was let in. */
struct throttle_attempt {
	uint64_t address, account, pair, code; /* keys; 0: not counted */
};

struct throttle *throttle_new(void);
void throttle_free(struct throttle **t);

/*
 * Whether an attempt may go on; it counts as a failure until throttle_succeeded or throttle_forgive. name is
 * what the client typed, an account or not; NULL: only the address counts. now_ns: clock_boot_ns. False:
 * *retry_s says when to come back (>= 1).
 */
bool throttle_begin(struct throttle *t, const char *name, const struct ip_addr *address, int64_t now_ns,
		    struct throttle_attempt *a, uint32_t *retry_s);
/*
 * The same for a code that is asked for after the password, or within a session. Who guesses at it knows that
 * much already, and codes are few: there is no end of addresses without failures, so all guesses at one
 * account's code are counted together, and only an address from which it logged in before is not held back by
 * others'.
 */
bool throttle_begin_code(struct throttle *t, const char *name, const struct ip_addr *address, int64_t now_ns,
			 struct throttle_attempt *a, uint32_t *retry_s);
/* It was no guess after all: not judged, or right. */
void throttle_forgive(struct throttle *t, const struct throttle_attempt *a);
/* It was right: forgives it and remembers the address for the account. */
void throttle_succeeded(struct throttle *t, const struct throttle_attempt *a, int64_t now_ns);

#endif
