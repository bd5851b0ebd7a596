#include "steer.h"

#include "base/cursor.h"
#include "base/hash.h"
#include "base/mem.h"

#define TAGS_MAX       8
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define ETHERTYPE_OLDQ 0x9100

/* Where each link type keeps its EtherType, and how long its header is. No EtherType: the IP version says it
 * all. */
static const struct link {
	uint32_t type;
	uint8_t before, after; /* bytes around the EtherType; before only, where there is none */
	bool has_ethertype;
} links[] = {
	{ 1, 12, 0, true }, /* LINKTYPE_ETHERNET */
	{ 0, 4, 0,
	  false }, /* LINKTYPE_NULL: an address family in the byte order of the machine that wrote it */
	{ 108, 4, 0, false }, /* LINKTYPE_LOOP */
	{ 101, 0, 0, false }, /* LINKTYPE_RAW */
	{ 228, 0, 0, false }, /* LINKTYPE_IPV4 */
	{ 229, 0, 0, false }, /* LINKTYPE_IPV6 */
	{ 113, 14, 0, true }, /* LINKTYPE_LINUX_SLL */
	{ 276, 0, 18, true }, /* LINKTYPE_LINUX_SLL2 */
};

static bool
to_ip(struct rcur *c, uint32_t link_type)
{
	const struct link *l = NULL;
	uint16_t type;

	for (size_t i = 0; i < ARRAY_LEN(links) && l == NULL; i++)
		if (links[i].type == link_type)
			l = &links[i];
	if (l == NULL || !rcur_skip(c, l->before))
		return false;
	if (!l->has_ethertype)
		return true;
	type = rcur_be16(c);
	(void)rcur_skip(c, l->after);
	for (int i = 0;
	     i < TAGS_MAX && (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_OLDQ);
	     i++) {
		(void)rcur_be16(c);
		type = rcur_be16(c);
	}
	return !c->bad && (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6);
}

static uint64_t
address_hash(struct rcur *c, size_t len)
{
	uint64_t high = len == 16 ? rcur_be64(c) : 0;
	uint64_t low = len == 16 ? rcur_be64(c) : rcur_be32(c);

	return hash_mix(high ^ UINT64_C(0x9e3779b97f4a7c15), low ^ UINT64_C(0xd6e8feb86659fd93));
}

unsigned
steer_worker(uint32_t link_type, const uint8_t *bytes, size_t len, unsigned workers)
{
	struct rcur c = rcur_of(bytes, len);
	uint64_t a, b, h;
	uint8_t version;

	if (workers <= 1 || !to_ip(&c, link_type) || rcur_left(&c) < 1)
		return 0;
	version = c.p[0] >> 4;
	if (version != 4 && version != 6)
		return 0;
	(void)rcur_skip(&c, version == 4 ? 12 : 8); /* source and destination address follow each other */
	a = address_hash(&c, version == 4 ? 4 : 16);
	b = address_hash(&c, version == 4 ? 4 : 16);
	if (c.bad)
		return 0;
	h = hash_mix((a ^ b) | 1, (a + b) | UINT64_C(0x8000000000000000)); /* the same for both directions */
	return (unsigned)(((h >> 32) * workers) >> 32);
}
