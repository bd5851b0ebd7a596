/* A filter that a stranger typed: what compiles is a sane program, and an error points into the text. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "filter/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct filter_program p;
	struct filter_error e = { 0, 0, "" };

	if (size > FILTER_SOURCE_MAX)
		return 0;
	if (filter_compile((const char *)data, size, &p, &e)) {
		assert(filter_verify(&p));
	} else {
		assert(e.at <= size && e.len <= size - e.at);
		assert(strlen(e.text) > 0);
	}
	return 0;
}
