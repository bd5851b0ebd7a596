/*
 * Flow ids as a tenant sees them: a keyed permutation of the 128 bits, with a key for each tenant, so that
 * two tenants who see one flow cannot tell by its id, and ids tell nobody how many flows others have.
 */
#ifndef WEIR_STORE_FLOW_ID_H
#define WEIR_STORE_FLOW_ID_H

#include <stdint.h>

#include "ipc/wire.h"

#define FLOW_ID_SECRET 32

/* The round keys of one tenant. */
struct flow_id_key {
	uint8_t round[4][16];
};

void flow_id_key(const uint8_t secret[static FLOW_ID_SECRET], uint32_t tenant, struct flow_id_key *k);
struct flow_id flow_id_veil(const struct flow_id_key *k, const struct flow_id *id);
/* The inverse of veil. */
struct flow_id flow_id_unveil(const struct flow_id_key *k, const struct flow_id *id);

#endif
