/* The one-time secret with which the first administrator is made. Only its hash is kept, and only in memory.
 */
#ifndef WEIR_AUTHD_SETUP_H
#define WEIR_AUTHD_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/wire.h"

struct setup {
	bool armed; /* a secret is out */
	bool busy;  /* it was shown, and the account is being made: nobody else may use it now */
	uint8_t hash[32];
};

/* Draws a secret; one that was drawn before is void. */
void setup_arm(struct setup *s, uint8_t secret[static SETUP_SECRET_BYTES]);
bool setup_matches(const struct setup *s, const uint8_t secret[static SETUP_SECRET_BYTES]);
void setup_disarm(struct setup *s);

#endif
