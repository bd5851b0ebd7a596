/* Which slots hold live flows (or rows hosts) of which tenant: a list each, in no order, so that a tenant's
 * question looks at its own only. */
#ifndef WEIR_STORE_SLOTS_H
#define WEIR_STORE_SLOTS_H

#include <stddef.h>
#include <stdint.h>

struct slots;

/* Slots are 0 .. max - 1, each in at most two lists: one a share (hosts.h). */
struct slots *slots_new(uint32_t max);
void slots_free(struct slots **s);
/* The slot is in no list as this share. */
void slots_add(struct slots *s, uint32_t tenant, int share, uint32_t slot);
/* It is in the tenant's as this share. */
void slots_remove(struct slots *s, uint32_t tenant, int share, uint32_t slot);
/* The entries of a tenant's list, n of them: good until the next add or remove. */
const uint32_t *slots_of(const struct slots *s, uint32_t tenant, uint32_t *n);

static inline uint32_t
slots_slot(uint32_t entry)
{
	return entry / 2;
}

static inline int
slots_share(uint32_t entry)
{
	return entry & 1;
}

#endif
