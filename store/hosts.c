/* The host table: rows and the places of those with more, each in one array; chained buckets, and a list of
 * those without flows, the oldest first, in an array beside the rows. */
#include "hosts.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/prefetch.h"
#include "slots.h"

/* What chains are searched by: rows are far apart. */
struct link {
	uint32_t next; /* in its bucket: number + 1; of a freed row the next one's number */
	uint32_t hash;
	uint32_t older, newer; /* among those without active flows */
};

union more_place {
	struct host_more more;
	union more_place *next; /* free */
};
static_assert(sizeof(union more_place) % 64 == 0, "lines of one host are its own");

/* Hashes of peers, or, of too many of them, registers. */
union peers {
	uint32_t exact[HOST_PEERS / 4];
	uint8_t reg[HOST_PEERS]; /* HyperLogLog (Flajolet et al., 2007) */
	uint32_t next;           /* free: number + 1 */
};

struct hosts {
	struct host *row;
	struct link *link;
	uint32_t *bucket; /* number + 1 */
	union more_place *more, *more_free;
	struct slots *slots; /* by tenant */
	union peers *peers;
	struct host_told *told[SHARES]; /* of the rows */
	void (*gone)(void *ctx, uint32_t i);
	void *gone_ctx;
	uint32_t max, mask, limit, more_limit, peers_limit;
	uint32_t peers_free;     /* number + 1 */
	uint32_t unused;         /* first of the freed rows; HOST_NONE: none */
	uint32_t oldest, newest; /* without active flows */
	uint64_t seed;           /* of peers */
	uint64_t key_seed[3];    /* of keys */
};

_Static_assert(sizeof(struct host_key) == 28, "compared as bytes: no padding");

struct hosts *
hosts_new(size_t max)
{
	struct hosts *h = mem_calloc(1, sizeof(*h));

	h->max = (uint32_t)max;
	for (h->mask = 2; h->mask < 2 * max; h->mask *= 2) /* most buckets have one host at most */
		;
	h->bucket = mem_pages(h->mask * sizeof(*h->bucket));
	h->mask--;
	h->row = mem_pages(max * sizeof(*h->row));
	h->link = mem_pages(max * sizeof(*h->link));
	h->more = mem_pages(max * sizeof(*h->more));
	h->peers = mem_pages(max * sizeof(*h->peers));
	h->slots = slots_new(h->max);
	for (int share = 0; share < SHARES; share++)
		h->told[share] = mem_pages(max * sizeof(*h->told[share]));
	h->unused = h->oldest = h->newest = HOST_NONE;
	randombytes_buf(&h->seed, sizeof(h->seed));
	randombytes_buf(h->key_seed, sizeof(h->key_seed));
	return h;
}

void
hosts_free(struct hosts **hp)
{
	struct hosts *h = *hp;

	if (h == NULL)
		return;
	munmap(h->bucket, ((size_t)h->mask + 1) * sizeof(*h->bucket));
	munmap(h->row, (size_t)h->max * sizeof(*h->row));
	munmap(h->link, (size_t)h->max * sizeof(*h->link));
	munmap(h->more, (size_t)h->max * sizeof(*h->more));
	munmap(h->peers, (size_t)h->max * sizeof(*h->peers));
	slots_free(&h->slots);
	for (int share = 0; share < SHARES; share++)
		munmap(h->told[share], (size_t)h->max * sizeof(*h->told[share]));
	free(h);
	*hp = NULL;
}

/* Of the parts of a key, in registers: one that was just put together and is read as a whole makes the
 * processor wait. */
static uint32_t
hash_of(const struct hosts *h, uint32_t tenant, uint32_t space, const struct ip_addr *ip, uint32_t vlan)
{
	uint64_t half[2];

	memcpy(half, ip, sizeof(half));

	uint64_t a = hash_mix(half[0] ^ h->key_seed[0], half[1] ^ h->key_seed[1]);
	uint64_t b = hash_mix(((uint64_t)tenant << 32 | space) ^ h->key_seed[1], vlan ^ h->key_seed[2]);

	return (uint32_t)hash_mix(a ^ h->key_seed[2], b ^ h->key_seed[0]);
}

/* --- the list of those without flows
 * -------------------------------------------------------------------------------------- */

static void
idle_add(struct hosts *h, uint32_t i)
{
	struct link *k = &h->link[i];

	k->older = h->newest;
	k->newer = HOST_NONE;
	if (h->newest != HOST_NONE)
		h->link[h->newest].newer = i;
	else
		h->oldest = i;
	h->newest = i;
}

static void
idle_remove(struct hosts *h, uint32_t i)
{
	const struct link *k = &h->link[i];

	if (k->older != HOST_NONE)
		h->link[k->older].newer = k->newer;
	else
		h->oldest = k->newer;
	if (k->newer != HOST_NONE)
		h->link[k->newer].older = k->older;
	else
		h->newest = k->older;
}

/* --- rows
 * -------------------------------------------------------------------------------------------------------------------
 */

static void
forget(struct hosts *h, uint32_t i)
{
	struct host *r = &h->row[i];
	uint32_t *at = &h->bucket[h->link[i].hash & h->mask];

	if (h->gone != NULL)
		h->gone(h->gone_ctx, i);
	h->told[SHARE_PRIMARY][i] = (struct host_told){ 0 };
	if (r->shared)
		h->told[SHARE_SECONDARY][i] = (struct host_told){ 0 };
	idle_remove(h, i);
	slots_remove(h->slots, r->key.tenant, SHARE_PRIMARY, i);
	while (*at != i + 1)
		at = &h->link[*at - 1].next;
	*at = h->link[i].next;
	if (r->more != NULL) {
		union more_place *place = (union more_place *)r->more;

		place->next = h->more_free;
		h->more_free = place;
	}
	if (r->npeers > HOST_FEW_PEERS) {
		h->peers[r->peers].next = h->peers_free;
		h->peers_free = r->peers + 1;
	}
	memset(r, 0, sizeof(*r));
	h->link[i].next = h->unused;
	h->unused = i;
}

void
hosts_forget(struct hosts *h, int64_t before_ns, unsigned budget)
{
	for (; budget > 0 && h->oldest != HOST_NONE && h->row[h->oldest].last_ns < before_ns; budget--)
		forget(h, h->oldest);
}

static void
expect_row(const struct hosts *h, uint32_t i)
{
	for (size_t at = 0; at < sizeof(h->row[0]); at += 64)
		__builtin_prefetch((const char *)&h->row[i] + at, 1);
}

static uint32_t
lookup(const struct hosts *h, const struct host_key *key, uint32_t hash)
{
	for (uint32_t i = h->bucket[hash & h->mask]; i != 0; i = h->link[i - 1].next) {
		if (h->link[i - 1].hash != hash)
			continue;
		expect_row(h, i - 1); /* who looks will touch it */
		if (memcmp(&h->row[i - 1].key, key, sizeof(*key)) == 0)
			return i - 1;
	}
	return HOST_NONE;
}

struct host *
hosts_find(struct hosts *h, const struct host_key *key)
{
	uint32_t i = lookup(h, key, hash_of(h, key->tenant, key->space, &key->ip, key->vlan));

	return i == HOST_NONE ? NULL : &h->row[i];
}

static uint32_t
take_row(struct hosts *h)
{
	if (h->unused == HOST_NONE && h->limit < h->max)
		return h->limit++;
	if (h->unused == HOST_NONE && h->oldest != HOST_NONE) {
		forget(h, h->oldest);
		/* Where one had to go, the next one likely will. */
		if (h->oldest != HOST_NONE) {
			expect_row(h, h->oldest);
			__builtin_prefetch(&h->told[SHARE_PRIMARY][h->oldest]);
		}
	}

	uint32_t i = h->unused;

	if (i != HOST_NONE)
		h->unused = h->link[i].next;
	return i;
}

void
hosts_expect(const struct hosts *h, uint32_t tenant, uint32_t space, const struct ip_addr *ip, uint32_t vlan,
	     struct host_place *place)
{
	place->key.tenant = tenant;
	place->key.space = space;
	place->key.ip = *ip;
	place->key.vlan = vlan;
	place->hash = hash_of(h, tenant, space, ip, vlan);
	__builtin_prefetch(&h->bucket[place->hash & h->mask]);
}

/* The first of the bucket's, which most have no other: its row has the number of its link. */
void
hosts_expect_row(const struct hosts *h, const struct host_place *place)
{
	uint32_t i = h->bucket[place->hash & h->mask];

	prefetch_only();
	if (i == 0)
		return;
	__builtin_prefetch(&h->link[i - 1]);
	expect_row(h, i - 1);
}

void
hosts_expect_peers(const struct hosts *h, const struct host_place *place)
{
	uint32_t i = h->bucket[place->hash & h->mask];

	prefetch_only();
	if (i == 0)
		return;
	for (size_t at = 0; h->row[i - 1].more != NULL && at < HOST_MORE_ALONE; at += 64)
		__builtin_prefetch((const char *)h->row[i - 1].more + at, 1);
	if (h->row[i - 1].npeers <= HOST_FEW_PEERS)
		return;
	for (size_t at = 0; at < sizeof(*h->peers); at += 64)
		__builtin_prefetch((const char *)&h->peers[h->row[i - 1].peers] + at, 1);
}

uint32_t
hosts_get(struct hosts *h, const struct host_place *place, bool *fresh)
{
	uint32_t i = lookup(h, &place->key, place->hash);

	*fresh = false;
	if (i != HOST_NONE)
		return i;
	i = take_row(h);
	if (i == HOST_NONE)
		return i;

	uint32_t *bucket = &h->bucket[place->hash & h->mask];

	/* Rows that were never used and those that were forgotten are zero. */
	h->row[i].key = place->key;
	h->link[i].hash = place->hash;
	h->link[i].next = *bucket;
	*bucket = i + 1;
	idle_add(h, i);
	slots_add(h->slots, place->key.tenant, SHARE_PRIMARY, i);
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

const uint32_t *
hosts_of(const struct hosts *h, uint32_t tenant, uint32_t *n)
{
	return slots_of(h->slots, tenant, n);
}

bool
hosts_flow_begins(struct hosts *h, uint32_t i, int share, enum side side)
{
	bool was = host_is_active(&h->row[i]);

	if (!was)
		idle_remove(h, i);
	host_share(h, &h->row[i], share)->active[side]++;
	return !was;
}

bool
hosts_flow_ends(struct hosts *h, uint32_t i, int share, enum side side)
{
	host_share(h, &h->row[i], share)->active[side]--;
	if (host_is_active(&h->row[i]))
		return false;
	idle_add(h, i);
	return true;
}

/* --- what was counted since
 * ----------------------------------------------------------------------------------------------- */

void
hosts_on_gone(struct hosts *h, void (*gone)(void *ctx, uint32_t i), void *ctx)
{
	h->gone = gone;
	h->gone_ctx = ctx;
}

void
hosts_tell_not(struct hosts *h, uint32_t i, int share, const struct host_told *d)
{
	struct host_told *told = &h->told[share][i];

	for (int k = 0; k < 2; k++) {
		told->bytes[k] = sum_sat(told->bytes[k], d->bytes[k]);
		told->packets[k] = sum_sat(told->packets[k], d->packets[k]);
	}
}

bool
hosts_tell(struct hosts *h, uint32_t i, int share, struct host_told *d)
{
	const struct host_share *n = host_share_of(&h->row[i], share);
	uint64_t any = 0;

	if (n == NULL)
		return false;

	struct host_told *told = &h->told[share][i];

	for (int k = 0; k < 2; k++) {
		d->bytes[k] = sum_less(n->bytes[k], told->bytes[k]);
		d->packets[k] = sum_less(n->packets[k], told->packets[k]);
		any |= d->bytes[k] | d->packets[k];
	}
	if (any != 0)
		hosts_tell_not(h, i, share, d);
	return any != 0;
}

/* --- more of a host
 * -----------------------------------------------------------------------------------------------------------
 */

/* There is a place for each row. */
static struct host_more *
more_of(struct hosts *h, struct host *host)
{
	union more_place *place = h->more_free;

	if (host->more != NULL)
		return host->more;
	if (place != NULL)
		h->more_free = place->next;
	else
		place = &h->more[h->more_limit++];
	memset(place, 0, sizeof(*place));
	host->more = &place->more;
	host->more->application[0] = host->application;
	host->more->app[0] = host->app;
	for (int kind = 0; kind < PORT_KINDS; kind++)
		host->more->port[kind][0] = host->port[kind];
	return host->more;
}

struct host_share *
host_share(struct hosts *h, struct host *host, int share)
{
	if (share == SHARE_PRIMARY)
		return &host->primary;
	host->shared = true;
	return &more_of(h, host)->secondary;
}

static void
register_add(union peers *p, uint32_t hash)
{
	uint8_t *reg = &p->reg[hash % HOST_PEERS];
	uint32_t rest = hash / HOST_PEERS;
	uint8_t rank = rest == 0 ? 26 : (uint8_t)(__builtin_ctz(rest) + 1);

	if (rank > *reg)
		*reg = rank;
}

static void
begin_registers(struct host *host, union peers *p)
{
	uint32_t old[HOST_PEERS / 4];

	memcpy(old, p->exact, sizeof(old));
	memset(p, 0, sizeof(*p));
	host->npeers = UINT8_MAX;
	for (size_t i = 0; i < ARRAY_LEN(old); i++)
		register_add(p, old[i]);
}

/* There is a place for each row. */
static void
move_peers(struct hosts *h, struct host *host)
{
	uint32_t i = h->peers_free;

	if (i != 0)
		h->peers_free = h->peers[i - 1].next;
	else
		i = ++h->peers_limit;
	memcpy(h->peers[i - 1].exact, host->peer, sizeof(host->peer));
	host->peers = i - 1;
}

void
host_add_peer(struct hosts *h, struct host *host, const struct ip_addr *peer)
{
	uint32_t hash = (uint32_t)hash_bytes(peer, sizeof(*peer), h->seed), *exact = host->peer;

	if (host->npeers == UINT8_MAX) {
		register_add(&h->peers[host->peers], hash);
		return;
	}
	if (host->npeers > HOST_FEW_PEERS)
		exact = h->peers[host->peers].exact;
	for (unsigned i = 0; i < host->npeers; i++)
		if (exact[i] == hash)
			return;
	if (host->npeers == HOST_FEW_PEERS) {
		move_peers(h, host);
		exact = h->peers[host->peers].exact;
	}
	if (host->npeers < HOST_PEERS / 4) {
		exact[host->npeers++] = hash;
		return;
	}
	begin_registers(host, &h->peers[host->peers]);
	register_add(&h->peers[host->peers], hash);
}

uint32_t
host_peers(const struct hosts *h, const struct host *host)
{
	const uint32_t least = HOST_PEERS / 4 + 1;
	double sum = 0, m = HOST_PEERS;
	unsigned zero = 0;

	if (host->npeers != UINT8_MAX)
		return host->npeers;

	const uint8_t *reg = h->peers[host->peers].reg;

	for (unsigned i = 0; i < HOST_PEERS; i++) {
		sum += ldexp(1.0, -reg[i]);
		zero += reg[i] == 0;
	}

	double estimate = 0.715 * m * m / sum;

	if (estimate <= 2.5 * m && zero > 0)
		estimate = m * log(m / zero);
	/* More than fit the exact list it has been. */
	return estimate < least ? least : (uint32_t)estimate;
}

static void
app_add(struct host_app *a, uint64_t bytes, uint64_t packets)
{
	a->bytes = sum_sat(a->bytes, bytes);
	a->packets = sum_sat(a->packets, packets);
}

void
host_add_application(struct hosts *h, struct host *host, uint16_t application, uint64_t bytes,
		     uint64_t packets)
{
	unsigned least = 0;

	if (host->more == NULL && host->application != application && host->app.bytes == 0) {
		host->application = application;
		host->app = (struct host_app){ 0 };
	}
	if (host->more == NULL && host->application == application) {
		app_add(&host->app, bytes, packets);
		return;
	}

	struct host_more *m = more_of(h, host);

	for (unsigned i = 0; i < HOST_APPS; i++) {
		if (m->application[i] == application) {
			app_add(&m->app[i], bytes, packets);
			return;
		}
	}
	for (unsigned i = 1; i < HOST_APPS; i++)
		if (m->app[i].bytes < m->app[least].bytes)
			least = i;
	m->application[least] = application;
	m->app[least].before = m->app[least].bytes;
	m->app[least].packets = 0;
	app_add(&m->app[least], bytes, packets);
}

void
host_less_application(struct host *host, uint16_t application, uint64_t bytes, uint64_t packets)
{
	unsigned n = host->more == NULL ? 1 : HOST_APPS;
	const uint16_t *known = host->more == NULL ? &host->application : host->more->application;
	struct host_app *app = host->more == NULL ? &host->app : host->more->app;

	for (unsigned i = 0; i < n; i++) {
		if (known[i] != application)
			continue;
		app[i].bytes = sum_less(app[i].bytes, bytes);
		app[i].packets = sum_less(app[i].packets, packets);
		if (app[i].before > app[i].bytes)
			app[i].before = app[i].bytes;
	}
}

unsigned
host_applications(const struct host *host, const uint16_t **application, const struct host_app **app)
{
	*application = host->more == NULL ? &host->application : host->more->application;
	*app = host->more == NULL ? &host->app : host->more->app;
	return host->more == NULL ? 1 : HOST_APPS;
}

static void
port_add(struct host_port *p, uint32_t flows, uint64_t bytes)
{
	p->flows += p->flows < UINT32_MAX ? flows : 0;
	p->bytes = sum_sat(p->bytes, bytes);
}

void
host_add_port(struct hosts *h, struct host *host, enum host_port_kind kind, uint8_t protocol, uint16_t port,
	      uint32_t flows, uint64_t bytes)
{
	struct host_port *one = &host->port[kind];
	unsigned least = 0;

	if (host->more == NULL && one->protocol == 0 && flows > 0)
		*one = (struct host_port){ .port = port, .protocol = protocol };
	if (host->more == NULL && one->port == port && one->protocol == protocol) {
		port_add(one, flows, bytes);
		return;
	}
	if (host->more == NULL && flows == 0)
		return;

	struct host_port *list = more_of(h, host)->port[kind];

	for (unsigned i = 0; i < HOST_PORTS; i++) {
		if (list[i].port == port && list[i].protocol == protocol) {
			port_add(&list[i], flows, bytes);
			return;
		}
		if (list[i].flows < list[least].flows)
			least = i;
	}
	if (flows == 0)
		return;
	list[least] = (struct host_port){
		.port = port, .protocol = protocol, .flows = list[least].flows, .before = list[least].flows
	};
	port_add(&list[least], flows, bytes);
}

const struct host_port *
host_ports(const struct host *host, enum host_port_kind kind, unsigned *n)
{
	*n = host->more == NULL ? 1 : HOST_PORTS;
	return host->more == NULL ? &host->port[kind] : host->more->port[kind];
}

void
host_add_tcp(struct hosts *h, struct host *host, const struct host_tcp *t)
{
	static const struct host_tcp none;
	struct host_tcp *sum;

	if (memcmp(t, &none, sizeof(none)) == 0)
		return;
	sum = &more_of(h, host)->tcp;
	for (int i = 0; i < 2; i++) {
		sum->retransmissions[i] += t->retransmissions[i];
		sum->out_of_order[i] += t->out_of_order[i];
		sum->lost[i] += t->lost[i];
		sum->zero_windows[i] += t->zero_windows[i];
	}
	sum->resets += t->resets;
	sum->handshakes += t->handshakes;
	sum->handshake_us += t->handshake_us;
}

struct host_tcp
host_tcp_of(const struct host *host)
{
	static const struct host_tcp none;

	return host->more == NULL ? none : host->more->tcp;
}

void
host_set_mac(struct host *host, const uint8_t mac[static 6], enum host_mac from)
{
	if ((uint8_t)from < host->mac_from)
		return;
	memcpy(host->mac, mac, sizeof(host->mac));
	host->mac_from = (uint8_t)from;
}
