/* What follows an EtherType, which the first two bytes are: tags, MPLS, PPPoE, frames in frames. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
run(const uint8_t *data, size_t size)
{
	struct fuzz_frame f;
	uint8_t header[14] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };

	memcpy(header + 12, data, 2);
	f = fuzz_frame_of(header, sizeof(header), data + 2, size - 2);
	fuzz_views(LINK_ETHERNET, &f, 0);
	free(f.bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= 2 && size <= FUZZ_FRAME_MAX - 64)
		run(data, size);
	return 0;
}
