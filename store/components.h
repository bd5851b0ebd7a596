/* The processes of the house as the launcher tells of them. */
#ifndef WEIR_STORE_COMPONENTS_H
#define WEIR_STORE_COMPONENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/wire.h"

#define COMPONENTS_MAX 96

struct components {
	uint32_t n;
	struct wire_component row[COMPONENTS_MAX];
};

/* Remembers what the launcher said. False where it is not sane (numbers out of range, texts not terminated).
 */
bool components_set(struct components *c, const struct wire_component *w);
const struct wire_component *components_find(const struct components *c, uint32_t proc, uint32_t instance);

#endif
