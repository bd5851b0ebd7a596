#include "setup.h"

#include <sodium.h>

void
setup_arm(struct setup *s, uint8_t secret[static SETUP_SECRET_BYTES])
{
	randombytes_buf(secret, SETUP_SECRET_BYTES);
	(void)crypto_generichash(s->hash, sizeof(s->hash), secret, SETUP_SECRET_BYTES, NULL, 0);
	s->armed = true;
}

bool
setup_matches(const struct setup *s, const uint8_t secret[static SETUP_SECRET_BYTES])
{
	uint8_t hash[sizeof(s->hash)];

	(void)crypto_generichash(hash, sizeof(hash), secret, SETUP_SECRET_BYTES, NULL, 0);
	return s->armed && sodium_memcmp(hash, s->hash, sizeof(hash)) == 0;
}

void
setup_disarm(struct setup *s)
{
	sodium_memzero(s, sizeof(*s));
}
