/* What frames tell of hosts and devices: names with whose they are, MAC addresses, ARP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dhcp.h"
#include "engine_rig.h"
#include "netbios.h"

#define A  UINT32_C(0x0a000001)
#define B  UINT32_C(0xc6336402)
#define MS NS_PER_MS
#define S  NS_PER_S

static const char answer[] = "\0\1\x81\x80\0\1\0\1\0\0\0\0\3web\7example\0\0\1\0\1"
			     "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc6\x33\x64\x02";

static void
udp(struct rig *r, unsigned point, int64_t t, uint32_t from, uint16_t sport, uint32_t to, uint16_t dport,
    const void *data, size_t len)
{
	struct test_frame f;

	frame_make_udp(&f, from, sport, to, dport, data, (uint16_t)len);
	rig_frame(r, point, RIG_T0 + t, &f);
}

static const struct rec_learned *
learned(const struct rig *r, unsigned kind, const char *text)
{
	for (unsigned i = 0; i < r->nrec[REC_LEARNED]; i++)
		if (r->learned[i].kind == kind && strcmp(r->learned_text[i], text) == 0)
			return &r->learned[i];
	return NULL;
}

static bool
is_v4(const struct ip_addr *ip, uint32_t v4)
{
	const uint8_t b[4] = { (uint8_t)(v4 >> 24), (uint8_t)(v4 >> 16), (uint8_t)(v4 >> 8), (uint8_t)v4 };
	struct ip_addr other = ip_from_v4(b);

	return ip_equal(ip, &other);
}

static void
test_names_and_who_told_them(void **state)
{
	struct rig *r = rig_new();
	const struct rec_learned *l;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		udp(r, 0, i * MS, B + 1, 53, A, 40000, answer, sizeof(answer) - 1);
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_LEARNED], 1);
	l = learned(r, HOST_NAME_DNS, "web.example");
	assert_non_null(l);
	assert_int_equal(l->point, 10);
	assert_int_equal(l->space, 0);
	assert_true(is_v4(&l->ip, B));
	assert_true(is_v4(&l->end[0], B + 1));
	assert_true(is_v4(&l->end[1], A));
	assert_int_equal(l->time_ns, RIG_T0);
	rig_free(r);
}

/* Answers that name nobody: blocked names, this machine, groups. */
static void
test_addresses_that_are_nobodys(void **state)
{
	static const uint32_t nobody[] = { 0, 0x7f000001, 0xe00000fb, 0xffffffff };
	struct rig *r = rig_new();
	char m[sizeof(answer)];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(nobody); i++) {
		memcpy(m, answer, sizeof(m));
		for (unsigned j = 0; j < 4; j++)
			m[sizeof(answer) - 5 + j] = (char)(nobody[i] >> (24 - 8 * j));
		udp(r, 0, i, B + 1, 53, A, 40000, m, sizeof(answer) - 1);
	}
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_LEARNED], 0);
	rig_free(r);
}

/* Two points of two address spaces: what one learned is told of that one alone. */
static void
test_spaces_are_apart(void **state)
{
	struct rig *r = rig_prepare(2);

	(void)state;
	rig_start(r);
	udp(r, 1, 0, B + 1, 53, A, 40000, answer, sizeof(answer) - 1);
	udp(r, 0, 0, A, 40000, B, 443, "x", 1);
	rig_finish(r, 1);
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_LEARNED], 1);
	assert_int_equal(r->learned[0].space, 1);
	assert_int_equal(r->learned[0].point, 11);
	rig_free(r);
}

static void
test_multicast_names(void **state)
{
	static const char m[] = "\0\0\x84\0\0\0\0\1\0\0\0\0\3Mac\5local\0\0\1\x80\1\0\0\0\x78\0\4\x0a\0\0\1";
	struct rig *r = rig_new();

	(void)state;
	udp(r, 0, 0, A, 5353, 0xe00000fb, 5353, m, sizeof(m) - 1);
	rig_finish(r, 0);
	assert_true(is_v4(&learned(r, HOST_NAME_MDNS, "mac.local")->ip, A));
	rig_free(r);
}

static void
test_dns_mode(void **state)
{
	static const char m[] = "\0\0\x84\0\0\0\0\1\0\0\0\0\3Mac\5local\0\0\1\x80\1\0\0\0\x78\0\4\x0a\0\0\1";
	struct rig *r = rig_prepare(1);

	(void)state;
	r->b->settings.dns_mode = 3;
	rig_start(r);
	udp(r, 0, 0, B + 1, 53, A, 40000, answer, sizeof(answer) - 1);
	udp(r, 0, 0, A, 5353, 0xe00000fb, 5353, m, sizeof(m) - 1);
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_LEARNED], 0);
	rig_free(r);
}

/* --- NetBIOS
 * ------------------------------------------------------------------------------------------------------------
 */

static size_t
netbios_name(uint8_t *out, const char *name, uint8_t suffix)
{
	uint8_t plain[16];

	memset(plain, ' ', 15);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes of a message */
	memcpy(plain, name, strlen(name));
	plain[15] = suffix;
	out[0] = 32;
	for (unsigned i = 0; i < 16; i++) {
		out[1 + 2 * i] = (uint8_t)('A' + (plain[i] >> 4));
		out[2 + 2 * i] = (uint8_t)('A' + (plain[i] & 15));
	}
	out[33] = 0;
	return 34;
}

/* A registration: question, and the name with its address as additional record. */
static size_t
registration(uint8_t *out, const char *name, uint8_t suffix, uint16_t flags)
{
	struct wcur c = wcur_of(out, 256);
	uint8_t n[34];

	wcur_be64(&c, 0x1234291000010000);
	wcur_be32(&c, 0x00000001);
	wcur_put(&c, n, netbios_name(n, name, suffix));
	wcur_be32(&c, 0x00200001);
	wcur_be16(&c, 0xc00c);
	wcur_be32(&c, 0x00200001);
	wcur_be32(&c, 300);
	wcur_be16(&c, 6);
	wcur_be16(&c, flags);
	wcur_be32(&c, A);
	return wcur_len(&c);
}

static void
test_netbios(void **state)
{
	struct rig *r = rig_new();
	uint8_t m[256];
	struct wcur c;

	(void)state;
	udp(r, 0, 0, A, 137, A | 0xff, 137, m, registration(m, "DESK", 0x00, 0));
	udp(r, 0, 1, A, 137, A | 0xff, 137, m, registration(m, "WORKGROUP", 0x00, 0x8000)); /* a group */
	udp(r, 0, 2, A, 137, A | 0xff, 137, m, registration(m, "BROWSER", 0x1d, 0));        /* a service */
	/* What a host says of itself: a table of names. */
	c = wcur_of(m, sizeof(m));
	wcur_be64(&c, 0x1234840000000001);
	wcur_be32(&c, 0);
	netbios_name(c.p, "*", 0);
	c.p += 34;
	wcur_be32(&c, 0x00210001);
	wcur_be32(&c, 0);
	wcur_be16(&c, 1 + 2 * 18);
	wcur_u8(&c, 2);
	wcur_put(&c, "GROUP          \0\x80\0", 18);
	wcur_put(&c, "SERVER-1       \0\4\0", 18);
	assert_true(m[12] == 32);
	/* The name asked for is "*" in zeros. */
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes of a message */
	memcpy(m + 13, "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 32);
	udp(r, 0, 3, A + 1, 137, A, 137, m, wcur_len(&c));
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_LEARNED], 2);
	assert_true(is_v4(&learned(r, HOST_NAME_NETBIOS, "DESK")->ip, A));
	assert_true(is_v4(&learned(r, HOST_NAME_NETBIOS, "SERVER-1")->ip, A + 1));
	rig_free(r);
}

/* --- DHCP
 * ---------------------------------------------------------------------------------------------------------------
 */

static size_t
dhcp(uint8_t *out, uint8_t op, uint8_t type, uint32_t transaction, uint32_t yiaddr, const char *name)
{
	struct wcur c = wcur_of(out, 512);
	static const uint8_t zero[192], mac[6] = { 2, 0, 0, 0, 0, 1 };

	wcur_u8(&c, op);
	wcur_put(&c, "\1\6\0", 3);
	wcur_be32(&c, transaction);
	wcur_be64(&c, 0);
	wcur_be32(&c, yiaddr);
	wcur_be64(&c, 0);
	wcur_put(&c, mac, 6);
	wcur_put(&c, zero, 10);
	wcur_put(&c, zero, 192);
	wcur_be32(&c, 0x63825363);
	wcur_u8(&c, 53);
	wcur_u8(&c, 1);
	wcur_u8(&c, type);
	if (name != NULL) {
		wcur_u8(&c, 12);
		wcur_u8(&c, (uint8_t)strlen(name));
		wcur_put(&c, name, strlen(name));
	}
	wcur_u8(&c, 255);
	return wcur_len(&c);
}

static void
test_dhcp(void **state)
{
	struct rig *r = rig_new();
	uint8_t m[512];

	(void)state;
	udp(r, 0, 0, 0, 68, 0xffffffff, 67, m, dhcp(m, 1, 3, 77, 0, "LapTop"));
	udp(r, 0, MS, B, 67, 0xffffffff, 68, m, dhcp(m, 2, 6, 77, 0, NULL));     /* refused: no name */
	udp(r, 0, 2 * MS, B, 67, 0xffffffff, 68, m, dhcp(m, 2, 5, 78, A, NULL)); /* another's answer */
	assert_int_equal(r->nrec[REC_LEARNED], 0);
	udp(r, 0, 3 * MS, B, 67, 0xffffffff, 68, m, dhcp(m, 2, 5, 77, A, NULL));
	udp(r, 0, 40 * S, 0, 68, 0xffffffff, 67, m, dhcp(m, 1, 3, 79, 0, "late"));
	udp(r, 0, 80 * S, B, 67, 0xffffffff, 68, m, dhcp(m, 2, 5, 79, A, NULL));
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_LEARNED], 1);
	assert_true(is_v4(&learned(r, HOST_NAME_DHCP, "laptop")->ip, A));
	/* It is the knowledge of whose address it is. */
	assert_true(is_v4(&r->learned[0].end[0], A));
	rig_free(r);
}

static void
test_dhcp_names(void **state)
{
	struct dhcp_message d;
	uint8_t m[512];
	size_t len = dhcp(m, 1, 3, 1, 0, "plain") - 1;

	(void)state;
	/* A name with its domain is surer than one without; as labels, as text, and cut. */
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes of a message */
	memcpy(m + len, "\x51\x0d\4\0\0\4Host\4corp", 15);
	assert_true(dhcp_read(m, len + 15, &d));
	assert_string_equal(d.name, "host.corp");
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes of a message */
	memcpy(m + len, "\x51\x07\0\0\0ab.c", 9);
	assert_true(dhcp_read(m, len + 9, &d));
	assert_string_equal(d.name, "ab.c");
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes of a message */
	memcpy(m + len, "\x51\x04\4\0\0\4", 6);
	assert_true(dhcp_read(m, len + 6, &d));
	assert_string_equal(d.name, "plain");
	assert_false(dhcp_read(m, 239, &d));
	for (size_t n = 240; n < len; n++) {
		uint8_t *exact = malloc(n);

		memcpy(exact, m, n);
		assert_true(dhcp_read(exact, n, &d));
		free(exact);
	}
}

/* --- devices
 * -------------------------------------------------------------------------------------------------------------
 */

static void
arp(struct rig *r, unsigned point, int64_t t, uint8_t operation, uint32_t sender, uint8_t last)
{
	const uint8_t mac[6] = { 2, 0, 0, 0, 0, last }, none[6] = { 0 };
	struct test_frame f;

	frame_begin(&f);
	frame_eth(&f, 0x0806);
	wcur_be64(&f.c, 0x0001080006040000 | operation);
	wcur_put(&f.c, mac, 6);
	wcur_be32(&f.c, sender);
	wcur_put(&f.c, none, 6);
	wcur_be32(&f.c, A + 9);
	rig_frame(r, point, RIG_T0 + t, &f);
}

static void
test_arp(void **state)
{
	struct rig *r = rig_prepare(2);
	struct test_frame f;
	unsigned with_ip = 0, without = 0;

	(void)state;
	rig_start(r);
	arp(r, 0, 0, 1, A, 1);
	arp(r, 0, 1, 1, A, 1);
	arp(r, 0, 2, 2, A, 1);
	arp(r, 0, 3, 1, 0, 1); /* asks whether anybody has an address */
	arp(r, 1, 4, 1, A, 1); /* the same in another space */
	frame_begin(&f);
	frame_eth(&f, 0x88cc);
	frame_zero(&f, 40);
	rig_frame(r, 0, RIG_T0 + 5, &f); /* LLDP */
	memset(f.bytes + 6, 0, 6);
	rig_frame(r, 0, RIG_T0 + 6, &f); /* nobody sent it: store takes no such device */
	rig_finish(r, 0);
	rig_finish(r, 1);
	assert_int_equal(r->nrec[REC_DEVICE], 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct rec_device *d = &r->device[i];

		assert_memory_equal(d->mac, "\2\0\0\0\0\1", 6);
		if (d->point == 11) {
			assert_int_equal(d->space, 1);
			assert_int_equal(d->arp_requests, 1);
		} else if (d->has_ip) {
			with_ip++;
			assert_true(is_v4(&d->ip, A));
			assert_int_equal(d->arp_requests, 2);
			assert_int_equal(d->arp_replies, 1);
			assert_int_equal(d->frames, 3);
			assert_int_equal(d->bytes, 3 * 42);
			assert_int_equal(d->last_ns - d->first_ns, 2);
		} else {
			without++;
			assert_int_equal(d->arp_requests, 1);
			assert_int_equal(d->frames, 2);
			assert_int_equal(d->bytes, 42 + 54);
		}
	}
	assert_int_equal(with_ip, 1);
	assert_int_equal(without, 1);
	rig_free(r);
}

/* A store that forgot is told of names and devices again, although the files have ended. */
static void
test_told_again(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	udp(r, 0, 0, B + 1, 53, A, 40000, answer, sizeof(answer) - 1);
	arp(r, 0, 1, 1, A, 1);
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_LEARNED], 1);
	assert_int_equal(r->nrec[REC_DEVICE], 1);
	rig_attach(r);
	report_again_from_start(r->e);
	while (report_again(r->e, 1))
		;
	rig_take(r);
	assert_int_equal(r->nrec[REC_LEARNED], 2);
	assert_int_equal(r->nrec[REC_DEVICE], 2);
	assert_int_equal(r->device[1].frames, 0); /* what was counted was told */
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_who_told_them),
		cmocka_unit_test(test_addresses_that_are_nobodys),
		cmocka_unit_test(test_spaces_are_apart),
		cmocka_unit_test(test_multicast_names),
		cmocka_unit_test(test_dns_mode),
		cmocka_unit_test(test_netbios),
		cmocka_unit_test(test_dhcp),
		cmocka_unit_test(test_dhcp_names),
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_told_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
