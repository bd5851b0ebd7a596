/* Wireless frames: the first byte chooses the header that a capture put in front. */
#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t links[] = { LINK_WLAN, LINK_RADIOTAP, LINK_PRISM, LINK_PPI };

static void
run(const uint8_t *data, size_t size)
{
	struct fuzz_frame f = fuzz_frame_of(NULL, 0, data + 1, size - 1);

	fuzz_views(links[data[0] % (sizeof(links) / sizeof(links[0]))], &f, 0);
	free(f.bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= 1 && size <= FUZZ_FRAME_MAX - 64)
		run(data, size);
	return 0;
}
