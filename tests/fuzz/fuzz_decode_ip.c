/* IPv4 and IPv6 with options, extension headers and fragments, as the link type of raw IP has them. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
run(const uint8_t *data, size_t size)
{
	struct fuzz_frame f = fuzz_frame_of(NULL, 0, data + 1, size - 1);

	fuzz_views(LINK_RAW, &f, data[0]);
	free(f.bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= 1 && size <= FUZZ_FRAME_MAX - 64)
		run(data, size);
	return 0;
}
