/* See series_rig.h. */
#include "series_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store_world.h"

struct series_rig rig;

uint64_t
rig_draw(uint64_t n)
{
	rig.seed ^= rig.seed << 13;
	rig.seed ^= rig.seed >> 7;
	rig.seed ^= rig.seed << 17;
	return rig.seed % n;
}

/* Of any size, small ones as often as large ones. */
uint64_t
rig_draw_number(unsigned bits)
{
	uint64_t n = rig_draw(bits + 1);

	return n == 0 ? 0 : rig_draw(UINT64_MAX) >> (64 - n);
}

void
rig_draw_value(struct series_value *v, unsigned bits)
{
	v->in_bytes = rig_draw_number(bits);
	v->out_bytes = rig_draw(3) == 0 ? 0 : rig_draw_number(bits);
	v->in_packets = rig_draw_number(bits);
	v->out_packets = rig_draw(3) == 0 ? 0 : rig_draw_number(bits);
}

void
rig_open(void)
{
	rig.h = world_history(&rig.limits, &rig.names);
}

void
rig_close(void)
{
	history_close(&rig.h);
	names_free(&rig.names);
}

int
rig_begin(void **state)
{
	(void)state;
	str_copy(rig.dir, sizeof(rig.dir), "/dev/shm/weir-points-test-XXXXXX");
	if (mkdtemp(rig.dir) == NULL || chdir(rig.dir) != 0)
		return -1;
	rig.limits = (struct history_limits){ .size = 256 << 20, .keep_flows_ns = 1000 * 86400 * NS_PER_S };
	for (unsigned i = 0; i < ARRAY_LEN(rig.limits.keep_ns); i++)
		rig.limits.keep_ns[i] = 10000 * 86400 * NS_PER_S;
	rig.seed = UINT64_C(0x243f6a8885a308d3);
	batch_init(&rig.batch, 8 << 20, 65536);
	rig_open();
	return 0;
}

int
rig_end(void **state)
{
	(void)state;
	if (rig.h != NULL)
		rig_close();
	batch_free(&rig.batch);
	world_delete_files();
	return chdir("/") != 0 || rmdir(rig.dir) != 0;
}

void
rig_commit(int64_t now_s)
{
	char why[HISTORY_WHY_MAX];

	assert_int_equal(history_write(rig.h, &rig.batch, now_s * NS_PER_S, why), DB_OK);
	batch_reset(&rig.batch);
}

void
rig_add(const struct series_key *k, int64_t second, bool by_minute, const struct series_value *v)
{
	uint32_t last = 0;

	assert_true(by_minute ? batch_add_minute(&rig.batch, k, &last, second / 60, v)
			      : batch_add_second(&rig.batch, k, &last, second, v));
}

bool
rig_total_add(void *ctx, const struct series_point *p)
{
	struct rig_total *t = ctx;

	series_value_add(&t->sum, &p->sum);
	t->most = p->most;
	t->least = p->least;
	t->finest_s = p->finest_s;
	if (t->points++ == 0)
		t->first_s = p->time_s;
	return true;
}

struct rig_total
rig_total(const struct series_key *k, uint32_t resolution_s)
{
	struct rig_total t = { 0 };

	assert_int_equal(history_series(rig.h, k, resolution_s, 0, INT64_MAX, rig_total_add, &t), DB_OK);
	return t;
}
