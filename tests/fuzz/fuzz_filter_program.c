/* A filter's program from a lying httpd: what is taken ends within its tests, whatever holds, and is written
 * again the same way. */
#include <assert.h>
#include <string.h>

#include "ipc/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct filter_program p;
	static uint8_t again[FILTER_BYTES_MAX];
	uint32_t steps = 0;

	if (!filter_decode(data, size, &p))
		return 0;
	assert(filter_encode(&p, again, sizeof(again)) == size && memcmp(again, data, size) == 0);
	for (uint16_t at = 0; at != FILTER_ACCEPT && at != FILTER_REJECT; steps++) {
		assert(at < p.head.ntests && steps < p.head.ntests);
		assert(p.test[at].text_at + p.test[at].text_len <= p.head.text_len);
		at = data[steps % size] & 1 ? p.test[at].pass : p.test[at].fail;
	}
	return 0;
}
