/* Grants from strangers: raw bytes, then the same bytes signed by a key that we trust, so that the decoder is
 * reached. */
#include <assert.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "policy/grant.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	static uint8_t public_key[1][GRANT_SIGN_PUBLIC], secret_key[GRANT_SIGN_SECRET];
	static bool ready;
	uint8_t bytes[GRANT_BYTES_MAX], again[GRANT_BYTES_MAX];
	const int64_t now = INT64_C(1800000000000000000);
	struct grant g;

	if (!ready) {
		static const uint8_t seed[crypto_sign_SEEDBYTES] = { 1 };

		assert(sodium_init() >= 0);
		crypto_sign_seed_keypair(public_key[0], secret_key, seed);
		ready = true;
	}
	assert(grant_verify(d, n, (const uint8_t(*)[GRANT_SIGN_PUBLIC])public_key, 1, now, &g) !=
		   GRANT_GOOD ||
	       n > crypto_sign_BYTES);
	if (n > sizeof(bytes) - crypto_sign_BYTES)
		return 0;
	memcpy(bytes, d, n);
	crypto_sign_detached(bytes + n, NULL, bytes, n, secret_key);
	n += crypto_sign_BYTES;
	if (grant_verify(bytes, n, (const uint8_t(*)[GRANT_SIGN_PUBLIC])public_key, 1, now, &g) ==
	    GRANT_GOOD) {
		/* One grant, one encoding. */
		assert(grant_sign(&g, secret_key, again, sizeof(again)) == n);
		assert(memcmp(bytes, again, n) == 0);
		assert(g.issued_ns <= now && now < g.expires_ns);
	}
	return 0;
}
