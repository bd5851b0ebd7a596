/*
 * What the two sides of a snapshot document agree on. Big-endian:
 *   magic[8] number:64 ntenants:32 nselectors:32 nnarrowings:32 nwatched:32
 *   nremoved:32
 *   tenants, ascending by number:     number:32 name title flows_per_s:64 stored_bytes:64 retention_s:64
 *                                     series:64 keep_s:64... nspaces:8 space:32...
 *   selectors:                        tenant:32 point vlan:32 parts:8 [network] [exporter] [interface:32]
 *   narrowings, ascending by number:  number:32 masked:8 ninterfaces:32 nexporters:32 nnetworks:32
 *                                     names... {parts:8 exporter [interface:32]}... networks...
 *   removed, ascending:               number:32
 *   watched:                          tenant:32 kind:8 space:32 vlan:16 network
 *   signature[64] over all before it
 * A text is length:8 and its bytes, a network address[16] bits:8, an exporter address[16].
 */
#ifndef WEIR_POLICY_SNAPSHOT_FORMAT_H
#define WEIR_POLICY_SNAPSHOT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "policy/snapshot.h"

#define SNAPSHOT_MAGIC     "WEIRSNP5"
#define SNAPSHOT_MAGIC_LEN 8
#define SNAPSHOT_SIGNATURE 64
#define SNAPSHOT_HEADER    (SNAPSHOT_MAGIC_LEN + 8 + 4 + 4 + 4 + 4 + 4)
#define VLAN_ANY           UINT32_MAX
#define VLAN_LIMIT         4095u /* 802.1Q: 0..4094 */

/* Parts of a selector that are given, beside point and VLAN. */
#define PART_NETWORK   1u
#define PART_EXPORTER  2u
#define PART_INTERFACE 4u

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
	if (t->number == TENANT_PLATFORM || t->number == TENANT_UNASSIGNED || t->nspaces > TENANT_SPACES_MAX)
		return false;
	for (uint32_t i = 1; i < t->nspaces; i++)
		for (uint32_t j = 0; j < i; j++)
			if (t->space[i] == t->space[j])
				return false;
	return snapshot_text_good(t->name, sizeof(t->name)) && t->name[0] != '\0' &&
	       snapshot_text_good(t->title, sizeof(t->title));
}

static inline bool
snapshot_selector_good(const struct tenant_selector *s)
{
	return snapshot_text_good(s->point, sizeof(s->point)) &&
	       (s->vlan == VLAN_ANY || s->vlan < VLAN_LIMIT) && s->has_network <= 1 && s->has_exporter <= 1 &&
	       /* an index alone means another interface at each exporter */
	       s->has_interface <= s->has_exporter &&
	       (s->has_network == 0 || snapshot_prefix_good(&s->network));
}

static inline bool
snapshot_watched_good(const struct watched_item *w)
{
	if (w->tenant == TENANT_UNASSIGNED || !snapshot_prefix_good(&w->what))
		return false;
	if (w->kind == WATCHED_HOST)
		return w->what.bits == 128 && w->vlan < VLAN_LIMIT;
	return w->kind == WATCHED_NETWORK && w->space == 0 && w->vlan == 0;
}

static inline bool
snapshot_interface_good(const char *name)
{
	return name[0] != '\0' && snapshot_text_good(name, 64);
}

#endif
