/* What is true of the decoder whatever the bytes; the targets of its layers differ in what they put in front.
 */
#ifndef WEIR_FUZZ_DECODE_FUZZ_H
#define WEIR_FUZZ_DECODE_FUZZ_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decode/decode.h"

#define FUZZ_FRAME_MAX 65536u

/* A frame of exactly its length, so that a sanitizer sees the first byte past its end. */
struct fuzz_frame {
	uint8_t *bytes;
	uint32_t len;
};

static inline struct fuzz_frame
fuzz_frame_of(const void *header, size_t header_len, const uint8_t *data, size_t size)
{
	const size_t len = header_len + size;
	struct fuzz_frame f = { malloc(len == 0 ? 1 : len), (uint32_t)len };

	if (f.bytes == NULL)
		abort();
	if (header_len > 0)
		memcpy(f.bytes, header, header_len);
	if (size > 0)
		memcpy(f.bytes + header_len, data, size);
	return f;
}

static inline void
fuzz_check_flow(const struct packet *k, const struct fuzz_frame *f)
{
	const uint8_t *end = f->bytes + f->len;

	assert(k->l3 >= f->bytes && k->l3 <= end && k->l3_len <= (size_t)(end - k->l3));
	assert(k->l3_len >= 20);
	assert(k->app == NULL || (k->app >= k->l3 && k->app_len <= (size_t)(k->l3 + k->l3_len - k->app)));
	assert(k->app_len <= k->l3_len);
	assert(k->payload <= k->wire_len || (k->fragment != FRAGMENT_NONE && k->payload <= 65535));
	assert(k->key.tunnel < TUNNEL_COUNT);
	assert(k->fragment <= FRAGMENT_CUT);
	assert(k->carrier_back <= (size_t)(k->l3 - f->bytes));
}

static inline void
fuzz_check(const struct packet *k, const struct fuzz_frame *f, uint32_t wire)
{
	struct arp a;

	assert(k->wire_len == wire);
	assert(k->key.point == 5);
	assert(k->nvlan <= 8);
	assert(k->mac == NULL || (k->mac >= f->bytes && k->mac + 12 <= f->bytes + f->len));
	assert(k->reason < UNDECODED_COUNT);
	if (k->reason == DECODED)
		fuzz_check_flow(k, f);
	if (packet_arp(k, &a)) {
		assert(k->reason == UNDECODED_ARP);
		assert(a.sender_mac >= f->bytes && a.target_ip + 4 <= f->bytes + f->len);
	}
}

/* Both views: opening a tunnel never loses a frame, and the outer view opens none that has a carrier. */
static inline void
fuzz_views(uint32_t link, const struct fuzz_frame *f, uint32_t beyond)
{
	struct decode_options o = { .link_type = link, .point = 5 };
	struct packet inner, outer;

	decode_frame(&inner, &o, f->bytes, f->len, f->len + beyond);
	fuzz_check(&inner, f, f->len + beyond);
	o.outer = true;
	decode_frame(&outer, &o, f->bytes, f->len, f->len + beyond);
	fuzz_check(&outer, f, f->len + beyond);
	assert(inner.reason == outer.reason);
	assert(outer.carrier_back == 0);
	if (outer.reason == DECODED)
		assert(inner.l3 >= outer.l3);
}

#endif
