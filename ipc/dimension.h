/* What kept flows are grouped by and what is summed of a group: the tables dimension.def and measure.def. */
#ifndef WEIR_IPC_DIMENSION_H
#define WEIR_IPC_DIMENSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dimension {
	DIMENSION_NONE,
#define DIMENSION(name, word, type, ends, masked, help) DIMENSION_##name,
#include "ipc/dimension.def"
#undef DIMENSION
	DIMENSION_COUNT
};

enum dimension_type {
	DIMENSION_TYPE_ADDRESS = 1,
	DIMENSION_TYPE_MAC,
	DIMENSION_TYPE_NUMBER,
	DIMENSION_TYPE_NAMED,
	DIMENSION_TYPE_NAME,
	DIMENSION_TYPE_PROTOCOL,
	DIMENSION_TYPE_STATE,
	DIMENSION_TYPE_END_REASON,
	DIMENSION_TYPE_BREED
};
enum dimension_ends {
	DIMENSION_ONE,
	DIMENSION_EACH,
	DIMENSION_OF_CLIENT,
	DIMENSION_OF_SERVER,
	DIMENSION_MANY
};

struct dimension_row {
	const char *word;
	uint8_t type; /* enum dimension_type */
	uint8_t ends; /* enum dimension_ends */
	bool refused; /* to views that hide remote ends */
	const char *help;
};
/* By enum dimension; that of DIMENSION_NONE is empty. */
extern const struct dimension_row dimension_rows[DIMENSION_COUNT];

enum measure {
#define MEASURE(name, word, help) MEASURE_##name,
#include "ipc/measure.def"
#undef MEASURE
	MEASURE_COUNT
};
#define MEASURE_BIT(m) (UINT32_C(1) << (m))

struct measure_row {
	const char *word, *help;
};
/* By enum measure. */
extern const struct measure_row measure_rows[MEASURE_COUNT];

/* By their words; DIMENSION_NONE, MEASURE_COUNT: there is none of it. */
enum dimension dimension_find(const char *word, size_t len);
enum measure measure_find(const char *word, size_t len);

#endif
