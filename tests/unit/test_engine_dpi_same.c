/* What is done in nDPI's place is what nDPI does: what it makes of the ends of a flow, byte by byte, and
 * which of its dissectors see a packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dpi.c" /* its states are looked into */ /* NOLINT(bugprone-suspicious-include) */

#define ROUNDS 200000

static uint64_t dice = 1;

static uint32_t
roll(uint32_t n)
{
	dice = hash_mix(dice + 1, UINT64_C(0x9e3779b97f4a7c15));
	return (uint32_t)(dice >> 32) % n;
}

static void
ignore(void *ctx, enum name_kind kind, unsigned number, unsigned value, const char *text)
{
	(void)ctx;
	(void)kind;
	(void)number;
	(void)value;
	(void)text;
}

/* Of networks that nDPI lists or knows by heart, their edges too, or anybody's. */
static struct ip_addr
some_v4(void)
{
	static const uint8_t listed[][4] = {
		{ 142, 250, 180, 14 }, { 157, 240, 1, 35 },   { 104, 244, 42, 1 },    { 52, 85, 12, 1 },
		{ 13, 107, 6, 152 },   { 149, 154, 167, 50 }, { 162, 125, 1, 1 },     { 23, 246, 2, 1 },
		{ 95, 211, 37, 194 },  { 95, 211, 37, 195 },  { 95, 211, 37, 203 },   { 95, 211, 37, 204 },
		{ 178, 77, 119, 255 }, { 178, 77, 120, 0 },   { 178, 77, 120, 127 },  { 178, 77, 120, 128 },
		{ 185, 220, 101, 4 },  { 8, 8, 8, 8 },        { 17, 253, 1, 1 },      { 10, 0, 0, 1 },
		{ 192, 168, 1, 1 },    { 224, 0, 0, 251 },    { 255, 255, 255, 255 }, { 0, 0, 0, 0 },
	};
	uint8_t b[4] = { (uint8_t)roll(256), (uint8_t)roll(256), (uint8_t)roll(256), (uint8_t)roll(256) };

	if (roll(2) == 0)
		memcpy(b, listed[roll(ARRAY_LEN(listed))], roll(2) == 0 ? 4 : 3);
	return ip_from_v4(b);
}

static uint16_t
some_port(void)
{
	static const uint16_t notable[] = { 0,    1,    21,   22,   23,   25,   53,    80,    110,  123,
					    137,  161,  443,  445,  554,  993,  1080,  1194,  1723, 1883,
					    3128, 3306, 3389, 3478, 4662, 5001, 5060,  5201,  5222, 5938,
					    6881, 8080, 8333, 8801, 655,  8888, 27015, 27036, 65535 };

	return roll(2) == 0 ? notable[roll(ARRAY_LEN(notable))] : (uint16_t)roll(65536);
}

struct ends {
	struct ip_addr ip[2];
	uint16_t port[2];
};

static struct ends
some_ends(bool v4)
{
	struct ends e;

	for (unsigned i = 0; i < 2; i++) {
		e.port[i] = some_port();
		e.ip[i] = some_v4();
		for (unsigned j = 0; !v4 && j < 16; j++)
			e.ip[i].b[j] = (uint8_t)(roll(3) == 0 ? roll(256) : j);
	}
	return e;
}

static void
show(struct dpi *d, struct ndpi_flow_struct *f, const uint8_t *l3, unsigned len)
{
	(void)process(d->module[0], f, l3, (uint16_t)len, 7000);
}

/* So that what nDPI remembers of addresses is there, and speaks where it is asked: BitTorrent, and a miner.
 */
static void
make_it_remember(struct dpi *d, const struct ends *e)
{
	static const char ping[] = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
	static const char mining[] = "{\"id\": 1, \"method\": \"mining.subscribe\", \"params\": []}\n";
	uint32_t state = dpi_begin(d);
	uint8_t packet[256];

	for (unsigned tcp = 0; tcp < 2; tcp++) {
		struct wcur c = wcur_of(packet, sizeof(packet));
		uint16_t payload = (uint16_t)(tcp ? sizeof(mining) - 1 : sizeof(ping) - 1);

		memset(state_at(d, state), 0, sizeof(struct ndpi_flow_struct));
		write_ip(&c, tcp ? IP_TCP : IP_UDP, e->ip, (uint16_t)(payload + (tcp ? 20 : 8)));
		wcur_be16(&c, e->port[0]);
		wcur_be16(&c, e->port[1]);
		if (tcp) {
			wcur_be64(&c, 1);
			wcur_be64(&c, UINT64_C(0x5018ffff00000000));
		} else {
			wcur_be16(&c, (uint16_t)(payload + 8));
			wcur_be16(&c, 0);
		}
		assert_true(wcur_put(&c, tcp ? mining : ping, payload));
		show(d, state_at(d, state), packet, (unsigned)wcur_len(&c));
		ndpi_free_flow_data(state_at(d, state));
	}
	memset(state_at(d, state), 0, sizeof(struct ndpi_flow_struct));
	dpi_release(d, state);
}

/* What was put aside of a greeting of TLS is at an address of its own. */
static void
forget_buffer(struct ndpi_flow_struct *f)
{
	if (f->l4_proto != IP_TCP)
		return;
	ndpi_free(f->l4.tcp.tls.message.buffer);
	f->l4.tcp.tls.message.buffer = NULL;
}

static void
assert_same(struct dpi *d, uint32_t a, uint32_t b)
{
	forget_buffer(state_at(d, a));
	forget_buffer(state_at(d, b));
	assert_memory_equal(state_at(d, a), state_at(d, b), sizeof(struct ndpi_flow_struct));
}

/* Both ways once, and what is said in the end of either. */
static void
compare_openings(struct dpi *d, const struct ends *e, uint8_t flags)
{
	uint32_t quick = dpi_begin(d), slow = dpi_begin(d);
	struct dpi_result r;

	dpi_introduce(d, 0, quick, IP_TCP, e->ip, e->port, flags, 7 * NS_PER_S);
	show_opening(d->module[0], state_at(d, slow), IP_TCP, e->ip, e->port, flags, 7 * NS_PER_S);
	assert_same(d, quick, slow);
	r = *dpi_giveup(d, 0, quick);
	assert_memory_equal(&r.meaning, &dpi_giveup(d, 0, slow)->meaning, sizeof(r.meaning));
	assert_same(d, quick, slow);
	dpi_release(d, quick);
	dpi_release(d, slow);
}

static void
test_openings(void **state)
{
	struct dpi *d = dpi_new(1, 16, -1, ignore, NULL);
	unsigned quick = 0;

	(void)state;
	assert_true(d->quick);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct ends e = some_ends(roll(4) != 0);
		uint32_t s;

		if (roll(50) == 0)
			make_it_remember(d, &e);
		compare_openings(d, &e, roll(3) == 0 ? TCP_ACK : TCP_SYN);
		s = dpi_spare(d);
		quick += open_quickly(d, state_at(d, s), IP_TCP, e.ip, e.port, TCP_SYN, 0);
	}
	assert_true(quick > ROUNDS / 2);
	dpi_free(&d);
}

/* The first packet of a flow, with what was looked up before and without. */
static void
compare_packets(struct dpi *d, const struct ends *e, bool tcp)
{
	uint32_t quick = dpi_begin(d), slow = dpi_begin(d);
	uint8_t packet[128] = { 0 };
	struct wcur c = wcur_of(packet, sizeof(packet));
	uint16_t payload = (uint16_t)roll(40), header = tcp ? 20 : 8;
	struct packet k = { .key = { .protocol = tcp ? IP_TCP : IP_UDP } };

	write_ip(&c, k.key.protocol, e->ip, (uint16_t)(payload + header));
	wcur_be16(&c, e->port[0]);
	wcur_be16(&c, e->port[1]);
	if (tcp) {
		wcur_be64(&c, roll(1000));
		wcur_be64(&c, UINT64_C(0x5018ffff00000000));
	} else {
		wcur_be16(&c, (uint16_t)(payload + 8));
		wcur_be16(&c, 0);
	}
	for (unsigned i = 0; i < payload; i++)
		wcur_u8(&c, (uint8_t)roll(256));
	k.swapped = (uint8_t)roll(2);
	k.key.port[k.swapped] = e->port[0];
	k.key.port[!k.swapped] = e->port[1];
	k.l3 = packet;
	k.l3_len = (uint32_t)wcur_len(&c);
	suggest(d, state_at(d, quick), &k);
	assert_true(state_at(d, quick)->protocol_id_already_guessed);
	show(d, state_at(d, quick), packet, k.l3_len);
	show(d, state_at(d, slow), packet, k.l3_len);
	assert_same(d, quick, slow);
	dpi_release(d, quick);
	dpi_release(d, slow);
}

static void
test_first_packets(void **state)
{
	struct dpi *d = dpi_new(1, 16, -1, ignore, NULL);

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct ends e = some_ends(roll(4) != 0);

		compare_packets(d, &e, roll(2) == 0);
	}
	dpi_free(&d);
}

/* --- dissectors --- */

static uint16_t
some_payload(uint8_t out[static 64])
{
	static const struct {
		const char *text;
		uint8_t len;
	} starts[] = {
#define START(s) { (s), sizeof(s) - 1 }
		START("GET / HTTP/1.1\r\nHost: a.example\r\nUser-Agent: x\r\n\r\n"),
		START("HTTP/1.1 200 OK\r\nServer: y\r\n\r\n"),
		START("\x16\3\1\0\x2f\1\0\0\x2b\3\3"),
		START("SSH-2.0-OpenSSH_9.2\r\n"),
		START("220 mail.example ESMTP\r\n"),
		START("EHLO a.example\r\n"),
		START("USER anonymous\r\n"),
		START("\x12\x34\1\0\0\1\0\0\0\0\0\0\1a\7example\0\0\1\0\1"),
		START("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"),
		START("\x13"
		      "BitTorrent protocol"),
		START("\0\1\0\x08\x21\x12\xa4\x42"),
		START("REGISTER sip:a.example SIP/2.0\r\n"),
		START("\x80\x60\0\1\0\0\0\1\0\0\0\2"),
		START("\xc0\0\0\0\1\x08"),
		START("M-SEARCH * HTTP/1.1\r\n"),
		START("\x17\x24\x0a\x20"),
		START("\0\0\0\x55\xff"
		      "SMB"),
		START("\3\0\0\x13\x0e\xe0\0\0"),
		START("<?xml version='1.0'?><stream:stream "),
		START(""),
#undef START
	};
	unsigned i = roll(ARRAY_LEN(starts));
	uint16_t len = (uint16_t)(starts[i].len + roll(64u - starts[i].len));

	for (unsigned j = 0; j < len; j++)
		out[j] = (uint8_t)roll(256);
	memcpy(out, starts[i].text, starts[i].len);
	return len;
}

static void
assert_as_far(const struct ndpi_flow_struct *a, const struct ndpi_flow_struct *b)
{
	assert_memory_equal(a->detected_protocol_stack, b->detected_protocol_stack,
			    sizeof(a->detected_protocol_stack));
	assert_memory_equal(&a->excluded_protocol_bitmask, &b->excluded_protocol_bitmask,
			    sizeof(a->excluded_protocol_bitmask));
	assert_int_equal(a->risk, b->risk);
	assert_int_equal(a->confidence, b->confidence);
	assert_int_equal(a->fail_with_unknown, b->fail_with_unknown);
	assert_int_equal(a->num_processed_pkts, b->num_processed_pkts);
	assert_memory_equal(a->host_server_name, b->host_server_name, sizeof(a->host_server_name));
}

/* A packet of either side to a flow of each. */
static void
show_both(struct dpi *const d[static 2], const uint32_t state[static 2], const struct ends *e, bool tcp)
{
	uint8_t packet[128], payload[64];
	struct wcur c = wcur_of(packet, sizeof(packet));
	uint16_t len = some_payload(payload), header = tcp ? 20 : 8;
	unsigned from = roll(2);
	const struct ip_addr ip[2] = { e->ip[from], e->ip[!from] };

	write_ip(&c, tcp ? IP_TCP : IP_UDP, ip, (uint16_t)(len + header));
	wcur_be16(&c, e->port[from]);
	wcur_be16(&c, e->port[!from]);
	if (tcp) {
		wcur_be64(&c, roll(1000));
		wcur_be64(&c, UINT64_C(0x5018ffff00000000));
	} else {
		wcur_be16(&c, (uint16_t)(len + 8));
		wcur_be16(&c, 0);
	}
	assert_true(wcur_put(&c, payload, len));
	own_turns = true;
	show(d[0], state_at(d[0], state[0]), packet, (unsigned)wcur_len(&c));
	own_turns = false;
	show(d[1], state_at(d[1], state[1]), packet, (unsigned)wcur_len(&c));
	own_turns = true;
	assert_as_far(state_at(d[0], state[0]), state_at(d[1], state[1]));
}

static void
test_turns(void **state)
{
	/* Two of them, so that neither remembers what the other saw. */
	struct dpi *d[2] = { dpi_new(1, 16, -1, ignore, NULL), dpi_new(1, 16, -1, ignore, NULL) };
	unsigned found = 0;

	(void)state;
	assert_true(own_turns);
	for (unsigned i = 0; i < ROUNDS / 8; i++) {
		struct ends e = some_ends(roll(4) != 0);
		uint32_t s[2] = { dpi_begin(d[0]), dpi_begin(d[1]) };
		bool tcp = roll(2) == 0;

		for (unsigned n = roll(6) + 1; n > 0; n--)
			show_both(d, s, &e, tcp);
		found += state_at(d[0], s[0])->detected_protocol_stack[0] != NDPI_PROTOCOL_UNKNOWN;
		dpi_release(d[0], s[0]);
		dpi_release(d[1], s[1]);
	}
	assert_true(found > ROUNDS / 8 / 8);
	dpi_free(&d[0]);
	dpi_free(&d[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openings),
		cmocka_unit_test(test_first_packets),
		cmocka_unit_test(test_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
