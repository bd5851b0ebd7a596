/* Frames made by hand for the engine's tests: a growing buffer and one function a header. */
#ifndef WEIR_TESTS_ENGINE_FRAME_H
#define WEIR_TESTS_ENGINE_FRAME_H

#include <stdint.h>
#include <string.h>

#include "base/cursor.h"

struct test_frame {
	uint8_t bytes[2048];
	struct wcur c;
};

static inline void
frame_begin(struct test_frame *f)
{
	memset(f->bytes, 0, sizeof(f->bytes));
	f->c = wcur_of(f->bytes, sizeof(f->bytes));
}

static inline uint32_t
frame_len(const struct test_frame *f)
{
	return (uint32_t)wcur_len(&f->c);
}

static inline void
frame_zero(struct test_frame *f, size_t n)
{
	static const uint8_t zero[512];

	wcur_put(&f->c, zero, n);
}

static inline void
frame_eth(struct test_frame *f, uint16_t type)
{
	static const uint8_t mac[12] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };

	wcur_put(&f->c, mac, sizeof(mac));
	wcur_be16(&f->c, type);
}

static inline void
frame_vlan(struct test_frame *f, uint16_t tag, uint16_t type)
{
	wcur_be16(&f->c, tag);
	wcur_be16(&f->c, type);
}

struct test_ip {
	uint32_t from, to;
	uint8_t protocol;
	uint16_t id, fragment; /* flags and offset as in the header */
	uint16_t options;      /* bytes, a multiple of 4 */
	uint16_t len;          /* of what follows */
};

static inline void
frame_ipv4(struct test_frame *f, struct test_ip ip)
{
	wcur_u8(&f->c, (uint8_t)(0x45 + ip.options / 4));
	wcur_u8(&f->c, 0x28); /* DSCP 10 */
	wcur_be16(&f->c, (uint16_t)(20 + ip.options + ip.len));
	wcur_be16(&f->c, ip.id);
	wcur_be16(&f->c, ip.fragment);
	wcur_u8(&f->c, 61);
	wcur_u8(&f->c, ip.protocol);
	wcur_be16(&f->c, 0);
	wcur_be32(&f->c, ip.from);
	wcur_be32(&f->c, ip.to);
	frame_zero(f, ip.options);
}

static inline void
frame_ipv6(struct test_frame *f, uint8_t from, uint8_t to, uint8_t next, uint16_t len)
{
	const uint8_t prefix[15] = { 0x20, 1, 0x0d, 0xb8 };

	wcur_be32(&f->c, UINT32_C(6) << 28);
	wcur_be16(&f->c, len);
	wcur_u8(&f->c, next);
	wcur_u8(&f->c, 61);
	wcur_put(&f->c, prefix, 15);
	wcur_u8(&f->c, from);
	wcur_put(&f->c, prefix, 15);
	wcur_u8(&f->c, to);
}

struct test_tcp {
	uint16_t from, to;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;
};

static inline void
frame_tcp(struct test_frame *f, struct test_tcp t)
{
	wcur_be16(&f->c, t.from);
	wcur_be16(&f->c, t.to);
	wcur_be32(&f->c, t.seq);
	wcur_be32(&f->c, t.ack);
	wcur_u8(&f->c, 0x50);
	wcur_u8(&f->c, t.flags);
	wcur_be16(&f->c, t.window);
	wcur_be32(&f->c, 0);
}

static inline void
frame_udp(struct test_frame *f, uint16_t from, uint16_t to, uint16_t len)
{
	wcur_be16(&f->c, from);
	wcur_be16(&f->c, to);
	wcur_be16(&f->c, (uint16_t)(8 + len));
	wcur_be16(&f->c, 0);
}

/* Whole datagrams over Ethernet. */
static inline void
frame_make_udp(struct test_frame *f, uint32_t from, uint16_t sport, uint32_t to, uint16_t dport,
	       const void *data, uint16_t len)
{
	frame_begin(f);
	frame_eth(f, 0x0800);
	frame_ipv4(f, (struct test_ip){ .from = from, .to = to, .protocol = 17, .len = (uint16_t)(8 + len) });
	frame_udp(f, sport, dport, len);
	wcur_put(&f->c, data, len);
}

static inline void
frame_make_tcp(struct test_frame *f, uint32_t from, uint32_t to, struct test_tcp t, const void *data,
	       uint16_t len)
{
	frame_begin(f);
	frame_eth(f, 0x0800);
	frame_ipv4(f, (struct test_ip){ .from = from, .to = to, .protocol = 6, .len = (uint16_t)(20 + len) });
	frame_tcp(f, t);
	wcur_put(&f->c, data, len);
}

#endif
