/* Frames made from the inside out: each function puts a header in front of what is there, with its lengths
 * right. */
#ifndef WEIR_TESTS_DECODE_STACK_H
#define WEIR_TESTS_DECODE_STACK_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

struct stack {
	uint8_t room[4096];
	uint32_t at; /* the frame is room[at..end] */
};

static inline void
stack_begin(struct stack *s)
{
	s->at = sizeof(s->room);
}

static inline const uint8_t *
stack_bytes(const struct stack *s)
{
	return s->room + s->at;
}

static inline uint32_t
stack_len(const struct stack *s)
{
	return (uint32_t)sizeof(s->room) - s->at;
}

static inline void
put(struct stack *s, const void *bytes, size_t len)
{
	assert(len <= s->at);
	s->at -= (uint32_t)len;
	memcpy(s->room + s->at, bytes, len);
}

/* PUT(s, 0x08, 0x00): these bytes. */
#define PUT(s, ...) put((s), (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static inline void
put_zero(struct stack *s, size_t len)
{
	static const uint8_t zero[512];

	put(s, zero, len);
}

static inline void
put_be16(struct stack *s, unsigned v)
{
	PUT(s, (uint8_t)(v >> 8), (uint8_t)v);
}

static inline void
put_udp(struct stack *s, uint16_t from, uint16_t to)
{
	put_be16(s, 0);
	put_be16(s, stack_len(s) + 6);
	put_be16(s, to);
	put_be16(s, from);
}

static inline void
put_tcp(struct stack *s, uint16_t from, uint16_t to)
{
	PUT(s, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 1, 0, 0, 0, 0, 0);
	put_be16(s, to);
	put_be16(s, from);
}

/* From 10.0.net.1 to 10.0.net.2. */
static inline void
put_ipv4(struct stack *s, uint8_t protocol, uint8_t net)
{
	const unsigned len = stack_len(s) + 20;

	PUT(s, 10, 0, net, 1, 10, 0, net, 2);
	PUT(s, 0, 7, 0, 0, 64, protocol, 0, 0);
	put_be16(s, len);
	PUT(s, 0x45, 0);
}

/* From 2001:db8:net::1 to 2001:db8:net::2. */
static inline void
put_ipv6(struct stack *s, uint8_t next, uint8_t net)
{
	const unsigned len = stack_len(s);

	PUT(s, 0x20, 1, 0x0d, 0xb8, 0, net, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
	PUT(s, 0x20, 1, 0x0d, 0xb8, 0, net, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
	PUT(s, next, 64);
	put_be16(s, len);
	PUT(s, 0x60, 0, 0, 0);
}

static inline void
put_ethernet(struct stack *s, uint16_t type, uint8_t mac)
{
	put_be16(s, type);
	PUT(s, 2, 0, 0, 0, mac, 2, 2, 0, 0, 0, mac, 1);
}

static inline void
put_vlan(struct stack *s, uint16_t id, uint16_t type)
{
	put_be16(s, type);
	put_be16(s, id);
}

/* A question to a name server: 4 bytes of payload, net 9. */
static inline void
put_inner4(struct stack *s)
{
	PUT(s, 'a', 'b', 'c', 'd');
	put_udp(s, 5000, 5353);
	put_ipv4(s, 17, 9);
}

static inline void
put_inner6(struct stack *s)
{
	PUT(s, 'a', 'b', 'c', 'd');
	put_udp(s, 5000, 5353);
	put_ipv6(s, 17, 9);
}

#endif
