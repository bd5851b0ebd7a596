/* What is carried in IP: the first byte chooses the protocol, the lowest bit of the second the family around
 * it. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t protocols[] = { 4, 41, 47, 51, 94, 97, 115, 137, 143 };

static void
run(const uint8_t *data, size_t size)
{
	struct fuzz_frame f;
	const bool v6 = data[1] & 1;
	uint8_t protocol = protocols[data[0] % sizeof(protocols)];
	uint8_t v4_header[20] = { 0x45, 0, 0, 0, 0, 7, (uint8_t)(data[1] & 0x20), 0, 64, protocol };
	uint8_t v6_header[40] = { 0x60, 0, 0, 0, 0, 0, protocol, 64 };
	uint8_t *header = v6 ? v6_header : v4_header;
	const size_t len = size - 2 + (v6 ? 0 : 20);

	header[v6 ? 4 : 2] = (uint8_t)(len >> 8);
	header[v6 ? 5 : 3] = (uint8_t)len;
	f = fuzz_frame_of(header, v6 ? sizeof(v6_header) : sizeof(v4_header), data + 2, size - 2);
	fuzz_views(LINK_RAW, &f, data[1] >> 6);
	free(f.bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= 2 && size <= FUZZ_FRAME_MAX - 64)
		run(data, size);
	return 0;
}
