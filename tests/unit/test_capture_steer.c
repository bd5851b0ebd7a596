/* Which worker gets a frame of a file: both directions the same, anything else within bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "steer.h"

#define ETHERNET 1
#define RAW      101
#define SLL      113
#define SLL2     276

static size_t
ipv4(uint8_t *b, uint8_t from, uint8_t to, uint16_t fragment)
{
	static const uint8_t header[20] = {
		0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 0, 10, 0, 0, 0
	};

	memcpy(b, header, sizeof(header));
	b[6] = (uint8_t)(fragment >> 8);
	b[7] = (uint8_t)fragment;
	b[15] = from;
	b[19] = to;
	return sizeof(header);
}

static size_t
ipv6(uint8_t *b, uint8_t from, uint8_t to)
{
	memset(b, 0, 40);
	b[0] = 0x60;
	b[8] = b[24] = 0x20;
	b[23] = from;
	b[39] = to;
	return 40;
}

static size_t
ethernet(uint8_t *b, unsigned tags, uint16_t type)
{
	size_t at = 12;

	memset(b, 0xaa, 12);
	for (unsigned i = 0; i < tags; i++) {
		b[at++] = 0x81;
		b[at++] = 0;
		b[at++] = 0;
		b[at++] = (uint8_t)i;
	}
	b[at++] = (uint8_t)(type >> 8);
	b[at++] = (uint8_t)type;
	return at;
}

static unsigned
worker(uint8_t from, uint8_t to, unsigned tags, unsigned workers)
{
	uint8_t b[256];
	size_t len = ethernet(b, tags, 0x0800);

	len += ipv4(b + len, from, to, 0);
	return steer_worker(ETHERNET, b, len, workers);
}

static void
test_both_directions(void **state)
{
	uint8_t b[128], c[128];

	(void)state;
	for (unsigned n = 2; n <= 16; n++) {
		for (unsigned i = 1; i < 100; i++) {
			size_t len;

			assert_int_equal(worker((uint8_t)i, 200, 0, n), worker(200, (uint8_t)i, 0, n));
			assert_true(worker((uint8_t)i, 200, 0, n) < n);
			len = ipv6(b, (uint8_t)i, 7);
			(void)ipv6(c, 7, (uint8_t)i);
			assert_int_equal(steer_worker(RAW, b, len, n), steer_worker(RAW, c, len, n));
		}
	}
}

static void
test_spreads(void **state)
{
	unsigned count[4] = { 0 };

	(void)state;
	for (unsigned i = 0; i < 250; i++)
		count[worker((uint8_t)i, 251, 0, 4)]++;
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(count[i], 30, 100);
}

static void
test_tags_and_fragments_change_nothing(void **state)
{
	uint8_t b[128];
	size_t head = ethernet(b, 0, 0x0800), len;

	(void)state;
	for (uint8_t i = 1; i < 50; i++) {
		for (unsigned tags = 1; tags <= 8; tags++)
			assert_int_equal(worker(i, 9, tags, 8), worker(i, 9, 0, 8));
		len = head + ipv4(b + head, i, 9, 0x2000 | 185); /* a later fragment */
		assert_int_equal(steer_worker(ETHERNET, b, len, 8), worker(i, 9, 0, 8));
		assert_int_equal(worker(i, 9, 9, 8), 0); /* more tags than are looked into */
	}
}

static void
test_link_types(void **state)
{
	uint8_t b[128] = { 0 };

	(void)state;
	for (uint8_t i = 1; i < 50; i++) {
		unsigned want = worker(i, 9, 0, 8);

		(void)ipv4(b, i, 9, 0);
		assert_int_equal(steer_worker(RAW, b, 20, 8), want);
		assert_int_equal(steer_worker(228, b, 20, 8), want);
		(void)ipv4(b + 4, i, 9, 0);
		assert_int_equal(steer_worker(0, b, 24, 8), want);
		assert_int_equal(steer_worker(108, b, 24, 8), want);
		b[14] = 8;
		b[15] = 0;
		(void)ipv4(b + 16, i, 9, 0);
		assert_int_equal(steer_worker(SLL, b, 36, 8), want);
		b[0] = 8;
		b[1] = 0;
		(void)ipv4(b + 20, i, 9, 0);
		assert_int_equal(steer_worker(SLL2, b, 40, 8), want);
		b[0] = b[1] = 0;
	}
}

static void
test_what_is_not_looked_into(void **state)
{
	uint8_t b[128];
	size_t len = ethernet(b, 0, 0x0806); /* ARP */

	(void)state;
	len += ipv4(b + len, 1, 2, 0);
	assert_int_equal(steer_worker(ETHERNET, b, len, 8), 0);
	assert_int_equal(steer_worker(127, b, len, 8), 0); /* IEEE 802.11 with radiotap */
	assert_int_equal(steer_worker(ETHERNET, NULL, 0, 8), 0);
	for (uint8_t i = 1; i < 50; i++) {
		len = ethernet(b, 0, 0x0800);
		len += ipv4(b + len, i, 2, 0);
		for (size_t cut = 0; cut < len; cut++) /* cut before the end of the addresses */
			assert_int_equal(steer_worker(ETHERNET, b, cut, 8), 0);
		assert_int_equal(steer_worker(ETHERNET, b, len, 1), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_directions),
		cmocka_unit_test(test_spreads),
		cmocka_unit_test(test_tags_and_fragments_change_nothing),
		cmocka_unit_test(test_link_types),
		cmocka_unit_test(test_what_is_not_looked_into),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
