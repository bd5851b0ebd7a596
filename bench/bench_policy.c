/* How long it takes to find whose a flow is, beside two look-ups of a plain hash table: one for each end. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "policy/snapshot.h"

#define TENANTS  1000u
#define PREFIXES 10000u
#define FLOWS    65536u
#define ROUNDS   40
#define TABLE    32768u /* a power of two, a third full */
#define VLANS    1000u

/* What the selectors look like. */
enum shape { CLUSTERED, SCATTERED, SIX, PLACES, SHAPES };
static const char *const shape_names[SHAPES] = {
	[CLUSTERED] = "10,000 /24 side by side",
	[SCATTERED] = "10,000 IPv4 prefixes of any length",
	[SIX] = "10,000 IPv6 prefixes",
	[PLACES] = "10,000 /24, a VLAN or an exporter's interface each",
};

struct flow {
	struct vantage at;
	struct ip_addr client, server;
};

static uint8_t public_key[1][32], secret_key[64];
static struct flow flows[FLOWS];
static struct ip_prefix prefixes[PREFIXES];

static void
clear_host_bits(struct ip_prefix *p)
{
	for (unsigned b = p->bits; b < 128; b++)
		p->addr.b[b / 8] &= (uint8_t) ~(0x80u >> b % 8);
}

static void
make_prefixes(enum shape shape)
{
	for (uint32_t i = 0; i < PREFIXES; i++) {
		struct ip_prefix *p = &prefixes[i];
		uint8_t v4[4] = { 10, (uint8_t)(i >> 8), (uint8_t)i, 0 };

		if (shape == SCATTERED)
			randombytes_buf(v4, sizeof(v4));
		p->addr = ip_from_v4(v4);
		p->bits = (uint8_t)(shape == SCATTERED ? 112 + randombytes_uniform(17) : 120);
		if (shape == SIX) {
			randombytes_buf(p->addr.b, sizeof(p->addr.b));
			p->addr.b[0] = 0x20;
			p->bits = (uint8_t)(32 + randombytes_uniform(33));
		}
		clear_host_bits(p);
	}
}

static struct tenant_selector
selector(enum shape shape, uint32_t i)
{
	struct tenant_selector s = {
		.tenant = 1 + i % TENANTS, .vlan = UINT32_MAX, .has_network = 1, .network = prefixes[i]
	};

	if (shape != PLACES)
		return s;
	if (i % 2 == 0) {
		s.vlan = i % VLANS;
	} else {
		s.has_exporter = s.has_interface = 1;
		s.exporter.b[15] = (uint8_t)(1 + i % 50);
		s.interface = i % VLANS;
	}
	return s;
}

static void
make_flows(enum shape shape)
{
	for (uint32_t i = 0; i < FLOWS; i++) {
		uint32_t n = randombytes_uniform(PREFIXES);
		struct tenant_selector s = selector(shape, n);
		struct flow *f = &flows[i];

		memset(f, 0, sizeof(*f));
		f->at.vlan = s.vlan == UINT32_MAX ? 0 : s.vlan;
		f->at.exporter = s.exporter;
		f->at.out_interface = s.interface;
		f->client = prefixes[n].addr;
		f->client.b[15] |= (uint8_t)randombytes_uniform(16);
		f->server = ip_from_v4((const uint8_t[4]){ 0, 0, 0, 0 });
		if (shape == SIX)
			f->server.b[0] = 0x2a;
		randombytes_buf(f->server.b + 12, 4);
	}
}

static struct snapshot *
make_snapshot(enum shape shape)
{
	struct snapshot_builder *b = snapshot_builder_new(1);
	struct narrowing n = { .number = 1, .networks = prefixes, .nnetworks = PREFIXES };
	struct snapshot *s;
	uint8_t *doc;
	size_t len;

	make_prefixes(shape);
	for (uint32_t i = 1; i <= TENANTS; i++)
		(void)snapshot_add_tenant(b, &(struct tenant){ .number = i, .name = "tenant" });
	for (uint32_t i = 0; i < PREFIXES; i++) {
		struct tenant_selector t = selector(shape, i);

		(void)snapshot_add_selector(b, &t);
	}
	(void)snapshot_add_narrowing(b, &n);
	doc = snapshot_finish(&b, secret_key, &len);
	s = doc == NULL ? NULL : snapshot_open(doc, len, (const uint8_t(*)[32])public_key, 1);
	if (s == NULL)
		fatalx("no snapshot");
	free(doc);
	return s;
}

/* --- the plain table
 * --------------------------------------------------------------------------------------------------- */

struct slot {
	struct ip_addr ip;
	uint32_t tenant;
};
static struct slot table[TABLE];

static uint32_t
slot_of(const struct ip_addr *a)
{
	uint64_t hi, lo;

	memcpy(&hi, a->b, sizeof(hi));
	memcpy(&lo, a->b + sizeof(hi), sizeof(lo));
	return (uint32_t)hash_mix(hi ^ UINT64_C(0x9e3779b97f4a7c15), lo ^ UINT64_C(0xd6e8feb86659fd93)) %
	       TABLE;
}

static uint32_t
table_find(const struct ip_addr *a)
{
	for (uint32_t at = slot_of(a); table[at].tenant != 0; at = (at + 1) % TABLE)
		if (ip_equal(&table[at].ip, a))
			return table[at].tenant;
	return 0;
}

/* The clients of as many flows as there are prefixes. */
static void
make_table(void)
{
	memset(table, 0, sizeof(table));
	for (uint32_t i = 0; i < PREFIXES; i++) {
		uint32_t at = slot_of(&flows[i].client);

		while (table[at].tenant != 0)
			at = (at + 1) % TABLE;
		table[at] = (struct slot){ flows[i].client, 1 };
	}
}

/* --- measuring
 * -------------------------------------------------------------------------------------------------------- */

static uint32_t
match(const struct snapshot *s, const struct flow *f)
{
	struct tenant_match m = snapshot_match(s, &f->at, &f->client, &f->server);

	return m.primary + m.secondary;
}

static uint32_t
admit(const struct snapshot *s, const struct flow *f)
{
	return narrowed_admits(snapshot_narrowing(s, 1), &f->at, &f->client, &f->server);
}

static uint32_t
plain(const struct snapshot *s, const struct flow *f)
{
	(void)s;
	return table_find(&f->client) + table_find(&f->server);
}

/* Nanoseconds of one call: the best of the rounds, which others on the machine disturb. */
static double
measure(uint32_t (*call)(const struct snapshot *s, const struct flow *f), const struct snapshot *s)
{
	static volatile uint32_t sink;
	double best = 1e9;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = clock_boot_ns();
		uint32_t sum = 0;
		double ns;

		for (uint32_t i = 0; i < FLOWS; i++)
			sum += call(s, &flows[i]);
		sink = sum;
		ns = (double)(clock_boot_ns() - start) / FLOWS;
		best = ns < best ? ns : best;
	}
	(void)sink;
	return best;
}

static void
compare(enum shape shape)
{
	struct snapshot *s = make_snapshot(shape);
	double m, n, p;

	make_flows(shape);
	make_table();
	m = measure(match, s);
	n = measure(admit, s);
	p = measure(plain, s);
	fprintf(stderr, "%-52s match %6.1f ns  narrowing %6.1f ns  hash table %6.1f ns  ratio %.2f\n",
		shape_names[shape], m, n, p, m / p);
	printf("{\"shape\":\"%s\",\"tenants\":%u,\"ns_per_match\":%.1f,\"ns_per_narrowing\":%.1f,"
	       "\"ns_per_hash_lookups\":%.1f,\"ratio\":%.2f}%s\n",
	       shape_names[shape], TENANTS, m, n, p, m / p, shape + 1 < SHAPES ? "," : "");
	snapshot_free(&s);
}

int
main(void)
{
	log_init("bench_policy", LOG_LEVEL_INFO);
	if (sodium_init() < 0)
		fatalx("libsodium");
	crypto_sign_keypair(public_key[0], secret_key);
	printf("{\"bench\":\"policy\",\"results\":[\n");
	for (unsigned shape = 0; shape < SHAPES; shape++)
		compare((enum shape)shape);
	printf("]}\n");
	return 0;
}
