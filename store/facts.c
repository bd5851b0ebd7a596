/* A bounded hash table with a list in order of learning. */
#include "facts.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/mem.h"

#define FACT_NONE UINT32_MAX

struct facts {
	struct fact *row;
	uint32_t *bucket; /* index + 1 */
	uint32_t max, mask, n;
	uint32_t oldest, newest;
	uint64_t seed;
};

/* A name that somebody gave the host itself says more than one that was seen in traffic to it. */
static const uint8_t rank[] = {
	[HOST_NAME_NONE] = 0,    [HOST_NAME_TLS] = 1,  [HOST_NAME_DNS] = 2,
	[HOST_NAME_NETBIOS] = 3, [HOST_NAME_MDNS] = 4, [HOST_NAME_DHCP] = 5,
};

struct facts *
facts_new(size_t max)
{
	struct facts *f = mem_calloc(1, sizeof(*f));

	f->max = (uint32_t)max;
	for (f->mask = 1; f->mask < max; f->mask *= 2)
		;
	f->bucket = mem_pages(f->mask * sizeof(*f->bucket));
	f->mask--;
	f->row = mem_pages(max * sizeof(*f->row));
	f->oldest = f->newest = FACT_NONE;
	randombytes_buf(&f->seed, sizeof(f->seed));
	return f;
}

void
facts_free(struct facts **fp)
{
	struct facts *f = *fp;

	if (f == NULL)
		return;
	for (uint32_t i = 0; i < f->n; i++)
		free(f->row[i].name);
	munmap(f->row, f->max * sizeof(*f->row));
	munmap(f->bucket, ((size_t)f->mask + 1) * sizeof(*f->bucket));
	free(f);
	*fp = NULL;
}

static uint32_t *
bucket_of(struct facts *f, uint32_t point, uint32_t vlan, const struct ip_addr *ip)
{
	return &f->bucket[hash_bytes(ip, sizeof(*ip), f->seed ^ ((uint64_t)point << 32 | vlan)) & f->mask];
}

const struct fact *
facts_find(struct facts *f, uint32_t point, uint32_t vlan, const struct ip_addr *ip)
{
	for (uint32_t i = *bucket_of(f, point, vlan, ip); i != 0; i = f->row[i - 1].next) {
		const struct fact *r = &f->row[i - 1];

		if (r->point == point && r->vlan == vlan && ip_equal(&r->ip, ip))
			return r;
	}
	return NULL;
}

static void
list_remove(struct facts *f, const struct fact *r)
{
	if (r->older != FACT_NONE)
		f->row[r->older].newer = r->newer;
	else
		f->oldest = r->newer;
	if (r->newer != FACT_NONE)
		f->row[r->newer].older = r->older;
	else
		f->newest = r->older;
}

static void
list_add(struct facts *f, struct fact *r)
{
	uint32_t i = (uint32_t)(r - f->row);

	r->older = f->newest;
	r->newer = FACT_NONE;
	if (f->newest != FACT_NONE)
		f->row[f->newest].newer = i;
	else
		f->oldest = i;
	f->newest = i;
}

/* A row for a new fact, cleared; the oldest one's where all are used. */
static struct fact *
row_take(struct facts *f, bool *evicted)
{
	struct fact *r;

	*evicted = f->n == f->max;
	if (!*evicted)
		return &f->row[f->n++];
	r = &f->row[f->oldest];

	uint32_t *at = bucket_of(f, r->point, r->vlan, &r->ip);

	while (*at != f->oldest + 1)
		at = &f->row[*at - 1].next;
	*at = r->next;
	list_remove(f, r);
	free(r->name);
	memset(r, 0, sizeof(*r));
	return r;
}

static void
name_learn(struct fact *r, uint8_t source, const char *name, uint16_t len)
{
	if (len == 0 || len > HOST_NAME_MAX_LEN || source >= ARRAY_LEN(rank) ||
	    rank[source] < rank[r->source])
		return;
	if (r->name != NULL && r->name_len == len && memcmp(r->name, name, len) == 0) {
		r->source = source;
		return;
	}
	free(r->name);
	r->name = mem_calloc(len, 1);
	memcpy(r->name, name, len);
	r->name_len = (uint8_t)len;
	r->source = source;
}

bool
facts_learn(struct facts *f, uint32_t point, const struct rec_host *h, const char *name)
{
	static const uint8_t no_mac[6];
	struct fact *r = (struct fact *)(uintptr_t)facts_find(f, point, h->vlan, &h->ip);
	bool evicted = false;

	if (r == NULL) {
		uint32_t *bucket;

		r = row_take(f, &evicted);
		r->point = point;
		r->vlan = h->vlan;
		r->ip = h->ip;
		bucket = bucket_of(f, point, h->vlan, &h->ip);
		r->next = *bucket;
		*bucket = (uint32_t)(r - f->row) + 1;
	} else {
		list_remove(f, r);
	}
	list_add(f, r);
	if (memcmp(h->mac, no_mac, sizeof(no_mac)) != 0) {
		memcpy(r->mac, h->mac, sizeof(r->mac));
		r->has_mac = true;
	}
	name_learn(r, h->name_source, name, h->name_len);
	return evicted;
}
