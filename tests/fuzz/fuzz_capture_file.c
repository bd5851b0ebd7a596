/* Hostile capture files: every frame that comes out lies within memory, and has a time and lengths that can
 * be. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>

#include "source.h"
#include "steer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static volatile uint8_t sink; /* the bytes are looked at, or the optimiser drops it all */
	char why[256];
	struct steer *steer;
	struct source *s;
	struct frame f;
	FILE *file;

	if (size == 0)
		return 0;
	file = fmemopen((void *)(uintptr_t)data, size, "r");
	assert(file != NULL);
	s = source_open_file(file, why, sizeof(why));
	if (s == NULL)
		return 0;
	steer = steer_new(4, false, 1);
	for (int i = 0; i < 10000 && source_next(s, &f) == SOURCE_FRAME; i++) {
		assert(f.ts_ns >= 0 && f.wire_len >= f.cap_len);
		for (uint32_t b = 0; b < f.cap_len; b++)
			sink = (uint8_t)(sink ^ f.bytes[b]);
		assert(steer_frame(steer, source_link_type(s), &f, 0) < 4);
	}
	steer_free(&steer);
	source_free(&s);
	return 0;
}
