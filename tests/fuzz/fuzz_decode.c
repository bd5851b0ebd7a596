/* A frame of a stranger, of any link type: decoded or refused by exactly one name, nothing read or pointed to
 * outside. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "decode/decode.h"
#include "decode/fragment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t links[] = { LINK_ETHERNET, LINK_NULL,      LINK_RAW,   LINK_SLL,  LINK_SLL2,
				  LINK_PPP,      LINK_PPP_ETHER, LINK_CHDLC, LINK_IPV6, 147 };

static void
check(const struct packet *k, const uint8_t *frame, uint32_t cap, uint32_t wire)
{
	assert(k->wire_len == wire);
	assert(k->reason < UNDECODED_COUNT);
	if (k->reason != DECODED)
		return;
	assert(k->l3 >= frame && k->l3 <= frame + cap && k->l3_len <= cap - (size_t)(k->l3 - frame));
	assert(k->l3_len >= 20);
	assert(k->payload <= wire);
	assert(k->mac == NULL || (k->mac >= frame && k->mac + 12 <= frame + cap));
	assert(k->app == NULL || (k->app >= k->l3 && k->app_len <= (size_t)(k->l3 + k->l3_len - k->app)));
	assert(k->app_len <= k->l3_len);
	assert(k->nvlan <= 8);
	assert(k->key.tunnel < TUNNEL_COUNT);
	assert(k->key.point == 0);
}

/* First byte: the link type. Second: how much was on the wire beyond what was captured. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t seed[2] = { 1, 2 };
	static struct fragment_table fragments;
	const size_t whole = offsetof(struct packet, nvlan) + 1;
	struct decode_options o = { 0 };
	struct packet k, again, quick;
	uint32_t cap, wire;

	if (size < 2 || size > 65536)
		return 0;
	cap = (uint32_t)size - 2;
	wire = cap + data[1];
	o.link_type = links[data[0] % (sizeof(links) / sizeof(links[0]))];
	decode_frame(&k, &o, data + 2, cap, wire);
	check(&k, data + 2, cap, wire);
	if (k.reason != DECODED)
		return 0;
	if (k.fragment != FRAGMENT_NONE)
		fragment_resolve(&fragments, &k, 1000);
	/* The other direction has the same key. */
	again = k;
	again.key.ip[0] = k.key.ip[1];
	again.key.ip[1] = k.key.ip[0];
	again.key.port[0] = k.key.port[1];
	again.key.port[1] = k.key.port[0];
	packet_seal(&k, seed);
	packet_seal(&again, seed);
	/* The quick way declines or agrees. */
	if (o.link_type == LINK_ETHERNET && decode_quick(&quick, &o, data + 2, cap, wire, seed))
		assert(memcmp(&quick, &k, whole) == 0);
	assert(memcmp(&k.key, &again.key, sizeof(k.key)) == 0 && k.hash == again.hash);
	return 0;
}
