/*
 * Logins that were begun at a provider of OpenID Connect and wait for their browsers to come back: each for
 * ten minutes, once, and only for the browser that has its cookie. Only in locked memory; of a cookie only
 * its hash.
 */
#ifndef WEIR_AUTHD_OIDC_BEGUN_H
#define WEIR_AUTHD_OIDC_BEGUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "ipc/wire.h"

#define BEGUN_MAX        1024 /* then the oldest is void */
#define BEGUN_OF_ONE     32   /* of one address: who begins many voids his own only */
#define BEGUN_LIFE_S     600
#define BEGUN_SECRET_MAX 44 /* 32 bytes in base64url, with its end */

struct begun {
	uint8_t hash[32];  /* of the cookie */
	int64_t until_ns;  /* boot clock; 0: this place is free */
	struct ip_addr ip; /* of IPv6 its /64 */
	char state[BEGUN_SECRET_MAX];
	char nonce[BEGUN_SECRET_MAX];
	char verifier[BEGUN_SECRET_MAX]; /* of PKCE, RFC 7636 */
	char provider[PROVIDER_NAME_MAX];
	char origin[ORIGIN_MAX];
};

struct begun_logins {
	struct begun item[BEGUN_MAX];
};

/* Draws state, nonce, verifier and cookie. now_ns: clock_boot_ns. */
const struct begun *begun_draw(struct begun_logins *b, const char *provider, const char *origin,
			       const struct ip_addr *ip, int64_t now_ns, uint8_t cookie[static COOKIE_BYTES]);
/* Takes the one that this browser began at this provider with this state into *out, which the caller wipes.
 * It is not there a second time. False where there is none that is still good. */
bool begun_take(struct begun_logins *b, const uint8_t cookie[static COOKIE_BYTES], const char *provider,
		const char *state, int64_t now_ns, struct begun *out);

#endif
