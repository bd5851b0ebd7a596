/* cursor, arena, hash, addresses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/auto.h"
#include "base/cursor.h"
#include "base/folder.h"
#include "base/hash.h"
#include "base/ip.h"
#include "base/mem.h"

static void
cursor_reads_and_sticks(void **state)
{
	const uint8_t b[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct rcur c = rcur_of(b, sizeof(b)), sub;

	(void)state;
	assert_int_equal(rcur_u8(&c), 1);
	assert_int_equal(rcur_be16(&c), 0x0203);
	sub = rcur_sub(&c, 4);
	assert_int_equal(rcur_be32(&sub), 0x04050607);
	assert_int_equal(rcur_u8(&sub), 0);
	assert_true(sub.bad);
	assert_false(c.bad);
	assert_int_equal(rcur_left(&c), 2);
	assert_int_equal(rcur_be32(&c), 0);
	assert_true(c.bad);
	assert_int_equal(rcur_u8(&c), 0); /* two bytes are left, but the error sticks */
	assert_int_equal(rcur_left(&c), 0);
	assert_null(rcur_take(&c, 0));
}

static void
cursor_writes_within_bounds(void **state)
{
	uint8_t b[5] = { 0 };
	struct wcur w = wcur_of(b, 4);

	(void)state;
	assert_true(wcur_be16(&w, 0x0102));
	assert_false(wcur_be32(&w, 7));
	assert_true(w.bad);
	assert_int_equal(b[4], 0);
	assert_int_equal(wcur_len(&w), 2);
}

static void
arena_keeps_its_limit(void **state)
{
	struct arena *a = arena_new(100000);
	char *p = arena_alloc(a, 10), *q = arena_alloc(a, 50000);

	(void)state;
	assert_non_null(p);
	assert_non_null(q);
	assert_int_equal((uintptr_t)p % 16, 0);
	assert_int_equal(q[49999], 0);
	assert_null(arena_alloc(a, 60000));
	assert_null(arena_alloc(a, SIZE_MAX));
	arena_reset(a);
	assert_non_null(arena_alloc(a, 100000 / 16 * 16));
	arena_free(&a);
	assert_null(a);
	arena_free(&a);
}

static void
addresses_in_text(void **state)
{
	struct ip_addr a, before;
	char out[IP_TEXT_MAX];
	uint8_t mac[6] = { 0, 0x11, 0x22, 0xaa, 0xbb, 0xcc };
	char m[MAC_TEXT_MAX];

	(void)state;
	assert_true(ip_parse("10.1.2.3", &a));
	assert_true(ip_is_v4(&a));
	assert_string_equal(ip_format(&a, out), "10.1.2.3");
	assert_true(ip_parse("2001:DB8:0:0:0:0:0:1", &a));
	assert_string_equal(ip_format(&a, out), "2001:db8::1");
	before = a;
	assert_false(ip_parse("10.1.2", &a));
	assert_false(ip_parse("10.1.2.3 ", &a));
	assert_true(ip_equal(&a, &before));
	assert_string_equal(mac_format(mac, m), "00:11:22:aa:bb:cc");
}

static void
prefixes_match_exactly(void **state)
{
	struct ip_prefix p;
	struct ip_addr a;
	char out[PREFIX_TEXT_MAX];

	(void)state;
	assert_true(prefix_parse("10.1.2.3/9", &p));
	assert_string_equal(prefix_format(&p, out), "10.0.0.0/9");
	assert_int_equal(p.bits, 105);
	assert_true(ip_parse("10.127.255.255", &a) && prefix_contains(&p, &a));
	assert_true(ip_parse("10.128.0.0", &a) && !prefix_contains(&p, &a));
	assert_true(ip_parse("2001:db8::1", &a) && !prefix_contains(&p, &a));
	assert_true(prefix_parse("0.0.0.0/0", &p));
	assert_true(ip_parse("255.1.1.1", &a) && prefix_contains(&p, &a));
	assert_true(ip_parse("::1", &a) && !prefix_contains(&p, &a));
	assert_false(prefix_parse("10.0.0.0/33", &p));
	assert_false(prefix_parse("10.0.0.0/-1", &p));
	assert_false(prefix_parse("10.0.0.0/", &p));
	assert_false(prefix_parse("fe80::/129", &p));
	assert_true(prefix_parse("fe80::/10", &p));
	assert_true(ip_parse("febf::1", &a) && prefix_contains(&p, &a));
}

/* That it is on disk cannot be seen from here; what is no folder, can. */
static void
folders_of_files(void **state)
{
	char deep[5000];

	(void)state;
	assert_true(folder_sync_of("a file"));
	assert_true(folder_sync_of("/a file"));
	assert_false(folder_sync_of("/nowhere/a file"));
	assert_int_equal(errno, ENOENT);
	memset(deep, 'd', sizeof(deep));
	memcpy(deep + sizeof(deep) - 3, "/f", 3);
	assert_false(folder_sync_of(deep));
	assert_int_equal(errno, ENAMETOOLONG);
}

static void
test_private_addresses(void **state)
{
	static const char *const private[] = {
		"0.0.0.0",     "10.255.0.1",      "100.64.0.1", "100.127.255.255",
		"127.0.0.1",   "169.254.1.1",     "172.16.0.1", "172.31.255.255",
		"192.168.0.1", "192.168.255.255", "fe80::1",    "febf::1",
		"fc00::1",     "fdff::1",         "::",         "::1"
	};
	static const char *const public[] = {
		"9.255.255.255", "11.0.0.1",   "100.63.255.255",  "100.128.0.0", "169.253.1.1",
		"172.15.0.1",    "172.32.0.1", "192.167.255.255", "192.169.0.1", "8.8.8.8",
		"fec0::1",       "fbff::1",    "2001:db8::1",     "::2",         "1::1"
	};
	struct ip_addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++)
		assert_true(ip_parse(private[i], &a) && ip_is_private(&a));
	for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++)
		assert_true(ip_parse(public[i], &a) && !ip_is_private(&a));
}

/* Zeroed in either size, and what is in them survives that they are put together. */
static void
pages_stay_as_they_are(void **state)
{
	const size_t n = (size_t)6 << 20;
	uint8_t *small = mem_pages_small(n), *large = mem_pages(n);

	(void)state;
	for (size_t i = 0; i < n; i += 1021) {
		assert_int_equal(small[i] | large[i], 0);
		small[i] = (uint8_t)(i % 251 + 1);
	}
	mem_pages_merge(small, n);
	for (size_t i = 0; i < n; i += 1021)
		assert_int_equal(small[i], i % 251 + 1);
	munmap(small, n);
	munmap(large, n);
}

static void
strings_and_hashes(void **state)
{
	char b[4];

	(void)state;
	assert_true(str_copy(b, sizeof(b), "abc"));
	assert_false(str_copy(b, sizeof(b), "abcd"));
	assert_string_equal(b, "abc");
	assert_int_equal(hash_bytes("abc", 3, 1), hash_bytes("abc", 3, 1));
	assert_true(hash_bytes("abc", 3, 1) != hash_bytes("abc", 3, 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_private_addresses),
		cmocka_unit_test(cursor_reads_and_sticks),
		cmocka_unit_test(cursor_writes_within_bounds),
		cmocka_unit_test(arena_keeps_its_limit),
		cmocka_unit_test(addresses_in_text),
		cmocka_unit_test(prefixes_match_exactly),
		cmocka_unit_test(strings_and_hashes),
		cmocka_unit_test(pages_stay_as_they_are),
		cmocka_unit_test(folders_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
