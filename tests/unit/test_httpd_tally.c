/* Workers that count in one memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tally.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/boot.h"

static int memory;

static struct tally *
worker(unsigned number)
{
	int fd = dup(memory);

	assert_int_not_equal(fd, -1);
	return tally_new(fd, number, 2);
}

static struct ip_addr
address(uint32_t n)
{
	struct ip_addr ip = { { 0 } };

	memcpy(ip.b + 12, &n, sizeof(n));
	return ip;
}

static int
set_up(void **state)
{
	(void)state;
	memory = memfd_create("tally", MFD_CLOEXEC);
	return memory == -1 ? -1 : ftruncate(memory, BOOT_TALLY_BYTES);
}

static int
tear_down(void **state)
{
	(void)state;
	return close(memory);
}

static void
each_sees_what_the_other_counts(void **state)
{
	struct tally *a = worker(0), *b = worker(1);
	struct ip_addr one = address(1), two = address(2);

	(void)state;
	tally_connect(a, &one);
	tally_connect(b, &one);
	tally_connect(b, &two);
	tally_stream(b, 77, 1);
	assert_int_equal(tally_connections(a), 3);
	assert_int_equal(tally_of_address(a, &one), 2);
	assert_int_equal(tally_of_address(b, &two), 1);
	assert_int_equal(tally_streams(a), 1);
	assert_int_equal(tally_streams_of(a, 77), 1);
	assert_int_equal(tally_streams_of(a, 78), 0);
	assert_int_equal(tally_tables(a), 0);
	tally_disconnect(a, &one);
	tally_stream(b, 77, -1);
	assert_int_equal(tally_of_address(b, &one), 1);
	assert_int_equal(tally_connections(b), 2);
	assert_int_equal(tally_streams(a), 0);
	assert_int_equal(tally_streams_of(a, 77), 0);
	tally_free(&a);
	tally_free(&b);
}

/* It was killed and could not count down: its successor begins anew, and the others keep theirs. */
static void
a_successor_begins_at_nothing(void **state)
{
	struct tally *a = worker(0), *b = worker(1);
	struct ip_addr one = address(1);

	(void)state;
	tally_connect(a, &one);
	tally_connect(b, &one);
	tally_free(&b);
	b = worker(1);
	assert_int_equal(tally_connections(a), 1);
	assert_int_equal(tally_of_address(b, &one), 1);
	tally_free(&a);
	tally_free(&b);
}

/* A table is one of its holder and one of its tenant, whichever worker sends it. */
static void
tables_are_counted_by_holder_and_tenant(void **state)
{
	const uint64_t robot = 0x123456789abcdef, person = 0xfedcba987654321, tenant = 0x13579bdf02468ac;
	struct tally *a = worker(0), *b = worker(1);

	(void)state;
	tally_table(a, robot, tenant, 1);
	tally_table(b, robot, tenant, 1);
	tally_table(b, person, tenant, 1);
	assert_int_equal(tally_tables(a), 3);
	assert_int_equal(tally_tables_of(a, robot), 2);
	assert_int_equal(tally_tables_of(a, person), 1);
	assert_int_equal(tally_tables_of(a, tenant), 3);
	tally_table(a, robot, tenant, -1);
	assert_int_equal(tally_tables_of(b, robot), 1);
	assert_int_equal(tally_tables_of(b, tenant), 2);
	tally_free(&b);
	b = worker(1); /* whose tables are gone */
	assert_int_equal(tally_tables(b), 0);
	assert_int_equal(tally_tables_of(a, tenant), 0);
	tally_free(&a);
	tally_free(&b);
}

/* Four counters each: among thousands of strangers an address has what it has. */
static void
strangers_do_not_add_up(void **state)
{
	struct tally *t = tally_new(-1, 0, 1);
	struct ip_addr ip;
	unsigned more = 0;

	(void)state;
	for (uint32_t n = 0; n < 1024; n++) {
		ip = address(n);
		tally_connect(t, &ip);
	}
	for (uint32_t n = 0; n < 1024; n++) {
		ip = address(n);
		assert_true(tally_of_address(t, &ip) >= 1);
		more += tally_of_address(t, &ip) > 1;
	}
	assert_true(more < 32); /* (1 - exp(-1/4))^4 of them: 2.4 */
	for (uint32_t n = 0; n < 1024; n++) {
		ip = address(n);
		tally_disconnect(t, &ip);
	}
	assert_int_equal(tally_of_address(t, &ip), 0);
	assert_int_equal(tally_connections(t), 0);
	tally_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_sees_what_the_other_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_successor_begins_at_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tables_are_counted_by_holder_and_tenant, set_up, tear_down),
		cmocka_unit_test(strangers_do_not_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
