/* The quick way declines or agrees with the slow one, in both views; the first byte says how much was not
 * captured. */
#include <stddef.h>

#include "decode_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t seed[2] = { 1, 2 };
	const size_t whole = offsetof(struct packet, labels) + 1;
	struct decode_options o = { .link_type = LINK_ETHERNET, .point = 5 };
	struct fuzz_frame f;
	struct packet quick, slow;

	if (size < 1 || size > FUZZ_FRAME_MAX)
		return 0;
	f = fuzz_frame_of(NULL, 0, data + 1, size - 1);
	for (unsigned view = 0; view < 2; view++) {
		o.outer = view == 1;
		memset(&quick, 0xa5, sizeof(quick));
		if (!decode_quick(&quick, &o, f.bytes, f.len, f.len + data[0], seed))
			continue;
		decode_frame(&slow, &o, f.bytes, f.len, f.len + data[0]);
		assert(slow.reason == DECODED && slow.key.tunnel == TUNNEL_NONE);
		packet_seal(&slow, seed);
		assert(memcmp(&quick, &slow, whole) == 0);
	}
	free(f.bytes);
	return 0;
}
