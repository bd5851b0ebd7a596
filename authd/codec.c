#include "codec.h"

#include <string.h>

void
codec_put_text(struct wcur *w, const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	if (n == size || n > UINT8_MAX)
		w->bad = true;
	wcur_u8(w, (uint8_t)n);
	wcur_put(w, s, n);
}

void
codec_take_text(struct rcur *c, char *out, size_t size)
{
	size_t n = rcur_u8(c);

	memset(out, 0, size);
	if (n >= size || !rcur_copy(c, out, n) || strlen(out) != n)
		c->bad = true;
}

void
codec_put_ip(struct wcur *w, const struct ip_addr *ip)
{
	wcur_put(w, ip->b, sizeof(ip->b));
}

void
codec_take_ip(struct rcur *c, struct ip_addr *ip)
{
	memset(ip, 0, sizeof(*ip));
	rcur_copy(c, ip->b, sizeof(ip->b));
}

void
codec_put_prefix(struct wcur *w, const struct ip_prefix *p)
{
	codec_put_ip(w, &p->addr);
	wcur_u8(w, p->bits);
}

void
codec_take_prefix(struct rcur *c, struct ip_prefix *p)
{
	codec_take_ip(c, &p->addr);
	p->bits = rcur_u8(c);
	if (p->bits > 128)
		c->bad = true;
	for (unsigned bit = p->bits; bit < 128 && !c->bad; bit++)
		if (p->addr.b[bit / 8] & 0x80u >> bit % 8)
			c->bad = true;
}

void
codec_put_time(struct wcur *w, int64_t ns)
{
	wcur_be64(w, (uint64_t)ns);
}

int64_t
codec_take_time(struct rcur *c)
{
	return (int64_t)rcur_be64(c);
}

bool
codec_take_flag(struct rcur *c)
{
	uint8_t v = rcur_u8(c);

	if (v > 1)
		c->bad = true;
	return v == 1;
}

size_t
codec_finished(const struct wcur *w)
{
	return w->bad ? 0 : wcur_len(w);
}

bool
codec_ended(const struct rcur *c)
{
	return !c->bad && rcur_left(c) == 0;
}
