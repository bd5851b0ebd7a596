/*
 * What the two sides of a snapshot document agree on. Big-endian:
 *   magic[8] number:64 ntenants:32 nselectors:32
 *   tenants, ascending by number:  number:32 length:8 name
 *   selectors:                     tenant:32 length:8 point vlan:32 has_network:8 [address[16] bits:8]
 *   signature[64] over all before it
 */
#ifndef WEIR_POLICY_SNAPSHOT_FORMAT_H
#define WEIR_POLICY_SNAPSHOT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "policy/snapshot.h"

#define SNAPSHOT_MAGIC     "WEIRSNP1"
#define SNAPSHOT_MAGIC_LEN 8
#define SNAPSHOT_SIGNATURE 64
#define SNAPSHOT_HEADER    (SNAPSHOT_MAGIC_LEN + 8 + 4 + 4)
#define VLAN_ANY           UINT32_MAX
#define VLAN_LIMIT         4095u /* 802.1Q: 0..4094 */

/* A terminated text of at most size - 1 bytes without control characters. */
static inline bool
snapshot_text_good(const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return n < size;
}

static inline bool
snapshot_prefix_good(const struct ip_prefix *p)
{
	if (p->bits > 128)
		return false;
	for (unsigned bit = p->bits; bit < 128; bit++)
		if (p->addr.b[bit / 8] & 0x80u >> bit % 8)
			return false;
	return true;
}

static inline bool
snapshot_tenant_good(const struct tenant *t)
{
	return t->number != TENANT_PLATFORM && t->number != TENANT_UNASSIGNED &&
	       snapshot_text_good(t->name, sizeof(t->name)) && t->name[0] != '\0';
}

static inline bool
snapshot_selector_good(const struct tenant_selector *s)
{
	return snapshot_text_good(s->point, sizeof(s->point)) &&
	       (s->vlan == VLAN_ANY || s->vlan < VLAN_LIMIT) &&
	       (s->has_network == 0 || (s->has_network == 1 && snapshot_prefix_good(&s->network)));
}

#endif
