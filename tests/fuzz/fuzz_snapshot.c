/* Snapshot documents: the bytes are signed by a key that we trust, so that the decoder and the compiler are
 * reached. */
#include <assert.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/snapshot.h"

static void
ask_place(const struct snapshot *s, const struct vantage *at, const struct ip_addr *a,
	  const struct ip_addr *b)
{
	struct tenant_match m = snapshot_match(s, at, a, b);
	uint32_t owner = snapshot_point_owner(s, at->point, at->space);

	assert(m.primary == TENANT_UNASSIGNED || snapshot_tenant(s, m.primary) != NULL);
	assert(m.secondary == 0 || (snapshot_tenant(s, m.secondary) != NULL && m.secondary != m.primary));
	assert(owner == 0 || (m.primary == owner && m.secondary == 0));
	for (uint32_t i = 1; i < 4; i++) {
		const struct narrowed *w = snapshot_narrowing(s, i);
		bool admits = w != NULL && narrowed_admits(w, at, a, b);

		/* What was seen here, of all there is. */
		assert(w == NULL || at->exporter.b[15] != 0 || narrowed_point(w, at->point) != NARROWED_ALL ||
		       admits);
		assert(w == NULL || narrowed_point(w, at->point) != NARROWED_NONE || !admits);
	}
}

static void
ask(const struct snapshot *s, const uint8_t *d, size_t n)
{
	struct ip_addr a = { { 0 } }, b = { { 0 } };

	memcpy(a.b, d, n < 16 ? n : 16);
	memcpy(b.b, d + n / 2, n - n / 2 < 16 ? n - n / 2 : 16);
	for (uint32_t vlan = 0; vlan < 3; vlan++) {
		struct vantage at = { .point = snapshot_point(s, vlan == 1 ? "a" : "eth0"),
				      .space = vlan & d[n / 2],
				      .vlan = vlan,
				      .in_interface = vlan,
				      .out_interface = d[0] };

		at.exporter.b[15] = d[n / 3];
		ask_place(s, &at, &a, &b);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	static uint8_t public_key[1][32], secret_key[64];
	static bool ready;
	struct snapshot *s;
	uint8_t *doc;

	if (!ready) {
		static const uint8_t seed[crypto_sign_SEEDBYTES] = { 1 };

		assert(sodium_init() >= 0);
		crypto_sign_seed_keypair(public_key[0], secret_key, seed);
		ready = true;
	}
	if (n > 65536)
		return 0;
	doc = malloc(n + 64);
	assert(doc != NULL);
	memcpy(doc, d, n);
	crypto_sign_detached(doc + n, NULL, doc, n, secret_key);
	s = snapshot_open(doc, n + 64, (const uint8_t(*)[32])public_key, 1);
	if (s != NULL)
		ask(s, d, n);
	snapshot_free(&s);
	free(doc);
	return 0;
}
