/* Makes a snapshot document: authd's side. */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "policy/snapshot.h"
#include "policy/snapshot_format.h"

static_assert(SNAPSHOT_SIGNATURE == crypto_sign_BYTES, "the format agrees with libsodium");

struct snapshot_builder {
	uint64_t number;
	bool bad; /* something was out of bounds: no document */
	size_t ntenants, tenants_room, nselectors, selectors_room;
	struct tenant *tenants;
	struct tenant_selector *selectors;
};

struct snapshot_builder *
snapshot_builder_new(uint64_t number)
{
	struct snapshot_builder *b = mem_calloc(1, sizeof(*b));

	b->number = number;
	return b;
}

/* Room for one more of n objects of size bytes, doubling up to limit; NULL past it. */
static void *
grow(void *p, size_t n, size_t *room, size_t size, size_t limit)
{
	if (n >= limit)
		return NULL;
	if (n < *room)
		return p;
	*room = *room == 0 ? 16 : *room * 2;
	return mem_reallocarray(p, *room, size);
}

bool
snapshot_add_tenant(struct snapshot_builder *b, const struct tenant *t)
{
	struct tenant *p = NULL;

	if (snapshot_tenant_good(t))
		p = grow(b->tenants, b->ntenants, &b->tenants_room, sizeof(*p), SNAPSHOT_TENANTS_MAX);
	if (p == NULL) {
		b->bad = true;
		return false;
	}
	b->tenants = p;
	b->tenants[b->ntenants++] = *t;
	return true;
}

bool
snapshot_add_selector(struct snapshot_builder *b, const struct tenant_selector *s)
{
	struct tenant_selector *p = NULL;

	if (snapshot_selector_good(s))
		p = grow(b->selectors, b->nselectors, &b->selectors_room, sizeof(*p), SNAPSHOT_SELECTORS_MAX);
	if (p == NULL) {
		b->bad = true;
		return false;
	}
	b->selectors = p;
	b->selectors[b->nselectors++] = *s;
	return true;
}

static int
by_number(const void *va, const void *vb)
{
	const struct tenant *a = va, *b = vb;

	return (a->number > b->number) - (a->number < b->number);
}

/* Numbers are unique and every selector belongs to a tenant that is there. Sorts the tenants. */
static bool
builder_agrees(struct snapshot_builder *b)
{
	if (b->bad)
		return false;
	if (b->ntenants > 1)
		qsort(b->tenants, b->ntenants, sizeof(b->tenants[0]), by_number);
	for (size_t i = 1; i < b->ntenants; i++)
		if (b->tenants[i].number == b->tenants[i - 1].number)
			return false;
	for (size_t i = 0; i < b->nselectors; i++) {
		struct tenant key = { .number = b->selectors[i].tenant };

		if (b->ntenants == 0 ||
		    bsearch(&key, b->tenants, b->ntenants, sizeof(key), by_number) == NULL)
			return false;
	}
	return true;
}

static void
put_text(struct wcur *w, const char *s)
{
	wcur_u8(w, (uint8_t)strlen(s));
	wcur_put(w, s, strlen(s));
}

static void
builder_write(const struct snapshot_builder *b, struct wcur *w)
{
	wcur_put(w, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_LEN);
	wcur_be64(w, b->number);
	wcur_be32(w, (uint32_t)b->ntenants);
	wcur_be32(w, (uint32_t)b->nselectors);
	for (size_t i = 0; i < b->ntenants; i++) {
		wcur_be32(w, b->tenants[i].number);
		put_text(w, b->tenants[i].name);
	}
	for (size_t i = 0; i < b->nselectors; i++) {
		const struct tenant_selector *s = &b->selectors[i];

		wcur_be32(w, s->tenant);
		put_text(w, s->point);
		wcur_be32(w, s->vlan);
		wcur_u8(w, s->has_network);
		if (s->has_network) {
			wcur_put(w, s->network.addr.b, sizeof(s->network.addr.b));
			wcur_u8(w, s->network.bits);
		}
	}
}

/* Longest encoding of one tenant and of one selector, lengths included. */
#define TENANT_BYTES   (4 + 1 + TENANT_NAME_MAX)
#define SELECTOR_BYTES (4 + 1 + 64 + 4 + 1 + 17)
static_assert(SNAPSHOT_HEADER + (size_t)SNAPSHOT_TENANTS_MAX * TENANT_BYTES +
		      (size_t)SNAPSHOT_SELECTORS_MAX * SELECTOR_BYTES + SNAPSHOT_SIGNATURE <=
		  SNAPSHOT_BYTES_MAX,
	      "the largest snapshot fits");

uint8_t *
snapshot_finish(struct snapshot_builder **bp, const uint8_t secret[static 64], size_t *len)
{
	struct snapshot_builder *b = *bp;
	size_t room = SNAPSHOT_HEADER + b->ntenants * TENANT_BYTES + b->nselectors * SELECTOR_BYTES +
		      SNAPSHOT_SIGNATURE;
	AUTO(mem_drop) uint8_t *doc = NULL;
	uint8_t *done = NULL;

	if (builder_agrees(b)) {
		struct wcur w;

		doc = mem_calloc(1, room);
		w = wcur_of(doc, room - SNAPSHOT_SIGNATURE);
		builder_write(b, &w);
		if (!w.bad && crypto_sign_detached(w.p, NULL, doc, wcur_len(&w), secret) == 0) {
			*len = wcur_len(&w) + SNAPSHOT_SIGNATURE;
			done = doc;
			doc = NULL;
		}
	}
	free(b->tenants);
	free(b->selectors);
	free(b);
	*bp = NULL;
	return done;
}
