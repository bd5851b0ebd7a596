/* A frame of a stranger, of any link type: decoded or refused by exactly one name, nothing read or pointed to
 * outside, and the same key in both directions. */
#include <stddef.h>

#include "decode/fragment.h"
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t links[] = { LINK_ETHERNET, LINK_NULL,      LINK_RAW,   LINK_SLL,  LINK_SLL2,
				  LINK_PPP,      LINK_PPP_ETHER, LINK_CHDLC, LINK_IPV6, 147 };

static void
check_key(struct packet k)
{
	static const uint64_t seed[2] = { 1, 2 };
	struct packet again = k;

	again.key.ip[0] = k.key.ip[1];
	again.key.ip[1] = k.key.ip[0];
	again.key.port[0] = k.key.port[1];
	again.key.port[1] = k.key.port[0];
	packet_seal(&k, seed);
	packet_seal(&again, seed);
	assert(memcmp(&k.key, &again.key, sizeof(k.key)) == 0 && k.hash == again.hash);
}

static void
run(uint32_t link, const struct fuzz_frame *f, uint32_t beyond)
{
	static struct fragment_table fragments;
	const struct decode_options o = { .link_type = link, .point = 5 };
	struct packet k;

	fuzz_views(link, f, beyond);
	decode_frame(&k, &o, f->bytes, f->len, f->len + beyond);
	if (k.reason != DECODED)
		return;
	if (k.fragment != FRAGMENT_NONE)
		fragment_resolve(&fragments, &k, 1000);
	check_key(k);
}

/* First byte: the link type. Second: how much was on the wire beyond what was captured. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_frame f;

	if (size < 2 || size > FUZZ_FRAME_MAX)
		return 0;
	f = fuzz_frame_of(NULL, 0, data + 2, size - 2);
	run(links[data[0] % (sizeof(links) / sizeof(links[0]))], &f, data[1]);
	free(f.bytes);
	return 0;
}
