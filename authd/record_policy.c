#include "record_policy.h"

#include <string.h>

#include "codec.h"

/* Room for n things in the arena; NULL (and a bad cursor) where there are too many, also of those that the
 * bytes which are left could hold. */
static void *
list_room(struct rcur *c, struct arena *arena, size_t n, size_t max, size_t least, size_t size)
{
	void *p = NULL;

	if (!c->bad && n <= max && n <= rcur_left(c) / least)
		p = arena_alloc(arena, n == 0 ? 1 : n * size);
	if (p == NULL)
		c->bad = true;
	return p;
}

/* --- narrowings --- */

#define NARROWING_VERSION 1

static void
put_exporter(struct wcur *w, const struct exporter_ref *e)
{
	codec_put_ip(w, &e->ip);
	wcur_u8(w, e->has_interface);
	wcur_be32(w, e->has_interface ? e->interface : 0);
}

static void
take_exporter(struct rcur *c, struct exporter_ref *e)
{
	codec_take_ip(c, &e->ip);
	e->has_interface = codec_take_flag(c);
	e->interface = rcur_be32(c);
	if (!e->has_interface && e->interface != 0)
		c->bad = true;
}

static void
put_narrowing(struct wcur *w, const struct narrowing *n)
{
	wcur_u8(w, n->masked);
	wcur_be32(w, (uint32_t)n->ninterfaces);
	wcur_be32(w, (uint32_t)n->nexporters);
	wcur_be32(w, (uint32_t)n->nnetworks);
	for (size_t i = 0; i < n->ninterfaces; i++)
		codec_put_text(w, n->interfaces[i], sizeof(n->interfaces[i]));
	for (size_t i = 0; i < n->nexporters; i++)
		put_exporter(w, &n->exporters[i]);
	for (size_t i = 0; i < n->nnetworks; i++)
		codec_put_prefix(w, &n->networks[i]);
}

static void
take_narrowing(struct rcur *c, struct arena *arena, struct narrowing *n)
{
	char(*interfaces)[64];
	struct exporter_ref *exporters;
	struct ip_prefix *networks;

	memset(n, 0, sizeof(*n));
	n->masked = codec_take_flag(c);
	n->ninterfaces = rcur_be32(c);
	n->nexporters = rcur_be32(c);
	n->nnetworks = rcur_be32(c);
	interfaces = list_room(c, arena, n->ninterfaces, NARROWING_LIST_MAX, 1, sizeof(*interfaces));
	exporters = list_room(c, arena, n->nexporters, NARROWING_LIST_MAX, 21, sizeof(*exporters));
	networks = list_room(c, arena, n->nnetworks, NARROWING_LIST_MAX, 17, sizeof(*networks));
	for (size_t i = 0; !c->bad && i < n->ninterfaces; i++)
		codec_take_text(c, interfaces[i], sizeof(interfaces[i]));
	for (size_t i = 0; !c->bad && i < n->nexporters; i++)
		take_exporter(c, &exporters[i]);
	for (size_t i = 0; !c->bad && i < n->nnetworks; i++)
		codec_take_prefix(c, &networks[i]);
	n->interfaces = (void *)interfaces;
	n->exporters = exporters;
	n->networks = networks;
}

size_t
narrowing_encode(const struct narrowing *n, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, NARROWING_VERSION);
	put_narrowing(&w, n);
	return codec_finished(&w);
}

bool
narrowing_decode(const void *bytes, size_t len, struct arena *arena, struct narrowing *n)
{
	struct rcur c = rcur_of(bytes, len);

	if (rcur_u8(&c) != NARROWING_VERSION)
		return false;
	take_narrowing(&c, arena, n);
	return codec_ended(&c);
}

/* --- accesses --- */

#define ACCESSES_VERSION 1

static void
put_access(struct wcur *w, const struct access *a)
{
	wcur_be32(w, a->tenant);
	wcur_be32(w, a->role);
	put_narrowing(w, &a->within);
}

static void
take_access(struct rcur *c, struct arena *arena, struct access *a)
{
	a->tenant = rcur_be32(c);
	a->role = rcur_be32(c);
	take_narrowing(c, arena, &a->within);
	if (a->tenant == TENANT_UNASSIGNED || a->role == ROLE_NONE || a->role >= ROLE_COUNT)
		c->bad = true;
}

static void
put_accesses(struct wcur *w, const struct accesses *a)
{
	wcur_be32(w, (uint32_t)a->n);
	for (size_t i = 0; i < a->n; i++)
		put_access(w, &a->item[i]);
}

static void
take_accesses(struct rcur *c, struct arena *arena, struct accesses *a)
{
	a->n = rcur_be32(c);
	a->item = list_room(c, arena, a->n, ACCESSES_MAX, 21, sizeof(*a->item));
	for (size_t i = 0; !c->bad && i < a->n; i++)
		take_access(c, arena, &a->item[i]);
}

size_t
accesses_encode(const struct accesses *a, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, ACCESSES_VERSION);
	put_accesses(&w, a);
	return codec_finished(&w);
}

bool
accesses_decode(const void *bytes, size_t len, struct arena *arena, struct accesses *a)
{
	struct rcur c = rcur_of(bytes, len);

	memset(a, 0, sizeof(*a));
	if (rcur_u8(&c) != ACCESSES_VERSION)
		return false;
	take_accesses(&c, arena, a);
	return codec_ended(&c);
}

bool
accesses_equal(const struct accesses *a, const struct accesses *b)
{
	static uint8_t first[LIST_RECORD_MAX], second[LIST_RECORD_MAX];
	size_t n = accesses_encode(a, first, sizeof(first)), m = accesses_encode(b, second, sizeof(second));

	return n == m && memcmp(first, second, n) == 0;
}

/* --- groups --- */

#define GROUP_VERSION 1

size_t
group_encode(const struct group *g, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, GROUP_VERSION);
	wcur_be64(&w, g->number);
	codec_put_text(&w, g->name, sizeof(g->name));
	codec_put_text(&w, g->title, sizeof(g->title));
	put_accesses(&w, &g->access);
	return codec_finished(&w);
}

bool
group_decode(const void *bytes, size_t len, struct arena *arena, struct group *g)
{
	struct rcur c = rcur_of(bytes, len);

	memset(g, 0, sizeof(*g));
	if (rcur_u8(&c) != GROUP_VERSION)
		return false;
	g->number = rcur_be64(&c);
	codec_take_text(&c, g->name, sizeof(g->name));
	codec_take_text(&c, g->title, sizeof(g->title));
	take_accesses(&c, arena, &g->access);
	return codec_ended(&c) && g->number > 0 && g->name[0] != '\0';
}

/* --- tokens --- */

#define TOKEN_VERSION 1

size_t
token_encode(const struct token *t, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, TOKEN_VERSION);
	wcur_put(&w, t->hash, sizeof(t->hash));
	wcur_be64(&w, t->owner);
	codec_put_text(&w, t->label, sizeof(t->label));
	put_access(&w, &t->access);
	wcur_be64(&w, t->scopes);
	codec_put_time(&w, t->created_ns);
	codec_put_time(&w, t->expires_ns);
	wcur_be32(&w, (uint32_t)t->nsources);
	for (size_t i = 0; i < t->nsources; i++)
		codec_put_prefix(&w, &t->sources[i]);
	return codec_finished(&w);
}

bool
token_decode(const void *bytes, size_t len, struct arena *arena, struct token *t)
{
	struct rcur c = rcur_of(bytes, len);

	memset(t, 0, sizeof(*t));
	if (rcur_u8(&c) != TOKEN_VERSION)
		return false;
	rcur_copy(&c, t->hash, sizeof(t->hash));
	t->owner = rcur_be64(&c);
	codec_take_text(&c, t->label, sizeof(t->label));
	take_access(&c, arena, &t->access);
	t->scopes = rcur_be64(&c);
	t->created_ns = codec_take_time(&c);
	t->expires_ns = codec_take_time(&c);
	t->nsources = rcur_be32(&c);
	t->sources = list_room(&c, arena, t->nsources, TOKEN_SOURCES_MAX, 17, sizeof(*t->sources));
	for (size_t i = 0; !c.bad && i < t->nsources; i++)
		codec_take_prefix(&c, &t->sources[i]);
	return codec_ended(&c) && t->owner > 0;
}

/* --- tenants --- */

#define TENANT_VERSION 3 /* 2 had no times for which series are kept */

#define PART_NETWORK   1u
#define PART_EXPORTER  2u
#define PART_INTERFACE 4u

static void
put_selector(struct wcur *w, const struct tenant_selector *s)
{
	unsigned parts = (s->has_network ? PART_NETWORK : 0) | (s->has_exporter ? PART_EXPORTER : 0) |
			 (s->has_interface ? PART_INTERFACE : 0);

	codec_put_text(w, s->point, sizeof(s->point));
	wcur_be32(w, s->vlan);
	wcur_u8(w, (uint8_t)parts);
	if (parts & PART_NETWORK)
		codec_put_prefix(w, &s->network);
	if (parts & PART_EXPORTER)
		codec_put_ip(w, &s->exporter);
	if (parts & PART_INTERFACE)
		wcur_be32(w, s->interface);
}

/* Whether it is a good selector is the snapshot's to say. */
static void
take_selector(struct rcur *c, uint32_t tenant, struct tenant_selector *s)
{
	unsigned parts;

	memset(s, 0, sizeof(*s));
	s->tenant = tenant;
	codec_take_text(c, s->point, sizeof(s->point));
	s->vlan = rcur_be32(c);
	parts = rcur_u8(c);
	s->has_network = (parts & PART_NETWORK) != 0;
	s->has_exporter = (parts & PART_EXPORTER) != 0;
	s->has_interface = (parts & PART_INTERFACE) != 0;
	if (parts > (PART_NETWORK | PART_EXPORTER | PART_INTERFACE))
		c->bad = true;
	if (s->has_network)
		codec_take_prefix(c, &s->network);
	if (s->has_exporter)
		codec_take_ip(c, &s->exporter);
	if (s->has_interface)
		s->interface = rcur_be32(c);
}

size_t
tenant_encode(const struct tenant_record *r, uint8_t *out, size_t size)
{
	const struct tenant *t = &r->tenant;
	struct wcur w = wcur_of(out, size);

	wcur_u8(&w, TENANT_VERSION);
	wcur_be32(&w, t->number);
	codec_put_text(&w, t->name, sizeof(t->name));
	codec_put_text(&w, t->title, sizeof(t->title));
	wcur_be64(&w, t->quota.flows_per_s);
	wcur_be64(&w, t->quota.stored_bytes);
	wcur_be64(&w, t->quota.retention_s);
	wcur_be64(&w, t->quota.series);
	for (unsigned i = 0; i < TENANT_KEEPS; i++)
		wcur_be64(&w, t->quota.keep_s[i]);
	wcur_u8(&w, (uint8_t)t->nspaces);
	for (uint32_t i = 0; i < t->nspaces && i < TENANT_SPACES_MAX; i++)
		wcur_be32(&w, t->space[i]);
	wcur_be32(&w, (uint32_t)r->nselectors);
	for (size_t i = 0; i < r->nselectors; i++)
		put_selector(&w, &r->selectors[i]);
	return t->nspaces > TENANT_SPACES_MAX ? 0 : codec_finished(&w);
}

bool
tenant_decode(const void *bytes, size_t len, struct arena *arena, struct tenant_record *r)
{
	struct rcur c = rcur_of(bytes, len);
	struct tenant *t = &r->tenant;
	uint8_t version;

	memset(r, 0, sizeof(*r));
	version = rcur_u8(&c);
	if (version != TENANT_VERSION && version != 2)
		return false;
	t->number = rcur_be32(&c);
	codec_take_text(&c, t->name, sizeof(t->name));
	codec_take_text(&c, t->title, sizeof(t->title));
	t->quota.flows_per_s = rcur_be64(&c);
	t->quota.stored_bytes = rcur_be64(&c);
	t->quota.retention_s = rcur_be64(&c);
	t->quota.series = rcur_be64(&c);
	for (unsigned i = 0; version > 2 && i < TENANT_KEEPS; i++)
		t->quota.keep_s[i] = rcur_be64(&c);
	t->nspaces = rcur_u8(&c);
	if (t->nspaces > TENANT_SPACES_MAX)
		return false;
	for (uint32_t i = 0; i < t->nspaces; i++)
		t->space[i] = rcur_be32(&c);
	r->nselectors = rcur_be32(&c);
	r->selectors = list_room(&c, arena, r->nselectors, SELECTORS_MAX, 6, sizeof(*r->selectors));
	for (size_t i = 0; !c.bad && i < r->nselectors; i++)
		take_selector(&c, t->number, &r->selectors[i]);
	return codec_ended(&c) && t->number != TENANT_PLATFORM && t->number != TENANT_UNASSIGNED &&
	       t->name[0] != '\0';
}

/* --- the first version --- */

bool
tenant_v1_decode(const void *bytes, size_t len, struct tenant *t)
{
	struct rcur c = rcur_of(bytes, len);

	memset(t, 0, sizeof(*t));
	if (rcur_u8(&c) != 1)
		return false;
	t->number = rcur_be32(&c);
	codec_take_text(&c, t->name, sizeof(t->name));
	return codec_ended(&c) && t->number != TENANT_PLATFORM && t->number != TENANT_UNASSIGNED &&
	       t->name[0] != '\0';
}

bool
selector_v1_decode(const void *bytes, size_t len, struct tenant_selector *s)
{
	struct rcur c = rcur_of(bytes, len);

	memset(s, 0, sizeof(*s));
	if (rcur_u8(&c) != 1)
		return false;
	s->tenant = rcur_be32(&c);
	codec_take_text(&c, s->point, sizeof(s->point));
	s->vlan = rcur_be32(&c);
	s->has_network = codec_take_flag(&c);
	rcur_copy(&c, s->network.addr.b, sizeof(s->network.addr.b));
	s->network.bits = rcur_u8(&c);
	return codec_ended(&c);
}
