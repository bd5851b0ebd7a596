/* Fixed and without a seed: processes agree on it, and it says nothing to anybody. */
#include "decode/owner.h"

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t
fold(const struct ip_addr *a)
{
	uint32_t n = be32(a->b);

	for (unsigned i = 4; i < sizeof(a->b); i += 4)
		n = n * OWNER_FOLD + be32(a->b + i);
	return n;
}

static uint32_t
scramble(uint32_t n)
{
	n *= OWNER_FIRST;
	n ^= n >> OWNER_SHIFT;
	return n * OWNER_THEN;
}

static uint32_t
of_addresses(const struct flow_key *k)
{
	return scramble(fold(&k->ip[0])) + scramble(fold(&k->ip[1]));
}

/* The upper half of h as a fraction of all workers. */
static unsigned
scaled(uint32_t h, unsigned workers)
{
	return (h >> 16) * workers >> 16;
}

unsigned
owner_of(const struct flow_key *k, unsigned workers)
{
	if (k->protocol != IP_TCP && k->protocol != IP_UDP)
		return owner_of_addresses(k, workers);
	return scaled(of_addresses(k) + scramble(k->port[0]) + scramble(k->port[1]), workers);
}

unsigned
owner_of_addresses(const struct flow_key *k, unsigned workers)
{
	return scaled(of_addresses(k), workers);
}
