/* Reads a snapshot document, has it compiled, and answers for its tenants. */
#include "policy/snapshot.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "policy/compiled.h"
#include "policy/snapshot_format.h"

/* --- tenants and selectors
 * -------------------------------------------------------------------------------------------- */

static bool
take_text(struct rcur *c, char *out, size_t size)
{
	size_t n = rcur_u8(c);

	memset(out, 0, size);
	return n < size && rcur_copy(c, out, n) && strlen(out) == n && snapshot_text_good(out, size);
}

static bool
take_tenant(struct rcur *c, struct tenant *t)
{
	t->number = rcur_be32(c);
	if (!take_text(c, t->name, sizeof(t->name)) || !take_text(c, t->title, sizeof(t->title)))
		return false;
	t->quota.flows_per_s = rcur_be64(c);
	t->quota.stored_bytes = rcur_be64(c);
	t->quota.retention_s = rcur_be64(c);
	t->quota.series = rcur_be64(c);
	for (unsigned i = 0; i < TENANT_KEEPS; i++)
		t->quota.keep_s[i] = rcur_be64(c);
	t->nspaces = rcur_u8(c);
	for (uint32_t i = 0; i < t->nspaces && i < TENANT_SPACES_MAX; i++)
		t->space[i] = rcur_be32(c);
	return !c->bad && snapshot_tenant_good(t);
}

static void
take_network(struct rcur *c, struct ip_prefix *p)
{
	rcur_copy(c, p->addr.b, sizeof(p->addr.b));
	p->bits = rcur_u8(c);
}

static bool
take_selector(struct rcur *c, struct tenant_selector *s)
{
	unsigned parts;

	memset(s, 0, sizeof(*s));
	s->tenant = rcur_be32(c);
	if (!take_text(c, s->point, sizeof(s->point)))
		return false;
	s->vlan = rcur_be32(c);
	parts = rcur_u8(c);
	s->has_network = (parts & PART_NETWORK) != 0;
	s->has_exporter = (parts & PART_EXPORTER) != 0;
	s->has_interface = (parts & PART_INTERFACE) != 0;
	if (s->has_network)
		take_network(c, &s->network);
	if (s->has_exporter)
		rcur_copy(c, s->exporter.b, sizeof(s->exporter.b));
	if (s->has_interface)
		s->interface = rcur_be32(c);
	return !c->bad && (parts & ~(PART_NETWORK | PART_EXPORTER | PART_INTERFACE)) == 0 &&
	       snapshot_selector_good(s);
}

static int
tenant_order(const void *va, const void *vb)
{
	const struct tenant *a = va, *b = vb;

	return (a->number > b->number) - (a->number < b->number);
}

static bool
take_tenants(struct rcur *c, struct snapshot *s, uint32_t n)
{
	s->tenants = mem_calloc(n == 0 ? 1 : n, sizeof(s->tenants[0]));
	for (; s->ntenants < n; s->ntenants++) {
		struct tenant *t = &s->tenants[s->ntenants];

		if (!take_tenant(c, t) || (s->ntenants > 0 && tenant_order(t - 1, t) >= 0))
			return false;
	}
	return true;
}

static bool
take_selectors(struct rcur *c, const struct snapshot *s, struct document *d, uint32_t n)
{
	d->selectors = mem_calloc(n == 0 ? 1 : n, sizeof(d->selectors[0]));
	for (; d->nselectors < n; d->nselectors++) {
		struct tenant_selector *sel = &d->selectors[d->nselectors];

		if (!take_selector(c, sel) || snapshot_tenant(s, sel->tenant) == NULL)
			return false;
	}
	return true;
}

/* --- narrowings
 * -------------------------------------------------------------------------------------------------------- */

/* Each list is as long as it says only if the bytes are there. */
static bool
take_interfaces(struct rcur *c, struct narrowing *n)
{
	char(*list)[64];

	if (n->ninterfaces > rcur_left(c) / 2)
		return false;
	n->interfaces = list = mem_calloc(n->ninterfaces + 1, sizeof(*list));
	for (size_t i = 0; i < n->ninterfaces; i++)
		if (!take_text(c, list[i], sizeof(list[i])) || !snapshot_interface_good(list[i]))
			return false;
	return true;
}

static bool
take_exporters(struct rcur *c, struct narrowing *n)
{
	struct exporter_ref *list;

	if (n->nexporters > rcur_left(c) / 17)
		return false;
	n->exporters = list = mem_calloc(n->nexporters + 1, sizeof(*list));
	for (size_t i = 0; i < n->nexporters; i++) {
		unsigned parts = rcur_u8(c);

		if ((parts & ~PART_INTERFACE) != PART_EXPORTER)
			return false;
		rcur_copy(c, list[i].ip.b, sizeof(list[i].ip.b));
		list[i].has_interface = (parts & PART_INTERFACE) != 0;
		if (list[i].has_interface)
			list[i].interface = rcur_be32(c);
	}
	return !c->bad;
}

static bool
take_networks(struct rcur *c, struct narrowing *n)
{
	struct ip_prefix *list;

	if (n->nnetworks > rcur_left(c) / 17)
		return false;
	n->networks = list = mem_calloc(n->nnetworks + 1, sizeof(*list));
	for (size_t i = 0; i < n->nnetworks; i++) {
		take_network(c, &list[i]);
		if (!snapshot_prefix_good(&list[i]))
			return false;
	}
	return !c->bad;
}

static bool
take_narrowing(struct rcur *c, struct narrowing *n)
{
	unsigned masked;

	n->number = rcur_be32(c);
	masked = rcur_u8(c);
	n->masked = masked == 1;
	n->ninterfaces = rcur_be32(c);
	n->nexporters = rcur_be32(c);
	n->nnetworks = rcur_be32(c);
	return !c->bad && n->number != 0 && masked <= 1 && take_interfaces(c, n) && take_exporters(c, n) &&
	       take_networks(c, n);
}

static bool
take_narrowings(struct rcur *c, struct document *d, uint32_t n)
{
	d->narrowings = mem_calloc(n == 0 ? 1 : n, sizeof(d->narrowings[0]));
	while (d->nnarrowings < n) {
		/* Counted first, so that its lists are freed whatever comes. */
		struct narrowing *w = &d->narrowings[d->nnarrowings++];

		if (!take_narrowing(c, w) || (d->nnarrowings > 1 && w[-1].number >= w->number))
			return false;
	}
	return true;
}

/* --- who was removed
 * ---------------------------------------------------------------------------------------------------
 */

static bool
take_removed(struct rcur *c, struct snapshot *s, uint32_t n)
{
	s->removed = mem_calloc(n == 0 ? 1 : n, sizeof(s->removed[0]));
	for (; s->nremoved < n; s->nremoved++) {
		uint32_t *r = &s->removed[s->nremoved];

		*r = rcur_be32(c);
		if (c->bad || *r == TENANT_PLATFORM || *r == TENANT_UNASSIGNED ||
		    (s->nremoved > 0 && r[-1] >= *r) || snapshot_tenant(s, *r) != NULL)
			return false;
	}
	return true;
}

/* --- what is watched
 * ---------------------------------------------------------------------------------------------------
 */

static bool
take_watched(struct rcur *c, struct snapshot *s, uint32_t n)
{
	s->watched = mem_calloc(n == 0 ? 1 : n, sizeof(s->watched[0]));
	for (; s->nwatched < n; s->nwatched++) {
		struct watched_item *w = &s->watched[s->nwatched];

		w->tenant = rcur_be32(c);
		w->kind = rcur_u8(c);
		w->space = rcur_be32(c);
		w->vlan = rcur_be16(c);
		take_network(c, &w->what);
		if (c->bad || !snapshot_watched_good(w) ||
		    (w->tenant != TENANT_PLATFORM && snapshot_tenant(s, w->tenant) == NULL))
			return false;
	}
	return true;
}

/* --- the document
 * ------------------------------------------------------------------------------------------------------ */

static void
document_free(struct document *d)
{
	for (size_t i = 0; i < d->nnarrowings; i++) {
		free(d->narrowings[i].interfaces);
		free((void *)d->narrowings[i].exporters);
		free((void *)d->narrowings[i].networks);
	}
	free(d->narrowings);
	free(d->selectors);
}

/* The length without its signature, which is one of keys'; 0 where it is none. */
static size_t
genuine(const uint8_t *bytes, size_t len, const uint8_t (*keys)[32], size_t nkeys)
{
	if (len < SNAPSHOT_HEADER + SNAPSHOT_SIGNATURE || len > SNAPSHOT_BYTES_MAX)
		return 0;
	len -= SNAPSHOT_SIGNATURE;
	for (size_t i = 0; i < nkeys; i++)
		if (crypto_sign_verify_detached(bytes + len, bytes, len, keys[i]) == 0)
			return memcmp(bytes, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_LEN) == 0 ? len : 0;
	return 0;
}

static bool
take_document(struct rcur *c, struct snapshot *s, struct document *d)
{
	uint32_t ntenants, nselectors, nnarrowings, nwatched, nremoved;

	rcur_skip(c, SNAPSHOT_MAGIC_LEN);
	s->number = rcur_be64(c);
	ntenants = rcur_be32(c);
	nselectors = rcur_be32(c);
	nnarrowings = rcur_be32(c);
	nwatched = rcur_be32(c);
	nremoved = rcur_be32(c);
	return ntenants <= SNAPSHOT_TENANTS_MAX && nselectors <= SNAPSHOT_SELECTORS_MAX &&
	       nnarrowings <= SNAPSHOT_NARROWINGS_MAX && nwatched <= SNAPSHOT_WATCHED_MAX &&
	       nremoved <= SNAPSHOT_REMOVED_MAX && take_tenants(c, s, ntenants) &&
	       take_selectors(c, s, d, nselectors) && take_narrowings(c, d, nnarrowings) &&
	       take_removed(c, s, nremoved) && take_watched(c, s, nwatched) && !c->bad && rcur_left(c) == 0;
}

struct snapshot *
snapshot_open(const uint8_t *bytes, size_t len, const uint8_t (*keys)[32], size_t nkeys)
{
	struct document d = { .nselectors = 0 };
	struct snapshot *s;
	struct rcur c;

	len = genuine(bytes, len, keys, nkeys);
	if (len == 0)
		return NULL;
	s = mem_calloc(1, sizeof(*s));
	s->holds = 1;
	c = rcur_of(bytes, len);
	if (take_document(&c, s, &d))
		snapshot_compile(s, &d);
	else
		snapshot_free(&s);
	document_free(&d);
	return s;
}

struct snapshot *
snapshot_hold(struct snapshot *s)
{
	s->holds++;
	return s;
}

void
snapshot_free(struct snapshot **sp)
{
	struct snapshot *s = *sp;

	*sp = NULL;
	if (s == NULL || --s->holds > 0)
		return;
	for (size_t i = 0; i < s->ngroups; i++)
		ranges_free(&s->groups[i].networks);
	for (size_t i = 0; s->networks != NULL && i < s->ntenants; i++)
		ranges_free(&s->networks[i]);
	for (size_t i = 0; i < s->nnarrowed; i++) {
		free(s->narrowed[i].points);
		free(s->narrowed[i].exporters);
		ranges_free(&s->narrowed[i].networks);
	}
	free(s->tenants);
	free(s->networks);
	free(s->points);
	free(s->groups);
	free(s->bucket);
	free(s->narrowed);
	free(s->watched);
	free(s->removed);
	free(s);
}

/* --- asking
 * -----------------------------------------------------------------------------------------------------------
 */

uint64_t
snapshot_number(const struct snapshot *s)
{
	return s->number;
}

size_t
snapshot_tenants(const struct snapshot *s)
{
	return s->ntenants;
}

const struct tenant *
snapshot_tenant_at(const struct snapshot *s, size_t i)
{
	return i < s->ntenants ? &s->tenants[i] : NULL;
}

const uint32_t *
snapshot_removed(const struct snapshot *s, size_t *n)
{
	*n = s->nremoved;
	return s->removed;
}

const struct watched_item *
snapshot_watched(const struct snapshot *s, size_t *n)
{
	*n = s->nwatched;
	return s->watched;
}

const struct tenant *
snapshot_tenant(const struct snapshot *s, uint32_t number)
{
	struct tenant key = { .number = number };

	return s->ntenants == 0 ? NULL : bsearch(&key, s->tenants, s->ntenants, sizeof(key), tenant_order);
}
