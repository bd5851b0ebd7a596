/* The worker of a frame: within bounds whatever the bytes are, and the same when the two addresses change
 * places. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "steer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t types[] = { 1, 0, 108, 101, 228, 229, 113, 276, 127, 9 };
	unsigned workers;

	if (size < 2)
		return 0;
	workers = 1 + data[0] % 16;
	assert(steer_worker(types[data[1] % (sizeof(types) / sizeof(types[0]))], data + 2, size - 2,
			    workers) < workers);
	/* As a raw IPv4 packet, its addresses swapped. */
	if (size >= 22 && data[2] >> 4 == 4) {
		uint8_t b[20];
		unsigned there = steer_worker(101, data + 2, 20, workers);

		memcpy(b, data + 2, 12);
		memcpy(b + 12, data + 2 + 16, 4);
		memcpy(b + 16, data + 2 + 12, 4);
		assert(steer_worker(101, b, 20, workers) == there);
	}
	return 0;
}
