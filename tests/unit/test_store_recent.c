/* What flows did lately: told once, in order, to whoever may see them, and what is not told is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "recent.h"
#include "store_world.h"

static struct world *w;

static int
setup(void **state)
{
	(void)state;
	w = world_new(64 << 20, 0);
	world_engine(w, 0, 1000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

/* --- traffic
 * -----------------------------------------------------------------------------------------------------------
 */

static struct rec_flow
begins(uint64_t n, uint32_t point, const char *client, const char *server)
{
	struct rec_flow f = world_flow(w, n, point, client, server);

	f.server_name_len = 9;
	world_put(w, 0, REC_FLOW_OPEN, &f, sizeof(f), "a.example");
	return f;
}

static void
counts(struct rec_flow *f)
{
	struct rec_flow_count c = { .slot = f->slot,
				    .generation = f->generation,
				    .second = w->utc,
				    .last_ns = f->last_ns,
				    .state = FLOW_ESTABLISHED };

	f->count.packets[CLIENT]++;
	f->count.bytes[CLIENT] += 60;
	c.count = f->count;
	world_put(w, 0, REC_FLOW_COUNT, &c, sizeof(c), NULL);
}

static void
ends(struct rec_flow *f)
{
	f->end_reason = END_CLOSED;
	world_put(w, 0, REC_FLOW_END, f, sizeof(*f), "a.example");
}

/* --- questions
 * ---------------------------------------------------------------------------------------------------------
 */

/* Who watches, and where he is. */
struct watch {
	uint32_t tenant;
	struct narrowing narrowing;
	bool narrowed;
	struct wire_question q;
	/* the last answer */
	unsigned n;
	struct row_flow_event event[1000];
	uint64_t dropped;
};

static enum answer_status
look(struct watch *v)
{
	struct grant g = world_grant_plain(w, v->tenant);
	uint8_t bytes[GRANT_BYTES_MAX];
	enum answer_status status;
	size_t len;

	g.masked = v->narrowing.masked;
	if (v->narrowed)
		assert_true(grant_narrow(&g, v->narrowing.number));
	len = world_grant_as(w, &g, true, bytes);
	grants_heard(w->s->grants, clock_boot_ns());
	status = world_ask_with(w, &v->q, bytes, len);
	v->n = 0;
	v->dropped = 0;
	if (status != ANSWER_OK)
		return status;
	assert_true(w->has_cursor);
	v->q.cursor_len = w->cursor_len;
	memcpy(v->q.cursor, w->cursor, sizeof(v->q.cursor));
	for (uint32_t i = 0; i < w->nrows; i++) {
		const char *strings;
		const struct row_flow_event *e = world_row(w, i, sizeof(struct row_flow_event), &strings);

		if (e->what == FLOW_DROPPED) {
			assert_int_equal(i, w->nrows - 1);
			v->dropped = e->dropped;
		} else {
			v->event[v->n++] = *e;
		}
	}
	return status;
}

static struct watch *
watch(uint32_t tenant)
{
	struct watch *v = mem_calloc(1, sizeof(*v));

	v->tenant = tenant;
	v->q = world_question(ASK_RECENT);
	v->q.limit = 1000;
	assert_int_equal(look(v), ANSWER_OK);
	assert_int_equal(v->n, 0);
	return v;
}

static void
told(const struct watch *v, const char *what)
{
	static const char letters[] = { [FLOW_OPENED] = 'o', [FLOW_CHANGED] = 'c', [FLOW_ENDED] = 'e' };
	char text[32] = "";

	assert_in_range(v->n, 0, sizeof(text) - 1);
	for (unsigned i = 0; i < v->n; i++)
		text[i] = letters[v->event[i].what];
	assert_string_equal(text, what);
}

/* --- tests
 * -------------------------------------------------------------------------------------------------------------
 */

static void
nobody_watches(void **state)
{
	struct rec_flow f = begins(1, ETH0, "10.0.0.1", "192.0.2.7");

	(void)state;
	counts(&f);
	world_pump(w);
	assert_int_equal(w->s->recents->n, 0);
}

static void
a_life(void **state)
{
	struct watch *alpha = watch(ALPHA), *beta = watch(BETA), *all = watch(TENANT_PLATFORM);
	struct rec_flow f = begins(1, ETH0, "10.0.0.1", "192.0.2.7");
	struct flow_id mine;

	(void)state;
	world_pump(w);
	assert_int_equal(look(alpha), ANSWER_OK);
	told(alpha, "o");
	assert_int_equal(alpha->event[0].flow.live, 1);
	assert_int_equal(alpha->event[0].flow.server_name_len, 9);
	mine = alpha->event[0].flow.flow.id;
	/* Twice within a question's time: told once, as it is by then. */
	counts(&f);
	world_pump(w);
	counts(&f);
	world_pump(w);
	assert_int_equal(look(alpha), ANSWER_OK);
	told(alpha, "c");
	assert_int_equal(alpha->event[0].flow.flow.count.packets[CLIENT], f.count.packets[CLIENT]);
	assert_memory_equal(&alpha->event[0].flow.flow.id, &mine, sizeof(mine));
	counts(&f);
	ends(&f);
	world_pump(w);
	assert_int_equal(look(alpha), ANSWER_OK);
	told(alpha, "e");
	assert_int_equal(alpha->event[0].flow.live, 0);
	assert_int_equal(alpha->event[0].flow.flow.end_reason, END_CLOSED);
	assert_memory_equal(&alpha->event[0].flow.flow.id, &mine, sizeof(mine));
	assert_int_equal(look(alpha), ANSWER_OK);
	told(alpha, "");
	/* What has ended by the time of the question is told by its end. */
	assert_int_equal(look(all), ANSWER_OK);
	told(all, "e");
	assert_memory_not_equal(&all->event[0].flow.flow.id, &mine, sizeof(mine));
	assert_int_equal(look(beta), ANSWER_OK);
	told(beta, "");
	/* Another flow in the slot is not the one that was there. */
	f = begins(2, ETH0, "10.0.0.1", "192.0.2.7");
	ends(&f);
	world_pump(w);
	f = begins(2 + 4096, ETH0, "10.0.0.2", "192.0.2.7");
	world_pump(w);
	assert_int_equal(look(alpha), ANSWER_OK);
	told(alpha, "eo");
	assert_int_equal(alpha->dropped, 0);
	free(alpha);
	free(beta);
	free(all);
}

static void
of_two_tenants(void **state)
{
	struct watch *beta = watch(BETA), *gamma = watch(GAMMA), *all = watch(TENANT_PLATFORM);
	struct rec_flow f = begins(1, ETH1, "10.2.0.1", "10.3.0.1");

	(void)state;
	world_pump(w);
	for (struct watch **v = (struct watch *[]){ beta, gamma, all, NULL }; *v != NULL; v++) {
		assert_int_equal(look(*v), ANSWER_OK);
		told(*v, "o");
	}
	ends(&f);
	world_pump(w);
	for (struct watch **v = (struct watch *[]){ beta, gamma, all, NULL }; *v != NULL; v++) {
		assert_int_equal(look(*v), ANSWER_OK);
		told(*v, "e");
		free(*v);
	}
}

/* Cursors are good for one tenant, in one life of a list. */
static void
places(void **state)
{
	struct watch *alpha = watch(ALPHA), *beta = watch(BETA);
	struct wire_question q = world_question(ASK_FLOWS);
	struct recent *l;

	(void)state;
	beta->q.cursor_len = alpha->q.cursor_len;
	memcpy(beta->q.cursor, alpha->q.cursor, sizeof(beta->q.cursor));
	assert_int_equal(look(beta), ANSWER_BAD_QUESTION);
	q.cursor_len = alpha->q.cursor_len;
	memcpy(q.cursor, alpha->q.cursor, sizeof(q.cursor));
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_BAD_QUESTION);
	assert_int_equal(look(alpha), ANSWER_OK);
	l = recent_watch(w->s, ALPHA);
	l->asked_ns -= RECENT_KEPT_NS + NS_PER_S;
	(void)begins(1, ETH0, "10.0.0.1", "192.0.2.7");
	world_pump(w);
	assert_int_equal(look(alpha), ANSWER_BAD_QUESTION);
	alpha->q.cursor_len = 0;
	assert_int_equal(look(alpha), ANSWER_OK);
	assert_int_equal(look(alpha), ANSWER_OK);
	told(alpha, "");
	free(alpha);
	free(beta);
}

static void
a_part(void **state)
{
	char interfaces[1][64] = { "eth0" };
	struct ip_prefix networks[1];
	struct watch *v = watch(ALPHA), *masked = watch(BETA);
	struct rec_flow f;

	(void)state;
	assert_true(prefix_parse("10.0.0.1/32", &networks[0]));
	v->narrowing = (struct narrowing){
		.number = 1, .ninterfaces = 1, .interfaces = interfaces, .nnetworks = 1, .networks = networks
	};
	masked->narrowing.masked = true;
	v->narrowed = true;
	world_policy(w, &v->narrowing, 1);
	(void)begins(1, ETH0, "10.0.0.1", "192.0.2.7");
	f = begins(2, ETH0, "10.0.0.2", "192.0.2.7");
	world_pump(w);
	ends(&f);
	world_pump(w);
	assert_int_equal(look(v), ANSWER_OK);
	told(v, "o");
	assert_int_equal(v->dropped, 0);
	f = begins(3, ETH1, "10.2.0.1", "192.0.2.7");
	world_pump(w);
	assert_int_equal(look(masked), ANSWER_OK);
	told(masked, "o");
	assert_int_equal(masked->event[0].flow.masked[SERVER], 1);
	assert_int_equal(masked->event[0].flow.flow.ip[SERVER].b[15], 0);
	assert_int_equal(masked->event[0].flow.server_name_len, 0);
	ends(&f);
	world_pump(w);
	assert_int_equal(look(masked), ANSWER_OK);
	told(masked, "e");
	assert_int_equal(masked->event[0].flow.flow.ip[SERVER].b[15], 0);
	assert_int_equal(masked->event[0].flow.server_name_len, 0);
	masked->q.has_ip = 1;
	assert_true(ip_parse("192.0.2.7", &masked->q.ip));
	(void)begins(4, ETH1, "10.2.0.1", "192.0.2.7");
	world_pump(w);
	assert_int_equal(look(masked), ANSWER_OK);
	told(masked, "");
	free(v);
	free(masked);
}

static void
too_many(void **state)
{
	struct watch *v = watch(ALPHA), *part = watch(ALPHA);
	char interfaces[1][64] = { "eth0" };
	unsigned n = 0;
	uint64_t all = 0;

	(void)state;
	part->narrowing = (struct narrowing){ .number = 1, .ninterfaces = 1, .interfaces = interfaces };
	part->narrowed = true;
	world_policy(w, &part->narrowing, 1);
	for (uint64_t i = 0; i < 4000; i++) {
		(void)begins(i, ETH0, "10.0.0.1", "192.0.2.7");
		if (i % 100 == 99)
			world_pump(w);
	}
	v->q.limit = 300;
	do {
		assert_int_equal(look(v), ANSWER_OK);
		assert_true(v->n <= 300);
		n += v->n;
		all += v->n + v->dropped;
	} while (v->n > 0);
	assert_int_equal(all, 4000);
	assert_in_range(n, 1, 3999);
	assert_int_equal(look(part), ANSWER_OK);
	assert_true(part->n > 0);
	assert_true(part->dropped == UINT64_MAX || part->dropped == 0);
	free(v);
	free(part);
}

static void
bounded(void **state)
{
	struct recent *l;

	(void)state;
	for (uint32_t i = 0; i < RECENT_TENANTS_MAX; i++)
		assert_non_null(recent_watch(w->s, 1000 + i));
	assert_null(recent_watch(w->s, 1));
	l = recent_watch(w->s, 1007);
	l->asked_ns -= RECENT_KEPT_NS + NS_PER_S;
	assert_non_null(recent_watch(w->s, 1));
	assert_null(recent_watch(w->s, 2));
	for (uint32_t i = 0; i < RECENT_TENANTS_MAX; i++)
		if (i != 7)
			assert_int_equal(recent_watch(w->s, 1000 + i)->tenant, 1000 + i);
}

static void
filtered(void **state)
{
	struct watch *v = watch(ALPHA);

	(void)state;
	v->q.has_ip = 1;
	assert_true(ip_parse("10.0.0.2", &v->q.ip));
	(void)begins(1, ETH0, "10.0.0.1", "192.0.2.7");
	(void)begins(2, ETH0, "10.0.0.2", "192.0.2.7");
	world_pump(w);
	assert_int_equal(look(v), ANSWER_OK);
	told(v, "o");
	v->q.key_len = 4;
	memcpy(v->q.key, "none", 4);
	(void)begins(3, ETH0, "10.0.0.2", "192.0.2.7");
	world_pump(w);
	assert_int_equal(look(v), ANSWER_OK);
	told(v, "");
	free(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_watches, setup, teardown),
		cmocka_unit_test_setup_teardown(a_life, setup, teardown),
		cmocka_unit_test_setup_teardown(of_two_tenants, setup, teardown),
		cmocka_unit_test_setup_teardown(places, setup, teardown),
		cmocka_unit_test_setup_teardown(a_part, setup, teardown),
		cmocka_unit_test_setup_teardown(filtered, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
