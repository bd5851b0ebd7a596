/* Who sees remote ends masked is told nowhere who they are, and finds nobody by what is hidden. */
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
#include "store_walls.h"

/* Whether a row shows what the text, which is one test, asks for. */
static bool
shows(const struct row_flow *r, const char *text)
{
	struct ip_addr ip;

	if (strncmp(text, "sni ", 4) == 0)
		return !r->masked[SERVER];
	if (strncmp(text, "mac ", 4) == 0)
		return r->flow.mac[CLIENT][0] != 0 || r->flow.mac[SERVER][0] != 0;
	if (strncmp(text, "ip ", 3) != 0)
		return true;
	assert_true(ip_parse(text + 3, &ip));
	return ip_equal(&r->flow.ip[CLIENT], &ip) || ip_equal(&r->flow.ip[SERVER], &ip);
}

/* Whom a mask hides nobody finds by what it hides: a filter is answered of what is shown. Returns how many
 * rows there were. */
static unsigned
nothing_is_found_behind_a_mask(const struct walls_who *who, int64_t from_ns)
{
	static struct walls_sieve s;
	struct wire_question q = world_question(ASK_FLOWS);
	unsigned rows = 0;

	q.limit = 1000;
	q.from_ns = from_ns;
	for (size_t i = 0; i < walls_nfilters; i++) {
		assert_true(str_copy(s.text, sizeof(s.text), walls_filters[i]));
		walls_compile(&s);
		(void)walls_ask_through(walls.all, who, true, &q, &s);
		for (uint32_t n = 0; n < walls.all->nrows; n++)
			if (!shows(world_row(walls.all, n, sizeof(struct row_flow), NULL), s.text))
				fail_msg("%s: row %u has it hidden", s.text, n);
		rows += walls.all->nrows;
	}
	return rows;
}

static bool
is_own(uint32_t tenant, const struct ip_addr *ip)
{
	static const char *const networks[] = { [BETA] = "10.2.0.0/16", [GAMMA] = "10.3.0.0/16" };
	struct ip_prefix p;

	/* Alpha and the platform have no networks of their own: private addresses are local. */
	assert_true(prefix_parse(tenant == BETA || tenant == GAMMA ? networks[tenant] : "10.0.0.0/8", &p));
	return prefix_contains(&p, ip);
}

static void
check_masked_flow(uint32_t tenant, const struct row_flow *r, const struct walls_traffic *t)
{
	static const uint8_t none[6];
	const struct rec_flow *f = NULL;

	for (size_t i = 0; i < WALLS_FLOWS; i++)
		if (t->flow[i].first_ns == r->flow.first_ns)
			f = &t->flow[i];
	assert_non_null(f);
	for (int side = CLIENT; side <= SERVER; side++) {
		struct ip_addr expected = f->ip[side];

		assert_int_equal(r->masked[side], !is_own(tenant, &f->ip[side]));
		if (!r->masked[side]) {
			assert_memory_equal(&r->flow.ip[side], &f->ip[side], sizeof(expected));
			continue;
		}
		memset(&expected.b[ip_is_v4(&expected) ? 15 : 6], 0, ip_is_v4(&expected) ? 1 : 10);
		assert_memory_equal(&r->flow.ip[side], &expected, sizeof(expected));
		assert_memory_equal(r->flow.mac[side], none, sizeof(none));
		assert_int_equal(r->info_len + r->attributes_len, 0);
		assert_int_equal(side == CLIENT ? r->client_name_len : r->server_host_len, 0);
	}
	assert_int_equal(r->server_name_len, r->masked[SERVER] ? 0 : f->server_name_len);
}

/* Of those that end, every second one, and of those that live. */
static bool
everyone_has_some(const struct walls_traffic *t, const uint32_t *tenants, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		unsigned flows[2] = { 0 };

		for (size_t i = 0; i < WALLS_FLOWS; i++)
			flows[i % 2] += walls_of_tenant(tenants[k], &t->flow[i]);
		if (flows[0] == 0 || flows[1] == 0)
			return false;
	}
	return true;
}

/* Whoever is masked gets every answer that tells nothing of who is remote; and asks for it in vain. */
static void
masked_ends_stay_hidden(void **state)
{
	static const uint32_t tenants[] = { TENANT_PLATFORM, ALPHA, BETA, GAMMA };
	static struct walls_traffic t;
	struct wire_question q;
	unsigned masked = 0;

	(void)state;
	do
		walls_random_traffic(walls.all, &t);
	while (!everyone_has_some(&t, tenants, ARRAY_LEN(tenants)));
	for (size_t i = 0; i < WALLS_FLOWS; i++) {
		walls_put(walls.all, &t.flow[i], false);
		if (i % 2 == 0)
			walls_put(walls.all, &t.flow[i], true);
	}
	walls_pump(walls.all);
	world_commit(walls.all);
	for (size_t k = 0; k < ARRAY_LEN(tenants); k++) {
		const struct walls_who who = { .tenant = tenants[k], .masked = true };

		assert_true(nothing_is_found_behind_a_mask(&who, 0) > 0);
		assert_true(nothing_is_found_behind_a_mask(&who, walls.all->utc * NS_PER_S - NS_PER_S) > 0);
		for (unsigned i = 0; walls_question_at(walls.all, i, &q); i++) {
			enum answer_status status = walls_ask_as(walls.all, &who, true, &q);

			if (q.has_ip != 0 && !is_own(who.tenant, &q.ip)) {
				assert_int_equal(status, q.kind == ASK_HOST ? ANSWER_NOT_FOUND : ANSWER_OK);
				assert_int_equal(walls.all->nrows, 0);
			}
			for (uint32_t n = 0; n < walls.all->nrows; n++) {
				if (walls.all->row_kind == ROW_FLOW)
					check_masked_flow(
					    who.tenant,
					    world_row(walls.all, n, sizeof(struct row_flow), NULL), &t);
				if (walls.all->row_kind == ROW_HOST)
					assert_true(is_own(who.tenant,
							   &((const struct row_host *)world_row(
								 walls.all, n, sizeof(struct row_host), NULL))
								->ip));
				if (walls.all->row_kind == ROW_DEVICE) {
					const struct row_device *d =
					    world_row(walls.all, n, sizeof(struct row_device), NULL);

					for (uint32_t ip = 0; ip < d->nips; ip++)
						assert_true(is_own(who.tenant, &d->ip[ip]));
				}
				masked += walls.all->row_kind == ROW_FLOW;
			}
		}
	}
	assert_true(masked > 100);
}

/* A limited viewer is masked by its role. */
static void
limited_viewers_are_masked(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	struct grant g = world_grant_plain(walls.all, ALPHA);
	struct rec_flow f = world_flow(walls.all, 1, ETH0, "10.1.0.1", "192.0.2.200");
	uint8_t bytes[GRANT_BYTES_MAX];
	const struct row_flow *r;

	(void)state;
	walls_put(walls.all, &f, false);
	walls_pump(walls.all);
	g.role = ROLE_LIMITED_VIEWER;
	assert_int_equal(world_ask_with(walls.all, &q, bytes, world_grant_as(walls.all, &g, true, bytes)),
			 ANSWER_OK);
	r = world_row(walls.all, 0, sizeof(*r), NULL);
	assert_true(r->masked[SERVER] == 1 && r->masked[CLIENT] == 0);
	assert_int_equal(r->flow.ip[SERVER].b[15], 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, walls_setup, walls_teardown)
	const struct CMUnitTest tests[] = {
		TEST(masked_ends_stay_hidden),
		TEST(limited_viewers_are_masked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
