/* The setting engine.tunnels: the same frames in the flows that are carried, or in those that carry them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine_rig.h"

#define MS NS_PER_MS

static void
gre_begin(struct test_frame *f, uint16_t fragment, uint16_t len)
{
	frame_begin(f);
	frame_eth(f, 0x0800);
	frame_ipv4(f, (struct test_ip){ .from = 0x0a000001,
					.to = 0x0a000002,
					.protocol = 47,
					.id = 9,
					.fragment = fragment,
					.len = len });
}

/* A question of UDP in GRE, a later fragment of another one with its first, and ARP. */
static struct rig *
seen_with(const char *view)
{
	struct rig *r = rig_prepare(1);
	struct test_frame f;

	str_copy(r->b->settings.tunnels, sizeof(r->b->settings.tunnels), view);
	rig_start(r);
	gre_begin(&f, 0, 4 + 20 + 8 + 4);
	wcur_be32(&f.c, 0x0800);
	frame_ipv4(&f, (struct test_ip){ .from = 0xc0a80001, .to = 0xc0a80002, .protocol = 17, .len = 12 });
	frame_udp(&f, 5000, 5353, 4);
	frame_zero(&f, 4);
	rig_frame(r, 0, RIG_T0, &f);
	gre_begin(&f, 0x2000, 4 + 20 + 8 + 8);
	wcur_be32(&f.c, 0x0800);
	frame_ipv4(&f, (struct test_ip){ .from = 0xc0a80001, .to = 0xc0a80002, .protocol = 17, .len = 24 });
	frame_udp(&f, 5000, 5353, 16);
	frame_zero(&f, 8);
	rig_frame(r, 0, RIG_T0 + MS, &f);
	gre_begin(&f, 5, 8);
	frame_zero(&f, 8);
	rig_frame(r, 0, RIG_T0 + 2 * MS, &f);
	frame_begin(&f);
	frame_eth(&f, 0x0806);
	frame_zero(&f, 46);
	rig_frame(r, 0, RIG_T0 + 3 * MS, &f);
	rig_finish(r, 0);
	return r;
}

static void
test_inner(void **state)
{
	struct rig *r = seen_with("inner");
	const struct rec_flow *f = &r->end[0].r;

	(void)state;
	assert_int_equal(r->nrec[REC_FLOW_END], 1);
	assert_int_equal(f->tunnel, TUNNEL_GRE);
	assert_int_equal(f->protocol, 17);
	assert_int_equal(f->port[SERVER], 5353);
	assert_int_equal(f->count.packets[CLIENT], 3);
	assert_int_equal(f->count.payload[CLIENT], 4 + 16);
	assert_int_equal(f->count.bytes[CLIENT], 3 * (14 + 20) + (4 + 20 + 8 + 4) + (4 + 20 + 8 + 8) + 8);
	rig_free(r);
}

static void
test_outer(void **state)
{
	struct rig *r = seen_with("outer");
	const struct rec_flow *f = &r->end[0].r;

	(void)state;
	assert_int_equal(r->nrec[REC_FLOW_END], 1);
	assert_int_equal(f->tunnel, TUNNEL_NONE);
	assert_int_equal(f->protocol, 47);
	assert_int_equal(f->port[SERVER], 0);
	assert_int_equal(f->count.packets[CLIENT], 3);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inner),
		cmocka_unit_test(test_outer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
