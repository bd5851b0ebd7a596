/* ARP behind Ethernet and a tag: read whole or not at all. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
run(const uint8_t *data, size_t size)
{
	struct fuzz_frame f;
	static const uint8_t header[18] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 7, 8, 6 };
	const struct decode_options o = { .link_type = LINK_ETHERNET };
	struct packet k;
	struct arp a;

	f = fuzz_frame_of(header, sizeof(header), data, size);
	fuzz_views(LINK_ETHERNET, &f, 0);
	decode_frame(&k, &o, f.bytes, f.len, f.len);
	assert(k.reason == UNDECODED_ARP && k.key.vlan[0] == 7);
	if (packet_arp(&k, &a))
		assert(size >= ARP_LEN && memcmp(a.sender_mac, data + 8, 6) == 0 &&
		       memcmp(a.target_ip, data + 24, 4) == 0 && a.operation == (data[6] << 8 | data[7]));
	else
		assert(size < ARP_LEN || memcmp(data, "\0\1\x08\0\6\4", 6) != 0);
	free(f.bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size <= FUZZ_FRAME_MAX - 64)
		run(data, size);
	return 0;
}
