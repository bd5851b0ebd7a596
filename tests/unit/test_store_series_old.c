/* Series as format 2 of data.mdb had them are brought over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "history_parts.h"
#include "series_rig.h"

/* A chunk as format 2 wrote it: every point i has i + 1 packets of 100 bytes, 50 bytes in its busiest second.
 */
static void
put_old(struct db_txn *x, uint8_t resolution, int64_t chunk, uint32_t tenant, uint8_t points)
{
	uint8_t key[18], bytes[400] = { 1, points };
	struct wcur k = wcur_of(key, sizeof(key)), v = wcur_of(bytes + 2, sizeof(bytes) - 2);

	wcur_u8(&k, resolution);
	wcur_be64(&k, (uint64_t)chunk);
	wcur_be32(&k, tenant);
	wcur_u8(&k, 1);
	wcur_be32(&k, 9);
	for (uint8_t i = 0; i < points; i++) {
		wcur_u8(&v, i > 0);
		wcur_u8(&v, 100);
		wcur_u8(&v, (uint8_t)(i + 1));
		wcur_u8(&v, 50);
		wcur_u8(&v, 1);
		wcur_u8(&v, 3);
	}
	db_put(x, DB_OLD_SERIES, (struct db_bytes){ key, sizeof(key) },
	       (struct db_bytes){ bytes, 2 + wcur_len(&v) });
}

static void
format_2_is_brought_over(void **state)
{
	static const uint32_t format = 2;
	const struct series_key k = { 3, 1, 9 };
	const struct series_value v = { .in_bytes = 7, .in_packets = 1 };
	struct db_txn x;
	struct rig_total t;

	(void)state;
	db_begin(rig.h->db, &x, true);
	db_make(&x, DB_OLD_SERIES);
	put_old(&x, 0, RIG_BASE / 60, 3, 60);
	for (int i = 0; i < 3; i++)
		for (uint32_t tenant = 1; tenant < 5; tenant++)
			put_old(&x, 1, RIG_BASE / 3600 + i, tenant, 60);
	for (int i = 0; i < 2; i++)
		put_old(&x, 2, RIG_BASE / 86400 - 1 + i, 3, 24);
	put_old(&x, 1, RIG_BASE / 3600 + 9, 3, 61); /* damaged */
	db_put(&x, DB_META, (struct db_bytes){ "format", sizeof("format") },
	       (struct db_bytes){ &format, sizeof(format) });
	assert_int_equal(db_end(&x), DB_OK);
	/* As if the older Weir had left it, and an upgrade had died. */
	rig_add(&k, RIG_BASE, true, &v);
	rig_close();
	rig_open();
	assert_false(db_has(rig.h->db, DB_OLD_SERIES));
	t = rig_total(&k, 60);
	assert_int_equal(t.points, 180);
	assert_int_equal(t.first_s, RIG_BASE);
	assert_int_equal(t.sum.in_packets, 3 * 60 * 61 / 2);
	assert_int_equal(t.most.in_bytes, 50);
	assert_int_equal(rig_total(&k, 300).points, 36);
	assert_int_equal(rig_total(&k, 300).sum.in_packets, 3 * 60 * 61 / 2);
	t = rig_total(&k, 3600);
	assert_int_equal(t.points, 48);
	assert_int_equal(t.sum.in_packets, 2 * 24 * 25 / 2);
	assert_int_equal(rig_total(&k, 86400).points, 2);
	assert_int_equal(rig_total(&k, 86400).sum.flows_max, 3);
	rig_close();
	rig_open();
	assert_int_equal(rig_total(&k, 60).points, 180);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_begin, rig_end)
	const struct CMUnitTest tests[] = {
		TEST(format_2_is_brought_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
