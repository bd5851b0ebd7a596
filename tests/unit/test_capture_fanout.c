/* The kernel's program says what decode/owner.h says: run here over made-up frames, and by the kernel. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "decode/decode.h"
#include "decode/owner.h"
#include "engine_frame.h"
#include "fanout.h"

/* What the kernel has of a frame: its bytes, where the network header is, and what it takes it for. */
struct seen {
	const uint8_t *bytes;
	uint32_t len, network;
	uint16_t protocol;
};

/* Bytes big-endian at an address of the program's; false where there are none. */
static bool
load(const struct seen *s, uint32_t at, unsigned size, uint32_t *a)
{
	uint32_t from = at - (uint32_t)SKF_NET_OFF + s->network;

	if (at == (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)) {
		*a = s->protocol;
		return true;
	}
	assert_true((int32_t)at < 0 && (int32_t)at >= SKF_NET_OFF);
	if (from > s->len || s->len - from < size)
		return false;
	for (*a = 0; size > 0; size--)
		*a = *a << 8 | s->bytes[from++];
	return true;
}

/* The instructions that the program uses, as Documentation/networking/filter.rst has them. */
static uint32_t
run(const struct fanout_program *p, const struct seen *s)
{
	uint32_t a = 0, x = 0, m[BPF_MEMWORDS];

	for (unsigned pc = 0; pc < p->len; pc++) {
		const struct sock_filter *i = &p->code[pc];
		unsigned size = BPF_SIZE(i->code) == BPF_W ? 4 : BPF_SIZE(i->code) == BPF_H ? 2 : 1;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
		case BPF_LD | BPF_H | BPF_ABS:
		case BPF_LD | BPF_B | BPF_ABS:
			if (!load(s, i->k, size, &a))
				return 0;
			break;
		case BPF_LD | BPF_W | BPF_IND:
		case BPF_LD | BPF_H | BPF_IND:
		case BPF_LD | BPF_B | BPF_IND:
			if (!load(s, x + i->k, size, &a))
				return 0;
			break;
		case BPF_LD | BPF_IMM:
			a = i->k;
			break;
		case BPF_LD | BPF_MEM:
			a = m[i->k];
			break;
		case BPF_LDX | BPF_IMM:
			x = i->k;
			break;
		case BPF_LDX | BPF_MEM:
			x = m[i->k];
			break;
		case BPF_ST:
			m[i->k] = a;
			break;
		case BPF_STX:
			m[i->k] = x;
			break;
		case BPF_ALU | BPF_ADD:
			a += i->k;
			break;
		case BPF_ALU | BPF_ADD | BPF_X:
			a += x;
			break;
		case BPF_ALU | BPF_MUL | BPF_K:
			a *= i->k;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_ALU | BPF_XOR | BPF_X:
			a ^= x;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			a >>= i->k;
			break;
		case BPF_ALU | BPF_LSH | BPF_K:
			a <<= i->k;
			break;
		case BPF_MISC | BPF_TAX:
			x = a;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += (a & i->k) != 0 ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_RET | BPF_A:
			return a;
		default:
			fail_msg("instruction %#x", i->code);
		}
	}
	fail_msg("the program has no end");
	return 0;
}

static unsigned
engine_says(const struct test_frame *f, unsigned workers)
{
	static const struct decode_options o = { .link_type = LINK_ETHERNET };
	struct packet k;

	decode_frame(&k, &o, f->bytes, frame_len(f), frame_len(f));
	assert_int_equal(k.reason, DECODED);
	/* Fragments meet where their addresses lead, also the one that has the ports. */
	return k.fragment == FRAGMENT_NONE ? owner_of(&k.key, workers) : owner_of_addresses(&k.key, workers);
}

static struct seen
seen_at(const struct test_frame *f, uint32_t network, uint16_t protocol)
{
	return (struct seen){ f->bytes, frame_len(f), network, protocol };
}

/* Frames of many kinds in the places where the kernel meets them. */
static void
check(const struct fanout_program *p, unsigned workers, uint16_t port, uint8_t host)
{
	struct test_frame f;
	struct seen s;

	for (unsigned tags = 0; tags < 2; tags++) {
		for (unsigned kind = 0; kind < 8; kind++) {
			static const uint8_t protocols[] = { 17, 6, 1, 132, 17, 17, 17, 58 };
			static const uint16_t fragments[] = { 0, 0, 0, 0, 0x2000, 185, 0x4000, 0 };
			bool six = kind == 7 || (host & 1 && kind < 4);

			frame_begin(&f);
			frame_eth(&f, tags > 0 ? 0x8100 : six ? 0x86dd : 0x0800);
			if (tags > 0)
				frame_vlan(&f, 7, six ? 0x86dd : 0x0800);
			if (six)
				frame_ipv6(&f, host, 9, protocols[kind], 40);
			else
				frame_ipv4(&f, (struct test_ip){ .from = 0x0a000000u + host,
								 .to = 0x0a000109,
								 .protocol = protocols[kind],
								 .fragment = fragments[kind],
								 .options = (uint16_t)(host % 3 * 4),
								 .len = 40 });
			if (protocols[kind] == 6)
				frame_tcp(&f, (struct test_tcp){ .from = port, .to = 443 });
			else
				frame_udp(&f, port, 443, 32);
			frame_zero(&f, 32);
			s = seen_at(&f, 14, tags > 0 ? 0x8100 : six ? 0x86dd : 0x0800);
			assert_int_equal(run(p, &s), engine_says(&f, workers));
			/* The tag was taken off by the card, or stands before the network header. */
			s = seen_at(&f, 14 + 4 * tags, six ? 0x86dd : 0x0800);
			assert_int_equal(run(p, &s), engine_says(&f, workers));
			s = seen_at(&f, 14 + 4 * tags, 0x8100);
			assert_int_equal(run(p, &s), engine_says(&f, workers));
		}
	}
}

static void
test_says_what_engines_say(void **state)
{
	static const unsigned sizes[] = { 1, 2, 3, 4, 16, 1000 };
	struct fanout_program p;

	(void)state;
	for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
		fanout_compile(&p, sizes[n]);
		for (uint16_t i = 0; i < 500; i++)
			check(&p, sizes[n], (uint16_t)(i * 131), (uint8_t)i);
	}
}

static void
test_what_is_no_plain_frame(void **state)
{
	struct fanout_program p;
	struct test_frame f;
	struct seen s;

	(void)state;
	fanout_compile(&p, 16);
	frame_make_udp(&f, 0x0a000001, 1, 0x0a000002, 2, "", 0);
	for (uint32_t len = 0; len < 14 + 20; len++) {
		s = (struct seen){ f.bytes, len, 14, 0x0800 };
		assert_int_equal(run(&p, &s), 0);
		s.protocol = 0x8100;
		assert_int_equal(run(&p, &s), 0);
	}
	s = seen_at(&f, 14, 0x0806);
	assert_int_equal(run(&p, &s), 0);
	memset(f.bytes, 0xff, sizeof(f.bytes));
	s = seen_at(&f, 14, 0x8100);
	assert_int_equal(run(&p, &s), 0);
}

/* As a filter of a UDP socket the kernel takes its answer for how much of a datagram is kept, header
 * included, and never less than that: who made it can be read from the length. */
static void
test_the_kernel_says_the_same(void **state)
{
	static const uint8_t payload[2000];
	const struct in_addr local = { htonl(INADDR_LOOPBACK) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = local };
	socklen_t len = sizeof(to);
	struct fanout_program p;
	struct sock_fprog prog = { 0, p.code };
	int in = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	fanout_compile(&p, 1000);
	prog.len = p.len;
	assert_int_equal(bind(in, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(getsockname(in, (struct sockaddr *)&to, &len), 0);
	assert_int_equal(setsockopt(in, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)), 0);
	for (int i = 0; i < 200; i++) {
		struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr = local };
		int out = socket(AF_INET, SOCK_DGRAM, 0);
		struct flow_key k = { .protocol = IP_UDP };
		uint8_t got[sizeof(payload)];
		unsigned want;

		len = sizeof(from);
		assert_int_equal(bind(out, (struct sockaddr *)&from, sizeof(from)), 0);
		assert_int_equal(getsockname(out, (struct sockaddr *)&from, &len), 0);
		k.ip[0] = k.ip[1] = ip_from_v4((const uint8_t *)&local);
		k.port[0] = ntohs(from.sin_port);
		k.port[1] = ntohs(to.sin_port);
		want = owner_of(&k, 1000);
		if (want > 0) { /* 0: dropped */
			assert_int_equal(
			    sendto(out, payload, sizeof(payload), 0, (struct sockaddr *)&to, sizeof(to)),
			    sizeof(payload));
			assert_int_equal(recv(in, got, sizeof(got), 0), want < 8 ? 0 : want - 8);
		}
		close(out);
	}
	close(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says_what_engines_say),
		cmocka_unit_test(test_what_is_no_plain_frame),
		cmocka_unit_test(test_the_kernel_says_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
