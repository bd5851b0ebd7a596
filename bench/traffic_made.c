/* Frames made from nothing: headers, and short exchanges of a few protocols. */
#include <string.h>

#include "base/mem.h"
#include "traffic.h"

#define ETHER 14u
#define LEAST 60u /* of a frame without FCS */

static uint8_t *
be16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static uint8_t *
be32(uint8_t *p, uint32_t v)
{
	return be16(be16(p, v >> 16), v & 0xffff);
}

static uint32_t
sum16(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return len % 2 != 0 ? sum + ((uint32_t)p[len - 1] << 8) : sum;
}

static uint16_t
folded(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint32_t
made_frame(uint8_t *frame, const struct made_ends *e, const void *payload, uint32_t len)
{
	const uint32_t l4 = e->flags != 0 ? 20 : 8, protocol = e->flags != 0 ? 6 : 17;
	uint8_t *ip = frame + ETHER, *t = ip + 20, *p = t;
	uint32_t total = ETHER + 20 + l4 + len;

	memset(frame, 0, total < LEAST ? LEAST : total);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes of a message */
	memcpy(frame, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00", ETHER);
	be32(ip, UINT32_C(0x45000000) | (total - ETHER));
	be32(ip + 4, 0x4000); /* do not fragment */
	be32(ip + 8, 64u << 24 | protocol << 16);
	be32(ip + 12, e->ip[0]);
	be32(ip + 16, e->ip[1]);
	be16(ip + 10, folded(sum16(ip, 20, 0)));
	p = be16(be16(p, e->port[0]), e->port[1]);
	if (e->flags != 0) {
		p = be32(be32(p, e->seq), e->ack);
		be16(be16(p, 0x5000u | e->flags), 0xfaf0);
	} else {
		be16(p, 8 + len);
	}
	if (len > 0)
		memcpy(t + l4, payload, len);
	be16(t + (e->flags != 0 ? 16 : 6),
	     folded(sum16(t, l4 + len, sum16(ip + 12, 8, protocol + l4 + len))));
	return total < LEAST ? LEAST : total;
}

/* --- exchanges
 * -------------------------------------------------------------------------------------------------------------
 */

struct turn {
	bool answer; /* from the server */
	const char *text;
	uint32_t len;
};
#define SAY(text)                                                                                            \
	{                                                                                                    \
		false, text, sizeof(text) - 1                                                                \
	}
#define ANSWER(text)                                                                                         \
	{                                                                                                    \
		true, text, sizeof(text) - 1                                                                 \
	}

/* A client's hello for www.example.org, TLS 1.2, two cipher suites. */
#define TLS_HELLO                                                                                            \
	"\x16\x03\x01\x00\x49\x01\x00\x00\x45\x03\x03"                                                       \
	"weir-bench-weir-bench-weir-bench"                                                                   \
	"\x00\x00\x04\xc0\x2f\x00\x9c\x01\x00\x00\x18\x00\x00\x00\x14\x00\x12\x00\x00\x0fwww.example.org"
#define TLS_ANSWER                                                                                           \
	"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03"                                                       \
	"bench-weir-bench-weir-bench-weir"                                                                   \
	"\x00\xc0\x2f\x00"

static const struct exchange {
	uint16_t port;
	bool tcp;
	unsigned turns;
	struct turn turn[6];
} exchanges[MADE_KINDS] = {
	{ 53,
	  false,
	  2,
	  { SAY("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07"
		"example\x03org\x00\x00\x01\x00\x01"),
	    ANSWER("\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x03www\x07"
		   "example\x03org\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x0e\x10\x00\x04\xc6"
		   "\x33\x64\x07") } },
	{ 80,
	  true,
	  4,
	  { SAY("GET /a HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: bench\r\n\r\n"),
	    ANSWER("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"),
	    SAY("GET /b HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: bench\r\n\r\n"),
	    ANSWER("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") } },
	{ 443,
	  true,
	  4,
	  { SAY(TLS_HELLO), ANSWER(TLS_ANSWER), SAY("\x17\x03\x03\x00\x08\x01\x02\x03\x04\x05\x06\x07\x08"),
	    ANSWER("\x17\x03\x03\x00\x08\x08\x07\x06\x05\x04\x03\x02\x01") } },
	{ 22, true, 2, { ANSWER("SSH-2.0-OpenSSH_9.2\r\n"), SAY("SSH-2.0-OpenSSH_9.0\r\n") } },
	{ 123,
	  false,
	  2,
	  { SAY("\x23\x00\x06\xec\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
		"\x00"
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xe8\x00\x00\x00\x00\x00\x00"
		"\x00"),
	    ANSWER("\x24\x02\x06\xec\x00\x00\x00\x10\x00\x00\x00\x10\xc6\x33\x64\x01\xe8\x00\x00\x00\x00\x00"
		   "\x00\x00"
		   "\xe8\x00\x00\x00\x00\x00\x00\x00\xe8\x00\x00\x00\x00\x00\x00\x00\xe8\x00\x00\x00\x00\x00"
		   "\x00\x00") } },
	{ 25,
	  true,
	  6,
	  { ANSWER("220 mail.example.org ESMTP\r\n"), SAY("EHLO bench.example.org\r\n"), ANSWER("250 OK\r\n"),
	    SAY("MAIL FROM:<a@example.org>\r\n"), ANSWER("250 OK\r\n"), SAY("QUIT\r\n") } },
};

uint32_t
made_next(struct made *m, uint8_t frame[static 2048])
{
	/* What opens and closes a connection, before and behind the turns. */
	static const uint8_t opens[] = { 0x02, 0x12, 0x10 }, closes[] = { 0x11, 0x11, 0x10 };
	const struct exchange *x = &exchanges[m->kind % MADE_KINDS];
	const unsigned before = x->tcp ? ARRAY_LEN(opens) : 0, behind = x->tcp ? ARRAY_LEN(closes) : 0;
	struct turn t = { .answer = false };
	struct made_ends e = { .flags = 0 };

	if (m->step >= before + x->turns + behind)
		return 0;
	if (m->step < before) {
		t.answer = m->step == 1;
		e.flags = opens[m->step];
	} else if (m->step < before + x->turns) {
		t = x->turn[m->step - before];
		e.flags = x->tcp ? 0x18 : 0;
	} else {
		t.answer = m->step - before - x->turns == 1;
		e.flags = closes[m->step - before - x->turns];
	}
	e.ip[t.answer] = UINT32_C(0x0a030000) | (m->number & 0xffff);
	e.ip[!t.answer] = UINT32_C(0xc6336400) | (m->number >> 16 & 0xff);
	e.port[t.answer] = (uint16_t)(1024 + m->number % 60000);
	e.port[!t.answer] = x->port;
	e.seq = m->seq[t.answer];
	e.ack = e.flags == 0x02 ? 0 : m->seq[!t.answer];
	m->seq[t.answer] += t.len + ((e.flags & 0x03) != 0);
	m->step++;
	return made_frame(frame, &e, t.text, t.len);
}
