/*
 * Many datagrams of raw IP, each behind two bytes with its length: fragments find the flow of their first,
 * also inside tunnels, and all fragments of a datagram meet at one key.
 */
#include "decode/fragment.h"
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fragment_table table;

static void
one(const uint8_t *data, size_t len, int64_t now_ns)
{
	const struct decode_options o = { .link_type = LINK_RAW, .point = 5 };
	struct fuzz_frame f = fuzz_frame_of(NULL, 0, data, len);
	struct packet k, before;
	struct flow_key of;

	decode_frame(&k, &o, f.bytes, f.len, f.len);
	fuzz_check(&k, &f, f.len);
	if (k.reason == DECODED && k.fragment != FRAGMENT_NONE) {
		before = k;
		fragment_of(&k, &of);
		assert(of.port[0] == 0 && of.port[1] == 0 && of.point == 5);
		fragment_resolve(&table, &k, now_ns);
		if (k.fragment != FRAGMENT_LATER)
			assert(memcmp(&k, &before, sizeof(k)) == 0);
		assert(k.payload <= before.payload && k.key.point == 5);
	}
	free(f.bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t now_ns = 1;

	memset(&table, 0, sizeof(table));
	while (size >= 2) {
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		one(data, len, now_ns++);
		data += len;
		size -= len;
	}
	return 0;
}
