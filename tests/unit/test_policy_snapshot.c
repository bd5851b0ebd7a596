/* Snapshots: which tenant a flow belongs to, and that nothing but a signed whole document is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/mem.h"
#include "policy/snapshot.h"

#define ANY UINT32_MAX

static uint8_t public_key[1][32], secret_key[64];

struct row {
	uint32_t tenant;
	const char *point;
	uint32_t vlan;
	const char *network; /* NULL: none */
};

static uint8_t *
document(const struct row *rows, size_t n, uint32_t ntenants, size_t *len)
{
	struct snapshot_builder *b = snapshot_builder_new(9);

	for (uint32_t i = ntenants; i > 0; i--) { /* any order will do */
		struct tenant t = { .number = i };

		snprintf(t.name, sizeof(t.name), "tenant %u", i);
		assert_true(snapshot_add_tenant(b, &t));
	}
	for (size_t i = 0; i < n; i++) {
		struct tenant_selector s = { .tenant = rows[i].tenant, .vlan = rows[i].vlan };

		assert_true(str_copy(s.point, sizeof(s.point), rows[i].point));
		s.has_network = rows[i].network != NULL;
		if (s.has_network)
			assert_true(prefix_parse(rows[i].network, &s.network));
		assert_true(snapshot_add_selector(b, &s));
	}
	return snapshot_finish(&b, secret_key, len);
}

static struct snapshot *
compiled(const struct row *rows, size_t n, uint32_t ntenants)
{
	size_t len;
	uint8_t *doc = document(rows, n, ntenants, &len);
	struct snapshot *s;

	assert_non_null(doc);
	s = snapshot_open(doc, len, (const uint8_t(*)[32])public_key, 1);
	assert_non_null(s);
	free(doc);
	return s;
}

static void
expect(const struct snapshot *s, const char *point, uint32_t vlan, const char *client, const char *server,
       uint32_t primary, uint32_t secondary)
{
	struct ip_addr c, v;
	struct tenant_match m;

	assert_true(ip_parse(client, &c) && ip_parse(server, &v));
	m = snapshot_match(s, &(struct vantage){ .point = snapshot_point(s, point), .vlan = vlan }, &c, &v);
	if (m.primary != primary || m.secondary != secondary)
		fail_msg("%s vlan %u %s > %s: tenants %u, %u; expected %u, %u", point, vlan, client, server,
			 m.primary, m.secondary, primary, secondary);
}

static bool
owns(const struct snapshot *s, uint32_t tenant, const char *point)
{
	return snapshot_point_owner(s, snapshot_point(s, point), 0) == tenant;
}

static void
default_tenant_selects_everything(void **state)
{
	static const struct row rows[] = { { 1, "", ANY, NULL } };
	struct snapshot *s = compiled(rows, ARRAY_LEN(rows), 1);

	(void)state;
	assert_int_equal(snapshot_number(s), 9);
	assert_int_equal(snapshot_tenants(s), 1);
	assert_string_equal(snapshot_tenant_at(s, 0)->name, "tenant 1");
	assert_null(snapshot_tenant_at(s, 1));
	assert_null(snapshot_tenant(s, 2));
	assert_string_equal(snapshot_tenant(s, 1)->name, "tenant 1");
	expect(s, "eth0", 0, "10.0.0.1", "8.8.8.8", 1, 0);
	expect(s, "", 12, "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, 0);
	assert_true(owns(s, 1, "eth0"));
	assert_false(owns(s, 2, "eth0"));
	snapshot_free(&s);
	assert_null(s);
	snapshot_free(&s);
}

static void
no_selector_no_tenant(void **state)
{
	struct snapshot *s = compiled(NULL, 0, 2);

	(void)state;
	expect(s, "eth0", 0, "10.0.0.1", "8.8.8.8", TENANT_UNASSIGNED, 0);
	assert_false(owns(s, 1, "eth0"));
	snapshot_free(&s);
	s = compiled(NULL, 0, 0);
	assert_null(snapshot_tenant(s, 1));
	snapshot_free(&s);
}

/* Both have 10.0.0.0/8, each on its own interface; a name is exact. */
static void
two_tenants_with_the_same_network(void **state)
{
	static const struct row rows[] = { { 1, "eth1", ANY, "10.0.0.0/8" },
					   { 2, "eth10", ANY, "10.0.0.0/8" } };
	struct snapshot *s = compiled(rows, ARRAY_LEN(rows), 2);

	(void)state;
	expect(s, "eth1", 0, "10.0.0.1", "8.8.8.8", 1, 0);
	expect(s, "eth10", 0, "10.0.0.1", "8.8.8.8", 2, 0);
	expect(s, "eth1", 0, "8.8.8.8", "10.0.0.1", 1, 0);
	expect(s, "eth", 0, "10.0.0.1", "8.8.8.8", TENANT_UNASSIGNED, 0);
	expect(s, "eth100", 0, "10.0.0.1", "8.8.8.8", TENANT_UNASSIGNED, 0);
	expect(s, "eth1", 0, "9.255.255.255", "11.0.0.0", TENANT_UNASSIGNED, 0);
	expect(s, "eth1", 0, "10.0.0.0", "9.0.0.0", 1, 0);
	expect(s, "eth1", 0, "10.255.255.255", "9.0.0.0", 1, 0);
	assert_false(owns(s, 1, "eth1"));
	snapshot_free(&s);
}

static void
flow_between_two_tenants(void **state)
{
	static const struct row rows[] = { { 1, "", ANY, "192.0.2.0/24" },
					   { 2, "", ANY, "2001:db8::/32" },
					   { 2, "", ANY, "198.51.100.0/24" } };
	struct snapshot *s = compiled(rows, ARRAY_LEN(rows), 2);

	(void)state;
	expect(s, "x", 0, "192.0.2.1", "198.51.100.1", 1, 2);
	expect(s, "x", 0, "198.51.100.1", "192.0.2.1", 2, 1);
	expect(s, "x", 0, "198.51.100.1", "198.51.100.2", 2, 0);
	expect(s, "x", 0, "203.0.113.1", "192.0.2.1", 1, 0);
	expect(s, "x", 0, "2001:db8::1", "2001:db9::1", 2, 0);
	snapshot_free(&s);
}

static void
longest_network_wins(void **state)
{
	static const struct row rows[] = {
		{ 1, "", ANY, NULL },
		{ 2, "", ANY, "10.0.0.0/8" },
		{ 3, "", ANY, "10.1.0.0/16" },
		{ 4, "", ANY, "10.1.0.0/24" },
		{ 5, "", ANY, "10.1.255.255" },
		{ 6, "eth0", ANY, "10.1.0.0/16" }, /* equally long: the named point is more particular */
		{ 7, "eth0", 5, "10.1.0.0/16" },
		{ 8, "eth0", ANY, NULL }, /* a network beats none, whatever the point */
	};
	struct snapshot *s = compiled(rows, ARRAY_LEN(rows), 8);

	(void)state;
	expect(s, "e", 0, "11.0.0.1", "12.0.0.1", 1, 0);
	expect(s, "e", 0, "10.0.0.1", "10.2.0.1", 2, 0);
	expect(s, "e", 0, "10.1.1.1", "10.1.1.2", 3, 0);
	expect(s, "e", 0, "10.1.0.1", "10.1.0.2", 4, 0);
	expect(s, "e", 0, "10.1.255.255", "10.1.255.254", 5, 3);
	expect(s, "e", 0, "10.2.0.0", "11.0.0.0", 2, 1);
	expect(s, "eth0", 0, "10.1.1.1", "10.1.0.2", 6, 4);
	expect(s, "eth0", 5, "10.1.1.1", "10.1.0.2", 7, 4);
	expect(s, "eth0", 5, "10.2.1.1", "10.2.0.2", 2, 0);
	expect(s, "eth0", 5, "11.0.0.0", "11.0.0.1", 8, 0);
	assert_false(owns(s, 1, "eth0"));
	snapshot_free(&s);
}

static void
vlans_are_exact(void **state)
{
	static const struct row rows[] = { { 1, "", 0, NULL },
					   { 2, "", 10, NULL },
					   { 3, "eth0", 100, NULL } };
	struct snapshot *s = compiled(rows, ARRAY_LEN(rows), 3);

	(void)state;
	expect(s, "eth0", 0, "1.1.1.1", "2.2.2.2", 1, 0);
	expect(s, "eth0", 10, "1.1.1.1", "2.2.2.2", 2, 0);
	expect(s, "eth0", 100, "1.1.1.1", "2.2.2.2", 3, 0);
	expect(s, "eth1", 100, "1.1.1.1", "2.2.2.2", TENANT_UNASSIGNED, 0);
	expect(s, "eth0", 1, "1.1.1.1", "2.2.2.2", TENANT_UNASSIGNED, 0);
	expect(s, "eth0", ANY, "1.1.1.1", "2.2.2.2", TENANT_UNASSIGNED, 0);
	assert_false(owns(s, 1, "eth0"));
	snapshot_free(&s);
}

static void
owning_a_point(void **state)
{
	static const struct row rows[] = { { 1, "eth0", ANY, NULL },
					   { 2, "eth1", ANY, "::/0" },
					   { 3, "eth2", ANY, NULL },
					   { 4, "eth2", ANY, "10.0.0.0/8" },
					   { 5, "eth3", ANY, "0.0.0.0/0" } };
	struct snapshot *s = compiled(rows, ARRAY_LEN(rows), 5);

	(void)state;
	assert_true(owns(s, 1, "eth0"));
	assert_true(owns(s, 2, "eth1"));
	assert_false(owns(s, 3, "eth2"));
	assert_false(owns(s, 5, "eth3"));
	assert_false(owns(s, 1, "eth1"));
	assert_false(owns(s, 1, "eth9"));
	snapshot_free(&s);
}

/* --- what is watched
 * ---------------------------------------------------------------------------------------------------
 */

static void
what_is_watched_goes_through(void **state)
{
	struct watched_item w[] = {
		{ .tenant = 2, .kind = WATCHED_HOST, .space = 7, .vlan = 4094, .what.bits = 128 },
		{ .tenant = TENANT_PLATFORM, .kind = WATCHED_NETWORK },
	};
	struct watched_item bad[] = { w[0], w[0], w[1], w[1], w[0], w[0] };
	const struct watched_item *list;
	struct snapshot_builder *b;
	struct snapshot *s;
	size_t n, len;

	(void)state;
	w[0].what.addr.b[15] = 9;
	assert_true(prefix_parse("10.0.0.0/8", &w[1].what));
	b = snapshot_builder_new(1);
	assert_true(snapshot_add_tenant(b, &(struct tenant){ .number = 2, .name = "two" }));
	for (size_t i = 0; i < 2; i++)
		assert_true(snapshot_add_watched(b, &w[i]));
	uint8_t *doc = snapshot_finish(&b, secret_key, &len);

	assert_non_null(doc);
	s = snapshot_open(doc, len, (const uint8_t(*)[32])public_key, 1);
	assert_non_null(s);
	list = snapshot_watched(s, &n);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(list[i].tenant, w[i].tenant);
		assert_int_equal(list[i].kind, w[i].kind);
		assert_int_equal(list[i].space, w[i].space);
		assert_int_equal(list[i].vlan, w[i].vlan);
		assert_int_equal(list[i].what.bits, w[i].what.bits);
		assert_true(ip_equal(&list[i].what.addr, &w[i].what.addr));
	}
	snapshot_free(&s);
	free(doc);

	bad[0].what.bits = 127;
	bad[1].vlan = 4095;
	bad[2].what.addr.b[15] = 1;
	bad[3].vlan = 1;
	bad[4].kind = WATCHED_KIND_COUNT;
	bad[5].tenant = 3; /* there is none */
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		b = snapshot_builder_new(1);
		assert_true(snapshot_add_tenant(b, &(struct tenant){ .number = 2, .name = "two" }));
		assert_true(snapshot_add_watched(b, &bad[i]) == (i == 5));
		assert_null(snapshot_finish(&b, secret_key, &len));
	}
	b = snapshot_builder_new(1);
	for (size_t i = 0; i < SNAPSHOT_WATCHED_MAX; i++)
		assert_true(snapshot_add_watched(b, &w[1]));
	assert_false(snapshot_add_watched(b, &w[1]));
	assert_null(snapshot_finish(&b, secret_key, &len));
}

/* --- exporters, address spaces
 * ---------------------------------------------------------------------------------------- */

static struct snapshot *
signed_by_us(struct snapshot_builder *b)
{
	size_t len;
	uint8_t *doc = snapshot_finish(&b, secret_key, &len);
	struct snapshot *s;

	assert_non_null(doc);
	s = snapshot_open(doc, len, (const uint8_t(*)[32])public_key, 1);
	assert_non_null(s);
	free(doc);
	return s;
}

static struct ip_addr
ip(const char *text)
{
	struct ip_addr a;

	assert_true(ip_parse(text, &a));
	return a;
}

static uint32_t
primary(const struct snapshot *s, const struct vantage *at)
{
	struct ip_addr c = ip("10.0.0.1"), v = ip("8.8.8.8");

	return snapshot_match(s, at, &c, &v).primary;
}

static void
exporters_are_exact(void **state)
{
	struct tenant_selector sel[] = {
		{ .tenant = 1, .vlan = ANY, .has_exporter = 1, .exporter = ip("192.0.2.1") },
		{ .tenant = 2,
		  .vlan = ANY,
		  .has_exporter = 1,
		  .exporter = ip("192.0.2.1"),
		  .has_interface = 1,
		  .interface = 7 },
		{ .tenant = 3, .point = "collector", .vlan = ANY },
	};
	struct snapshot_builder *b = snapshot_builder_new(1);
	struct vantage at = { .space = 0 };
	struct snapshot *s;

	(void)state;
	for (uint32_t i = 1; i <= 3; i++)
		assert_true(snapshot_add_tenant(b, &(struct tenant){ .number = i, .name = "t" }));
	for (size_t i = 0; i < ARRAY_LEN(sel); i++)
		assert_true(snapshot_add_selector(b, &sel[i]));
	s = signed_by_us(b);
	assert_int_equal(primary(s, &at), TENANT_UNASSIGNED);
	at.in_interface = 7; /* of nobody */
	assert_int_equal(primary(s, &at), TENANT_UNASSIGNED);
	at.exporter = ip("192.0.2.1");
	assert_int_equal(primary(s, &at), 2);
	at.in_interface = 70;
	assert_int_equal(primary(s, &at), 1);
	at.out_interface = 7;
	assert_int_equal(primary(s, &at), 2);
	at.exporter = ip("192.0.2.10");
	assert_int_equal(primary(s, &at), TENANT_UNASSIGNED);
	at.point = snapshot_point(s, "collector");
	assert_int_equal(primary(s, &at), 3);
	/* Flows of the exporter may come in at the collector: neither owns it. */
	assert_int_equal(snapshot_point_owner(s, at.point, 0), 0);
	snapshot_free(&s);
}

/* The same networks at the same points, told apart by the address space alone. */
static void
address_spaces_are_apart(void **state)
{
	struct tenant t[] = { { .number = 1, .name = "a", .nspaces = 2, .space = { 1, 2 } },
			      { .number = 2, .name = "b", .nspaces = 1, .space = { 3 } },
			      { .number = 3, .name = "c" } };
	struct tenant_selector net = { .vlan = ANY, .has_network = 1, .network = { ip("10.0.0.0"), 104 } };
	struct tenant_selector all = { .tenant = 3, .vlan = ANY };
	struct snapshot_builder *b = snapshot_builder_new(1);
	struct snapshot *s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_true(snapshot_add_tenant(b, &t[i]));
	for (net.tenant = 1; net.tenant <= 2; net.tenant++)
		assert_true(snapshot_add_selector(b, &net));
	assert_true(snapshot_add_selector(b, &all));
	s = signed_by_us(b);
	for (uint32_t space = 0; space < 5; space++) {
		static const uint32_t expected[] = { 3, 1, 1, 2, 3 };

		assert_int_equal(primary(s, &(struct vantage){ .space = space }), expected[space]);
		assert_int_equal(snapshot_point_owner(s, 0, space), expected[space] == 3 ? 3 : 0);
	}
	assert_true(snapshot_has_networks(s, 1) && !snapshot_has_networks(s, 3) &&
		    !snapshot_has_networks(s, 9));
	assert_true(snapshot_in_networks(s, 2, &net.network.addr));
	assert_false(snapshot_in_networks(s, 3, &net.network.addr));

	struct ip_prefix found;

	assert_true(snapshot_network(s, 2, &net.network.addr, &found));
	assert_memory_equal(&found.addr, &net.network.addr, sizeof(found.addr));
	assert_int_equal(found.bits, net.network.bits);
	assert_false(snapshot_network(s, 3, &net.network.addr, &found));
	snapshot_free(&s);
}

static void
tenants_come_back_whole(void **state)
{
	const struct tenant t = { .number = 5,
				  .name = "a",
				  .title = "A and sons",
				  .quota = { 1, UINT64_MAX, 3, UINT64_C(1) << 40, { 60, 0, UINT64_MAX } },
				  .nspaces = TENANT_SPACES_MAX,
				  .space = { 0, 1, 2, 3, 4, 5, 6, UINT32_MAX } };
	struct snapshot_builder *b = snapshot_builder_new(1);
	struct snapshot *s;

	(void)state;
	assert_true(snapshot_add_tenant(b, &t));
	s = signed_by_us(b);
	assert_memory_equal(snapshot_tenant(s, 5), &t, sizeof(t));
	snapshot_free(&s);
}

/* --- against a plain reading of the rule
 * ------------------------------------------------------------------------------ */

/* 0 no match; else bits of the network, then what else was named, from point down to address space. */
static unsigned
rank(const struct tenant_selector *t, const struct tenant *of, const char *point, const struct vantage *at,
     const struct ip_addr *a)
{
	static const struct ip_addr zero;
	bool in_space = of->nspaces == 0;

	for (uint32_t i = 0; i < of->nspaces; i++)
		in_space |= of->space[i] == at->space;
	if (!in_space || (t->point[0] != '\0' && strcmp(t->point, point) != 0) ||
	    (t->vlan != ANY && t->vlan != at->vlan))
		return 0;
	if (t->has_exporter && (ip_equal(&at->exporter, &zero) || !ip_equal(&at->exporter, &t->exporter)))
		return 0;
	if (t->has_interface && t->interface != at->in_interface && t->interface != at->out_interface)
		return 0;
	if (t->has_network && !prefix_contains(&t->network, a))
		return 0;
	return (t->has_network ? t->network.bits + 1u : 0u) * 64 + (t->point[0] != '\0' ? 32u : 0u) +
	       t->has_exporter * 16u + t->has_interface * 8u + (t->vlan != ANY ? 4u : 0u) +
	       (of->nspaces > 0 ? 2u : 0u) +
	       /* where it came in before where it went out */
	       (t->has_interface && t->interface != at->in_interface ? 0u : 1u) + 1;
}

static uint32_t
plain_tenant(const struct tenant_selector *t, size_t n, const struct tenant *tenants, const char *point,
	     const struct vantage *at, const struct ip_addr *a)
{
	uint32_t best = 0;
	unsigned top = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned r = rank(&t[i], &tenants[t[i].tenant - 1], point, at, a);

		if (r > top || (r == top && r > 0 && t[i].tenant < best)) {
			top = r;
			best = t[i].tenant;
		}
	}
	return best;
}

/* Few distinct bits, so that prefixes nest, collide and touch; half of them IPv4. */
static struct ip_addr
random_address(void)
{
	static const uint8_t parts[] = { 0, 1, 127, 128, 255 };
	const uint8_t v4[4] = { parts[randombytes_uniform(5)], parts[randombytes_uniform(5)], 0,
				parts[randombytes_uniform(5)] };
	struct ip_addr a = ip_from_v4(v4);

	for (size_t i = 0; i < sizeof(a.b) && v4[3] % 2 == 0; i++)
		a.b[i] = i == 0 || i == 1 || i == 15 ? parts[randombytes_uniform(5)]
						     : (uint8_t)(randombytes_uniform(20) ? 0 : 255);
	return a;
}

static struct ip_prefix
random_prefix(void)
{
	static const uint8_t bits[] = { 0, 1, 7, 8, 9, 15, 16, 17, 95, 96, 97, 104, 112, 127, 128 };
	struct ip_prefix p = { random_address(), bits[randombytes_uniform(ARRAY_LEN(bits))] };

	for (unsigned b = p.bits; b < 128; b++)
		p.addr.b[b / 8] &= (uint8_t) ~(0x80u >> b % 8);
	return p;
}

static struct ip_addr
random_exporter(void)
{
	struct ip_addr a = { { 0 } };

	a.b[15] = (uint8_t)randombytes_uniform(3); /* 0: none */
	return a;
}

static struct tenant_selector
random_selector(void)
{
	static const char *const points[] = { "", "eth1", "eth10", "lo" };
	struct tenant_selector t = { .tenant = 1 + randombytes_uniform(6) };

	str_copy(t.point, sizeof(t.point), points[randombytes_uniform(4)]);
	t.vlan = randombytes_uniform(2) ? ANY : randombytes_uniform(3);
	t.has_network = randombytes_uniform(6) != 0;
	if (t.has_network)
		t.network = random_prefix();
	t.has_exporter = randombytes_uniform(3) == 0;
	if (t.has_exporter)
		t.exporter = random_exporter();
	t.has_interface = t.has_exporter && randombytes_uniform(2);
	if (t.has_interface)
		t.interface = randombytes_uniform(3);
	return t;
}

static const char *const seen_at[] = { "eth1", "eth10", "lo", "other" };

static struct vantage
random_vantage(const struct snapshot *s, const char *point)
{
	return (struct vantage){ .point = snapshot_point(s, point),
				 .space = randombytes_uniform(3),
				 .vlan = randombytes_uniform(4),
				 .exporter = random_exporter(),
				 .in_interface = randombytes_uniform(3),
				 .out_interface = randombytes_uniform(3) };
}

static void
random_tenants(struct tenant tenants[static 6])
{
	for (uint32_t i = 0; i < 6; i++) {
		tenants[i] = (struct tenant){ .number = i + 1, .name = "t" };
		for (uint32_t space = 0; space < 3 && randombytes_uniform(3) == 0; space++)
			tenants[i].space[tenants[i].nspaces++] = space;
	}
}

static void
compare_random(void)
{
	struct tenant_selector t[60];
	struct tenant tenants[6];
	size_t n = 1 + randombytes_uniform(ARRAY_LEN(t));
	struct snapshot_builder *b = snapshot_builder_new(1);
	struct snapshot *s;

	random_tenants(tenants);
	for (size_t i = 0; i < ARRAY_LEN(tenants); i++)
		assert_true(snapshot_add_tenant(b, &tenants[i]));
	for (size_t i = 0; i < n; i++) {
		t[i] = random_selector();
		assert_true(snapshot_add_selector(b, &t[i]));
	}
	s = signed_by_us(b);
	for (int i = 0; i < 200; i++) {
		const char *point = seen_at[randombytes_uniform(4)];
		struct vantage at = random_vantage(s, point);
		struct ip_addr c = random_address(), v = random_address();
		struct tenant_match m = snapshot_match(s, &at, &c, &v);
		uint32_t owner = snapshot_point_owner(s, at.point, at.space);
		uint32_t x = plain_tenant(t, n, tenants, point, &at, &c);
		uint32_t y = plain_tenant(t, n, tenants, point, &at, &v);

		assert_int_equal(m.primary, x != 0 ? x : y != 0 ? y : TENANT_UNASSIGNED);
		assert_int_equal(m.secondary, x != 0 && y != x ? y : 0);
		assert_true(owner == 0 || (m.primary == owner && m.secondary == 0));
	}
	snapshot_free(&s);
}

static void
agrees_with_the_plain_rule(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++)
		compare_random();
}

/* --- narrowings
 * -------------------------------------------------------------------------------------------------------- */

struct lists {
	char interfaces[3][64];
	struct exporter_ref exporters[3];
	struct ip_prefix networks[5];
};

static struct narrowing
random_narrowing(uint32_t number, struct lists *l)
{
	struct narrowing n = { .number = number,
			       .masked = randombytes_uniform(2),
			       .ninterfaces = randombytes_uniform(3),
			       .nexporters = randombytes_uniform(3),
			       .nnetworks = randombytes_uniform(5),
			       .interfaces = l->interfaces,
			       .exporters = l->exporters,
			       .networks = l->networks };

	for (size_t i = 0; i < n.ninterfaces; i++)
		assert_true(
		    str_copy(l->interfaces[i], sizeof(l->interfaces[i]), seen_at[randombytes_uniform(3)]));
	for (size_t i = 0; i < n.nexporters; i++)
		l->exporters[i] = (struct exporter_ref){ random_exporter(), (uint8_t)randombytes_uniform(2),
							 randombytes_uniform(3) };
	for (size_t i = 0; i < n.nnetworks; i++)
		l->networks[i] = random_prefix();
	return n;
}

static bool
plainly_admits(const struct narrowing *n, const char *point, const struct vantage *at,
	       const struct ip_addr *c, const struct ip_addr *v)
{
	static const struct ip_addr zero;
	bool place = n->ninterfaces + n->nexporters == 0, end = n->nnetworks == 0;

	for (size_t i = 0; i < n->ninterfaces; i++)
		place |= strcmp(n->interfaces[i], point) == 0;
	for (size_t i = 0; i < n->nexporters; i++) {
		const struct exporter_ref *e = &n->exporters[i];

		place |= !ip_equal(&at->exporter, &zero) && ip_equal(&at->exporter, &e->ip) &&
			 (!e->has_interface || e->interface == at->in_interface ||
			  e->interface == at->out_interface);
	}
	for (size_t i = 0; i < n->nnetworks; i++)
		end |= prefix_contains(&n->networks[i], c) || prefix_contains(&n->networks[i], v);
	return place && end;
}

static void
check_narrowing(const struct snapshot *s, const struct narrowing *n)
{
	const struct narrowed *w = snapshot_narrowing(s, n->number);

	assert_non_null(w);
	assert_int_equal(narrowed_masks(w), n->masked);
	for (int i = 0; i < 50; i++) {
		const char *point = seen_at[randombytes_uniform(4)];
		struct vantage at = random_vantage(s, point);
		struct ip_addr c = random_address(), v = random_address();
		bool admits = narrowed_admits(w, &at, &c, &v);

		assert_int_equal(admits, plainly_admits(n, point, &at, &c, &v));
		if (narrowed_point(w, at.point) == NARROWED_ALL)
			assert_true(admits);
		if (narrowed_point(w, at.point) == NARROWED_NONE)
			assert_false(admits);

		struct ip_prefix network = random_prefix();

		if (narrowed_holds(w, &network) &&
		    (prefix_contains(&network, &c) || prefix_contains(&network, &v)))
			assert_true(admits);

		struct exporter_ref e = { at.exporter, (uint8_t)randombytes_uniform(2), at.in_interface };

		if (at.exporter.b[15] != 0 && narrowed_holds_exporter(w, &e))
			assert_true(admits);
	}
}

/* A network is held where others together cover it, and not where a part of it is left out. */
static void
networks_lie_in_narrowings(void **state)
{
	static const struct {
		const char *lists[3], *network;
		bool holds;
	} cases[] = {
		{ { "10.0.0.0/8" }, "10.1.0.0/16", true },
		{ { "10.1.0.0/16" }, "10.0.0.0/8", false },
		{ { "10.0.0.0/9", "10.128.0.0/9" }, "10.0.0.0/8", true },
		{ { "10.0.0.0/9", "10.129.0.0/16" }, "10.0.0.0/8", false },
		{ { "10.0.0.0/8", "10.1.0.0/16" }, "10.0.0.0/8", true },
		{ { "0.0.0.0/0" }, "255.255.255.255", true },
		{ { "::/0" }, "2001:db8::/32", true },
		{ { "2001:db8::/33" }, "2001:db8::/32", false },
		{ { "10.0.0.1" }, "10.0.0.2", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct snapshot_builder *b = snapshot_builder_new(1);
		struct ip_prefix networks[3], network;
		struct narrowing n = { .number = 1, .networks = networks };
		struct snapshot *s;

		for (; cases[i].lists[n.nnetworks] != NULL; n.nnetworks++)
			assert_true(prefix_parse(cases[i].lists[n.nnetworks], &networks[n.nnetworks]));
		assert_true(prefix_parse(cases[i].network, &network));
		assert_true(snapshot_add_narrowing(b, &n));
		s = signed_by_us(b);
		assert_int_equal(narrowed_holds(snapshot_narrowing(s, 1), &network), cases[i].holds);
		snapshot_free(&s);
	}
}

static void
narrowings_agree_with_the_plain_rule(void **state)
{
	static struct lists lists[8];

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct snapshot_builder *b = snapshot_builder_new(1);
		struct narrowing n[8];
		struct snapshot *s;

		for (uint32_t i = 8; i-- > 0;) {
			n[i] = random_narrowing(10 + i, &lists[i]);
			assert_true(snapshot_add_narrowing(b, &n[i]));
		}
		s = signed_by_us(b);
		assert_null(snapshot_narrowing(s, 9));
		for (size_t i = 0; i < 8; i++)
			check_narrowing(s, &n[i]);
		snapshot_free(&s);
	}
}

/* --- documents
 * -------------------------------------------------------------------------------------------------------- */

static void
tampered_documents_are_refused(void **state)
{
	static const struct row rows[] = { { 1, "", ANY, NULL }, { 2, "eth0", 7, "10.0.0.0/8" } };
	const uint8_t(*keys)[32] = (const uint8_t(*)[32])public_key;
	size_t len;
	uint8_t *doc = document(rows, ARRAY_LEN(rows), 2, &len);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		doc[i] ^= 1;
		assert_null(snapshot_open(doc, len, keys, 1));
		doc[i] ^= 1;
		assert_null(snapshot_open(doc, i, keys, 1));
	}
	assert_null(snapshot_open(doc, len, keys, 0));
	free(doc);
}

/* Signed by us and yet wrong: each byte changed, then signed anew. It may be a document or not, it never
 * harms. */
static void
malformed_signed_documents(void **state)
{
	static const struct row rows[] = { { 1, "", ANY, NULL }, { 2, "eth0", 7, "10.0.0.0/8" } };
	const uint8_t(*keys)[32] = (const uint8_t(*)[32])public_key;
	size_t len, refused = 0;
	uint8_t *doc = document(rows, ARRAY_LEN(rows), 2, &len);

	(void)state;
	for (size_t i = 0; i < len - 64; i++)
		for (unsigned v = 0; v < 256; v += 15) {
			uint8_t was = doc[i];
			struct snapshot *s;

			doc[i] = (uint8_t)v;
			crypto_sign_detached(doc + len - 64, NULL, doc, len - 64, secret_key);
			s = snapshot_open(doc, len, keys, 1);
			refused += s == NULL;
			if (s != NULL)
				expect(s, "none", 1, "255.1.1.1", "255.2.2.2",
				       snapshot_match(s, &(struct vantage){ .vlan = 1 },
						      &(struct ip_addr){ { 0 } }, &(struct ip_addr){ { 0 } })
					   .primary,
				       0);
			snapshot_free(&s);
			doc[i] = was;
		}
	assert_true(refused > 0);
	free(doc);
}

static void
builder_refuses(void **state)
{
	struct tenant_selector bad_net = {
		.tenant = 1, .vlan = ANY, .has_network = 1, .network = { .bits = 129 }
	};
	struct tenant_selector host_bits = {
		.tenant = 1, .vlan = ANY, .has_network = 1, .network = { { { 1 } }, 4 }
	};
	struct tenant_selector bad_vlan = { .tenant = 1, .vlan = 4095 },
			       orphan = { .tenant = 2, .vlan = ANY };
	struct tenant_selector bad_interface = { .tenant = 1, .vlan = ANY, .has_interface = 1 };
	struct tenant twice = { .number = 3, .name = "t", .nspaces = 2, .space = { 4, 4 } };
	struct tenant many = { .number = 3, .name = "t", .nspaces = TENANT_SPACES_MAX + 1 };
	struct ip_prefix host = { { { 1 } }, 4 };
	char empty[1][64] = { "" };
	struct tenant unterminated = { .number = 1 };
	struct snapshot_builder *b;
	size_t len;

	(void)state;
	memset(unterminated.name, 'x', sizeof(unterminated.name));
#define REFUSES(call)                                                                                        \
	do {                                                                                                 \
		b = snapshot_builder_new(1);                                                                 \
		assert_true(snapshot_add_tenant(b, &(struct tenant){ .number = 1, .name = "default" }));     \
		call;                                                                                        \
		assert_null(snapshot_finish(&b, secret_key, &len));                                          \
		assert_null(b);                                                                              \
	} while (0)
	REFUSES(assert_false(snapshot_add_selector(b, &bad_net)));
	REFUSES(assert_false(snapshot_add_selector(b, &host_bits)));
	REFUSES(assert_false(snapshot_add_selector(b, &bad_vlan)));
	REFUSES(assert_true(snapshot_add_selector(b, &orphan)));
	REFUSES(assert_false(snapshot_add_selector(b, &bad_interface)));
	REFUSES(assert_false(snapshot_add_tenant(b, &twice)));
	REFUSES(assert_false(snapshot_add_tenant(b, &many)));
	REFUSES(assert_false(snapshot_add_narrowing(b, &(struct narrowing){ .number = 0 })));
	REFUSES(assert_false(snapshot_add_narrowing(
	    b, &(struct narrowing){ .number = 1, .ninterfaces = 1, .interfaces = empty })));
	REFUSES(assert_false(snapshot_add_narrowing(
	    b, &(struct narrowing){ .number = 1, .nnetworks = 1, .networks = &host })));
	REFUSES(assert_false(snapshot_add_narrowing(
	    b, &(struct narrowing){ .number = 1, .nnetworks = SIZE_MAX, .networks = &host })));
	REFUSES(assert_true(snapshot_add_narrowing(b, &(struct narrowing){ .number = 1 }) &&
			    snapshot_add_narrowing(b, &(struct narrowing){ .number = 1 })));
	REFUSES(assert_false(snapshot_add_tenant(b, &unterminated)));
	REFUSES(assert_false(snapshot_add_tenant(b, &(struct tenant){ .number = 0, .name = "platform" })));
	REFUSES(assert_false(snapshot_add_tenant(b, &(struct tenant){ .number = 3, .name = "" })));
	REFUSES(assert_false(snapshot_add_tenant(b, &(struct tenant){ .number = 3, .name = "a\nb" })));
	REFUSES(assert_true(snapshot_add_tenant(b, &(struct tenant){ .number = 1, .name = "again" })));
}

/* The largest allowed document is made and compiled; one more selector is refused. */
static void
limits_hold(void **state)
{
	struct snapshot_builder *b = snapshot_builder_new(1);
	struct snapshot *s;
	uint8_t *doc;
	size_t len;

	(void)state;
	for (uint32_t i = 1; i <= SNAPSHOT_TENANTS_MAX; i++)
		assert_true(snapshot_add_tenant(
		    b, &(struct tenant){
			   .number = i,
			   .name = "0123456789012345678901234567890123456789012345678901234567890" }));
	for (uint32_t i = 0; i < SNAPSHOT_SELECTORS_MAX; i++) {
		uint8_t v4[4] = { 10, (uint8_t)(i >> 8), (uint8_t)i, 0 };
		struct tenant_selector t = { .tenant = 1 + i % SNAPSHOT_TENANTS_MAX,
					     .vlan = ANY,
					     .has_network = 1,
					     .network = { ip_from_v4(v4), 120 } };

		assert_true(snapshot_add_selector(b, &t));
	}
	doc = snapshot_finish(&b, secret_key, &len);
	assert_non_null(doc);
	assert_true(len < SNAPSHOT_BYTES_MAX);
	s = snapshot_open(doc, len, (const uint8_t(*)[32])public_key, 1);
	assert_non_null(s);
	expect(s, "e", 0, "10.0.1.9", "10.0.2.9", 2, 3);
	expect(s, "e", 0, "10.255.255.1", "11.0.0.0", 1 + 65535 % SNAPSHOT_TENANTS_MAX, 0);
	snapshot_free(&s);
	free(doc);

	b = snapshot_builder_new(1);
	for (uint32_t i = 0; i <= SNAPSHOT_SELECTORS_MAX; i++)
		assert_int_equal(
		    snapshot_add_selector(b, &(struct tenant_selector){ .tenant = 1, .vlan = ANY }),
		    i < SNAPSHOT_SELECTORS_MAX);
	assert_null(snapshot_finish(&b, secret_key, &len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_watched_goes_through),
		cmocka_unit_test(default_tenant_selects_everything),
		cmocka_unit_test(no_selector_no_tenant),
		cmocka_unit_test(two_tenants_with_the_same_network),
		cmocka_unit_test(flow_between_two_tenants),
		cmocka_unit_test(longest_network_wins),
		cmocka_unit_test(vlans_are_exact),
		cmocka_unit_test(owning_a_point),
		cmocka_unit_test(exporters_are_exact),
		cmocka_unit_test(address_spaces_are_apart),
		cmocka_unit_test(tenants_come_back_whole),
		cmocka_unit_test(agrees_with_the_plain_rule),
		cmocka_unit_test(networks_lie_in_narrowings),
		cmocka_unit_test(narrowings_agree_with_the_plain_rule),
		cmocka_unit_test(tampered_documents_are_refused),
		cmocka_unit_test(malformed_signed_documents),
		cmocka_unit_test(builder_refuses),
		cmocka_unit_test(limits_hold),
	};

	if (sodium_init() < 0)
		return 1;
	crypto_sign_keypair(public_key[0], secret_key);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
