/* Who owns a packet: the same for both directions, by ports only where they count, and evenly spread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "decode/owner.h"

static uint64_t state_of_random = 1;

static uint32_t
any(void)
{
	state_of_random = state_of_random * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(state_of_random >> 32);
}

static struct flow_key
key_of(uint32_t from, uint16_t sport, uint32_t to, uint16_t dport, uint8_t protocol)
{
	const uint8_t a[4] = { (uint8_t)(from >> 24), (uint8_t)(from >> 16), (uint8_t)(from >> 8),
			       (uint8_t)from };
	const uint8_t b[4] = { (uint8_t)(to >> 24), (uint8_t)(to >> 16), (uint8_t)(to >> 8), (uint8_t)to };
	struct flow_key k = { { ip_from_v4(a), ip_from_v4(b) }, { 0 }, { sport, dport }, 0, protocol, 0, 0 };

	return k;
}

static struct flow_key
back(const struct flow_key *k)
{
	struct flow_key b = *k;

	b.ip[0] = k->ip[1];
	b.ip[1] = k->ip[0];
	b.port[0] = k->port[1];
	b.port[1] = k->port[0];
	return b;
}

static void
test_both_directions(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		struct flow_key k =
		    key_of(any(), (uint16_t)any(), any(), (uint16_t)any(), i % 2 ? IP_TCP : IP_UDP);
		struct flow_key b;
		unsigned n = 1 + i % 16;

		if (i % 3 == 0) /* IPv6 */
			for (unsigned j = 0; j < 32; j++)
				k.ip[j / 16].b[j % 16] = (uint8_t)any();
		b = back(&k);
		assert_true(owner_of(&k, n) < n);
		assert_int_equal(owner_of(&k, n), owner_of(&b, n));
		assert_true(owner_of_addresses(&k, n) < n);
		assert_int_equal(owner_of_addresses(&k, n), owner_of_addresses(&b, n));
	}
}

/* ICMP has an identifier there, and fragments whose ports are not known have zeros. */
static void
test_where_ports_count(void **state)
{
	unsigned differ = 0;

	(void)state;
	for (uint16_t i = 1; i < 1000; i++) {
		struct flow_key k = key_of(0x0a000001, i, 0x0a000002, 443, IP_TCP);

		differ += owner_of(&k, 16) != owner_of_addresses(&k, 16);
		k.port[0] = k.port[1] = i;
		k.protocol = IP_ICMP;
		assert_int_equal(owner_of(&k, 16), owner_of_addresses(&k, 16));
		k.protocol = IP_UDP;
		k.port[0] = k.port[1] = 0;
		assert_int_equal(owner_of(&k, 16), owner_of_addresses(&k, 16));
		/* What else the key has does not matter: the kernel cannot see it. */
		k.vlan[0] = i;
		k.point = 3;
		k.tunnel = 1;
		assert_int_equal(owner_of(&k, 16), owner_of_addresses(&k, 16));
	}
	assert_in_range(differ, 900, 970);
}

/* Within four standard deviations of even. */
static void
check_even(const unsigned *count, unsigned n, unsigned of)
{
	unsigned even = of / n;

	for (unsigned i = 0; i < n; i++)
		assert_in_range((count[i] - even) * (count[i] - even), 0, 16 * even);
}

/* Addresses and ports as networks have them: counted up. */
static void
test_spread(void **state)
{
	static const unsigned sizes[] = { 2, 3, 4, 7, 8, 16 };

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		unsigned n = sizes[s], hosts[16] = { 0 }, pairs[16] = { 0 }, ports[16] = { 0 },
			 six[16] = { 0 };

		for (uint32_t i = 0; i < 65536; i++) {
			struct flow_key k = key_of(0x0a000000 + i, 0, 0x0a640001, 0, 47);

			hosts[owner_of(&k, n)]++;
			k = key_of(0xc0a80000 + (i & 0xff), 0, 0xc0a80100 + (i >> 8), 0, IP_UDP);
			pairs[owner_of(&k, n)]++;
			k = key_of(0x0a000001, (uint16_t)i, 0x0a000002, 53, IP_UDP);
			ports[owner_of(&k, n)]++;
			memset(k.ip, 0, sizeof(k.ip));
			k.ip[0].b[0] = k.ip[1].b[0] = 0x20;
			k.ip[0].b[7] = (uint8_t)(i >> 8);
			k.ip[0].b[15] = (uint8_t)i;
			k.ip[1].b[15] = 1;
			six[owner_of_addresses(&k, n)]++;
		}
		check_even(hosts, n, 65536);
		check_even(pairs, n, 65536);
		check_even(ports, n, 65536);
		check_even(six, n, 65536);
	}
}

/* Never to change unnoticed: the kernel's program and other workers compute the same. */
static void
test_fixed(void **state)
{
	struct flow_key k = key_of(0x0a000001, 40000, 0x0a000002, 443, IP_TCP);

	(void)state;
	assert_int_equal(owner_of(&k, 65536), 46020);
	assert_int_equal(owner_of_addresses(&k, 65536), 24463);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_directions),
		cmocka_unit_test(test_where_ports_count),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
