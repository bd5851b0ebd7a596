/* The host table: rows in one array, chained buckets, and a list of those without flows, the oldest first. */
#include "hosts.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/mem.h"

struct hosts {
	struct host *row;
	uint32_t *bucket; /* number + 1 */
	uint32_t max, mask, limit;
	uint32_t unused;         /* first of the freed rows, by next; HOST_NONE: none */
	uint32_t oldest, newest; /* without active flows */
	uint64_t seed;
};

_Static_assert(sizeof(struct host_key) == 28, "hashed as bytes: no padding");

struct hosts *
hosts_new(size_t max)
{
	struct hosts *h = mem_calloc(1, sizeof(*h));

	h->max = (uint32_t)max;
	for (h->mask = 1; h->mask < max; h->mask *= 2)
		;
	h->bucket = mem_pages(h->mask * sizeof(*h->bucket));
	h->mask--;
	h->row = mem_pages(max * sizeof(*h->row));
	h->unused = h->oldest = h->newest = HOST_NONE;
	randombytes_buf(&h->seed, sizeof(h->seed));
	return h;
}

void
hosts_free(struct hosts **h)
{
	if (*h == NULL)
		return;
	munmap((*h)->bucket, ((size_t)(*h)->mask + 1) * sizeof(*(*h)->bucket));
	munmap((*h)->row, (size_t)(*h)->max * sizeof(*(*h)->row));
	free(*h);
	*h = NULL;
}

uint64_t
hosts_seed(const struct hosts *h)
{
	return h->seed;
}

static uint32_t *
bucket_of(struct hosts *h, const struct host_key *key)
{
	return &h->bucket[hash_bytes(key, sizeof(*key), h->seed) & h->mask];
}

/* --- the list of those without flows
 * -------------------------------------------------------------------------------------- */

static void
idle_add(struct hosts *h, uint32_t i)
{
	struct host *r = &h->row[i];

	r->older = h->newest;
	r->newer = HOST_NONE;
	if (h->newest != HOST_NONE)
		h->row[h->newest].newer = i;
	else
		h->oldest = i;
	h->newest = i;
}

static void
idle_remove(struct hosts *h, uint32_t i)
{
	struct host *r = &h->row[i];

	if (r->older != HOST_NONE)
		h->row[r->older].newer = r->newer;
	else
		h->oldest = r->newer;
	if (r->newer != HOST_NONE)
		h->row[r->newer].older = r->older;
	else
		h->newest = r->older;
}

/* --- rows
 * -------------------------------------------------------------------------------------------------------------------
 */

static void
forget(struct hosts *h, uint32_t i)
{
	struct host *r = &h->row[i];
	uint32_t *at = bucket_of(h, &r->key);

	idle_remove(h, i);
	while (*at != i + 1)
		at = &h->row[*at - 1].next;
	*at = r->next;
	r->used = false;
	r->next = h->unused;
	h->unused = i;
}

void
hosts_forget(struct hosts *h, int64_t before_ns, unsigned budget)
{
	for (; budget > 0 && h->oldest != HOST_NONE && h->row[h->oldest].last_ns < before_ns; budget--)
		forget(h, h->oldest);
}

static uint32_t
lookup(struct hosts *h, const struct host_key *key)
{
	for (uint32_t i = *bucket_of(h, key); i != 0; i = h->row[i - 1].next)
		if (memcmp(&h->row[i - 1].key, key, sizeof(*key)) == 0)
			return i - 1;
	return HOST_NONE;
}

struct host *
hosts_find(struct hosts *h, const struct host_key *key)
{
	uint32_t i = lookup(h, key);

	return i == HOST_NONE ? NULL : &h->row[i];
}

static uint32_t
take_row(struct hosts *h)
{
	if (h->unused == HOST_NONE && h->limit < h->max)
		return h->limit++;
	if (h->unused == HOST_NONE && h->oldest != HOST_NONE)
		forget(h, h->oldest);

	uint32_t i = h->unused;

	if (i != HOST_NONE)
		h->unused = h->row[i].next;
	return i;
}

uint32_t
hosts_get(struct hosts *h, const struct host_key *key, bool *fresh)
{
	uint32_t i = lookup(h, key);

	*fresh = false;
	if (i != HOST_NONE)
		return i;
	i = take_row(h);
	if (i == HOST_NONE)
		return i;

	uint32_t *bucket = bucket_of(h, key);

	memset(&h->row[i], 0, sizeof(h->row[i]));
	h->row[i].key = *key;
	h->row[i].used = true;
	h->row[i].next = *bucket;
	*bucket = i + 1;
	idle_add(h, i);
	*fresh = true;
	return i;
}

struct host *
hosts_at(struct hosts *h, uint32_t i)
{
	return &h->row[i];
}

uint32_t
hosts_limit(const struct hosts *h)
{
	return h->limit;
}

bool
hosts_flow_begins(struct hosts *h, uint32_t i, int share, enum side side)
{
	bool was = host_is_active(&h->row[i]);

	if (!was)
		idle_remove(h, i);
	h->row[i].share[share].active[side]++;
	return !was;
}

bool
hosts_flow_ends(struct hosts *h, uint32_t i, int share, enum side side)
{
	h->row[i].share[share].active[side]--;
	if (host_is_active(&h->row[i]))
		return false;
	idle_add(h, i);
	return true;
}

/* --- peers and applications of one host
 * --------------------------------------------------------------------------------------- */

static void
register_add(struct host *host, uint32_t hash)
{
	uint8_t *reg = &host->peers.reg[hash % HOST_PEERS];
	uint32_t rest = hash / HOST_PEERS;
	uint8_t rank = rest == 0 ? 26 : (uint8_t)(__builtin_ctz(rest) + 1);

	if (rank > *reg)
		*reg = rank;
}

void
host_add_peer(struct host *host, const struct ip_addr *peer, uint64_t seed)
{
	uint32_t hash = (uint32_t)hash_bytes(peer, sizeof(*peer), seed);
	uint32_t old[HOST_PEERS / 4];

	if (host->npeers == UINT8_MAX) {
		register_add(host, hash);
		return;
	}
	for (unsigned i = 0; i < host->npeers; i++)
		if (host->peers.exact[i] == hash)
			return;
	if (host->npeers < HOST_PEERS / 4) {
		host->peers.exact[host->npeers++] = hash;
		return;
	}
	memcpy(old, host->peers.exact, sizeof(old));
	memset(&host->peers, 0, sizeof(host->peers));
	host->npeers = UINT8_MAX;
	for (size_t i = 0; i < ARRAY_LEN(old); i++)
		register_add(host, old[i]);
	register_add(host, hash);
}

uint32_t
host_peers(const struct host *host)
{
	const uint32_t least = HOST_PEERS / 4 + 1;
	double sum = 0, m = HOST_PEERS;
	unsigned zero = 0;

	if (host->npeers != UINT8_MAX)
		return host->npeers;
	for (unsigned i = 0; i < HOST_PEERS; i++) {
		sum += ldexp(1.0, -host->peers.reg[i]);
		zero += host->peers.reg[i] == 0;
	}

	double estimate = 0.715 * m * m / sum;

	if (estimate <= 2.5 * m && zero > 0)
		estimate = m * log(m / zero);
	/* More than fit the exact list it has been. */
	return estimate < least ? least : (uint32_t)estimate;
}

void
host_add_application(struct host *host, uint16_t application, uint64_t bytes, uint64_t packets)
{
	unsigned at = HOST_APPS, least = 0;

	for (unsigned i = 0; i < HOST_APPS; i++) {
		if (host->app[i].application == application)
			at = i;
		if (host->app[i].bytes < host->app[least].bytes)
			least = i;
	}
	if (at == HOST_APPS) {
		at = least;
		host->app[at].application = application;
		host->app[at].before = host->app[at].bytes;
		host->app[at].packets = 0;
	}
	host->app[at].bytes = sum_sat(host->app[at].bytes, bytes);
	host->app[at].packets = sum_sat(host->app[at].packets, packets);
}

void
host_less_application(struct host *host, uint16_t application, uint64_t bytes, uint64_t packets)
{
	for (unsigned i = 0; i < HOST_APPS; i++) {
		struct host_app *a = &host->app[i];

		if (a->application != application)
			continue;
		a->bytes = sum_less(a->bytes, bytes);
		a->packets = sum_less(a->packets, packets);
		if (a->before > a->bytes)
			a->before = a->bytes;
	}
}

void
host_add_port(struct host_port list[static HOST_PORTS], uint8_t protocol, uint16_t port, uint32_t flows,
	      uint64_t bytes)
{
	unsigned at = HOST_PORTS, least = 0;

	for (unsigned i = 0; i < HOST_PORTS; i++) {
		if (list[i].port == port && list[i].protocol == protocol)
			at = i;
		if (list[i].flows < list[least].flows)
			least = i;
	}
	if (at == HOST_PORTS && flows == 0)
		return;
	if (at == HOST_PORTS) {
		at = least;
		list[at] = (struct host_port){
			.port = port, .protocol = protocol, .flows = list[at].flows, .before = list[at].flows
		};
	}
	list[at].flows += list[at].flows < UINT32_MAX ? flows : 0;
	list[at].bytes = sum_sat(list[at].bytes, bytes);
}

void
host_set_mac(struct host *host, const uint8_t mac[static 6], enum host_mac from)
{
	if ((uint8_t)from < host->mac_from)
		return;
	memcpy(host->mac, mac, sizeof(host->mac));
	host->mac_from = (uint8_t)from;
}
