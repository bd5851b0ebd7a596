/* A Feistel network of four rounds over two 64-bit halves; the round function is SipHash-2-4 (Luby and
 * Rackoff, 1988). */
#include "flow_id.h"

#include <sodium.h>
#include <string.h>

void
flow_id_key(const uint8_t secret[static FLOW_ID_SECRET], uint32_t tenant, struct flow_id_key *k)
{
	static const char label[] = "weir flow id";
	crypto_generichash_state st;

	static_assert(sizeof(k->round) == crypto_generichash_BYTES_MAX, "one hash gives all four round keys");
	static_assert(sizeof(k->round[0]) == crypto_shorthash_KEYBYTES, "SipHash keys");
	crypto_generichash_init(&st, secret, FLOW_ID_SECRET, sizeof(k->round));
	crypto_generichash_update(&st, (const uint8_t *)label, sizeof(label));
	crypto_generichash_update(&st, (const uint8_t *)&tenant, sizeof(tenant));
	crypto_generichash_final(&st, &k->round[0][0], sizeof(k->round));
}

static uint64_t
round_of(const struct flow_id_key *k, int i, uint64_t half)
{
	uint64_t out;

	crypto_shorthash((uint8_t *)&out, (const uint8_t *)&half, sizeof(half), k->round[i]);
	return out;
}

struct flow_id
flow_id_veil(const struct flow_id_key *k, const struct flow_id *id)
{
	uint64_t h[2];
	struct flow_id out;

	memcpy(h, id->b, sizeof(h));
	for (int i = 0; i < 4; i += 2) {
		h[0] ^= round_of(k, i, h[1]);
		h[1] ^= round_of(k, i + 1, h[0]);
	}
	memcpy(out.b, h, sizeof(h));
	return out;
}

struct flow_id
flow_id_unveil(const struct flow_id_key *k, const struct flow_id *id)
{
	uint64_t h[2];
	struct flow_id out;

	memcpy(h, id->b, sizeof(h));
	for (int i = 2; i >= 0; i -= 2) {
		h[1] ^= round_of(k, i + 1, h[0]);
		h[0] ^= round_of(k, i, h[1]);
	}
	memcpy(out.b, h, sizeof(h));
	return out;
}
