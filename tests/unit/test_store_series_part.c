/*
 * Series for who sees a part of a tenant: what is not kept of the part is made of its flows. Held against a
 * naive reference that filters the flows first and adds each of them up by itself.
 */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "series_id.h"
#include "store_world.h"

#define FLOWS     150u
#define MINUTES   40
#define POINTS    2000u
#define LONGEST_S 360 /* engine.active_timeout and a minute */

__extension__ typedef unsigned __int128 u128;

static struct world *w;
static struct rec_flow flow[FLOWS];

static int
begin(void **state)
{
	(void)state;
	w = world_new(64u << 20, 0);
	world_engine(w, 0, 1000);
	if (randombytes_uniform(2) == 0)
		world_threads(w);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

/* --- traffic
 * -----------------------------------------------------------------------------------------------------------
 */

static const char *const addresses[] = { "10.2.0.1",  "10.2.0.2",    "10.2.128.1",   "10.3.0.1",   "10.1.0.1",
					 "192.0.2.1", "192.0.2.200", "198.51.100.7", "2001:db8::1" };

static void
put_places(void)
{
	static const struct {
		const char *ip;
		uint32_t as;
		const char *country;
	} places[] = { { "192.0.2.1", 64500, "NL" }, { "198.51.100.7", 64501, "FI" } };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct rec_host h = { .as_number = places[i].as };

		assert_true(ip_parse(places[i].ip, &h.ip));
		memcpy(h.country, places[i].country, 2);
		world_put(w, 0, REC_HOST, &h, sizeof(h), NULL);
	}
}

static struct rec_flow
random_flow(uint64_t n)
{
	const char *a = addresses[randombytes_uniform(ARRAY_LEN(addresses))],
		   *b = addresses[randombytes_uniform(ARRAY_LEN(addresses))];
	struct rec_flow f = world_flow(w, n, randombytes_uniform(3) == 0 ? ETH0 : ETH1, a, b);
	int64_t took_ms = randombytes_uniform(4) == 0 ? 0 : (int64_t)randombytes_uniform(400000);

	f.last_ns -= (int64_t)randombytes_uniform(MINUTES * 60000) * NS_PER_MS + randombytes_uniform(999999);
	f.first_ns = f.slice_ns = f.last_ns - took_ms * NS_PER_MS - randombytes_uniform(999999);
	f.vlan[0] = (uint16_t)randombytes_uniform(2);
	for (int side = 0; side < 2; side++) {
		f.count.bytes[side] = randombytes_random();
		f.count.packets[side] = randombytes_uniform(1000);
	}
	f.application = randombytes_uniform(3) == 0 ? 0 : randombytes_uniform(2) ? APP_DNS : APP_TLS;
	f.category = f.application == APP_TLS ? CAT_WEB : 0;
	if (randombytes_uniform(3) == 0) {
		f.exporter.b[15] = (uint8_t)(1 + randombytes_uniform(2));
		f.in_interface = randombytes_uniform(3);
		f.out_interface = randombytes_uniform(3);
	}
	return f;
}

/* Half of them are over and kept. */
static void
put_traffic(void)
{
	put_places();
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct rec_flow copy;

		flow[i] = copy = random_flow(i + 1);
		copy.end_reason = i % 2 == 0 ? END_IDLE : END_NONE;
		world_put(w, 0, i % 2 == 0 ? REC_FLOW_END : REC_FLOW_OPEN, &copy, sizeof(copy), NULL);
	}
	world_pump(w);
	world_minute(w);
}

/* --- who asks
 * ----------------------------------------------------------------------------------------------------------
 */

struct who {
	uint32_t tenant;
	struct narrowing n;
	char interfaces[2][64];
	struct exporter_ref exporter;
	struct ip_prefix network[2];
};

static void
random_who(struct who *who)
{
	static const uint32_t tenants[] = { TENANT_PLATFORM, ALPHA, BETA, GAMMA };
	static const char *const networks[] = { "10.2.0.0/24",   "10.2.0.0/17",     "192.0.2.0/24",
						"2001:db8::/32", "198.51.100.7/32", "10.0.0.0/8" };

	*who = (struct who){ .tenant = tenants[randombytes_uniform(4)] };
	who->n = (struct narrowing){ .number = 1,
				     .masked = randombytes_uniform(4) == 0,
				     .interfaces = who->interfaces,
				     .exporters = &who->exporter,
				     .networks = who->network };
	switch (randombytes_uniform(3)) {
	case 0:
		who->n.ninterfaces = 1;
		assert_true(str_copy(who->interfaces[0], 64, randombytes_uniform(2) ? "eth0" : "eth1"));
		break;
	case 1:
		who->n.nexporters = 1;
		who->exporter = (struct exporter_ref){ .ip.b[15] = 1,
						       .has_interface = (uint8_t)randombytes_uniform(2),
						       .interface = 1 };
		break;
	default:
		break;
	}
	if (who->n.ninterfaces + who->n.nexporters == 0 || randombytes_uniform(2) == 0)
		who->n.nnetworks = 1 + randombytes_uniform(2);
	for (size_t i = 0; i < who->n.nnetworks; i++)
		assert_true(
		    prefix_parse(networks[randombytes_uniform(ARRAY_LEN(networks))], &who->network[i]));
}

static bool
is_in(const char *network, const struct ip_addr *ip)
{
	struct ip_prefix p;

	assert_true(prefix_parse(network, &p));
	return prefix_contains(&p, ip);
}

/* What is inside for a tenant: beta and gamma have networks, all others what is private. */
static const char *
own_network(uint32_t tenant)
{
	return tenant == BETA ? "10.2.0.0/16" : tenant == GAMMA ? "10.3.0.0/16" : "10.0.0.0/8";
}

static bool
inside(uint32_t tenant, const struct ip_addr *ip)
{
	return is_in(own_network(tenant), ip);
}

static bool
sees(const struct who *who, const struct rec_flow *f)
{
	const struct narrowing *n = &who->n;
	bool place = n->ninterfaces + n->nexporters == 0, ends = n->nnetworks == 0;

	for (size_t i = 0; i < n->ninterfaces; i++)
		place |= strcmp(who->interfaces[i], f->point == ETH0 ? "eth0" : "eth1") == 0;
	if (n->nexporters > 0 && ip_equal(&f->exporter, &who->exporter.ip))
		place |= !who->exporter.has_interface || f->in_interface == 1 || f->out_interface == 1;
	for (size_t i = 0; i < n->nnetworks; i++)
		ends |= prefix_contains(&who->network[i], &f->ip[CLIENT]) ||
			prefix_contains(&who->network[i], &f->ip[SERVER]);
	if (who->tenant == ALPHA && f->point != ETH0)
		return false;
	if ((who->tenant == BETA || who->tenant == GAMMA) &&
	    (f->point != ETH1 ||
	     !(inside(who->tenant, &f->ip[CLIENT]) || inside(who->tenant, &f->ip[SERVER]))))
		return false;
	return place && ends;
}

/* --- the reference
 * -----------------------------------------------------------------------------------------------------------
 */

struct counted {
	uint64_t in_bytes, out_bytes, in_packets, out_packets;
};

/* A series, by its key as text. */
struct subject_key {
	uint32_t subject;
	const char *key;
	uint16_t vlan;
};

static const struct subject_key keys[] = {
	{ SERIES_TENANT, "", 0 },
	{ SERIES_POINT, "eth0", 0 },
	{ SERIES_POINT, "eth1", 0 },
	{ SERIES_APPLICATION, "DNS", 0 },
	{ SERIES_APPLICATION, "TLS.Google", 0 },
	{ SERIES_APPLICATION, "Unknown", 0 },
	{ SERIES_APPLICATION, "NoSuchThing", 0 },
	{ SERIES_CATEGORY, "Web", 0 },
	{ SERIES_CATEGORY, "Unknown", 0 },
	{ SERIES_HOST, "10.2.0.1", 0 },
	{ SERIES_HOST, "10.2.0.1", 1 },
	{ SERIES_HOST, "10.1.0.1", 0 },
	{ SERIES_HOST, "192.0.2.1", 1 },
	{ SERIES_HOST, "198.51.100.7", 0 },
	{ SERIES_HOST, "203.0.113.9", 0 },
	{ SERIES_HOST, "nonsense", 0 },
	{ SERIES_NETWORK, "10.2.0.0/16", 0 },
	{ SERIES_NETWORK, "10.0.0.0/8", 0 },
	{ SERIES_AS, "64500", 0 },
	{ SERIES_AS, "0", 0 },
	{ SERIES_COUNTRY, "FI", 0 },
	{ SERIES_COUNTRY, "ZZ", 0 },
	{ SERIES_EXPORTER, "::1", 0 },
	{ SERIES_EXPORTER, "::2", 0 },
	{ SERIES_EXPORTER_INTERFACE, "1@::1", 0 },
	{ SERIES_EXPORTER_INTERFACE, "2@::2", 0 },
};

static const char *
name_of(const struct rec_flow *f, uint32_t subject)
{
	if (subject == SERIES_CATEGORY)
		return f->category == CAT_WEB ? "Web" : "Unknown";
	return f->application == APP_DNS ? "DNS" : f->application == APP_TLS ? "TLS.Google" : "Unknown";
}

static void
way(struct counted *c, const struct rec_flow *f, int comes_from)
{
	c->in_bytes += f->count.bytes[comes_from];
	c->in_packets += f->count.packets[comes_from];
	c->out_bytes += f->count.bytes[1 - comes_from];
	c->out_packets += f->count.packets[1 - comes_from];
}

static bool
end_is(const struct who *who, const struct subject_key *k, const struct rec_flow *f, int side)
{
	char ip[IP_TEXT_MAX];
	bool in = inside(who->tenant, &f->ip[side]);

	ip_format(&f->ip[side], ip);
	switch (k->subject) {
	case SERIES_HOST:
		return strcmp(ip, k->key) == 0 && f->vlan[0] == k->vlan;
	case SERIES_NETWORK:
		return in && strcmp(k->key, own_network(who->tenant)) == 0;
	case SERIES_AS:
		return !in && strcmp(k->key, strcmp(ip, "192.0.2.1") == 0      ? "64500"
					     : strcmp(ip, "198.51.100.7") == 0 ? "64501"
									       : "0") == 0;
	default:
		return !in && strcmp(k->key, strcmp(ip, "192.0.2.1") == 0      ? "NL"
					     : strcmp(ip, "198.51.100.7") == 0 ? "FI"
									       : "ZZ") == 0;
	}
}

/* What a flow counts for a series in all. */
static struct counted
counts(const struct who *who, const struct subject_key *k, const struct rec_flow *f)
{
	bool turned = inside(who->tenant, &f->ip[SERVER]) && !inside(who->tenant, &f->ip[CLIENT]);
	struct counted c = { 0 };
	bool whole = false;

	switch (k->subject) {
	case SERIES_TENANT:
		whole = true;
		break;
	case SERIES_POINT:
		whole = strcmp(k->key, f->point == ETH0 ? "eth0" : "eth1") == 0;
		break;
	case SERIES_APPLICATION:
	case SERIES_CATEGORY:
		whole = strcmp(name_of(f, k->subject), k->key) == 0;
		break;
	case SERIES_EXPORTER:
		whole = f->exporter.b[15] == (uint8_t)(k->key[2] - '0');
		break;
	case SERIES_EXPORTER_INTERFACE:
		if (f->exporter.b[15] != (uint8_t)(k->key[4] - '0'))
			break;
		if (f->in_interface == (uint32_t)(k->key[0] - '0'))
			way(&c, f, CLIENT);
		if (f->out_interface == (uint32_t)(k->key[0] - '0'))
			way(&c, f, SERVER);
		break;
	default:
		for (int side = 0; side < 2; side++)
			if (end_is(who, k, f, side))
				way(&c, f, inside(who->tenant, &f->ip[side]) ? 1 - side : side);
		break;
	}
	if (whole)
		way(&c, f, turned ? CLIENT : SERVER);
	return c;
}

/* Of `all` what came in the first x of `length` milliseconds. */
static uint64_t
share(uint64_t all, int64_t x, int64_t length)
{
	return (uint64_t)((u128)all * (u128)x / (u128)length);
}

static int64_t
within(int64_t ns, int64_t start_ns, int64_t length)
{
	int64_t ms = ns <= start_ns ? 0 : (ns - start_ns) / NS_PER_MS;

	return ms < length ? ms : length;
}

static void
spread(struct counted *bucket, const struct wire_question *q, const struct rec_flow *f,
       const struct counted *c)
{
	const int64_t width = q->resolution_s * NS_PER_S, begins = q->from_ns - q->from_ns % width;
	int64_t start = f->slice_ns, length;

	if (f->last_ns - start > LONGEST_S * NS_PER_S)
		start = f->last_ns - LONGEST_S * NS_PER_S;
	length = (f->last_ns - start) / NS_PER_MS;
	for (int64_t i = 0; i < POINTS && begins + i * width < q->to_ns; i++) {
		const int64_t at = begins + i * width;
		struct counted *b = &bucket[i];

		if (length == 0) {
			if (f->last_ns >= at && f->last_ns < at + width) {
				b->in_bytes += c->in_bytes;
				b->out_bytes += c->out_bytes;
				b->in_packets += c->in_packets;
				b->out_packets += c->out_packets;
			}
			continue;
		}

		int64_t x = within(at, start, length), y = within(at + width, start, length);

#define ADD(field) b->field += share(c->field, y, length) - share(c->field, x, length);
		ADD(in_bytes)
		ADD(out_bytes)
		ADD(in_packets)
		ADD(out_packets)
#undef ADD
	}
}

/* --- both
 * --------------------------------------------------------------------------------------------------------------
 */

static struct wire_question
question(const struct subject_key *k, uint32_t resolution_s)
{
	struct wire_question q = world_question(ASK_SERIES);

	q.subject = (uint16_t)k->subject;
	q.resolution_s = resolution_s;
	q.limit = 1000;
	q.from_ns = (w->utc - (int64_t)(randombytes_uniform(MINUTES) + 10) * 60) * NS_PER_S;
	q.to_ns = w->utc * NS_PER_S - (int64_t)randombytes_uniform(600) * NS_PER_S + NS_PER_S;
	if (q.to_ns <= q.from_ns)
		q.to_ns = q.from_ns + NS_PER_S;
	q.vlan = k->vlan;
	if (k->subject == SERIES_POINT)
		q.point = strcmp(k->key, "eth0") == 0 ? ETH0 : ETH1;
	else
		q.key_len = (uint16_t)strlen(k->key);
	memcpy(q.key, k->key, q.key_len);
	return q;
}

static enum answer_status
ask_as(const struct who *who, const struct wire_question *q)
{
	struct grant g = world_grant_plain(w, who->tenant);
	uint8_t bytes[GRANT_BYTES_MAX];

	g.masked = who->n.masked;
	assert_true(grant_narrow(&g, who->n.number));
	grants_heard(w->s->grants, clock_boot_ns());
	return world_ask_with(w, q, bytes, world_grant_as(w, &g, true, bytes));
}

/* Page after page; how many points there are. */
static uint32_t
ask_pages(const struct who *who, struct wire_question q, struct row_series point[static POINTS])
{
	uint32_t n = 0;

	do {
		assert_int_equal(ask_as(who, &q), ANSWER_OK);
		for (uint32_t i = 0; i < w->nrows; i++) {
			assert_true(n < POINTS);
			memcpy(&point[n++], world_row(w, i, sizeof(*point), NULL), sizeof(*point));
		}
		q.cursor_len = w->has_cursor ? w->cursor_len : 0;
		memcpy(q.cursor, w->cursor, sizeof(q.cursor));
	} while (w->has_cursor);
	return n;
}

/* Whether every flow of the tenant that counts for the series is seen: what is kept of it may be told. */
static bool
is_whole(const struct who *who, const struct subject_key *k)
{
	struct who whole = *who;

	whole.n.ninterfaces = whole.n.nexporters = whole.n.nnetworks = 0;
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct counted c = counts(who, k, &flow[i]);

		if ((c.in_bytes | c.out_bytes) != 0 && sees(&whole, &flow[i]) && !sees(who, &flow[i]))
			return false;
	}
	return true;
}

static bool
is_hidden(const struct who *who, const struct subject_key *k)
{
	struct ip_addr ip;

	return who->n.masked && k->subject == SERIES_HOST && ip_parse(k->key, &ip) &&
	       !inside(who->tenant, &ip);
}

static unsigned
compare(const struct who *who, const struct subject_key *k, uint32_t resolution_s)
{
	static struct row_series got[POINTS];
	static struct counted want[POINTS];
	struct wire_question q = question(k, resolution_s);
	const int64_t width = resolution_s * NS_PER_S, begins = q.from_ns - q.from_ns % width;
	uint32_t n, at = 0;

	memset(want, 0, sizeof(want));
	for (uint32_t i = 0; i < FLOWS && !is_hidden(who, k); i++) {
		struct counted c = counts(who, k, &flow[i]);

		if (sees(who, &flow[i]))
			spread(want, &q, &flow[i], &c);
	}
	if (who->n.masked && (k->subject == SERIES_AS || k->subject == SERIES_COUNTRY)) {
		assert_int_equal(ask_as(who, &q), ANSWER_NARROWED);
		return 0;
	}
	q.limit = randombytes_uniform(2) ? 1000 : 3;
	n = ask_pages(who, q, got);
	/* Interfaces that are seen whole have their own series, and the tenant's is theirs together. */
	if (k->subject <= SERIES_POINT && who->n.nnetworks + who->n.nexporters == 0)
		return 0;
	if (n > 0 && got[0].finest_s != 0) { /* what is kept */
		assert_true(is_whole(who, k));
		return 0;
	}
	for (int64_t i = 0; i < POINTS && begins + i * width < q.to_ns; i++) {
		const struct counted *c = &want[i];
		const struct row_series *r = &got[at];

		if ((c->in_bytes | c->out_bytes | c->in_packets | c->out_packets) == 0)
			continue;
		if (at == n && is_whole(who, k)) /* kept, and of no minute that is asked for */
			return 0;
		if (at == n || r->time_ns != begins + i * width || r->in_bytes != c->in_bytes ||
		    r->out_bytes != c->out_bytes || r->in_packets != c->in_packets ||
		    r->out_packets != c->out_packets || r->bytes != c->in_bytes + c->out_bytes ||
		    r->packets != c->in_packets + c->out_packets || r->resolution_s != resolution_s)
			fail_msg("tenant %u, subject %u, %s: point %u of %u is not as the flows say",
				 who->tenant, k->subject, k->key, at, n);
		at++;
	}
	assert_int_equal(at, n);
	return n;
}

static int
smaller_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* 95 of 100 buckets. */
static void
compare_percentile(const struct who *who, const struct subject_key *k)
{
	static struct row_series got[POINTS];
	struct wire_question q = question(k, 60);
	uint64_t value[POINTS] = { 0 };
	uint32_t n, all;

	q.from_ns -= q.from_ns % (60 * NS_PER_S);
	q.to_ns -= q.to_ns % (60 * NS_PER_S);
	if (q.to_ns <= q.from_ns || (who->n.masked && k->subject >= SERIES_AS))
		return;
	n = ask_pages(who, q, got);
	if (n == 0 || got[0].finest_s != 0)
		return;
	all = (uint32_t)((q.to_ns - q.from_ns) / (60 * NS_PER_S));
	for (uint32_t i = 0; i < n; i++)
		value[i] = got[i].bytes;
	qsort(value, all, sizeof(*value), smaller_first);
	q.percent = 95;
	assert_int_equal(ask_as(who, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	memcpy(got, world_row(w, 0, sizeof(*got), NULL), sizeof(*got));
	assert_int_equal(got[0].packets, all);
	assert_true(got[0].bytes == value[(all * 95 + 99) / 100 - 1]);
}

static void
a_part_gets_what_its_flows_say(void **state)
{
	static const uint32_t resolutions[] = { 60, 300, 3600, 120 };
	unsigned points = 0;
	struct who who;

	(void)state;
	put_traffic();
	for (unsigned round = 0; round < 30; round++) {
		random_who(&who);
		world_policy(w, &who.n, 1);
		for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
			points += compare(&who, &keys[i], resolutions[randombytes_uniform(4)]);
			compare_percentile(&who, &keys[i]);
		}
	}
	assert_true(points > 100);
}

/* What flows cannot tell is refused, whatever is asked for by name. */
static void
what_flows_do_not_tell_is_refused(void **state)
{
	static const struct subject_key other = { SERIES_HOST, "(other)", 0 };
	struct who who = { .tenant = BETA, .n = { .number = 1, .nnetworks = 1 } };
	struct wire_question q;

	(void)state;
	put_traffic();
	assert_true(prefix_parse("10.2.0.0/24", &who.network[0]));
	who.n.networks = who.network;
	world_policy(w, &who.n, 1);
	q = question(&other, 60);
	assert_int_equal(ask_as(&who, &q), ANSWER_NARROWED);
	for (uint32_t i = 3; i < 7; i++) { /* applications are kept by the second */
		q = question(&keys[i], 1);
		assert_int_equal(ask_as(&who, &q), ANSWER_NARROWED);
		assert_int_equal(w->nrows, 0);
		/* The finest that there is. */
		q.resolution_s = 0;
		assert_int_equal(ask_as(&who, &q), ANSWER_OK);
		if (w->nrows > 0)
			assert_int_equal(
			    ((const struct row_series *)world_row(w, 0, sizeof(struct row_series), NULL))
				->resolution_s,
			    60);
	}
}

/* Who may look into so many flows looks into no more, in parts of a tenant either. */
static void
it_costs_what_it_may(void **state)
{
	struct who who = { .tenant = BETA, .n = { .number = 1, .nnetworks = 1 } };
	struct wire_question q;

	(void)state;
	put_traffic();
	assert_true(prefix_parse("10.2.0.0/24", &who.network[0]));
	who.n.networks = who.network;
	world_policy(w, &who.n, 1);
	world_commit(w);
	w->boot.settings.query_rows = 1;
	q = question(&keys[0], 60);
	q.from_ns = NS_PER_S;
	q.to_ns = 0;
	q.resolution_s = 86400;
	for (uint32_t i = 0; i < 5; i++) {
		struct rec_flow f = world_flow(w, 1000 + i, ETH1, "10.2.0.1", "192.0.2.1");

		f.end_reason = END_IDLE;
		world_put(w, 0, REC_FLOW_END, &f, sizeof(f), NULL);
		world_pump(w);
		world_commit(w);
	}
	assert_int_equal(ask_as(&who, &q), ANSWER_TOO_COSTLY);
	assert_int_equal(w->nrows, 0);
	w->boot.settings.query_rows = 1000000;
	assert_int_equal(ask_as(&who, &q), ANSWER_OK);
	assert_true(w->nrows > 0);
}

/* A slice that is spread over a thousand buckets costs as much as a thousand rows, kept or active; and where
 * it may cost that, it is there whole, though few such rows are looked at in a turn of the loop. */
static void
long_slices_cost_what_they_take(void **state)
{
	enum { MANY = 40, HOURS = 15 };
	struct who who = { .tenant = BETA, .n = { .number = 1, .nnetworks = 1 } };
	struct wire_question q = question(&keys[0], 60);
	const struct row_series *r;

	(void)state;
	w->boot.settings.active_timeout_ms = 86400000;
	assert_true(prefix_parse("10.2.0.0/24", &who.network[0]));
	who.n.networks = who.network;
	world_policy(w, &who.n, 1);
	q.from_ns = (w->utc - HOURS * 3600) / 60 * 60 * NS_PER_S;
	q.to_ns = w->utc * NS_PER_S;
	q.limit = HOURS * 60;
	for (int kept = 0; kept < 2; kept++) {
		for (uint32_t i = 0; i < MANY; i++) {
			struct rec_flow f = world_flow(w, 1000 + i, ETH1, "10.2.0.1", "192.0.2.1");

			f.first_ns = f.slice_ns = f.last_ns - (HOURS + 1) * 3600 * NS_PER_S;
			f.count.bytes[CLIENT] = f.count.bytes[SERVER] = (HOURS + 1) * 3600 * 1000;
			f.end_reason = kept ? END_IDLE : END_NONE;
			world_put(w, 0, kept ? REC_FLOW_END : REC_FLOW_OPEN, &f, sizeof(f), NULL);
		}
		world_pump(w);
		world_commit(w);
		w->boot.settings.query_rows = MANY * HOURS * 60 / 2;
		assert_int_equal(ask_as(&who, &q), ANSWER_TOO_COSTLY);
		assert_int_equal(w->nrows, 0);
		w->boot.settings.query_rows = MANY * HOURS * 60 * 2;
		assert_int_equal(ask_as(&who, &q), ANSWER_OK);
		assert_int_equal(w->nrows, q.limit);
		r = world_row(w, 7, sizeof(*r), NULL);
		assert_int_equal(r->bytes, MANY * 2 * 60 * 1000);
		if (w->s->jobs == NULL)
			world_threads(w);
	}
}

/* The last second that there is, in buckets that would end behind it. */
static void
the_end_of_time_is_no_place(void **state)
{
	struct who who = { .tenant = BETA, .n = { .number = 1, .nnetworks = 1 } };

	(void)state;
	put_traffic();
	assert_true(prefix_parse("10.2.0.0/24", &who.network[0]));
	who.n.networks = who.network;
	world_policy(w, &who.n, 1);
	for (int64_t before_ns = 0; before_ns < 400000 * NS_PER_S; before_ns += 3600 * NS_PER_S) {
		struct wire_question q = question(&keys[0], 86400);

		q.to_ns = INT64_MAX - before_ns;
		q.from_ns = q.to_ns - NS_PER_S;
		assert_int_equal(ask_as(&who, &q), ANSWER_OK);
		assert_int_equal(w->nrows, 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_part_gets_what_its_flows_say),    TEST(a_part_gets_what_its_flows_say),
		TEST(a_part_gets_what_its_flows_say),    TEST(a_part_gets_what_its_flows_say),
		TEST(what_flows_do_not_tell_is_refused), TEST(it_costs_what_it_may),
		TEST(long_slices_cost_what_they_take),   TEST(the_end_of_time_is_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
