/* A list of attributes of a lying engine or a damaged disk: what passes as one is written again the same way.
 */
#include <assert.h>
#include <string.h>

#include "ipc/attribute.h"
#include "ipc/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[ATTRIBUTES_MAX];
	struct wcur w = wcur_of(again, sizeof(again));
	struct rcur r = rcur_of(data, size);
	struct attribute_value v;
	uint8_t before = 0;
	int got;

	while ((got = attribute_next(&r, &before, &v)) == 1) {
		assert(v.len > 0 && v.len <= UINT8_MAX && (const uint8_t *)v.text >= data &&
		       (const uint8_t *)v.text + v.len <= data + size);
		if (v.row->kind == ATTRIBUTE_TEXT)
			attribute_put_text(&w, v.row->number, v.text, v.len);
		else
			attribute_put_number(&w, v.row->number, v.number);
	}
	assert(attributes_are_sane(data, size) == (got == 0));
	assert(attributes_are_sane(again, wcur_len(&w)));
	return 0;
}
