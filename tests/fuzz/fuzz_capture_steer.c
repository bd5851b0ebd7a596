/* The worker of a frame: within bounds whatever the bytes are, the same when it comes again, and the same
 * when its two addresses change places. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "steer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUTS_EACH 4096u

static unsigned
worker(struct steer *s, uint16_t link_type, const uint8_t *bytes, size_t len)
{
	struct frame f = { 1, (uint32_t)len, (uint32_t)len, link_type, bytes };

	return steer_frame(s, &f, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = { 1, 0, 108, 101, 228, 229, 113, 276, 127, 9 };
	uint16_t type;
	unsigned workers, first;
	struct steer *s;
	static struct steer *steers[17];
	static unsigned inputs;

	if (size < 2 || size > 65536)
		return 0;
	workers = 2 + data[0] % 15;
	type = types[data[1] % (sizeof(types) / sizeof(types[0]))];
	/* Tables of fragments are large: they serve many inputs. */
	if (steers[workers] != NULL && inputs++ % INPUTS_EACH == 0)
		steer_free(&steers[workers]);
	if (steers[workers] == NULL)
		steers[workers] = steer_new(workers, false, 1);
	s = steers[workers];
	first = worker(s, type, data + 2, size - 2);
	assert(first < workers);
	assert(worker(s, type, data + 2, size - 2) == first);
	/* As a raw IPv4 packet of a protocol without ports, its addresses swapped. */
	if (size >= 22) {
		uint8_t b[20] = { 0x45, 0, 0, 20, 0, 0, 0, 0, 64, 253 };
		unsigned there;

		memcpy(b + 12, data + 14, 8);
		there = worker(s, 101, b, sizeof(b));
		memcpy(b + 12, data + 18, 4);
		memcpy(b + 16, data + 14, 4);
		assert(worker(s, 101, b, sizeof(b)) == there);
	}
	return 0;
}
