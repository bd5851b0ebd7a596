/* What is carried in UDP: the first byte chooses the port, the second whether it is the source and whether
 * this is a fragment. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t ports[] = { 4789, 8472, 4790, 6081, 4754, 6635, 2152, 1701, 3544, 5247, 5072 };

static void
run(const uint8_t *data, size_t size)
{
	struct fuzz_frame f;
	const uint16_t port = ports[data[0] % (sizeof(ports) / sizeof(ports[0]))];
	uint8_t header[28] = { 0x45, 0, 0, 0, 0, 7, (uint8_t)(data[1] & 0x20), 0, 64, 17 };
	uint8_t *to = header + (data[1] & 1 ? 20 : 22);
	const size_t len = size - 2;

	header[2] = (uint8_t)((len + 28) >> 8);
	header[3] = (uint8_t)(len + 28);
	header[20] = header[22] = 0xc0;
	to[0] = (uint8_t)(port >> 8);
	to[1] = (uint8_t)port;
	header[24] = (uint8_t)((len + 8) >> 8);
	header[25] = (uint8_t)(len + 8);
	f = fuzz_frame_of(header, sizeof(header), data + 2, len);
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
