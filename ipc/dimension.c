#include "ipc/dimension.h"

#include <string.h>

#define DIMENSION_CLIENT DIMENSION_OF_CLIENT
#define DIMENSION_SERVER DIMENSION_OF_SERVER
#define MASKED_SHOWN     false
#define MASKED_REFUSED   true

const struct dimension_row dimension_rows[DIMENSION_COUNT] = {
#define DIMENSION(name, word, type, ends, masked, help)                                                      \
	[DIMENSION_##name] = { word, DIMENSION_TYPE_##type, DIMENSION_##ends, MASKED_##masked, help },
#include "ipc/dimension.def"
#undef DIMENSION
};

const struct measure_row measure_rows[MEASURE_COUNT] = {
#define MEASURE(name, word, help) [MEASURE_##name] = { word, help },
#include "ipc/measure.def"
#undef MEASURE
};

static bool
is(const char *name, const char *word, size_t len)
{
	return strlen(name) == len && memcmp(name, word, len) == 0;
}

enum dimension
dimension_find(const char *word, size_t len)
{
	for (unsigned i = DIMENSION_NONE + 1; i < DIMENSION_COUNT; i++)
		if (is(dimension_rows[i].word, word, len))
			return (enum dimension)i;
	return DIMENSION_NONE;
}

enum measure
measure_find(const char *word, size_t len)
{
	for (unsigned i = 0; i < MEASURE_COUNT; i++)
		if (is(measure_rows[i].word, word, len))
			return (enum measure)i;
	return MEASURE_COUNT;
}
