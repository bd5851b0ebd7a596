/* Entries of a packet ring as a capture that was taken over may write them: whatever they say, a frame that
 * is taken lies within its entry, and a block ends. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An entry of the input: its kind, its length in two bytes, its payload. False at the end. */
static bool
put_entry(struct ring_producer *r, const uint8_t **data, size_t *size)
{
	size_t len;
	uint8_t *to;

	if (*size < 3)
		return false;
	len = (size_t)(*data)[1] << 8 | (*data)[2];
	if (len > *size - 3)
		len = *size - 3;
	to = ring_reserve(r, len);
	if (to == NULL)
		return false;
	memcpy(to, *data + 3, len);
	ring_commit(r, (uint16_t)((*data)[0] % 6 + 1), len);
	*data += 3 + len;
	*size -= 3 + len;
	return true;
}

static void
look_at(struct batch *b)
{
	static volatile uint8_t sink;

	for (unsigned i = 0; i < b->n; i++) {
		struct frame *f = &b->frame[i];

		assert(f->cap_len <= UINT16_MAX && f->wire_len >= f->cap_len);
		assert(f->bytes >= b->bytes && f->bytes + f->cap_len <= b->bytes + BATCH_BYTES);
		assert((f->rest != NULL) == (f->cap_len > FRAME_HEAD));
		frame_complete(f);
		for (uint32_t k = 0; k < f->cap_len; k++)
			sink = (uint8_t)(sink ^ f->bytes[k]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct point p;
	static uint8_t *bytes;
	static struct ring_producer *producer;
	static struct ring_consumer *consumer;

	if (bytes == NULL)
		bytes = mem_pages(BATCH_BYTES);
	if (size > 1 << 20 || (producer == NULL && !ring_pair_in_process(1, &producer, &consumer)))
		return 0;
	p = (struct point){ .ring = consumer, .live = size > 0 && (data[size - 1] & 1) != 0 };
	p.batch.bytes = bytes;
	while (put_entry(producer, &data, &size))
		;
	(void)ring_publish(producer);
	do {
		intake(&p);
		look_at(&p.batch);
		intake_release(&p);
	} while (p.batch.n > 0);
	assert(p.lied || p.ending || ring_producer_used(producer) == 0);
	/* What was not taken ends with its ring; one that was emptied serves the next input. */
	if (ring_producer_used(producer) != 0) {
		ring_consumer_free(&consumer);
		ring_producer_free(&producer);
	}
	return 0;
}
